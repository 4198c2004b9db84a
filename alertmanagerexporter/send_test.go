package alertmanagerexporter

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadatatest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// waitLimit is how long a test waits for anything before it fails. It is no expectation of speed.
const waitLimit = 30 * time.Second

// serve starts a server on loopback, and an exporter before it that is made by the factory.
func serve(t *testing.T, configure func(*Config)) (*server, exporter.Logs) {
	t.Helper()
	s := newServer(time.Now)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	cfg := createDefaultConfig().(*Config)
	cfg.AcceptExternalRecords = true // There is no engine here that makes any.
	cfg.ClientConfig.Endpoint = web.URL
	cfg.RetryConfig.InitialInterval = time.Millisecond
	if configure != nil {
		configure(cfg)
	}
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return s, e
}

// recent is a fire of a moment ago.
func recent(id string) say {
	now := time.Now().Unix() - 1
	return say{id: id, transition: "fire", severity: "warning", started: now, at: now, seq: 1}
}

func isActive(s *server, id string) func() bool { return func() bool { return s.active()[id] != "" } }

func TestRequestsOnTheWire(t *testing.T) {
	var paths []string
	var header http.Header
	s, e := serve(t, func(c *Config) {
		c.ClientConfig.Endpoint += "/prefix/"
		c.GeneratorURL = "https://dashboards.example/"
		c.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	})
	s.seen = func(path string, h http.Header) { paths, header = append(paths, path), h }
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(t, recent("a"))))
	assert.Equal(t, []string{"/prefix/api/v2/alerts"}, paths)
	assert.Equal(t, "application/json", header.Get("Content-Type"))
	assert.Equal(t, "https://dashboards.example/", s.find(t, "warning").GeneratorURL)
	s.requireRight(t)
}

func TestFailuresAreRetriedUntilAlertmanagerIsBack(t *testing.T) {
	s, e := serve(t, nil)
	answers := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError}
	s.header.Set("Retry-After", "0")
	s.answer = func(*http.Request) int {
		if len(answers) == 0 {
			return 0
		}
		code := answers[0]
		answers = answers[1:]
		return code
	}
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(t, recent("a"))))
	require.Eventually(t, isActive(s, "a"), waitLimit, time.Millisecond)
	s.requireRight(t)
}

func TestARefusalHoldsUpNothing(t *testing.T) {
	s, e := serve(t, nil)
	first := true
	s.answer = func(*http.Request) int {
		if first {
			first = false
			return http.StatusBadRequest
		}
		return 0
	}
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(t, recent("a"))))
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(t, recent("b"))))
	require.Eventually(t, isActive(s, "b"), waitLimit, time.Millisecond)
}

func TestResendLoop(t *testing.T) {
	s, e := serve(t, func(c *Config) { c.ResendInterval = 5 * time.Millisecond })
	refuse := true
	s.answer = func(*http.Request) int {
		if refuse {
			return http.StatusBadRequest
		}
		return 0
	}
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(t, recent("a"))))
	s.mu.Lock()
	refuse = false
	s.mu.Unlock()
	require.Eventually(t, func() bool { return s.count() >= 3 }, waitLimit, time.Millisecond)
	require.NoError(t, e.Shutdown(context.Background()))
	n := s.count()
	require.NoError(t, e.Shutdown(context.Background()), "a second time does nothing")
	assert.Equal(t, n, s.count())
}

func TestAFullQueueLosesNothing(t *testing.T) {
	s, e := serve(t, func(c *Config) {
		c.QueueConfig.Get().QueueSize = 1
		c.ResendInterval = 5 * time.Millisecond
	})
	down := true
	s.header.Set("Retry-After", "3600")
	s.answer = func(*http.Request) int {
		if down {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	want := map[string]string{}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(t, recent(id))))
		want[id] = "warning"
	}
	s.mu.Lock()
	down = false
	s.mu.Unlock()
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(want, s.active()) }, waitLimit, time.Millisecond)
	s.requireRight(t)
}

func TestAnswers(t *testing.T) {
	var code int
	header := http.Header{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return // A page, with status 200.
		}
		maps.Copy(w.Header(), header)
		w.WriteHeader(code)
		_, _ = w.Write([]byte("  because\n"))
	}))
	defer web.Close()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &client{
		http: &http.Client{CheckRedirect: webclient.SameServer}, url: web.URL + "/?token=s3cret", now: func() time.Time { return now },
		longestDelay: 30 * time.Second,
	}
	defer c.http.CloseIdleConnections()
	for _, tt := range []struct {
		name      string
		code      int
		header    map[string]string
		permanent bool
		want      string
	}{
		{name: "taken", code: 200},
		{name: "taken silently", code: 204},
		{name: "bad alerts", code: 400, permanent: true, want: `answered 400 Bad Request: "because"`},
		{name: "wrong password", code: 401, permanent: true, want: "answered 401"},
		{name: "wrong path", code: 404, permanent: true, want: "answered 404"},
		{name: "slow request", code: 408, want: "answered 408"},
		{name: "too many", code: 429, want: "answered 429"},
		{name: "too many, for a time", code: 429, header: map[string]string{"Retry-After": "7"}, want: "Throttle (7s)"},
		{name: "away until then", code: 503, header: map[string]string{"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"}, want: "Throttle (30s)"},
		{name: "absurd", code: 503, header: map[string]string{"Retry-After": "9999999"}, want: "Throttle (30s)"},
		{name: "too absurd for a number", code: 503, header: map[string]string{"Retry-After": "99999999999999999999"}, want: "Throttle (30s)"},
		{name: "away since then", code: 503, header: map[string]string{"Retry-After": "Wed, 31 Dec 2025 00:01:00 GMT"}, want: "Throttle (0s)"},
		{name: "nonsense", code: 503, header: map[string]string{"Retry-After": "soon"}, want: "answered 503"},
		{name: "broken", code: 500, want: "answered 500"},
		{name: "a redirect to a page is no success", code: 301, header: map[string]string{"Location": "/"}, permanent: true, want: "answered 301"},
		{
			name: "a redirect to somebody else", code: 307, header: map[string]string{"Location": "https://ops:s3cret@elsewhere.example/"}, permanent: true,
			want: `it says to go to "https://xxxxx@elsewhere.example/", which is not done`,
		},
		{name: "a redirect of the request, without end", code: 307, header: map[string]string{"Location": "/"}, want: "too many redirects"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code = tt.code
			clear(header)
			for key, value := range tt.header {
				header.Set(key, value)
			}
			err := c.post(t.Context(), nil)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "s3cret")
			assert.Equal(t, tt.permanent, consumererror.IsPermanent(err))
		})
	}
	web.Close()
	err := c.post(t.Context(), nil)
	require.Error(t, err)
	assert.False(t, consumererror.IsPermanent(err), "nobody there")
}

func TestRecordsThatAreNoAlerts(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	b := newBench(t, nil)
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	var err error
	b.am, err = newLogs(t.Context(), set, b.cfg, b.now)
	require.NoError(t, err)
	require.NoError(t, b.am.open(t.Context(), b.host))
	b.am.client.http.Transport = b.server

	ld := logsOf(t, say{id: "a", transition: "fire", severity: "warning", started: 10, at: 10, seq: 1},
		say{id: "a", transition: "fire", severity: "warning", started: 10, at: 10, seq: 1})
	for _, name := range []string{"", "exception", "alert.suppressed", "alert.rule_error", "alert.state_change"} {
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty().SetEventName(name)
	}
	ld.MarkReadOnly()
	require.NoError(t, b.am.ConsumeLogs(t.Context(), ld))
	assert.Equal(t, map[string]string{"a": "warning"}, b.server.active())
	only := plog.NewLogs()
	only.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
	require.NoError(t, b.am.ConsumeLogs(t.Context(), only))
	assert.Len(t, b.server.got(), 1, "nothing to send is not sent")

	var want []metricdata.DataPoint[int64]
	for reason, n := range map[string]int64{"not_an_alert": 3, "suppressed": 1, "rule_error": 1, "malformed": 1, "duplicate": 1} {
		want = append(want, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String("reason", reason)), Value: n})
	}
	metadatatest.AssertEqualAlertmanagerRecordsSkipped(t, telemetry, want, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualAlertmanagerActive(t, telemetry, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualAlertmanagerRequests(t, telemetry, []metricdata.DataPoint[int64]{{
		Attributes: attribute.NewSet(attribute.String("outcome", "accepted")), Value: 1,
	}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// witness is a host that notes statuses.
type witness struct {
	machine
	statuses []componentstatus.Status
}

func (w *witness) Report(ev *componentstatus.Event) { w.statuses = append(w.statuses, ev.Status()) }

func TestStatus(t *testing.T) {
	b := newBench(t, nil)
	w := &witness{}
	b.am.host = w
	down := true
	b.server.lose = func() (taken, answered bool) { return !down, !down }
	fire := say{id: "a", transition: "fire", severity: "warning", started: 10, at: 10, seq: 1}
	require.Error(t, b.am.ConsumeLogs(t.Context(), logsOf(t, fire)))
	b.clock = b.clock.Add(59 * time.Second)
	b.am.resend(t.Context())
	assert.Empty(t, w.statuses)
	b.clock = b.clock.Add(time.Second)
	b.am.resend(t.Context())
	b.am.resend(t.Context())
	down = false
	b.am.resend(t.Context())
	b.am.resend(t.Context())
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.statuses)
}

func TestConcurrentRecords(t *testing.T) {
	s, e := serve(t, func(c *Config) { c.ResendInterval = time.Millisecond })
	var group sync.WaitGroup
	now := time.Now().Unix() - 1
	errs := map[string]error{}
	var mu sync.Mutex
	for _, id := range []string{"a", "b", "c"} {
		group.Go(func() {
			severity := []string{"warning", "critical"}
			err := e.ConsumeLogs(t.Context(), logsOf(t, recent(id)))
			for i := range 50 {
				err = errors.Join(err, e.ConsumeLogs(t.Context(), logsOf(t, say{
					id: id, transition: "escalate", previous: severity[i%2], severity: severity[(i+1)%2], started: now, at: now, seq: int64(i + 2),
				})))
			}
			mu.Lock()
			defer mu.Unlock()
			errs[id] = err
		})
	}
	group.Wait()
	assert.Equal(t, map[string]error{"a": nil, "b": nil, "c": nil}, errs)
	require.Eventually(t, func() bool {
		return assert.ObjectsAreEqual(map[string]string{"a": "warning", "b": "warning", "c": "warning"}, s.active())
	}, waitLimit, time.Millisecond)
	s.requireRight(t)
}

// FuzzTake feeds whatever parses as logs. Whatever comes out must be what Alertmanager accepts.
func FuzzTake(f *testing.F) {
	seed := func(ld plog.Logs) {
		text, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(f, err)
		f.Add(text, int64(1_000_000))
	}
	seed(logsOf(f, say{id: "a", transition: "fire", severity: "warning", started: 10, at: 10, seq: 1},
		say{id: "a", transition: "escalate", severity: "critical", previous: "warning", started: 10, at: 20, seq: 2},
		say{id: "a", transition: "resolve", severity: "critical", previous: "critical", started: 10, at: 30, seq: 3}))
	seed(logsOf(f, say{id: "\xff", transition: "escalate", severity: "\xfe", previous: "\xfd", started: -1, at: 1 << 40, seq: -1}))
	f.Fuzz(func(t *testing.T, text []byte, clock int64) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(text)
		if err != nil {
			return
		}
		now := time.Unix(max(0, min(clock, 1<<32)), 0)
		set := exportertest.NewNopSettings(metadata.Type)
		am, err := newAlertmanager(set, createDefaultConfig().(*Config), func() time.Time { return now })
		require.NoError(t, err)
		am.take(t.Context(), ld)
		for id, e := range am.table.entries {
			for _, a := range e.postable(nil, now.UnixNano(), int64(time.Minute), "") {
				require.NoError(t, valid(a))
				_, err := a.StartsAt.MarshalJSON()
				require.NoError(t, err)
			}
			text, err := json.Marshal(e)
			require.NoError(t, err)
			restored, err := decodeEntry(text)
			require.NoError(t, err, id)
			require.Equal(t, e.Active, restored.Active)
		}
	})
}

// FuzzDecodeEntry reads whatever may stand in a storage. What is accepted can be posted.
func FuzzDecodeEntry(f *testing.F) {
	for _, seed := range []string{
		`{`, `null`, `{}`, `{"Labels":{"alertname":"a","alert_id":"c"},"Active":{"Severity":"b","Starts":5}}`,
		`{"Labels":{"a":"b"},"Ended":[{"Severity":"b","Labels":{"alertname":"a","alert_id":"c"},"Ends":9223372036854775807}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := decodeEntry(text)
		if err != nil {
			assert.Nil(t, e)
			return
		}
		for _, a := range e.postable(nil, time.Hour.Nanoseconds(), int64(time.Minute), "") {
			assert.False(t, a.EndsAt.Before(a.StartsAt))
			assert.NotEmpty(t, a.Labels[labelAlertName])
		}
	})
}

var _ component.Host = machine{}
