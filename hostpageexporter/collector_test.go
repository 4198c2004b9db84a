package hostpageexporter

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
)

// follow has the page read the Collector's metrics as they are now.
func (p *testPage) follow(text string, served *atomic.Value) {
	p.t.Helper()
	served.Store(text)
	p.page.collector.follow(p.t.Context(), p.now)
}

// checks are the statuses and messages of /health by name.
func (p *testPage) checks() (texts map[string]string) {
	p.t.Helper()
	_, health := p.get("/health")
	texts = map[string]string{}
	for _, c := range at(p.t, health, "checks").([]any) {
		texts[at(p.t, c, "name").(string)] = at(p.t, c, "status").(string) + ": " + at(p.t, c, "message").(string)
	}
	return texts
}

func TestHealthOfTheOtherComponents(t *testing.T) {
	var served atomic.Value
	served.Store("")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(served.Load().(string)))
	}))
	defer server.Close()
	// The page is told of the metrics after its start, so that it reads them when the test says so and never by itself.
	p, cfg := start(t, nil), createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"collector_metrics": map[string]any{"endpoint": server.URL}}).Unmarshal(cfg))
	p.cfg.CollectorMetrics = cfg.CollectorMetrics
	require.NoError(t, p.page.startCollector(t.Context(), componenttest.NewNopHost()))
	p.send(point{metric: "a", value: 1})
	text := func(sent, failed, queue, unreadable string) string {
		return `# TYPE otelcol_exporter_sent_metric_points_total counter
otelcol_exporter_sent_metric_points_total{exporter="otlp",otel_scope_name="x"} ` + sent + `
# TYPE otelcol_exporter_send_failed_metric_points_total counter
otelcol_exporter_send_failed_metric_points_total{exporter="otlp"} ` + failed + `
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{exporter="otlp",data_type="metrics"} ` + queue + `
# TYPE otelcol_exporter_queue_capacity gauge
otelcol_exporter_queue_capacity{exporter="otlp",data_type="metrics"} 1000
# TYPE otelcol_psutil_files_unreadable counter
otelcol_psutil_files_unreadable{file="/proc/stat"} ` + unreadable + `
# TYPE otelcol_alert_delivery_attempts counter
otelcol_alert_delivery_attempts{outcome="accepted"} ` + sent + `
`
	}
	p.follow(text("100", "0", "0", "0"), &served)
	p.advance(10 * time.Second)
	p.follow(text("200", "0", "0", "0"), &served)
	p.advance(3 * time.Second)
	require.Equal(t, "ok: last success 3s ago; queue 0 of 1000", p.checks()["exporter otlp"])
	require.Equal(t, "ok: no trouble in the last 5m", p.checks()["alerts"])

	// The backend refuses: the queue grows, and nothing is sent any more.
	p.advance(57 * time.Second)
	p.follow(text("200", "0", "12", "3"), &served)
	require.Equal(t, "ok: last success 1m0s ago; queue 12 of 1000", p.checks()["exporter otlp"])
	p.advance(10 * time.Second)
	p.follow(text("200", "0", "14", "3"), &served)
	require.Equal(t, "degraded: last success 1m10s ago; queue 14 of 1000", p.checks()["exporter otlp"])
	require.Equal(t, "degraded: 3 reads of kernel files failed (file /proc/stat)", p.checks()["reading the host"])
	p.follow(text("200", "40", "0", "3"), &served)
	require.Equal(t, "degraded: last success 1m10s ago; queue 0 of 1000; 40 items given up", p.checks()["exporter otlp"])

	// It works again; what was lost is told for some minutes.
	p.advance(6 * time.Minute)
	p.follow(text("300", "40", "0", "3"), &served)
	require.Equal(t, "ok: last success 0s ago; queue 0 of 1000; 40 items given up", p.checks()["exporter otlp"])
	require.Equal(t, "ok: no trouble in the last 5m", p.checks()["reading the host"])

	p.follow("no metrics\n", &served)
	require.Contains(t, p.checks()["collector"], "degraded: its own metrics can't be read")
}

func TestHealthWithoutTheCollectorsMetrics(t *testing.T) {
	p := start(t, nil)
	require.Len(t, p.checks(), 2, "what is off says nothing")
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"collector_metrics": map[string]any{}}).Unmarshal(cfg))
	require.Equal(t, "http://localhost:8888/metrics", cfg.CollectorMetrics.Get().Endpoint)
}
