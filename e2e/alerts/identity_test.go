package alerts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// identified is a collector with rules that a test edits. The rule "marker" fires after each reload under another name.
const identified = `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
connectors:
  alert:
    storage: file_storage
    evaluation_interval: 1s
    defaults: {flapping: {enabled: false}}
    rules:
      - {name: %s, metric: always, severity: info, threshold: 0}
      - %s
exporters:
  file: {path: alerts.jsonl, append: true, flush_interval: 10ms}
  file/metrics: {path: metrics.jsonl, append: true, flush_interval: 10ms}
extensions: {file_storage: {directory: state, create_directory: true, recreate: %t}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert, file/metrics]}
    logs: {receivers: [alert], exporters: [file]}
`

// reloaded is a collector whose rule a test changes.
type reloaded struct {
	dir     string
	port    int
	process *harness.Process
	alerts  harness.AlertFile
	reloads int
	value   float64
	version string
}

func startReloaded(t *testing.T, rule string) *reloaded {
	t.Helper()
	harness.Binary(t)
	dir := t.TempDir()
	r := &reloaded{dir: dir, port: harness.FreePort(t), alerts: harness.AlertFile(filepath.Join(dir, "alerts.jsonl")), value: 90, version: "1"}
	r.process = harness.Start(t, dir, r.config(rule, false))
	r.settle(t)
	return r
}

func (r *reloaded) config(rule string, recreate bool) string {
	r.reloads++
	return fmt.Sprintf(identified, r.port, r.marker(), rule, recreate)
}

func (r *reloaded) marker() string { return fmt.Sprintf("marker %d", r.reloads) }

// settle waits until the rules of now have seen the value of now.
func (r *reloaded) settle(t *testing.T) {
	t.Helper()
	r.alerts.Until(t, "the rules are in force", func() bool { return len(r.alerts.Of(t, r.marker())) > 0 }, func() { r.post(t) })
	r.post(t)
}

// reload gives the collector another rule.
func (r *reloaded) reload(t *testing.T, rule string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "collector.yaml"), []byte(r.config(rule, false)), 0o600))
	require.NoError(t, r.process.Signal(syscall.SIGHUP))
	r.settle(t)
}

// post sends the value of now.
func (r *reloaded) post(t *testing.T) {
	t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	for key, value := range map[string]string{"host.name": "db1", "os.version": r.version, "service.name": "shop", "service.version": r.version} {
		rm.Resource().Attributes().PutStr(key, value)
	}
	for name, value := range map[string]float64{"always": 1, "load": r.value} {
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName(name)
		m.SetUnit("1")
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		dp.SetDoubleValue(value)
		dp.Attributes().PutStr("zone", "a")
		dp.Attributes().PutStr("alert.label.team", "forged")
	}
	harness.Eventually(t, "the collector takes metrics", func() error {
		return harness.PostMetrics(t.Context(), fmt.Sprintf("127.0.0.1:%d", r.port), md)
	})
}

// said are the transitions of a rule.
func (r *reloaded) said(t *testing.T, rule string) (out []string) {
	t.Helper()
	for _, record := range r.alerts.Of(t, rule) {
		out = append(out, record.Transition()+" "+record.Severity()+" "+record.Reason())
	}
	return out
}

// TestReloadsSayWhatChanges follows one alert through reloads of its rule, and an upgrade of the host.
func TestReloadsSayWhatChanges(t *testing.T) {
	r := startReloaded(t, `{name: load, metric: load, group_by: [zone, resource], thresholds: {warning: {above: 80}}, labels: {site: a}, annotations: {runbook: here}, description: d}`)
	r.alerts.Await(t, "load", "fire", 1)

	r.reload(t, `{description: d, annotations: {"runbook": 'here'}, labels: {site: "a"}, "name": load, thresholds: {warning: {for: 0s, above: "80.0"}}, match: {}, group_by: ["resource", zone], metric: 'load'}`)
	r.version = "2"
	r.post(t)
	r.reload(t, `{name: load, metric: load, group_by: [zone, resource], thresholds: {warning: {above: 8e1}}, labels: {site: a}, annotations: {runbook: here}, description: d}`)
	assert.Equal(t, []string{"fire warning threshold"}, r.said(t, "load"), "it is the same rule, and the same host")

	r.reload(t, `{name: load, metric: load, group_by: [zone, resource], thresholds: {info: {above: 80}}, labels: {site: a}, annotations: {runbook: here}, description: d}`)
	r.alerts.Await(t, "load", "deescalate", 1)
	r.reload(t, `{name: load, metric: load, match: {zone: a}, group_by: [zone, resource], thresholds: {info: {above: 80}}, labels: {site: a}, annotations: {runbook: here}, description: d}`)
	r.alerts.Await(t, "load", "fire", 2)
	r.reload(t, `{name: other, metric: load, threshold: 99, severity: info}`)
	r.alerts.Await(t, "load", "resolve", 2)
	assert.Equal(t, []string{
		"fire warning threshold", "deescalate info rule_changed", "resolve info rule_changed", "fire info threshold", "resolve info rule_removed",
	}, r.said(t, "load"))
	for _, record := range r.alerts.Of(t, "load") {
		for key, value := range map[string]string{
			"zone": "a", "alert.label.site": "a", "alert.annotation.runbook": "here", "alert.rule.description": "d", "alert.metric.unit": "1", "alert.value": "90",
			"alert.threshold": "80",
		} {
			assert.Equal(t, value, record.Attributes[key], "%s of %s: %s", key, record.Transition(), record.Body)
		}
		assert.Equal(t, "db1", record.Resource["host.name"])
		assert.NotContains(t, record.Attributes, "alert.label.team")
	}
	require.NoError(t, r.process.Stop(t, os.Interrupt))
}

// TestDamagedStateFile starts the distribution on files that are no databases any more.
func TestDamagedStateFile(t *testing.T) {
	rule := `{name: load, metric: load, threshold: 80, severity: warning}`
	r := startReloaded(t, rule)
	r.alerts.Await(t, "load", "fire", 1)
	require.NoError(t, r.process.Stop(t, os.Interrupt))
	path := filepath.Join(r.dir, "state", "connector_alert__alert")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Greater(t, len(content), 3*4096)

	for i, damaged := range [][]byte{content[:2*4096], content[:len(content)/2], []byte(strings.Repeat("no database", 5000))} {
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		fires, before := len(r.alerts.Of(t, "load")), metricLines(t, r.dir)
		r.process = harness.Start(t, r.dir, r.config(rule, false))
		r.alerts.Until(t, "alerts come", func() bool { return len(r.alerts.Of(t, "load")) > fires }, func() { r.post(t) })
		harness.Eventually(t, "metrics flow", func() error {
			if n := metricLines(t, r.dir); n <= before {
				return fmt.Errorf("still %d batches", n)
			}
			return nil
		})
		output := r.process.Output()
		assert.Equal(t, 1, strings.Count(output, "Alerts are not stored"), output)
		assert.Contains(t, output, "connector_alert__alert")
		assert.Contains(t, output, "recreate: true")
		require.NoError(t, r.process.Stop(t, os.Interrupt))
		if i == 0 {
			left, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, damaged, left, "it is left for whoever wants to look at it")
		}
	}

	r.process = harness.Start(t, r.dir, r.config(rule, true))
	r.settle(t)
	assert.Contains(t, r.process.Output(), "is moved away")
	backups, err := filepath.Glob(path + ".*.backup")
	require.NoError(t, err)
	assert.Len(t, backups, 1)
	require.NoError(t, r.process.Stop(t, os.Interrupt))
}

func metricLines(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	require.NoError(t, err)
	return bytes.Count(text, []byte("\n"))
}

// queued is a collector that keeps what it could not send.
const queued = `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
exporters:
  otlp_http: {endpoint: "http://127.0.0.1:1", sending_queue: {storage: file_storage}}
  file/metrics: {path: metrics.jsonl, append: true, flush_interval: 10ms}
extensions: {file_storage: {directory: state, create_directory: true, recreate: %t}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines: {metrics: {receivers: [otlp], exporters: [otlp_http, file/metrics]}}
`

// TestDamagedQueueFile does the same to the file of an exporter's queue: without recreate the start ends with one error that names the file, with it
// the queue begins again.
func TestDamagedQueueFile(t *testing.T) {
	harness.Binary(t)
	r := &reloaded{dir: t.TempDir(), port: harness.FreePort(t)}
	r.process = harness.Start(t, r.dir, fmt.Sprintf(queued, r.port, false))
	for range 40 {
		r.post(t)
	}
	require.NoError(t, r.process.Signal(os.Kill))
	require.Error(t, r.process.Await(t))
	path := filepath.Join(r.dir, "state", "exporter_otlp_http__metrics")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, damaged := range [][]byte{content[:len(content)/8192*4096], []byte(strings.Repeat("no database", 5000))} {
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		c := harness.Start(t, r.dir, fmt.Sprintf(queued, r.port, false))
		require.Error(t, c.Await(t))
		assert.Contains(t, c.Output(), "exporter_otlp_http__metrics can't be used")
		assert.Contains(t, c.Output(), "recreate: true")
		assert.NotContains(t, c.Output(), "panic")

		c = harness.Start(t, r.dir, fmt.Sprintf(queued, r.port, true))
		r.post(t)
		require.NoError(t, c.Stop(t, os.Interrupt))
		assert.NotContains(t, c.Output(), "panic")
	}
}
