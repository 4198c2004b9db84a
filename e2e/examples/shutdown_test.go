package examples

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const busy = `
receivers:
  psutil:
    collection_interval: 100ms
    initial_delay: 0s
    scrapers:
      {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {}, network: {}, connections: {}, pressure: {}, sensors: {},
       processes: {}, system: {}, process: {collection_interval: 100ms}}
exporters: {file: {path: metrics.jsonl, flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines: {metrics: {receivers: [psutil], exporters: [file]}}
`

// TestSignalsEndItInOrder stops collectors that are always at work.
func TestSignalsEndItInOrder(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := t.TempDir()
			c := start(t, dir, busy)
			path := filepath.Join(dir, "metrics.jsonl")
			nthBatch(t, path, 3)
			asked := time.Now()
			require.NoError(t, c.stop(t, signal), "the status is 0")
			assert.Less(t, time.Since(asked), 5*time.Second)
			assert.Empty(t, c.output.String())

			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.HasSuffix(text, []byte("\n")), "the last line is cut off")
			got, err := batches(path)
			require.NoError(t, err)
			assert.Len(t, got, bytes.Count(text, []byte("\n")))
			assert.Contains(t, pointsOf(got[len(got)-1]), "system.memory.limit")
		})
	}
}

// TestQuickstartRunsFromAnyFolder runs what `make run` runs, in a folder of its own and on a port of its own.
func TestQuickstartRunsFromAnyFolder(t *testing.T) {
	config, err := filepath.Abs(filepath.Join("..", "examples", "quickstart.yaml"))
	require.NoError(t, err)
	dir, port := t.TempDir(), freePort(t)
	c := launch(t, dir, exec.Command(binary(t), "--config", config,
		"--set", fmt.Sprintf("exporters.prometheus.endpoint=127.0.0.1:%d", port)))
	eventually(t, "the Prometheus endpoint", func() error {
		series, err := scrapePrometheus(port)
		if err == nil && len(series) == 0 {
			err = fmt.Errorf("no series yet")
		}
		return err
	})
	eventually(t, "the file, below the folder in which it runs", func() error {
		got, err := batches(filepath.Join(dir, "quickstart-data", "metrics.jsonl"))
		if err == nil && len(got) == 0 {
			err = fmt.Errorf("no batch yet")
		}
		return err
	})
	eventually(t, "figures on the terminal", func() error {
		if c.output.String() == "" {
			return fmt.Errorf("nothing yet")
		}
		return nil
	})
	require.NoError(t, c.stop(t, os.Interrupt))
	assert.NotContains(t, c.output.String(), "warn")
	assert.NotContains(t, c.output.String(), "error")
}

// nthBatch waits for the file to have n batches, and gives the nth.
func nthBatch(t *testing.T, path string, n int) (nth pmetric.Metrics) {
	t.Helper()
	var line []byte
	eventually(t, fmt.Sprintf("%d batches in %s", n, path), func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := bytes.SplitAfterN(text, []byte("\n"), n+1)
		if len(lines) <= n {
			return fmt.Errorf("only %d", len(lines)-1)
		}
		line = lines[n-1]
		return nil
	})
	nth, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
	require.NoError(t, err)
	return nth
}
