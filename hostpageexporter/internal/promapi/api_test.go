package promapi

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// api is the routes of a store of its own, with a clock that the test sets.
type api struct {
	*API
	t     *testing.T
	store *history.Store
	now   time.Time
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{t: t, store: history.New(history.DefaultConfig(), epoch), now: epoch}
	a.API = New(func() *history.Store { return a.store }, func() time.Time { return a.now }, "1.2.3")
	t.Cleanup(func() {
		if a.store != nil {
			a.store.Close()
		}
	})
	return a
}

// put writes a sample of a series of the host web1.
func (a *api) put(metric, unit string, kind history.Kind, device string, value float64) {
	a.t.Helper()
	w := a.store.Begin(a.now)
	r, ok := w.Resource(history.Key{A: 1, B: 1}, func() []history.Attribute { return []history.Attribute{{Key: "host.name", Value: "web1"}} })
	require.True(a.t, ok)
	hasher := a.store.Hasher()
	var key history.Key
	hasher.Text(&key, metric, device)
	w.Put(r, w.Metric(metric, unit, "What "+metric+" is.", kind),
		history.Sample{Key: key, Time: a.now.UnixNano(), Start: epoch.Add(-time.Hour).UnixNano(), Values: [3]float64{value, value, value}},
		func() []history.Attribute {
			if device == "" {
				return nil
			}
			return []history.Attribute{{Key: "system.device", Value: device}}
		})
	w.Commit()
}

// minutes fills two disks' counters and a gauge, a sample a second.
func (a *api) minutes(n int) {
	for i := range 60 * n {
		a.put("system.disk.io", "By", history.Counter, "sda", float64(100*i))
		a.put("system.disk.io", "By", history.Counter, `sd"b\`, float64(10*i))
		a.put("system.memory.usage", "By", history.Gauge, "", float64(1000+i))
		a.now = a.now.Add(time.Second)
	}
	a.now = a.now.Add(-time.Second) // That of the newest sample.
}

// ask returns the status and the decoded body of an answer.
func (a *api) ask(route string, parameters ...string) (status int, body map[string]any) {
	a.t.Helper()
	q := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		q.Add(parameters[i], parameters[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, Prefix+route+"?"+q.Encode(), http.NoBody))
	require.Equal(a.t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(a.t, "no-store", w.Header().Get("Cache-Control"))
	require.NoError(a.t, json.Unmarshal(w.Body.Bytes(), &body), w.Body.String())
	return w.Code, body
}

// data is that of an answer that succeeds, as JSON.
func (a *api) data(route string, parameters ...string) string {
	a.t.Helper()
	status, body := a.ask(route, parameters...)
	require.Equal(a.t, http.StatusOK, status, "%v", body)
	require.Equal(a.t, "success", body["status"])
	text, err := json.Marshal(body["data"])
	require.NoError(a.t, err)
	return string(text)
}

func seconds(t time.Time) string { return fmt.Sprintf("%.3f", float64(t.UnixMilli())/1000) }

func TestAnswersAreThoseOfPrometheus(t *testing.T) {
	a := newAPI(t)
	a.minutes(5)
	at := seconds(a.now)[:10]
	memory := `{"__name__":"system_memory_usage_bytes","host_name":"web1"}`
	for _, c := range []struct {
		route      string
		parameters []string
		want       string
	}{
		{"query", []string{"query", "system_memory_usage_bytes"}, `{"result":[{"metric":` + memory + `,"value":[` + at + `,"1299"]}],"resultType":"vector"}`},
		{"query", []string{"query", "system_memory_usage_bytes[2s]"}, `{"result":[{"metric":` + memory + `,"values":[[` + seconds(a.now.Add(-time.Second))[:10] + `,"1298"],[` + at + `,"1299"]]}],"resultType":"matrix"}`},
		{"query", []string{"query", "1 + 1"}, `{"result":[` + at + `,"2"],"resultType":"scalar"}`},
		{"query", []string{"query", "1 / 0"}, `{"result":[` + at + `,"+Inf"],"resultType":"scalar"}`},
		{"query", []string{"query", `sum by (system_device) (rate(system_disk_io_bytes_total{system_device="sda"}[1m]))`}, `{"result":[{"metric":{"system_device":"sda"},"value":[` + at + `,"100"]}],"resultType":"vector"}`},
		{"query", []string{"query", "system_memory_usage_bytes", "time", seconds(epoch.Add(10 * time.Second))}, `{"result":[{"metric":` + memory + `,"value":[` + seconds(epoch.Add(10 * time.Second))[:10] + `,"1010"]}],"resultType":"vector"}`},
		{"query", []string{"query", "system_memory_usage_bytes", "time", seconds(epoch.Add(-time.Minute))}, `{"result":[],"resultType":"vector"}`},
		{"query", []string{"query", "there_is_none"}, `{"result":[],"resultType":"vector"}`},
		{
			"query_range",
			[]string{"query", "system_memory_usage_bytes - 1000", "start", epoch.Format(time.RFC3339), "end", epoch.Add(20 * time.Second).Format(time.RFC3339), "step", "10"},
			`{"result":[{"metric":{"host_name":"web1"},"values":[[` + seconds(epoch)[:10] + `,"0"],[` + seconds(epoch.Add(10 * time.Second))[:10] + `,"10"],[` + seconds(epoch.Add(20 * time.Second))[:10] + `,"20"]]}],"resultType":"matrix"}`,
		},
		// A step of a minute is answered by the tier of 15 seconds: the mean of each.
		{
			"query_range",
			[]string{"query", "system_memory_usage_bytes - 1000", "start", epoch.Format(time.RFC3339), "end", epoch.Add(time.Minute).Format(time.RFC3339), "step", "1m"},
			`{"result":[{"metric":{"host_name":"web1"},"values":[[` + seconds(epoch)[:10] + `,"7"],[` + seconds(epoch.Add(time.Minute))[:10] + `,"67"]]}],"resultType":"matrix"}`,
		},
		{"labels", nil, `["__name__","host_name","system_device"]`},
		{"labels", []string{"match[]", "system_memory_usage_bytes"}, `["__name__","host_name"]`},
		{"labels", []string{"match[]", "there_is_none"}, `[]`},
		{"label/__name__/values", nil, `["system_disk_io_bytes_total","system_memory_usage_bytes"]`},
		{"label/system_device/values", nil, `["sd\"b\\","sda"]`},
		{"label/system_device/values", []string{"match[]", `{system_device=~"sda|x"}`, "match[]", `{system_device="sda"}`}, `["sda"]`},
		{"label/none/values", nil, `[]`},
		{"series", []string{"match[]", `{system_device!="",system_device!="sda"}`}, `[{"__name__":"system_disk_io_bytes_total","host_name":"web1","system_device":"sd\"b\\"}]`},
		{"series", []string{"match[]", "system_memory_usage_bytes", "match[]", `{host_name="web1",system_device=""}`}, `[` + memory + `]`},
		{"metadata", []string{"metric", "system_memory_usage_bytes"}, `{"system_memory_usage_bytes":[{"help":"What system.memory.usage is.","type":"gauge","unit":"By"}]}`},
		{"metadata", []string{"metric", "none"}, `{}`},
		{"status/buildinfo", nil, `{"branch":"","buildDate":"","buildUser":"","goVersion":"","revision":"","version":"1.2.3"}`},
	} {
		assert.JSONEq(t, c.want, a.data(c.route, c.parameters...), "%s %v", c.route, c.parameters)
	}
	var all map[string][]struct{ Type string }
	require.NoError(t, json.Unmarshal([]byte(a.data("metadata")), &all))
	require.Len(t, all, 2)
	require.Equal(t, "counter", all["system_disk_io_bytes_total"][0].Type)
}

// TestErrorsAreThoseOfPrometheus: the status, the type by which Grafana tells errors apart, and a text that says what is wrong.
func TestErrorsAreThoseOfPrometheus(t *testing.T) {
	a := newAPI(t)
	a.minutes(1)
	million := []string{"query", "system_memory_usage_bytes", "start", seconds(a.now.Add(-1e6 * time.Second)), "end", seconds(a.now)}
	for _, c := range []struct {
		route      string
		parameters []string
		status     int
		kind, says string
	}{
		{"query", nil, 400, "bad_data", ""},
		{"query", []string{"query", "sum("}, 400, "bad_data", "parse error"},
		{"query", []string{"query", `{}`}, 400, "bad_data", "at least one non-empty matcher"},
		{"query", []string{"query", `"text"`}, 400, "bad_data", "text"},
		{"query", []string{"query", "1", "time", "yesterday"}, 400, "bad_data", "time:"},
		{"query", []string{"query", "1", "time", "NaN"}, 400, "bad_data", "time:"},
		{"query", []string{"query", "1", "time", "1e300"}, 400, "bad_data", "time:"},
		{"query", []string{"query", `system_disk_io_bytes_total * on (host_name) system_disk_io_bytes_total`}, 422, "execution", "many-to-many"},
		{"query_range", million, 400, "bad_data", "step:"},
		{"query_range", append([]string{"step", "0"}, million...), 400, "bad_data", "step:"},
		{"query_range", append([]string{"step", "-1"}, million...), 400, "bad_data", "step:"},
		{"query_range", append([]string{"step", "1e-9"}, million...), 400, "bad_data", "step:"},
		{"query_range", append([]string{"step", "NaN"}, million...), 400, "bad_data", "step:"},
		{"query_range", append([]string{"step", "1"}, million...), 400, "bad_data", "11,000 points"},
		{"query_range", []string{"query", "1", "start", "9", "end", "1", "step", "1"}, 400, "bad_data", "end is before start"},
		{"query_range", []string{"query", "1", "start", "x", "step", "1"}, 400, "bad_data", "start:"},
		{"query_range", []string{"query", "1", "end", "x", "step", "1"}, 400, "bad_data", "end:"},
		{"query_range", []string{"query", "system_memory_usage_bytes[1m]", "step", "1"}, 400, "bad_data", "invalid expression type"},
		{"series", nil, 400, "bad_data", "match[]"},
		{"series", []string{"match[]", "{"}, 400, "bad_data", "parse error"},
		{"series", []string{"match[]", `{a=~"("}`}, 400, "bad_data", "parse error"},
		{"series", []string{"match[]", `{a=~"b",}`, "start", "x"}, 400, "bad_data", "start:"},
		{"labels", []string{"match[]", "="}, 400, "bad_data", "parse error"},
		{"labels", []string{"end", "x"}, 400, "bad_data", "end:"},
		{"label//values", nil, 400, "bad_data", "name of a label"},
		{"label/a/b", nil, 404, "not_found", "no such route"},
		{"rules", nil, 404, "not_found", "no such route"},
		{"", nil, 404, "not_found", "no such route"},
	} {
		status, body := a.ask(c.route, c.parameters...)
		assert.Equal(t, c.status, status, "%s %v: %v", c.route, c.parameters, body)
		assert.Equal(t, "error", body["status"], "%s %v", c.route, c.parameters)
		assert.Equal(t, c.kind, body["errorType"], "%s %v", c.route, c.parameters)
		assert.Contains(t, body["error"], c.says, "%s %v", c.route, c.parameters)
	}
	// A million seconds are answered with a step that has room for them.
	require.Contains(t, a.data("query_range", append([]string{"step", "100"}, million...)...), `"matrix"`)
}

// TestAQueryThatReadsTooMuchIsRefused: a million samples are the limit, whatever the query makes of them.
func TestAQueryThatReadsTooMuchIsRefused(t *testing.T) {
	a := newAPI(t)
	for range 3000 {
		w := a.store.Begin(a.now)
		r, _ := w.Resource(history.Key{A: 1, B: 1}, func() []history.Attribute { return nil })
		m := w.Metric("many", "1", "", history.Gauge)
		for i := range 350 {
			w.Put(r, m, history.Sample{Key: history.Key{A: 7, B: uint64(i)}, Time: a.now.UnixNano(), Values: [3]float64{1}},
				func() []history.Attribute { return []history.Attribute{{Key: "n", Value: fmt.Sprint(i)}} })
		}
		w.Commit()
		a.now = a.now.Add(time.Second)
	}
	status, body := a.ask("query", "query", "count(count_over_time(many_ratio[50m]))")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body["error"], "1000000 samples")
	require.Contains(t, a.data("query", "query", "count(count_over_time(many_ratio[10m]))"), `,"350"]`)
}

// TestOneQueryAtATime: another waits, and is told so when its patience ends.
func TestOneQueryAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.minutes(1)
		a.running <- struct{}{} // A query that runs.
		ask := func() <-chan int {
			done := make(chan int, 1)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, Prefix+"query?query=1", http.NoBody)
			go func() {
				w := httptest.NewRecorder()
				a.ServeHTTP(w, r)
				done <- w.Code
			}()
			synctest.Wait()
			return done
		}
		impatient := ask()
		require.Empty(t, impatient, "two queries do not run at once")
		require.Equal(t, http.StatusServiceUnavailable, <-impatient)
		patient := ask()
		<-a.running
		require.Equal(t, http.StatusOK, <-patient)
	})
}

func TestAPageThatHasStopped(t *testing.T) {
	a := newAPI(t)
	a.store.Close()
	a.store = nil
	status, body := a.ask("query", "query", "1")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "unavailable", body["errorType"])
}

// TestNewSeriesAreFound: the index of the series is made again when series come.
func TestNewSeriesAreFound(t *testing.T) {
	a := newAPI(t)
	a.minutes(1)
	require.JSONEq(t, `[]`, a.data("series", "match[]", "later"))
	a.put("later", "", history.Gauge, "", math.Pi)
	require.JSONEq(t, `[{"__name__":"later","host_name":"web1"}]`, a.data("series", "match[]", "later"))
}

// TestABodyIsBounded: a form that is too large is no answer and no crash.
func TestABodyIsBounded(t *testing.T) {
	a := newAPI(t)
	post := func(body string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Prefix+"query", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusOK, post("query=1"))
	require.Equal(t, http.StatusBadRequest, post("query=1"+strings.Repeat("+", maxBody)))
}
