package alerts

import (
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// processRules watches two programs: one may be busy, the other must be there. The alerts come out of an alert processor. A single clock
// tick in two seconds is enough of a load, so that it counts on the busiest of hosts.
const processRules = `
receivers:
  psutil:
    collection_interval: 250ms
    initial_delay: 0s
    scrapers: {process: {collection_interval: 250ms, include: {names: [%[1]s, %[2]s]}, top: {n: 0}, other: false}}
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%[3]d"}}}
processors:
  alert:
    evaluation_interval: 1s
    defaults: {flapping: {enabled: false}}    # Two episodes on a ladder are up to eight transitions.
    rules:
      - name: process_heavy
        metric: process.cpu.utilization
        match: {resource: {process.executable.name: %[1]s}}
        group_by: [resource.process.executable.name, resource.process.pid]
        group_aggregate: sum
        window: 2s
        aggregate: avg
        thresholds: {warning: {above: 0.2%%, clear: 0.1%%}, critical: {above: 10%%, clear: 5%%}}
        no_data: {after: 3s, action: resolve}
      - name: process_gone
        metric: process.cpu.time
        match: {resource: {process.executable.name: %[2]s}}
        absent: {for: 3s}
        severity: critical
exporters:
  file/metrics: {path: metrics.jsonl, flush_interval: 50ms}
  file/alerts: {path: alerts.jsonl, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], processors: [alert], exporters: [file/metrics]}
    logs: {receivers: [otlp], processors: [alert], exporters: [file/alerts]}
`

// TestProcessesRaiseAlerts has a process burn, stop and burn again until it is killed, and another killed and started again.
func TestProcessesRaiseAlerts(t *testing.T) {
	dir := t.TempDir()
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	burner, service := namedProgram(t, "sh", "e2e-burner"), namedProgram(t, "sleep", "e2e-service")
	c := harness.Start(t, dir, fmt.Sprintf(processRules, filepath.Base(burner), filepath.Base(service), harness.FreePort(t)))
	first := run(t, service, "sleep", "300")
	harness.NthBatch(t, filepath.Join(dir, "metrics.jsonl"), 4)
	require.Empty(t, alerts.Read(t))

	heavy := run(t, burner, "sh", "-c", burn)
	alerts.Await(t, "process_heavy", "fire", 1)
	require.NoError(t, heavy.Process.Signal(syscall.SIGSTOP))
	alerts.Await(t, "process_heavy", "resolve", 1)
	require.NoError(t, heavy.Process.Signal(syscall.SIGCONT))
	alerts.Await(t, "process_heavy", "fire", 2)
	end(heavy)
	end(first)
	alerts.Await(t, "process_heavy", "resolve", 2)
	alerts.Await(t, "process_gone", "fire", 1)
	second := run(t, service, "sleep", "300")
	alerts.Await(t, "process_gone", "resolve", 1)
	require.NoError(t, c.Stop(t, syscall.SIGTERM))

	records := alerts.Of(t, "process_heavy")
	episodes := harness.EpisodesOf(t, records)
	require.Len(t, episodes, 2)
	for i, reason := range []string{"threshold", "stale"} {
		last := episodes[i][len(episodes[i])-1]
		assert.Equal(t, "resolve", last.Transition())
		assert.Equal(t, reason, last.Reason())
	}
	for _, r := range records {
		assert.Equal(t, strconv.Itoa(heavy.Process.Pid), r.Attributes["process.pid"])
		assert.Equal(t, filepath.Base(burner), r.Attributes["process.executable.name"])
	}
	records = alerts.Of(t, "process_gone")
	require.Equal(t, []string{"fire critical", "resolve critical"}, harness.TransitionsOf(t, records))
	assert.Equal(t, "absent", records[0].Reason())
	assert.Equal(t, filepath.Base(service), records[0].Attributes["process.executable.name"])
	assert.Equal(t, strconv.Itoa(first.Process.Pid), records[0].Resource["process.pid"], "it tells which one has gone")
	assert.NotEqual(t, first.Process.Pid, second.Process.Pid)
}
