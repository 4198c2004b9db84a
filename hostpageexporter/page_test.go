package hostpageexporter

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/metadata"
)

func TestRange(t *testing.T) {
	p := start(t, nil)
	for i := range 5 {
		p.send(
			point{"memory", false, float64(i), map[string]any{"n": 1}},
			point{"io", true, float64(100 * i), map[string]any{"device": `"><img src=x onerror=alert(1)>`}},
		)
		p.advance(time.Second)
	}
	_, meta := p.get("/api/meta")
	assert.Equal(t, map[string]any{"host.name": "web1"}, meta["host"])
	assert.Equal(t, []any{"n"}, at(t, meta, "metrics", 0, "attributes"))
	assert.Equal(t, []any{"1"}, at(t, meta, "metrics", 0, "series", 0, "values"))
	assert.Equal(t, "By/s", at(t, meta, "metrics", 1, "value_unit"))
	assert.Equal(t, "counter", at(t, meta, "metrics", 1, "kind"))

	status, a := p.get("/api/range?series=memory,io&from=-10s")
	assert.Equal(t, 200, status)
	assert.Equal(t, meta["store"], a["store"])
	assert.Equal(t, []any{0.0, 1.0, 2.0, 3.0, 4.0}, at(t, a, "groups", 0, "series", 0, "avg"))
	assert.Equal(t, []any{nil, 100.0, 100.0, 100.0, 100.0}, at(t, a, "groups", 0, "series", 1, "avg"))
	assert.InDelta(t, epoch.UnixMilli(), at(t, a, "groups", 0, "times", 0), 0)

	_, a = p.get("/api/range?series=0&series=99&series=none&from=-10s&width=1")
	assert.InDelta(t, 10_000, a["step"], 0)
	assert.Len(t, a["groups"], 1)
	_, a = p.get("/api/range?series=none")
	assert.Equal(t, []any{}, a["groups"])
}

func TestMeanOfCPUs(t *testing.T) {
	p := start(t, nil)
	for _, x := range []struct {
		cpu  int
		mode string
		v    float64
	}{{0, "idle", 0.5}, {1, "idle", 0.9}, {0, "user", 0.5}, {1, "user", 0.1}, {0, "iowait", 0.1}} {
		p.send(point{"other", false, 1, nil}, point{"system.cpu.utilization", false, x.v, map[string]any{"cpu.logical_number": x.cpu, "cpu.mode": x.mode}})
		p.advance(time.Second)
	}
	p.send(
		point{"system.cpu.utilization", false, 0.1, map[string]any{"cpu.logical_number": 0, "cpu.mode": "iowait"}},
		point{"system.cpu.utilization", false, 0.0, map[string]any{"cpu.logical_number": 1, "cpu.mode": "iowait"}},
		point{"system.cpu.utilization", false, 0.5, map[string]any{"cpu.logical_number": 0, "cpu.mode": "idle"}},
		point{"system.cpu.utilization", false, 0.9, map[string]any{"cpu.logical_number": 1, "cpu.mode": "idle"}},
	)
	_, meta := p.get("/api/meta")
	for i := range meta["metrics"].([]any) {
		if at(t, meta, "metrics", i, "name") != "host_page.cpu.utilization" {
			continue
		}
		for j := range at(t, meta, "metrics", i, "series").([]any) {
			if at(t, meta, "metrics", i, "series", j, "values", 0) == "busy" {
				id := at(t, meta, "metrics", i, "series", j, "id").(float64)
				a := p.page.store.Load()
				r := &lastValue{}
				require.NoError(t, a.Range(history.Query{
					Selection: history.Selection{IDs: []uint32{uint32(id)}}, From: 0, To: p.now().UnixMicro() + 1, Width: 4000,
				}, r))
				assert.InDelta(t, (0.5+0.1+0.25)/3, r.v, 1e-9, "the mean over three pushes")
				return
			}
		}
	}
	t.Fatal("no mean")
}

type lastValue struct{ v float64 }

func (*lastValue) Plan(history.Plan) {}

func (*lastValue) Group(int, []int64) {}

func (l *lastValue) Series(v *history.Values) { l.v = v.Avg[len(v.Avg)-1] }

func TestProcesses(t *testing.T) {
	p := start(t, func(c *Config) { c.CommandLines = true })
	long := strings.Repeat("x", 100_000)
	cpu := 0.0
	for range 3 {
		p.send(point{"system.process.cpu.unattributed", true, cpu / 10, nil}, point{"system.cpu.logical.count", false, 2, nil})
		p.sendProcess(map[string]any{
			"process.pid": 42, "process.parent_pid": 1, "process.creation.time": "2026-01-01T11:00:00Z", "process.owner": "www",
			"process.executable.name": `<img src=x onerror=alert(1)>`, "process.command_line": long, "host.name": "web1",
			"process.linux.cgroup": "/system.slice/web.service/child",
		}, point{"process.cpu.time", true, cpu, map[string]any{"cpu.mode": "user"}}, point{"process.cpu.time", true, cpu, map[string]any{"cpu.mode": "system"}},
			point{"process.memory.usage", false, 4096, nil}, point{"process.disk.io", true, 1000 * cpu, map[string]any{"disk.io.direction": "read"}})
		p.sendProcess(map[string]any{"process.group.name": "other", "host.name": "web1"},
			point{"process.cpu.time", true, 2 * cpu, nil}, point{"process.group.count", false, 7, nil})
		p.advance(2 * time.Second)
		cpu++
	}
	_, a := p.get("/api/processes?at=" + url.QueryEscape(p.now().Format(time.RFC3339)))
	row := map[string]any{}
	for i, name := range a["columns"].([]any) {
		row[name.(string)] = at(t, a, "rows", 0, i)
	}
	assert.Len(t, row["command_line"], 1024+len("…"))
	delete(row, "command_line")
	assert.Nil(t, row["group"])
	delete(row, "group")
	assert.Equal(t, map[string]any{
		"pid": 42.0, "parent": 1.0, "created": float64(epoch.Add(-time.Hour).UnixMilli()), "name": `<img src=x onerror=alert(1)>`, "user": "www",
		"cpu": 1.0, "children": 0.0, "memory": 4096.0, "read": 500.0, "write": nil, "threads": nil, "unit": "web.service", "container": nil,
	}, row)
	assert.Equal(t, map[string]any{"cpu": 2.05, "cpus": 2.0}, a["total"], "shown, others and unattributed")
	assert.InDelta(t, 7, at(t, a, "groups", 0, "count"), 0)
	assert.InDelta(t, 1, at(t, a, "groups", 0, "cpu"), 0)

	_, meta := p.get("/api/meta")
	for i := range meta["metrics"].([]any) {
		assert.NotContains(t, at(t, meta, "metrics", i, "name"), "process.memory", "processes are no series")
	}
	_, a = p.get("/api/processes?at=0")
	assert.Nil(t, a["t"])
	assert.Equal(t, []any{}, a["rows"])

	p.cfg.CommandLines = false
	_, a = p.get("/api/processes")
	assert.NotContains(t, a["columns"], "command_line")
}

func TestAlerts(t *testing.T) {
	p := start(t, nil)
	p.alert("alert.rule", map[string]any{"alert.rule.name": "disk", "alert.severity": "warning", "alert.metric.name": "m", "alert.threshold": 0.85})
	record := map[string]any{
		"alert.id": "a", "alert.episode.id": "e", "log.record.uid": "e-1", "alert.transition": "fire", "alert.state": "firing",
		"alert.severity": "warning", "alert.rule.name": "disk", "alert.value": 0.9, "alert.threshold": math.Inf(1), "alert.comparison": ">",
		"alert.started_at": "2026-01-01T12:00:00Z", "alert.label.team": "<b>", "system.filesystem.mountpoint": `/"'`,
	}
	p.alert("alert.state_change", record)
	p.alert("alert.state_change", record)
	p.alert("alert.state_change", map[string]any{"alert.id": "a"})
	p.alert("login", nil)
	p.alert("alert.rule_error", nil)
	p.advance(time.Minute)
	_, a := p.get("/api/alerts")
	assert.Equal(t, []any{"e"}, a["firing"])
	assert.Equal(t, map[string]any{"system.filesystem.mountpoint": `/"'`}, at(t, a, "alerts", 0, "attributes"))
	assert.Equal(t, map[string]any{"team": "<b>"}, at(t, a, "alerts", 0, "labels"))
	assert.Nil(t, at(t, a, "alerts", 0, "threshold"))
	assert.Nil(t, at(t, a, "alerts", 0, "ended"))
	assert.Len(t, a["notices"], 1)
	_, meta := p.get("/api/meta")
	assert.InDelta(t, 0.85, at(t, meta, "rules", 0, "attributes", "alert.threshold"), 1e-9)
	assert.Equal(t, true, at(t, meta, "features", "alerts"))

	record["log.record.uid"], record["alert.state"], record["alert.transition"] = "e-2", "resolved", "resolve"
	p.alert("alert.state_change", record)
	_, a = p.get("/api/alerts")
	assert.Equal(t, []any{}, a["firing"])
	assert.InDelta(t, p.now().UnixMilli(), at(t, a, "alerts", 0, "ended"), 0)
	assert.Equal(t, map[string]int64{"duplicate": 1, "malformed": 1, "not_an_alert": 1}, p.counted("otelcol_host_page_records_dropped"))

	status, _ := p.get("/api/changes?episode=e")
	assert.Equal(t, 200, status)
	status, _ = p.get("/api/changes?episode=none")
	assert.Equal(t, 404, status)
}

// counted reads a counter of the exporter's own telemetry by reason.
func (p *testPage) counted(name string) map[string]int64 {
	p.t.Helper()
	m, err := p.tele.GetMetric(name)
	require.NoError(p.t, err)
	out := map[string]int64{}
	for _, dp := range m.Data.(metricdata.Sum[int64]).DataPoints {
		why, _ := dp.Attributes.Value("reason")
		out[why.AsString()] += dp.Value
	}
	return out
}

func TestChanges(t *testing.T) {
	p := start(t, nil)
	for i := range 700 {
		v := float64(i % 3)
		if i >= 640 {
			v += 100
		}
		p.send(point{"calm", false, float64(i % 5), nil}, point{"wild", false, v, nil})
		p.advance(time.Second)
	}
	_, a := p.get("/api/changes")
	assert.Len(t, a["series"], 1)
	assert.InDelta(t, 101, at(t, a, "series", 0, "after"), 0.1)
	assert.InDelta(t, 1, at(t, a, "series", 0, "before"), 0.1)
}

func TestErrors(t *testing.T) {
	p := start(t, nil)
	for path, want := range map[string]string{
		"/api/range":                  "series is required",
		"/api/range?series=m&width=0": "width is",
		"/api/range?series=m&width=99999999999999999999":     "width is",
		"/api/range?series=m&from=yesterday":                 "is not a time",
		"/api/range?series=m&from=99999999999999999":         "is too far away",
		"/api/range?series=m&from=now&to=now":                "from must be before to",
		"/api/range?series=" + strings.Repeat("1,", 10_001):  "series names more than",
		"/api/processes?at=%00":                              "is not a time",
		"/api/stream?series=" + strings.Repeat("1,", 10_001): "series names more than",
	} {
		status, a := p.get(path)
		assert.Equal(t, 400, status, path)
		assert.Contains(t, a["error"], want)
	}
	status, a := p.get("/api/none")
	assert.Equal(t, 404, status)
	assert.Contains(t, a["error"], "no such route")
	for _, times := range []string{"from=-4503599627370496&to=4503599627370496", "from=-1000000s", "from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z"} {
		status, _ = p.get("/api/range?series=m&" + times)
		assert.Equal(t, 200, status, times)
	}
}

var allRoutes = []string{"/", "/page.js", "/api/meta", "/api/range?series=m", "/api/stream", "/api/processes", "/api/alerts", "/api/changes", "/health", "/none"}

func TestHostHeader(t *testing.T) {
	p := start(t, func(c *Config) { c.AllowedHosts = []string{"Web1.Example.com"} })
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:1": true, "127.0.0.1:9465": true, "[::1]:9465": true, "[::1]": true, "10.1.2.3": true,
		"web1.example.com": true, "web1.example.com.": true,
		"evil.example": false, "evil.example:9465": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false,
		"web1.example.com.evil": false, "localhost:1:2": false, "localhost@evil": false,
	} {
		for _, route := range allRoutes {
			if want && route == "/api/stream" {
				continue // Goes on for ever.
			}
			res := p.request(http.MethodGet, route, host)
			body, _ := io.ReadAll(res.Body)
			shut(res.Body)
			assert.Equal(t, want, res.StatusCode != http.StatusForbidden, "%s of %s", route, host)
			if !want {
				assert.Empty(t, body)
			}
			assert.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self'")
			assert.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
			assert.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
		}
	}
	// No Host at all.
	conn, err := net.Dial("tcp", p.page.address.String())
	require.NoError(t, err)
	defer shut(conn)
	_, _ = io.WriteString(conn, "GET /api/meta HTTP/1.0\r\n\r\n")
	answer, _ := io.ReadAll(conn)
	assert.True(t, bytes.HasPrefix(answer, []byte("HTTP/1.0 403 ")), "%s", answer)
	assert.Positive(t, p.counted("otelcol_host_page_requests_refused")["host"])
}

func TestMethods(t *testing.T) {
	p := start(t, nil)
	for _, route := range allRoutes {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "TRACE", "X"} {
			res := p.request(method, route, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "GET")
			shut(res.Body)
			assert.Equal(t, http.StatusMethodNotAllowed, res.StatusCode, "%s %s", method, route)
			assert.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
		}
	}
	res := p.request(http.MethodHead, "/api/meta", "")
	shut(res.Body)
	assert.Equal(t, 200, res.StatusCode)
}

func TestFiles(t *testing.T) {
	p := start(t, func(c *Config) { c.FrameAncestors = []string{"https://wiki.example.com"} })
	res := p.request(http.MethodGet, "/", "")
	body, _ := io.ReadAll(res.Body)
	shut(res.Body)
	assert.Contains(t, string(body), "<!doctype html>")
	assert.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
	assert.Contains(t, res.Header.Get("Content-Security-Policy"), "frame-ancestors https://wiki.example.com;")
	res = p.request(http.MethodGet, "/page.js", "", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(res.Body)
	require.NoError(t, err)
	script, err := io.ReadAll(z)
	require.NoError(t, err)
	shut(res.Body)
	assert.NotEmpty(t, script)
	res = p.request(http.MethodGet, "/page.js", "", "Accept-Encoding", "gzip", "If-None-Match", res.Header.Get("ETag"))
	shut(res.Body)
	assert.Equal(t, http.StatusNotModified, res.StatusCode)
	for _, path := range []string{"/../config.go", "/..%2fconfig.go", "/none", "/dist/index.html"} {
		res = p.request(http.MethodGet, path, "")
		shut(res.Body)
		assert.NotEqual(t, 200, res.StatusCode, path)
	}
}

func TestCompression(t *testing.T) {
	p := start(t, nil)
	p.send(point{"m", false, 1, nil})
	res := p.request(http.MethodGet, "/api/range?series=m", "", "Accept-Encoding", "gzip")
	defer shut(res.Body)
	z, err := gzip.NewReader(res.Body)
	require.NoError(t, err)
	var a map[string]any
	require.NoError(t, json.NewDecoder(z).Decode(&a))
	assert.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
}

// events reads a stream.
type events struct {
	res *http.Response
	r   *bufio.Reader
}

func (p *testPage) stream(query string) *events {
	p.t.Helper()
	res := p.request(http.MethodGet, "/api/stream"+query, "")
	require.Equal(p.t, 200, res.StatusCode)
	require.Equal(p.t, "text/event-stream", res.Header.Get("Content-Type"))
	return &events{res, bufio.NewReader(res.Body)}
}

// next returns the next event; false at the end.
func (e *events) next() (name, data string, ok bool) {
	for {
		line, err := e.r.ReadString('\n')
		if err != nil {
			return "", "", false
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "event: "):
			name = strings.TrimPrefix(line, "event: ")
		case strings.HasPrefix(line, "data: "):
			data = strings.TrimPrefix(line, "data: ")
		case line == "" && name != "":
			return name, data, true
		}
	}
}

func TestStream(t *testing.T) {
	p := start(t, nil)
	p.send(point{"a", false, 1, nil})
	s := p.stream("?series=a,b")
	defer shut(s.res.Body)
	name, data, _ := s.next()
	assert.Equal(t, "hello", name)
	assert.Contains(t, data, `"axes":[{"axis":0,"interval":0,"series":[0]}]`)
	p.advance(time.Second)
	p.send(point{"a", false, 2, nil})
	name, data, _ = s.next()
	assert.Equal(t, "scrape", name)
	assert.JSONEq(t, `{"axis":0,"t":1767268801000,"values":[2]}`, data)
	p.advance(6 * time.Second)
	p.send(point{"a", false, 3, nil}, point{"b", false, 9, nil})
	var names []string
	for range 3 {
		name, data, _ = s.next()
		names = append(names, name)
		if name == "hello" {
			assert.Contains(t, data, `"series":[0,1]`)
		}
	}
	assert.Equal(t, []string{"scrape", "hello", "meta"}, names)
	p.alert("alert.state_change", map[string]any{"alert.id": "a", "alert.episode.id": "e", "alert.transition": "fire"})
	name, data, _ = s.next()
	assert.Equal(t, "alert", name)
	assert.Contains(t, data, `"episode":"e"`)
	p.sendProcess(map[string]any{"process.group.name": "other"}, point{"process.cpu.time", true, 1, nil})
	name, _, _ = s.next()
	assert.Equal(t, "processes", name)
	go p.stop()
	name, data, _ = s.next()
	assert.Equal(t, "bye", name)
	assert.JSONEq(t, `{"reason":"shutdown"}`, data)
	_, _, ok := s.next()
	assert.False(t, ok)
}

func (p *testPage) sendProcess(resource map[string]any, points ...point) {
	p.t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	require.NoError(p.t, rm.Resource().Attributes().FromRaw(resource))
	p.fill(rm, points)
	require.NoError(p.t, p.metrics.ConsumeMetrics(p.t.Context(), md))
}

func TestThousandStreams(t *testing.T) {
	p := start(t, nil)
	refused := 0
	var open []*http.Response
	for range 1000 {
		res := p.request(http.MethodGet, "/api/stream", "")
		if res.StatusCode == http.StatusServiceUnavailable {
			refused++
			assert.NotEmpty(t, res.Header.Get("Retry-After"))
			shut(res.Body)
			continue
		}
		open = append(open, res)
	}
	assert.Equal(t, 992, refused)
	assert.Len(t, open, 8)
	assert.Equal(t, int64(992), p.counted("otelcol_host_page_requests_refused")["viewers"])
	for _, res := range open {
		shut(res.Body)
	}
	assert.Eventually(t, func() bool {
		p.send(point{"m", false, 1, nil})
		return p.page.hub.count.Load() == 0
	}, time.Minute, 10*time.Millisecond, "who has gone makes room")
}

// TestSlowViewers: eight that read nothing, and pushes that do not notice, and a stop in time.
func TestSlowViewers(t *testing.T) {
	p := start(t, nil)
	points := make([]point, 500)
	for i := range points {
		points[i] = point{"m", false, math.Pi * float64(i), map[string]any{"n": i, "text": strings.Repeat("x", 200)}}
	}
	p.send(points...)
	for range 8 {
		conn, err := net.Dial("tcp", p.page.address.String())
		require.NoError(t, err)
		defer shut(conn)
		require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(1024))
		_, err = io.WriteString(conn, "GET /api/stream?series=m HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return p.page.hub.count.Load() == 8 }, time.Minute, time.Millisecond)
	for range 500 {
		p.advance(time.Second)
		p.send(points...)
	}
	begin := time.Now()
	p.stop()
	assert.Less(t, time.Since(begin), eventDeadline, "nobody who does not read is waited for")
}

func TestReload(t *testing.T) {
	p := startAs(t, "reloaded", epoch, nil)
	p.send(point{"m", false, 1, nil})
	_, before := p.get("/api/meta")
	p.stop()
	p = startAs(t, "reloaded", epoch.Add(time.Second), func(c *Config) { c.History.MaxMemory = 40 << 20 })
	p.send(point{"m", false, 2, nil})
	_, after := p.get("/api/meta")
	assert.Equal(t, before["store"], after["store"])
	assert.InDelta(t, 40<<20, at(t, after, "memory", "limit"), 0)
	_, a := p.get("/api/range?series=m")
	assert.Equal(t, []any{1.0}, at(t, a, "groups", 0, "series", 0, "avg"), "the second one is not before now")
	p.stop()
	p = startAs(t, "reloaded", epoch.Add(2*time.Second), func(c *Config) { c.History.Tiers = c.History.Tiers[:1] })
	_, meta := p.get("/api/meta")
	assert.NotEqual(t, before["store"], meta["store"], "tiers of another kind")
	p.stop()
}

func TestAddressTaken(t *testing.T) {
	p := start(t, nil)
	q := newFactory(time.Now)
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = p.page.address.String()
	m, err := q.createMetrics(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.ErrorContains(t, m.Start(t.Context(), componenttest.NewNopHost()), "serving the page")
	require.NoError(t, m.Shutdown(t.Context()))
	assert.Empty(t, q.pages)
}

func TestHealth(t *testing.T) {
	p := start(t, func(c *Config) { c.History.MaxSeries = 3 })
	status, h := p.get("/health")
	assert.Equal(t, 200, status)
	assert.Equal(t, "degraded", h["status"])
	for range 10 {
		p.send(point{"m", false, 1, nil})
		p.advance(time.Second)
	}
	_, h = p.get("/health")
	assert.Equal(t, "ok", h["status"])
	p.advance(10 * time.Second)
	_, h = p.get("/health")
	assert.Equal(t, "degraded", h["status"])
	assert.Contains(t, at(t, h, "checks", 0, "message"), "1 of 1 scrapes are late")
	p.advance(10 * time.Minute)
	status, h = p.get("/health")
	assert.Equal(t, 503, status)
	assert.Equal(t, "down", h["status"])
	p.send(point{"m", false, 1, nil}, point{"n", false, 1, nil}, point{"o", false, 1, nil}, point{"p", false, 1, nil})
	_, h = p.get("/health")
	assert.Contains(t, at(t, h, "checks", 1, "message"), "beyond max_series 3")
	assert.Equal(t, map[string]int64{"limit": 1}, p.counted("otelcol_host_page_points_dropped"))
}

func TestReadersWhileItIsFed(t *testing.T) {
	p := start(t, nil)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, path := range []string{"/api/meta", "/api/range?series=m,io&width=50", "/api/processes", "/api/alerts", "/api/changes", "/health"} {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					status, _ := p.get(path)
					assert.NotEqual(t, 500, status, path)
				}
			}
		})
	}
	for i := range 300 {
		p.advance(time.Second)
		p.send(point{"m", false, float64(i), nil}, point{"io", true, float64(i), nil})
		p.sendProcess(map[string]any{"process.group.name": "other"}, point{"process.cpu.time", true, float64(i), nil})
		p.alert("alert.state_change", map[string]any{"alert.id": "a", "alert.episode.id": "e", "alert.transition": "repeat"})
	}
	close(done)
	wg.Wait()
}

func FuzzParameters(f *testing.F) {
	for _, q := range []string{
		"series=m&from=-1h&to=now&width=100", "series=0,1,m&from=0", "series=&from=9223372036854775807", "at=-", "at=-9999999h&series=4294967296",
		"from=2026-01-01T00:00:00Z&to=%ff&width=-1", "episode=%00",
	} {
		f.Add(q)
	}
	p := start(f, nil)
	for i := range 200 {
		p.send(point{"m", false, float64(i), nil}, point{"io", true, float64(i), nil})
		p.sendProcess(map[string]any{"process.group.name": "other"}, point{"process.cpu.time", true, float64(i), nil})
		p.advance(time.Second)
	}
	files, err := pageFiles()
	require.NoError(f, err)
	routes := p.page.routes(files)
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/api/range", "/api/processes", "/api/alerts", "/api/changes", "/api/meta"} {
			w := httptest.NewRecorder()
			routes.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}, Host: "localhost"})
			var a map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), "%s", w.Body)
			assert.NotEqual(t, 500, w.Code)
		}
	})
}
