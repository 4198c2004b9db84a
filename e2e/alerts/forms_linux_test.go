package alerts

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// forms has a rule of each form that compares with an earlier time, counts, or expects what a list has.
const forms = `
receivers: {otlp: {protocols: {http: {endpoint: "%s"}}}}
extensions: {file_storage: {directory: state, create_directory: true}}
connectors:
  alert:
    storage: file_storage
    evaluation_interval: 1s
    limits: {max_sample_age: 1h}
    rules:
      - {name: growth, metric: disk, change: {since: 2m}, threshold: 10Gi, severity: warning}
      - {name: percent, metric: disk, change: {since: 2m, relative: true}, threshold: 10%%, severity: warning}
      - {name: unsteady, metric: link, window: 2m, aggregate: changes, threshold: 3, severity: warning}
      - {name: restarts, metric: uptime, window: 2m, aggregate: resets, threshold: 0, severity: warning}
      - {name: slow, metric: latency, threshold: 500ms, severity: warning, for_samples: {breached: 3, of: 5}}
      - {name: fast_link, metric: io, threshold: 100Mbit/s, severity: warning}
      - name: gone
        metric: uptime
        group_by: [resource.host.name]
        absent: {for: 1s, start_grace: 2s, expected: [db1], expected_file: hosts.txt}
        severity: critical
exporters: {file: {path: alerts.jsonl, append: true, flush_interval: 50ms}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert]}
    logs: {receivers: [alert], exporters: [file]}
`

// TestForms fires each form in the distribution. It is stopped and started in the middle: what was earlier is known afterwards.
func TestForms(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), harness.FreeAddress(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hosts.txt"), []byte("# From the inventory.\ndb2\n"), 0o600))
	file := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	collector := harness.Start(t, dir, fmt.Sprintf(forms, address))
	harness.AwaitListener(t, address)

	first := time.Now().Add(-10 * time.Minute)
	send := func(round int, values map[string]float64) {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("host.name", "db1")
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		for name, unit := range map[string]string{"disk": "By", "link": "1", "uptime": "s", "latency": "s", "io": "By/s"} {
			m := metrics.AppendEmpty()
			m.SetName(name)
			m.SetUnit(unit)
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			dp.SetTimestamp(pcommon.NewTimestampFromTime(first.Add(time.Duration(round) * 10 * time.Second)))
			dp.SetDoubleValue(values[name])
		}
		require.NoError(t, harness.PostMetrics(t.Context(), address, md))
	}
	file.Await(t, "gone", "fire", 2)
	for round := range 12 {
		send(round, map[string]float64{"disk": 50 << 30, "link": float64(round / 3 % 2), "uptime": float64(round * 10), "latency": 0.1, "io": 1e6})
	}
	file.Await(t, "gone", "resolve", 1)
	require.NoError(t, collector.Stop(t, os.Interrupt))
	harness.Start(t, dir, fmt.Sprintf(forms, address))
	harness.AwaitListener(t, address)

	for round := 12; round < 24; round++ {
		bad := float64(round % 2)
		send(round, map[string]float64{
			"disk": float64(50+2*(round-11)) * (1 << 30), "link": bad, "uptime": 10 * bad, "latency": bad, "io": 20e6 * bad,
		})
	}
	for rule, message := range map[string]string{
		"growth": "growth on db1: disk rose by 12.0 GiB in 2m (> 10Gi)", "percent": "percent on db1: disk rose by 12.0% in 2m (> 10%)",
		"unsteady": "", "restarts": "", "slow": "slow on db1: latency is 1s (> 500ms in 3 of 5 samples)",
		"fast_link": "fast_link on db1: io is 20.0 MB/s (> 100Mbit/s)",
	} {
		fired := file.Await(t, rule, "fire", 1)
		if message != "" {
			assert.Equal(t, message, fired.Body)
		}
		if rule == "growth" {
			assert.Equal(t, "120", fired.Attributes["alert.change.since"])
		}
	}
	never := 0
	for _, r := range file.Of(t, "gone") {
		if r.Transition() == "fire" && r.Attributes["host.name"] == "db2" {
			never++
			assert.Equal(t, "gone db2: no uptime has ever come", r.Body)
		}
	}
	assert.Equal(t, 1, never, "the host that never came is missed once, over the restart")
}
