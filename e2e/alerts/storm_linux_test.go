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

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// errorsOf is a collector that alerts on each network interface with errors.
const errorsOf = `
receivers:
  psutil:
    collection_interval: 500ms
    initial_delay: 0s
    root_path: %q
    scrapers: {network: {virtual: true}}
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
	dir, host := t.TempDir(), harness.NewFixtureHost(t)
	metrics, alerts := filepath.Join(dir, "metrics.jsonl"), harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	host.Interfaces(groups, 0)
	c := harness.Start(t, dir, fmt.Sprintf(errorsOf, host.Root, harness.FreePort(t)))
	harness.NthBatch(t, metrics, 2)
	require.Empty(t, alerts.Read(t))

	host.Interfaces(groups, 1000)
	alerts.Until(t, "the budget is used up", func() bool { return len(alerts.Read(t)) > budget })
	text, err := os.ReadFile(metrics)
	require.NoError(t, err)
	harness.NthBatch(t, metrics, bytes.Count(text, []byte("\n"))+5)
	assert.Len(t, alerts.Read(t), budget+1, "and nothing beyond it is said")

	host.Interfaces(groups, 0)
	alerts.Until(t, "every alert that was announced ends", func() bool { return len(alerts.Read(t)) > 2*budget })
	require.NoError(t, c.Stop(t, syscall.SIGTERM))

	var summaries []harness.AlertRecord
	announced := make(map[string]bool)
	for _, records := range harness.ByAlert(alerts.Read(t)) {
		if records[0].Event == "alert.suppressed" {
			summaries = append(summaries, records...)
			continue
		}
		assert.Equal(t, []string{"fire warning", "resolve warning"}, harness.TransitionsOf(t, records))
		announced[records[0].Attributes["network.interface.name"]] = true
	}
	assert.Len(t, announced, budget)
	require.Len(t, summaries, 1)
	assert.Contains(t, summaries[0].Body, fmt.Sprintf("%d alert records held back, more than %d a minute", groups-budget, budget))
	assert.Contains(t, summaries[0].Body, "of interface_errors (warning)")
	for name := range announced {
		assert.NotContains(t, summaries[0].Body, name, "it is announced, not held back")
	}
}
