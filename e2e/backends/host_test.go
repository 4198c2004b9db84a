package backends

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// withFile has the pipeline of an example write to metrics.jsonl, too.
func withFile(exporter string) string {
	return fmt.Sprintf(`
exporters: {file: {path: metrics.jsonl, flush_interval: 100ms}}
service: {pipelines: {metrics: {exporters: [%s, file]}}}
`, exporter)
}

// burnerName is the program name of the processes that tests start to have some CPU time used.
const burnerName = "e2e-cpu-burner"

// everySecond has all that runs by default run once a second, the CPU four times so that rates over a few seconds are exact. Of the processes
// it keeps to those that the tests start, however many others there are.
const everySecond = `
receivers:
  psutil:
    collection_interval: 1s
    initial_delay: 0s
    scrapers:
      cpu: {collection_interval: 250ms}
      load:
      memory:
      paging:
      disk:
      filesystem:
      network:
      pressure:
      processes:
      system:
      netstat:
      clock:
      process: {collection_interval: 1s, top: {n: 0}, include: {names: [` + burnerName + `, otelcol-psutil, prometheus, influxd]}}
`

// stopQuietly ends a collector, which must not have warned of anything, except in lines that have one of these texts.
func stopQuietly(t *testing.T, c *harness.Process, except ...string) {
	t.Helper()
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	for line := range strings.Lines(c.Output()) {
		if strings.Contains(line, "\twarn\t") || strings.Contains(line, "\terror\t") {
			assert.True(t, slices.ContainsFunc(except, func(text string) bool { return strings.Contains(line, text) }), line)
		}
	}
}

// agrees holds the counters of a backend between two readings of the kernel: it takes one, waits for the backend to have come as far, and
// takes the other. Both sides are known by the name and attributes of the point.
func agrees(t *testing.T, counters func() (map[string]float64, error)) {
	t.Helper()
	before := harness.HostCounters(t)
	var got map[string]float64
	harness.Eventually(t, "the backend has what the kernel had", func() error {
		var err error
		if got, err = counters(); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(before)) {
			if v, ok := got[name]; !ok || v < before[name]-harness.Tolerance(name) {
				return fmt.Errorf("%s is %v (known: %v), the kernel had %v", name, v, ok, before[name])
			}
		}
		return nil
	})
	after := harness.HostCounters(t)
	for name := range before {
		assert.LessOrEqual(t, got[name], after[name]+harness.Tolerance(name), name)
	}
	for _, part := range []string{"system.cpu.time{", "system.disk.io{", "system.network.io{", "system.process.created"} {
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(before)), func(name string) bool {
			return strings.HasPrefix(name, part)
		}), "%s was not compared", part)
	}
}

// memTotal is the memory of this host in bytes, from /proc/meminfo.
func memTotal(t *testing.T) float64 {
	t.Helper()
	return 1024 * harness.FirstNumber(t, "/", "proc/meminfo", "MemTotal:")
}
