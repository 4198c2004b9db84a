//go:build linux

// Package truth holds what the built distribution says of this host against what the kernel says, and finds that it reads no more than it should.
package truth

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

const everything = `
receivers:
  psutil:
    collection_interval: 1s
    initial_delay: 0s
    scrapers: {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {}, network: {virtual: true}, connections: {}, pressure: {}, sensors: {}, processes: {}, system: {}}
exporters:
  file: {path: metrics.jsonl, flush_interval: 100ms}
  prometheus: {endpoint: "127.0.0.1:%d", without_scope_info: true}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, prometheus]}
`

// TestValuesAreTheKernels runs the distribution and compares counters with what the test reads before and after, and levels with what
// stands still.
func TestValuesAreTheKernels(t *testing.T) {
	dir, port := t.TempDir(), harness.FreePort(t)
	processes := harness.WatchProcesses(t)
	before := harness.HostCounters(t)
	c := harness.Start(t, dir, fmt.Sprintf(everything, port))
	var got []pmetric.Metrics
	harness.Eventually(t, "three batches in the file", func() (err error) {
		if got, err = harness.Batches(filepath.Join(dir, "metrics.jsonl")); err == nil && len(got) < 3 {
			err = fmt.Errorf("only %d batches", len(got))
		}
		return err
	})
	var series map[string]float64
	harness.Eventually(t, "the Prometheus endpoint", func() (err error) { series, err = harness.ScrapePrometheus(port); return err })
	after := harness.HostCounters(t)

	points := harness.PointsOf(got[len(got)-1])
	for name, low := range before {
		p, ok := points[name]
		if !assert.True(t, ok, "%s is missing", name) {
			continue
		}
		assert.GreaterOrEqual(t, p.Value, low-harness.Tolerance(name), name)
		assert.LessOrEqual(t, p.Value, after[name]+harness.Tolerance(name), name)
		assert.Less(t, p.Start, p.At, name)
		assert.True(t, p.Metric.Sum().IsMonotonic(), name)
	}
	checkLevels(t, points, processes)
	assert.InDelta(t, points["system.memory.limit"].Value, series["system_memory_limit_bytes"], 0)
	assert.GreaterOrEqual(t, series[`system_cpu_time_seconds_total{cpu_mode="user"}`], before["system.cpu.time{cpu.mode=user}"])
	assert.LessOrEqual(t, series[`system_cpu_time_seconds_total{cpu_mode="user"}`], after["system.cpu.time{cpu.mode=user}"])

	asked := time.Now()
	require.NoError(t, c.Stop(t, syscall.SIGTERM), "SIGTERM must end it with status 0")
	assert.Less(t, time.Since(asked), harness.Timeout)
	assert.Empty(t, c.Output(), "nothing to warn of on a healthy host")
}

// checkLevels compares gauges that do not change, or that must agree with one another.
func checkLevels(t *testing.T, points map[string]harness.Point, processes *harness.ProcessCount) {
	t.Helper()
	var total float64
	for _, state := range []string{"used", "free", "buffers", "cached"} {
		total += points["system.memory.usage{system.memory.state="+state+"}"].Value
	}
	assert.InDelta(t, points["system.memory.limit"].Value, total, 0, "memory states sum to the limit")

	var share float64
	for name, p := range points {
		if strings.HasPrefix(name, "system.cpu.utilization{") {
			share += p.Value
		}
	}
	assert.InDelta(t, 1, share, 1e-9, "CPU shares sum to 1")

	var count float64
	for name, p := range points {
		if strings.HasPrefix(name, "system.process.count{") {
			count += p.Value
		}
	}
	require.NoError(t, processes.Holds(count))

	out, err := exec.Command("df", "-B1", "--output=size,used", "/").Output()
	require.NoError(t, err)
	df := strings.Fields(strings.Split(strings.TrimSpace(string(out)), "\n")[1])
	size, err := strconv.ParseFloat(df[0], 64)
	require.NoError(t, err)
	found := false
	for name, p := range points {
		if strings.HasPrefix(name, "system.filesystem.limit{") && strings.Contains(name, "mountpoint=/,") {
			found = true
			assert.InDelta(t, size, p.Value, 0, name)
		}
	}
	assert.True(t, found, "the root file system is missing")
}

func TestTakenPortIsNamed(t *testing.T) {
	dir, port := t.TempDir(), harness.FreePort(t)
	first := harness.Start(t, dir, fmt.Sprintf(everything, port))
	harness.Eventually(t, "the first collector listens", func() error { _, err := harness.ScrapePrometheus(port); return err })
	second := harness.Start(t, t.TempDir(), fmt.Sprintf(everything, port))
	require.Error(t, second.Await(t), "the port is taken")
	assert.Contains(t, second.Output(), "address already in use")
	assert.Contains(t, second.Output(), strconv.Itoa(port))
	require.NoError(t, first.Stop(t, os.Interrupt))
}
