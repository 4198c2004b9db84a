package alerts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// errorsOf is a collector that alerts on each network interface with errors.
const errorsOf = `
receivers:
  psutil:
    collection_interval: 500ms
    initial_delay: 0s
    root_path: %q
    scrapers: {network: {}}
    metrics:
      system.network.conntrack.count: {enabled: false}
      system.network.conntrack.limit: {enabled: false}
      system.network.interface.speed: {enabled: false}
      system.network.interface.up: {enabled: false}
      system.network.io: {enabled: false}
      system.network.packet.count: {enabled: false}
      system.network.packet.dropped: {enabled: false}
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%d"}}}
processors:
  alert:
    rules:
      - name: interface_errors
        metric: system.network.errors
        match: {network.io.direction: receive}
        group_by: [network.interface.name]
        thresholds: {warning: {above: 100}}
exporters:
  file/metrics: {path: metrics.jsonl, flush_interval: 50ms}
  file/alerts: {path: alerts.jsonl, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], processors: [alert], exporters: [file/metrics]}
    logs: {receivers: [otlp], processors: [alert], exporters: [file/alerts]}
`

// TestStormIsBounded lets 300 alerts fire at once.
func TestStormIsBounded(t *testing.T) {
	const groups, budget = 300, 120 // The budget is the default of limits::events_per_minute.
	dir, host := t.TempDir(), newPlayedHost(t)
	metrics, alerts := filepath.Join(dir, "metrics.jsonl"), alertFile(filepath.Join(dir, "alerts.jsonl"))
	host.interfaces(groups, 0)
	c := start(t, dir, fmt.Sprintf(errorsOf, host.root, freePort(t)))
	nthBatch(t, metrics, 2)
	require.Empty(t, alerts.read(t))

	host.interfaces(groups, 1000)
	alerts.until(t, "the budget is used up", func() bool { return len(alerts.read(t)) > budget })
	text, err := os.ReadFile(metrics)
	require.NoError(t, err)
	nthBatch(t, metrics, bytes.Count(text, []byte("\n"))+5)
	assert.Len(t, alerts.read(t), budget+1, "and nothing beyond it is said")

	host.interfaces(groups, 0)
	alerts.until(t, "every alert that was announced ends", func() bool { return len(alerts.read(t)) > 2*budget })
	require.NoError(t, c.stop(t, syscall.SIGTERM))

	var summaries []alertRecord
	announced := make(map[string]bool)
	for _, records := range byAlert(alerts.read(t)) {
		if records[0].event == "alert.suppressed" {
			summaries = append(summaries, records...)
			continue
		}
		assert.Equal(t, []string{"fire warning", "resolve warning"}, transitionsOf(t, records))
		announced[records[0].attributes["network.interface.name"]] = true
	}
	assert.Len(t, announced, budget)
	require.Len(t, summaries, 1)
	assert.Contains(t, summaries[0].body, fmt.Sprintf("%d alert records held back, more than %d a minute", groups-budget, budget))
	assert.Contains(t, summaries[0].body, "of interface_errors (warning)")
	for name := range announced {
		assert.NotContains(t, summaries[0].body, name, "it is announced, not held back")
	}
}
