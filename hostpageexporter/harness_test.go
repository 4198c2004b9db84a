package hostpageexporter

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/metadata"
)

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// testPage is an exporter of both signals, with a clock of its own, served at an address of its own.
type testPage struct {
	t       testing.TB
	cfg     *Config
	clock   *atomic.Int64
	metrics exporter.Metrics
	logs    exporter.Logs
	page    *page
	tele    *componenttest.Telemetry
	base    string
	stopped bool
}

var serial atomic.Int64

// start starts a page. Pages of different names have nothing to do with each other.
func start(tb testing.TB, change func(*Config)) *testPage {
	tb.Helper()
	return startAs(tb, fmt.Sprint("test", serial.Add(1)), epoch, change)
}

func startAs(tb testing.TB, name string, now time.Time, change func(*Config)) *testPage {
	tb.Helper()
	p := &testPage{t: tb, cfg: createDefaultConfig().(*Config), clock: &atomic.Int64{}, tele: componenttest.NewTelemetry()}
	p.clock.Store(now.UnixNano())
	p.cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	p.cfg.AcceptExternalRecords = true // There is no engine here that makes any.
	if change != nil {
		change(p.cfg)
	}
	require.NoError(tb, p.cfg.Validate())
	f := newFactory(p.now)
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewIDWithName(metadata.Type, name)
	set.TelemetrySettings = p.tele.NewTelemetrySettings()
	var err error
	p.metrics, err = f.exporterFactory().CreateMetrics(tb.Context(), set, p.cfg)
	require.NoError(tb, err)
	p.logs, err = f.exporterFactory().CreateLogs(tb.Context(), set, p.cfg)
	require.NoError(tb, err)
	p.page = p.metrics.(*metricsNode).page
	require.Same(tb, p.page, p.logs.(*logsNode).page, "one ID is one page")
	require.NoError(tb, p.metrics.Start(tb.Context(), componenttest.NewNopHost()))
	require.NoError(tb, p.logs.Start(tb.Context(), componenttest.NewNopHost()))
	p.base = strings.TrimSuffix(p.page.url(), "/")
	tb.Cleanup(p.stop)
	return p
}

func (p *testPage) now() time.Time { return time.Unix(0, p.clock.Load()).UTC() }

func (p *testPage) advance(d time.Duration) { p.clock.Add(int64(d)) }

func (p *testPage) stop() {
	if p.stopped {
		return
	}
	p.stopped = true
	ctx := p.t.Context()
	require.NoError(p.t, p.logs.Shutdown(ctx))
	require.NoError(p.t, p.metrics.Shutdown(ctx))
}

// point is one data point to send.
type point struct {
	metric     string
	counter    bool
	value      float64
	attributes map[string]any
}

// send sends a scrape of a host.
func (p *testPage) send(points ...point) {
	p.t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "web1")
	p.fill(rm, points)
	require.NoError(p.t, p.metrics.ConsumeMetrics(p.t.Context(), md))
}

func (p *testPage) fill(rm pmetric.ResourceMetrics, points []point) {
	sm := rm.ScopeMetrics().AppendEmpty()
	for _, x := range points {
		m := sm.Metrics().AppendEmpty()
		m.SetName(x.metric)
		m.SetUnit("By")
		var dp pmetric.NumberDataPoint
		if x.counter {
			m.SetEmptySum().SetIsMonotonic(true)
			m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			dp = m.Sum().DataPoints().AppendEmpty()
		} else {
			dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
		}
		dp.SetTimestamp(pcommon.NewTimestampFromTime(p.now()))
		dp.SetDoubleValue(x.value)
		_ = dp.Attributes().FromRaw(x.attributes)
	}
}

// alert sends a record of the alert component.
func (p *testPage) alert(event string, attributes map[string]any) {
	p.t.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web1")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(event)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(p.now()))
	lr.SetSeverityNumber(plog.SeverityNumberWarn)
	lr.Body().SetStr("message")
	require.NoError(p.t, lr.Attributes().FromRaw(attributes))
	require.NoError(p.t, p.logs.ConsumeLogs(p.t.Context(), ld))
}

// request asks for a path; host is the Host header if it is not empty.
func (p *testPage) request(method, path, host string, header ...string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, http.NoBody)
	require.NoError(p.t, err)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	res, err := transport.RoundTrip(r)
	require.NoError(p.t, err)
	return res
}

// get answers a path as JSON.
func (p *testPage) get(path string) (status int, answer map[string]any) {
	p.t.Helper()
	res := p.request(http.MethodGet, path, "")
	defer shut(res.Body)
	body, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, json.Unmarshal(body, &answer), "%s", body)
	require.InDelta(p.t, 1, answer["version"], 0)
	require.Equal(p.t, "application/json", res.Header.Get("Content-Type"))
	return res.StatusCode, answer
}

// at digs into an answer: names and indexes.
func at(tb testing.TB, v any, path ...any) any {
	tb.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(tb, ok, "%v in %v", step, v)
			v = m[step]
		case int:
			list, ok := v.([]any)
			require.True(tb, ok && step < len(list), "%v in %v", step, v)
			v = list[step]
		}
	}
	return v
}

// shut closes what the test is done with.
func shut(c io.Closer) { _ = c.Close() }
