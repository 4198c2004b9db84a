package hostpageexporter

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/dashboards"
)

// prometheus asks a route of Prometheus' API.
func (p *testPage) prometheus(route string, parameters ...string) (status int, data any) {
	p.t.Helper()
	q := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		q.Add(parameters[i], parameters[i+1])
	}
	res := p.request(http.MethodGet, "/prometheus/api/v1/"+route+"?"+q.Encode(), "")
	defer shut(res.Body)
	var answer map[string]any
	require.NoError(p.t, json.NewDecoder(res.Body).Decode(&answer))
	if answer["status"] == "success" {
		return res.StatusCode, answer["data"]
	}
	return res.StatusCode, answer["error"]
}

// value is that of an instant query with one result.
func (p *testPage) value(query string, parameters ...string) float64 {
	p.t.Helper()
	status, data := p.prometheus("query", append([]string{"query", query}, parameters...)...)
	require.Equal(p.t, http.StatusOK, status, "%v", data)
	require.Len(p.t, at(p.t, data, "result"), 1, "%s: %v", query, data)
	v, err := strconv.ParseFloat(at(p.t, data, "result", 0, "value", 1).(string), 64)
	require.NoError(p.t, err)
	return v
}

// fillHour sends an hour of scrapes, one a second, the way a host does.
func (p *testPage) fillHour() {
	for i := range 3600 {
		level := 10.0
		if i == 1800 {
			level = 99 // A spike of a second.
		}
		p.send(
			point{metric: "system.disk.io", counter: true, value: float64(i * 100), attributes: map[string]any{"system.device": "sda", "disk.io.direction": "read"}},
			point{metric: "system.memory.usage", value: level, attributes: map[string]any{"system.memory.state": "used"}},
		)
		p.advance(time.Second)
	}
}

func TestQueriesAnswerAsPrometheusDoes(t *testing.T) {
	p := start(t, nil)
	p.fillHour()
	require.InEpsilon(t, 10, p.value(`system_memory_usage_bytes{host_name="web1",system_memory_state="used"}`), 1e-9)
	require.InEpsilon(t, 100, p.value(`rate(system_disk_io_bytes_total{system_device="sda"}[1m])`), 1e-9)
	require.InEpsilon(t, 99, p.value(`max_over_time(system_memory_usage_bytes[1h])`), 1e-9)

	_, data := p.prometheus("query_range", "query", `rate(system_disk_io_bytes_total[1m])`, "start", epoch.Add(10*time.Minute).Format(time.RFC3339),
		"end", epoch.Add(50*time.Minute).Format(time.RFC3339), "step", "15")
	values := at(t, data, "result", 0, "values").([]any)
	require.Len(t, values, 161)
	for _, v := range values {
		got, err := strconv.ParseFloat(at(t, v, 1).(string), 64)
		require.NoError(t, err)
		require.InEpsilon(t, 100, got, 1e-9)
	}
	_, data = p.prometheus("labels")
	require.Equal(t, []any{"__name__", "disk_io_direction", "host_name", "system_device", "system_memory_state"}, data)
	_, data = p.prometheus("label/host_name/values", "match[]", "system_memory_usage_bytes")
	require.Equal(t, []any{"web1"}, data)
	_, data = p.prometheus("series", "match[]", `{system_device="sda"}`)
	require.Len(t, data, 1)
	_, data = p.prometheus("metadata", "metric", "system_disk_io_bytes_total")
	require.Equal(t, "counter", at(t, data, "system_disk_io_bytes_total", 0, "type"))
	status, _ := p.prometheus("status/buildinfo")
	require.Equal(t, http.StatusOK, status)
}

// What a coarser tier answers agrees with what was true.
func TestQueriesOfADayAgo(t *testing.T) {
	p := start(t, nil)
	p.fillHour()
	p.advance(3 * time.Hour) // The finest tier has forgotten it.
	p.send(point{metric: "system.memory.usage", value: 10, attributes: map[string]any{"system.memory.state": "used"}})
	when := []string{"time", epoch.Add(time.Hour).Format(time.RFC3339)}
	for query, want := range map[string]float64{
		`rate(system_disk_io_bytes_total[10m])`:           100,
		`max_over_time(system_memory_usage_bytes[59m])`:   99,
		`min_over_time(system_memory_usage_bytes[59m])`:   10,
		`increase(system_disk_io_bytes_total[30m]) / 1e5`: 1.8,
	} {
		require.InEpsilon(t, want, p.value(query, when...), 0.01, query)
	}
}

func TestASeriesThatEndedIsStale(t *testing.T) {
	p := start(t, nil)
	both := []point{{metric: "a", value: 1}, {metric: "b", value: 2}}
	for i := range 20 {
		p.send(both[:2-i/10]...)
		p.advance(time.Second)
	}
	require.InEpsilon(t, 1, p.value("a_bytes"), 1e-9)
	_, data := p.prometheus("query", "query", "b_bytes")
	require.Empty(t, at(t, data, "result"))
}

func TestProcessesAreSeries(t *testing.T) {
	p := start(t, nil)
	for i := range 31 {
		md := pmetric.NewMetrics()
		for pid, share := range map[int64]float64{1: 0.5, 2: 1.5} {
			if pid == 2 && i < 10 {
				continue
			}
			p.process(md, pid, share*float64(i)*2)
		}
		require.NoError(t, p.metrics.ConsumeMetrics(t.Context(), md))
		p.advance(2 * time.Second)
	}
	require.InEpsilon(t, 0.5, p.value(`rate(process_cpu_time_seconds_total{process_pid="1"}[30s])`), 1e-9)
	require.InEpsilon(t, 1.5, p.value(`rate(process_cpu_time_seconds_total{process_executable_name="p2"}[30s])`), 1e-9)
	require.InEpsilon(t, 1024, p.value(`max by (process_pid) (process_memory_usage_bytes{process_pid="2",host_name="web1"})`), 1e-9)
	_, data := p.prometheus("label/process_pid/values", "match[]", "process_memory_usage_bytes")
	require.Equal(t, []any{"1", "2"}, data)
}

// process adds a process to a scrape.
func (p *testPage) process(md pmetric.Metrics, pid int64, seconds float64) {
	rm := md.ResourceMetrics().AppendEmpty()
	attributes := rm.Resource().Attributes()
	attributes.PutStr("host.name", "web1")
	attributes.PutInt("process.pid", pid)
	attributes.PutStr("process.executable.name", "p"+string(rune('0'+pid)))
	attributes.PutStr("process.creation.time", epoch.Format(time.RFC3339))
	p.fill(rm, []point{{metric: "process.cpu.time", counter: true, value: seconds}, {metric: "process.memory.usage", value: 1024}})
}

func TestQueriesThatCannotBeAnswered(t *testing.T) {
	p := start(t, nil)
	p.send(point{metric: "a", value: 1})
	for _, c := range [][]string{
		{"query", "query", "sum("},
		{"query", "query", `"text"`},
		{"query", "query", "a", "time", "yesterday"},
		{"query_range", "query", "a", "step", "0"},
		{"query_range", "query", "a", "start", "0", "end", "1e9", "step", "1"},
		{"query_range", "query", "a", "start", "9", "end", "1", "step", "1"},
		{"series"},
		{"series", "match[]", "{"},
		{"label/a b/values/x"},
		{"nothing"},
		{"labels", "match[]", "="},
	} {
		status, message := p.prometheus(c[0], c[1:]...)
		require.GreaterOrEqual(t, status, 400, c)
		require.NotEmpty(t, message, c)
	}
}

func TestQueriesMayBeForms(t *testing.T) {
	p := start(t, nil)
	p.send(point{metric: "a", value: 1})
	form := func(path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+path, strings.NewReader("query=a_bytes"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer shut(res.Body)
		return res.StatusCode
	}
	require.Equal(t, http.StatusOK, form("/prometheus/api/v1/query"))
	require.Equal(t, http.StatusMethodNotAllowed, form("/api/meta"))
}

// TestTheDashboardAsksForWhatCanBeParsed holds the names that the dashboard uses against the rules of the names.
func TestTheDashboardAsksForWhatCanBeParsed(t *testing.T) {
	p := start(t, nil)
	queries, err := dashboards.Queries("web1")
	require.NoError(t, err)
	require.Greater(t, len(queries), 20)
	for _, q := range queries {
		status, data := p.prometheus("query", "query", q)
		require.Equal(t, http.StatusOK, status, "%s: %v", q, data)
	}
}
