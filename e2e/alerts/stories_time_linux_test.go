package alerts

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// timeStory watches what hosts send: they are missed after three seconds, and an alert whose values stop is closed.
const timeStory = `
receivers:
  otlp: {protocols: {http: {endpoint: "%s"}}}
processors:
  alert:
    evaluation_interval: 1s
    rules:
      - name: silent
        metric: t.load
        group_by: [resource.host.name]
        absent: {for: 3s}
        severity: critical
      - name: busy
        metric: t.load
        threshold: 80
        severity: warning
        no_data: {after: 3s, action: resolve}
exporters:
  nop: {}
  file/alerts: {path: alerts.jsonl, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [otlp], processors: [alert], exporters: [nop]}
    logs: {receivers: [otlp], processors: [alert], exporters: [file/alerts]}
`

// loadOf is a value of a host.
func loadOf(host string, at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", host)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("t.load")
	m.SetUnit("1")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	dp.SetDoubleValue(90)
	return md
}

// sendUntil sends a value of each host four times a second, whether it arrives or not: the clock of the host skewed is two hours behind.
func sendUntil(ctx context.Context, address string) {
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for host, behind := range map[string]time.Duration{"steady": 0, "skewed": 2 * time.Hour} {
			request, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			_ = harness.PostMetrics(request, address, loadOf(host, time.Now().Add(-behind)))
			cancel()
		}
	}
}

// TestStandstillAndWrongClockAreNoSilence stops the Collector for twelve seconds while hosts send on, one of them by a wrong clock. Nobody is missed
// until they stop.
func TestStandstillAndWrongClockAreNoSilence(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), harness.FreeAddress(t)
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	c := harness.Start(t, dir, fmt.Sprintf(timeStory, address))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go sendUntil(ctx, address)
	alerts.Await(t, "busy", "fire", 1)
	c.AwaitOutput(t, "host skewed sends points that are 2h")
	require.NoError(t, c.Signal(syscall.SIGSTOP))
	<-time.After(12 * time.Second)
	require.NoError(t, c.Signal(syscall.SIGCONT))
	c.AwaitOutput(t, "the Collector stood still for")
	<-time.After(5 * time.Second) // Longer than anybody is waited for.
	for _, r := range alerts.Read(t)[1:] {
		assert.Fail(t, "nothing but the first fire is expected", "%s %s: %s", r.Rule(), r.Transition(), r.Body)
	}
	stop()
	alerts.Await(t, "silent", "fire", 2)
	resolve := alerts.Await(t, "busy", "resolve", 1)
	assert.Equal(t, "stale", resolve.Reason())
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
}
