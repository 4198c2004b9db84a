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
	p, follow := followed(t)
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
	follow(text("100", "0", "0", "0"))
	p.advance(10 * time.Second)
	follow(text("200", "0", "0", "0"))
	p.advance(3 * time.Second)
	require.Equal(t, "ok: last success 3s ago; queue 0 of 1000", p.checks()["exporter otlp"])
	require.Equal(t, "ok: no trouble in the last 5m", p.checks()["alerts"])

	// The backend refuses: the queue grows, and nothing is sent any more.
	p.advance(57 * time.Second)
	follow(text("200", "0", "12", "3"))
	require.Equal(t, "ok: last success 1m0s ago; queue 12 of 1000", p.checks()["exporter otlp"])
	p.advance(10 * time.Second)
	follow(text("200", "0", "14", "3"))
	require.Equal(t, "degraded: last success 1m10s ago; queue 14 of 1000, not empty for 10s", p.checks()["exporter otlp"])
	require.Equal(t, "degraded: 3 reads of kernel files failed (file /proc/stat)", p.checks()["reading the host"])
	follow(text("200", "40", "0", "3"))
	require.Equal(t, "degraded: last success 1m10s ago; queue 0 of 1000; 40 items given up", p.checks()["exporter otlp"])

	// It works again; what was lost is told for some minutes.
	p.advance(6 * time.Minute)
	follow(text("300", "40", "0", "3"))
	require.Equal(t, "ok: last success 0s ago; queue 0 of 1000; 40 items given up", p.checks()["exporter otlp"])
	require.Equal(t, "ok: no trouble in the last 5m", p.checks()["reading the host"])

	for _, bad := range []string{"no metrics\n", "{}\n", "# TYPE h histogram\n{e=\"\"} "} {
		follow(bad)
		require.Contains(t, p.checks()["collector"], "degraded: its own metrics can't be read", "%q", bad)
	}
}

// followed is a page that reads the Collector's metrics when the test says so.
func followed(t *testing.T) (*testPage, func(text string)) {
	t.Helper()
	var served atomic.Value
	served.Store("")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(served.Load().(string)))
	}))
	t.Cleanup(server.Close)
	p, cfg := start(t, nil), createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"collector_metrics": map[string]any{"endpoint": server.URL}}).Unmarshal(cfg))
	p.cfg.CollectorMetrics = cfg.CollectorMetrics
	require.NoError(t, p.page.startCollector(t.Context(), componenttest.NewNopHost()))
	p.send(point{metric: "a", value: 1})
	return p, func(text string) { p.follow(text, &served) }
}

// TestHowLongAQueueIsNotEmpty: over the signals of an exporter, and from when it was last empty.
func TestHowLongAQueueIsNotEmpty(t *testing.T) {
	p, follow := followed(t)
	queues := func(metrics, logs string) {
		follow(`# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{exporter="otlp",data_type="metrics"} ` + metrics + `
otelcol_exporter_queue_size{exporter="otlp",data_type="logs"} ` + logs + `
# TYPE otelcol_exporter_queue_capacity gauge
otelcol_exporter_queue_capacity{exporter="otlp",data_type="metrics"} 100
otelcol_exporter_queue_capacity{exporter="otlp",data_type="logs"} 50
`)
	}
	is := func(want string) {
		t.Helper()
		require.Equal(t, want, p.checks()["exporter otlp"])
	}
	queues("0", "3")
	is("ok: nothing sent yet; queue 3 of 150")
	p.advance(30 * time.Second)
	queues("5", "2")
	is("ok: nothing sent yet; queue 7 of 150, not empty for 30s")
	p.advance(10 * time.Second)
	queues("5", "0") // The logs are sent: what waits has come later.
	is("ok: nothing sent yet; queue 5 of 150, not empty for 10s")
	p.advance(51 * time.Second)
	is("degraded: nothing sent yet; queue 5 of 150, not empty for 1m1s")
	_, health := p.get("/health")
	for _, c := range at(t, health, "checks").([]any) {
		if at(t, c, "name") == "exporter otlp" {
			require.InDelta(t, float64(p.now().Add(-61*time.Second).UnixMilli()), at(t, c, "since"), 1)
		}
	}
	queues("0", "0")
	is("ok: nothing sent yet; queue 0 of 150")
	queues("1", "0")
	is("ok: nothing sent yet; queue 1 of 150")
	p.advance(10 * time.Second)
	follow("# TYPE otelcol_other gauge\notelcol_other 1\n")
	require.NotContains(t, p.checks(), "exporter otlp", "it is gone")
}

// TestWhatWaitsAndWhatCannotBeRead: with the reason, and what is usual for an agent that is not root does not make it ill.
func TestWhatWaitsAndWhatCannotBeRead(t *testing.T) {
	p, follow := followed(t)
	text := func(denied, malformed, late, stuck, outbox string) string {
		return `# TYPE otelcol_psutil_process_reads_failed counter
otelcol_psutil_process_reads_failed{file="io",reason="denied"} ` + denied + `
otelcol_psutil_process_reads_failed{file="stat",reason="malformed"} ` + malformed + `
# TYPE otelcol_psutil_scrapes_late counter
otelcol_psutil_scrapes_late{scraper="cpu"} ` + late + `
# TYPE otelcol_psutil_stuck_mounts gauge
otelcol_psutil_stuck_mounts ` + stuck + `
# TYPE otelcol_alert_outbox_size gauge
otelcol_alert_outbox_size{component="alert"} ` + outbox + `
`
	}
	follow(text("0", "0", "0", "0", "0"))
	p.advance(10 * time.Second)
	follow(text("7", "0", "0", "0", "4"))
	require.Equal(t, "ok: 7 files of processes may not be read by this user (file io, reason denied)", p.checks()["reading the host"])
	require.Equal(t, "ok: no trouble in the last 5m", p.checks()["alerts"])
	p.advance(time.Minute)
	follow(text("7", "2", "1", "1", "9"))
	require.Equal(t, "degraded: 2 files of processes could not be read (file stat, reason malformed); "+
		"7 files of processes may not be read by this user (file io, reason denied); 1 scrapes were late (scraper cpu); 1 mounts do not answer, for 0s",
		p.checks()["reading the host"])
	require.Equal(t, "degraded: 9 records wait for delivery, for 1m0s", p.checks()["alerts"])
	p.advance(6 * time.Minute)
	follow(text("7", "2", "1", "0", "0"))
	require.Equal(t, "ok: no trouble in the last 5m", p.checks()["reading the host"])
	require.Equal(t, "ok: no trouble in the last 5m", p.checks()["alerts"])
}

func TestHealthWithoutTheCollectorsMetrics(t *testing.T) {
	p := start(t, nil)
	require.Len(t, p.checks(), 2, "what is off says nothing")
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"collector_metrics": map[string]any{}}).Unmarshal(cfg))
	require.Equal(t, "http://localhost:8888/metrics", cfg.CollectorMetrics.Get().Endpoint)
}
