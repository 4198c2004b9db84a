package backends

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lookServer finds the program of a server that a test needs. Where it is missing the test is skipped, or fails with E2E_REQUIRE_SERVERS=1.
func lookServer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("E2E_REQUIRE_SERVERS") == "1":
		require.NoError(t, err, "E2E_REQUIRE_SERVERS=1 asks for every server")
	default:
		t.Skipf("no %s on this machine; on Debian: apt-get install prometheus prometheus-alertmanager influxdb", name)
	}
	return ""
}

// startServer runs a server in a folder of its own, until the test ends or it is told to stop, and waits for it to answer at a URL.
func startServer(t *testing.T, dir, ready, program string, args ...string) *collector {
	t.Helper()
	s := launch(t, dir, exec.Command(program, args...))
	t.Cleanup(func() {
		// It writes to its folder until it is gone, and the folder is removed next.
		_ = s.cmd.Process.Kill()
		select {
		case err := <-s.exited:
			s.exited <- err
		case <-time.After(patience):
		}
	})
	eventually(t, filepath.Base(program)+" answers", func() error {
		select {
		case err := <-s.exited:
			s.exited <- err
			require.Failf(t, "it ended", "%s: %v\n%s", program, err, s.output)
		default:
		}
		_, err := get(ready)
		return err
	})
	return s
}

// loopback is an address that nobody listens on.
func loopback(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePort(t))
}

// get gives the body of a page, and an error where the status is not of success.
func get(url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	return body, err
}

// getJSON decodes the page at a URL.
func getJSON(url string, v any) error {
	body, err := get(url)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

// startExample runs the distribution with an example as it stands. Over it lie settings of the test, and beside it environment variables.
func startExample(t *testing.T, dir, name string, settings []string, env ...string) *collector {
	t.Helper()
	example, err := filepath.Abs(filepath.Join("..", "examples", name))
	require.NoError(t, err)
	args := []string{"--config", example}
	for i, text := range settings {
		path := filepath.Join(dir, fmt.Sprintf("settings-%d.yaml", i))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		args = append(args, "--config", path)
	}
	cmd := exec.Command(binary(t), args...)
	cmd.Env = append(os.Environ(), env...)
	return launch(t, dir, cmd)
}

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
      process: {collection_interval: 1s, top: {n: 0}, include: {names: [` + burnerName + `, otelcol-psutil, prometheus, influxd]}}
`

// stopQuietly ends a collector, which must not have warned of anything, except in lines that have one of these texts.
func stopQuietly(t *testing.T, c *collector, except ...string) {
	t.Helper()
	require.NoError(t, c.stop(t, syscall.SIGTERM))
	for line := range strings.Lines(c.output.String()) {
		if strings.Contains(line, "\twarn\t") || strings.Contains(line, "\terror\t") {
			assert.True(t, slices.ContainsFunc(except, func(text string) bool { return strings.Contains(line, text) }), line)
		}
	}
}

// agrees holds the counters of a backend between two readings of the kernel: it takes one, waits for the backend to have come as far, and
// takes the other. Both sides are known by the name and attributes of the point.
func agrees(t *testing.T, counters func() (map[string]float64, error)) {
	t.Helper()
	const ticks = 0.021 // The kernel takes back up to two ticks of idle time now and then.
	before := kernel(t)
	var got map[string]float64
	eventually(t, "the backend has what the kernel had", func() error {
		var err error
		if got, err = counters(); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(before)) {
			if v, ok := got[name]; !ok || v < before[name]-ticks {
				return fmt.Errorf("%s is %v (known: %v), the kernel had %v", name, v, ok, before[name])
			}
		}
		return nil
	})
	after := kernel(t)
	for name := range before {
		assert.LessOrEqual(t, got[name], after[name]+ticks, name)
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
	return 1024 * firstNumber(t, "/", "proc/meminfo", "MemTotal:")
}

// processesNow counts the processes that /proc shows.
func processesNow(t *testing.T) float64 {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	return float64(len(dirs))
}
