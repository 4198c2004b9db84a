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

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
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
			c := harness.Start(t, dir, busy)
			path := filepath.Join(dir, "metrics.jsonl")
			harness.NthBatch(t, path, 3)
			asked := time.Now()
			require.NoError(t, c.Stop(t, signal), "the status is 0")
			assert.Less(t, time.Since(asked), 5*time.Second)
			assert.Empty(t, c.Output())

			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.HasSuffix(text, []byte("\n")), "the last line is cut off")
			got, err := harness.Batches(path)
			require.NoError(t, err)
			assert.Len(t, got, bytes.Count(text, []byte("\n")))
			assert.Contains(t, harness.PointsOf(got[len(got)-1]), "system.memory.limit")
		})
	}
}

// TestQuickstartRunsFromAnyFolder runs the quickstart in a folder of its own and on a port of its own.
func TestQuickstartRunsFromAnyFolder(t *testing.T) {
	config := harness.Repository(t, "examples", "quickstart.yaml")
	dir, port := t.TempDir(), harness.FreePort(t)
	c := harness.Run(t, dir, exec.Command(harness.Binary(t), "--config", config,
		"--set", fmt.Sprintf("exporters.prometheus.endpoint=127.0.0.1:%d", port)))
	harness.Eventually(t, "the Prometheus endpoint", func() error {
		series, err := harness.ScrapePrometheus(port)
		if err == nil && len(series) == 0 {
			err = fmt.Errorf("no series yet")
		}
		return err
	})
	harness.Eventually(t, "the file, below the folder in which it runs", func() error {
		got, err := harness.Batches(filepath.Join(dir, "quickstart-data", "metrics.jsonl"))
		if err == nil && len(got) == 0 {
			err = fmt.Errorf("no batch yet")
		}
		return err
	})
	harness.Eventually(t, "values on the terminal", func() error {
		if c.Output() == "" {
			return fmt.Errorf("nothing yet")
		}
		return nil
	})
	require.NoError(t, c.Stop(t, os.Interrupt))
	for _, line := range harness.LogLines(c.Output()) {
		assert.NotContains(t, []string{"warn", "error"}, line.Level, "%s: %s", line.Component, line.Message)
	}
}
