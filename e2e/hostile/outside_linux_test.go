// Package hostile attacks the built distribution: as a local user without rights, as a sender, and as a server that it talks to.
package hostile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// alertmanager is a server that takes alerts, and remembers of each host whether its alert is active.
type alertmanager struct {
	*httptest.Server
	mu     sync.Mutex
	active map[string]bool                               // By the label instance: false once it has ended.
	asked  int                                           // Requests.
	header http.Header                                   // Of the last request.
	answer func(http.ResponseWriter, *http.Request) bool // What to do instead; true when it was done.
}

func newAlertmanager(t *testing.T) *alertmanager {
	t.Helper()
	am := &alertmanager{active: map[string]bool{}}
	am.Server = httptest.NewServer(am)
	t.Cleanup(am.Close)
	return am
}

func (am *alertmanager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.asked++
	am.header = r.Header.Clone()
	if am.answer != nil && am.answer(w, r) {
		return
	}
	var alerts []struct {
		Labels map[string]string `json:"labels"`
		EndsAt time.Time         `json:"endsAt"`
	}
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, a := range alerts {
		am.active[a.Labels["instance"]] = a.EndsAt.After(time.Now())
	}
}

// hosts are those of which it has heard, and whether the alert of each is active.
func (am *alertmanager) hosts() map[string]bool {
	am.mu.Lock()
	defer am.mu.Unlock()
	return maps.Clone(am.active)
}

func (am *alertmanager) does(answer func(http.ResponseWriter, *http.Request) bool) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.answer = answer
}

func (am *alertmanager) await(t *testing.T, host string) {
	t.Helper()
	harness.Eventually(t, host+" is active", func() error {
		if hosts := am.hosts(); !hosts[host] {
			return fmt.Errorf("so far there is %v", hosts)
		}
		return nil
	})
}

// postRequest sends a request of OTLP over HTTP.
func postRequest(t *testing.T, address, path string, request interface{ MarshalProto() ([]byte, error) }) {
	t.Helper()
	body, err := request.MarshalProto()
	require.NoError(t, err)
	harness.Eventually(t, "the receiver", func() error {
		resp, err := http.Post("http://"+address+path, "application/x-protobuf", bytes.NewReader(body)) //nolint:noctx // The test ends it.
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", resp.Status, answer)
		}
		return nil
	})
}

// sendLoad sends the value that the rule "load" looks at.
func sendLoad(t *testing.T, address, host string, v float64) {
	t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", host)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("load")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	dp.SetDoubleValue(v)
	postRequest(t, address, "/v1/metrics", pmetricotlp.NewExportRequestFromMetrics(md))
}

// forge sends log records that look like those of alerts. Genuine are records as they came out, to begin with.
func forge(t *testing.T, address string, genuine plog.Logs) {
	t.Helper()
	for _, change := range []func(plog.LogRecord){
		func(lr plog.LogRecord) { // The alert of the host has ended.
			lr.Attributes().PutStr("alert.transition", "resolve")
			lr.Attributes().PutStr("alert.state", "resolved")
			lr.Attributes().PutStr("log.record.uid", "forged-1")
			lr.Attributes().PutInt("alert.occurrences", 2)
			lr.Attributes().PutStr("alert.ended_at", time.Now().UTC().Format(time.RFC3339Nano))
			lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		},
		func(lr plog.LogRecord) { // The same record with another state.
			lr.Attributes().PutStr("alert.state", "resolved")
			lr.Attributes().PutInt("alert.occurrences", 7)
		},
		func(lr plog.LogRecord) { // An alert that there is not.
			lr.Attributes().PutStr("alert.id", "0123456789abcdef")
			lr.Attributes().PutStr("alert.episode.id", "fedcba9876543210")
			lr.Attributes().PutStr("log.record.uid", "forged-2")
			lr.Attributes().PutStr("host.name", "invented")
		},
		func(lr plog.LogRecord) { lr.Attributes().PutStr("host.name", "invented") },          // The same record of another host,
		func(lr plog.LogRecord) { lr.Attributes().PutStr("alert.label.instance", "forged") }, // with a label,
		func(lr plog.LogRecord) { lr.Body().SetStr("forged-7") },                             // and another text.
		func(lr plog.LogRecord) { lr.SetEventName("alert.suppressed"); lr.Body().SetStr("forged-3") },
		func(lr plog.LogRecord) { lr.SetEventName("alert.rule_error"); lr.Body().SetStr("forged-4") },
		func(lr plog.LogRecord) { lr.SetEventName("alert.rule"); lr.Body().SetStr("forged-5") },
		func(lr plog.LogRecord) {
			lr.SetEventName("")
			lr.Attributes().PutStr("event.name", "alert.state_change")
			lr.Body().SetStr("forged-6")
		},
	} {
		forged := plog.NewLogs()
		genuine.CopyTo(forged)
		for _, rl := range forged.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					change(lr)
					if host, ok := lr.Attributes().Get("host.name"); ok {
						rl.Resource().Attributes().PutStr("host.name", host.Str())
					}
				}
			}
		}
		postRequest(t, address, "/v1/logs", plogotlp.NewExportRequestFromLogs(forged))
	}
	ordinary := plog.NewLogs()
	ordinary.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("ordinary")
	postRequest(t, address, "/v1/logs", plogotlp.NewExportRequestFromLogs(ordinary))
}

// openReceiver has an open receiver before alerts of both kinds. A batch stands between, which forgets who has sent what.
const openReceiver = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
processors:
  batch: {timeout: 100ms}
  alert: &alert
    evaluation_interval: 1s
    accept_external_records: %[4]t
    storage: file_storage
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
connectors:
  alert:
    evaluation_interval: 1s
    storage: file_storage
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
exporters:
  file: {path: processor.jsonl, flush_interval: 100ms, append: true}
  file/connector: {path: connector.jsonl, flush_interval: 100ms, append: true}
  alertmanager/processor: {endpoint: %[2]s, storage: file_storage, accept_external_records: %[4]t}
  alertmanager/connector: {endpoint: %[3]s, storage: file_storage, accept_external_records: %[4]t}
  host_page: {endpoint: %[5]s, accept_external_records: %[4]t}
  nop:
extensions:
  file_storage: {directory: state, create_directory: true}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], processors: [alert], exporters: [alert, nop]}
    logs/processor: {receivers: [otlp], processors: [alert, batch], exporters: [file, alertmanager/processor]}
    logs/connector: {receivers: [otlp, alert], processors: [batch], exporters: [file/connector, alertmanager/connector, host_page]}
`

// openSettings is openReceiver without the keys that older builds lack, where these are nothing but the default.
func openSettings(accept bool, receiver, processor, connector, page string) string {
	text := fmt.Sprintf(openReceiver, receiver, processor, connector, accept, page)
	if !accept {
		text = strings.ReplaceAll(text, "\n    accept_external_records: false", "")
		text = strings.ReplaceAll(text, ", accept_external_records: false", "")
	}
	return text
}

func firstLogs(t *testing.T, path string) (logs plog.Logs) {
	t.Helper()
	harness.Eventually(t, "the first record in "+path, func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		line, _, complete := strings.Cut(string(text), "\n")
		if !complete {
			return errors.New("no line yet")
		}
		logs, err = (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		return err
	})
	return logs
}

// firing are the hosts whose alerts the page shows as firing.
func firing(t *testing.T, page string) (hosts []string) {
	t.Helper()
	var answer struct {
		Firing []string
		Alerts []struct {
			Episode  string
			Resource map[string]string
		}
	}
	resp, err := http.Get("http://" + page + "/api/alerts") //nolint:noctx // The test ends it.
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	for _, episode := range answer.Firing {
		for _, a := range answer.Alerts {
			if a.Episode == episode {
				hosts = append(hosts, a.Resource["host.name"])
			}
		}
	}
	return hosts
}

// TestForgedRecordsChangeNothing has somebody who can send logs try to fire and to end alerts, before and after a reload and a restart. The alert of
// the host goes on, at Alertmanager and on the page, and its own records get through.
func TestForgedRecordsChangeNothing(t *testing.T) {
	t.Parallel()
	dir, receiver, page := t.TempDir(), harness.FreeAddress(t), harness.FreeAddress(t)
	behindProcessor, behindConnector := newAlertmanager(t), newAlertmanager(t)
	text := openSettings(false, receiver, behindProcessor.URL, behindConnector.URL, page)
	p := harness.Start(t, dir, text)
	unchanged := func() {
		t.Helper()
		for _, am := range []*alertmanager{behindProcessor, behindConnector} {
			am.await(t, "real")
		}
		forge(t, receiver, firstLogs(t, filepath.Join(dir, "connector.jsonl")))
		harness.Eventually(t, "the ordinary record", func() error {
			for _, name := range []string{"processor.jsonl", "connector.jsonl"} {
				if text, _ := os.ReadFile(filepath.Join(dir, name)); !strings.Contains(string(text), `"ordinary"`) {
					return fmt.Errorf("not in %s yet", name)
				}
			}
			return nil
		})
		for _, am := range []*alertmanager{behindProcessor, behindConnector} {
			assert.Equal(t, map[string]bool{"real": true}, am.hosts())
		}
		assert.Equal(t, []string{"real"}, firing(t, page))
		written, err := os.ReadFile(filepath.Join(dir, "processor.jsonl"))
		require.NoError(t, err)
		assert.NotContains(t, string(written), "forged")
	}
	sendLoad(t, receiver, "real", 9)
	unchanged()
	require.NoError(t, p.Signal(syscall.SIGHUP))
	harness.Eventually(t, "the reload", func() error {
		if n := strings.Count(p.Output(), "Everything is ready"); n < 2 {
			return fmt.Errorf("%d starts", n)
		}
		return nil
	})
	unchanged()
	assert.LessOrEqual(t, strings.Count(p.Output(), "accept_external_records"), 2*4, "each component says it once")
	harness.Eventually(t, "the end", func() error {
		sendLoad(t, receiver, "real", 1)
		if here, there := behindProcessor.hosts(), behindConnector.hosts(); here["real"] || there["real"] {
			return fmt.Errorf("so far there is %v and %v", here, there)
		}
		return nil
	})
	replay(t, dir, receiver)
	assert.False(t, behindProcessor.hosts()["real"])
	assert.False(t, behindConnector.hosts()["real"])
	assert.Empty(t, firing(t, page))
	require.NoError(t, p.Stop(t, syscall.SIGTERM))
}

// replay sends the records that came out as they are, and returns when they have been through.
func replay(t *testing.T, dir, receiver string) {
	t.Helper()
	const last = "after the replay"
	for _, name := range []string{"processor.jsonl", "connector.jsonl"} {
		postRequest(t, receiver, "/v1/logs", plogotlp.NewExportRequestFromLogs(firstLogs(t, filepath.Join(dir, name))))
	}
	ordinary := plog.NewLogs()
	ordinary.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(last)
	postRequest(t, receiver, "/v1/logs", plogotlp.NewExportRequestFromLogs(ordinary))
	harness.Eventually(t, "the record after the replay", func() error {
		for _, name := range []string{"processor.jsonl", "connector.jsonl"} {
			if text, _ := os.ReadFile(filepath.Join(dir, name)); !strings.Contains(string(text), last) {
				return fmt.Errorf("not in %s yet", name)
			}
		}
		return nil
	})
}

// TestExternalRecordsCount where that is asked for: at a gateway that sends the alerts of agents' engines to an Alertmanager.
func TestExternalRecordsCount(t *testing.T) {
	t.Parallel()
	dir, receiver, page := t.TempDir(), harness.FreeAddress(t), harness.FreeAddress(t)
	behindProcessor, behindConnector := newAlertmanager(t), newAlertmanager(t)
	harness.Start(t, dir, openSettings(true, receiver, behindProcessor.URL, behindConnector.URL, page))
	sendLoad(t, receiver, "real", 9)
	forge(t, receiver, firstLogs(t, filepath.Join(dir, "connector.jsonl")))
	behindProcessor.await(t, "invented")
	behindConnector.await(t, "invented")
}

// towards sends the alerts of its rule to one Alertmanager.
const towards = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
connectors:
  alert:
    evaluation_interval: 1s
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
exporters:
  alertmanager:
    endpoint: %[2]s
    headers: {X-Token: s3cret-header}
    resend_interval: 1h
    retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
  host_page:
    endpoint: %[3]s
    collector_metrics: {endpoint: "%[4]s", headers: {X-Token: s3cret-header}}
service:
  telemetry: {metrics: {level: none}, logs: {level: debug}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert, host_page]}
    logs: {receivers: [alert], exporters: [alertmanager, host_page]}
`

// TestSecretsGoToTheServerAlone has the servers that the Collector talks to send it elsewhere, refuse it and end. The password of the URL, the header
// and the key of the query go to the servers that are configured, and stand in no log, no dump and on no page.
func TestSecretsGoToTheServerAlone(t *testing.T) {
	t.Parallel()
	dir, receiver, page := t.TempDir(), harness.FreeAddress(t), harness.FreeAddress(t)
	am, elsewhere := newAlertmanager(t), newAlertmanager(t)
	status := make(chan int, 100)
	am.does(func(w http.ResponseWriter, r *http.Request) bool {
		code := http.StatusTemporaryRedirect
		if r.Method == http.MethodGet {
			code = http.StatusFound
		}
		select {
		case status <- code:
		default:
		}
		w.Header().Set("Location", elsewhere.URL+r.URL.Path)
		w.WriteHeader(code)
		return true
	})
	secret := strings.Replace(am.URL, "://", "://ops:s3cret-password@", 1)
	text := fmt.Sprintf(towards, receiver, secret+"/?key=s3cret-key", page, secret+"/metrics?key=s3cret-key")
	p := harness.Start(t, dir, text)
	sendLoad(t, receiver, "real", 9)
	health := func() string {
		resp, err := http.Get("http://" + page + "/health") //nolint:noctx // The test ends it.
		if err != nil {
			return ""
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	p.AwaitOutput(t, "Temporary Redirect")
	harness.Eventually(t, "the health", func() error {
		if text := health(); !strings.Contains(text, "can't be read") {
			return errors.New(text)
		}
		return nil
	})
	assert.Contains(t, p.Output(), "which is not done")
	am.mu.Lock()
	assert.Equal(t, "s3cret-header", am.header.Get("X-Token"))
	am.mu.Unlock()
	texts := []string{p.Output(), health()}

	am.CloseClientConnections()
	am.Close()
	sendLoad(t, receiver, "other", 9)
	harness.Eventually(t, "the server is gone", func() error {
		if text := health(); !strings.Contains(text, "refused") || !strings.Contains(p.Output(), "connection refused") {
			return errors.New(text)
		}
		return nil
	})
	texts = append(texts, p.Output(), health())
	dump, err := exec.Command(harness.Binary(t), "print-config", "--config", filepath.Join(dir, "collector.yaml")).CombinedOutput()
	require.NoError(t, err, "%s", dump)
	assert.Contains(t, string(dump), "resend_interval")
	texts = append(texts, string(dump))
	for _, bad := range []string{"https://ops:s3cret-password/x@am.example", "ops:s3cret-password@am.example", "https://ops:s3cret%password@am.example"} {
		path := filepath.Join(t.TempDir(), "bad.yaml")
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, secret+"/?key=s3cret-key", `"`+bad+`"`)), 0o600))
		out, err := exec.Command(harness.Binary(t), "validate", "--config", path).CombinedOutput()
		require.Error(t, err, bad)
		texts = append(texts, string(out))
	}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			assert.NotContains(t, line, "s3cret")
		}
	}
	elsewhere.mu.Lock()
	defer elsewhere.mu.Unlock()
	assert.Zero(t, elsewhere.asked, "nothing goes to where a redirect leads")
}

// TestAServerSaysHowLongToWait for months: alerts go to it as soon as the exporter's own interval is over.
func TestAServerSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	for _, delay := range []string{"9999999", "9223372036854775807", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		t.Run(delay, func(t *testing.T) {
			t.Parallel()
			receiver, am := harness.FreeAddress(t), newAlertmanager(t)
			refused := false
			am.does(func(w http.ResponseWriter, _ *http.Request) bool {
				if refused {
					return false
				}
				refused = true
				w.Header().Set("Retry-After", delay)
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			})
			p := harness.Start(t, t.TempDir(), fmt.Sprintf(towards, receiver, am.URL, harness.FreeAddress(t), "http://127.0.0.1:1/metrics"))
			sendLoad(t, receiver, "first", 9)
			am.await(t, "first")
			sendLoad(t, receiver, "second", 9)
			am.await(t, "second")
			require.NoError(t, p.Stop(t, syscall.SIGTERM))
		})
	}
}

// TestRulesThatNeverEnd are answered at once by validate: steps that overflow, loops, texts that double.
func TestRulesThatNeverEnd(t *testing.T) {
	t.Parallel()
	const config = `
receivers: {otlp: {protocols: {grpc: }}}
connectors:
  alert:
    rules: [{name: a, metric: m, threshold: 1, severity: warning, message: '%s'}]
    silences: [{all: true, cron: '%s', duration: 1h}]
exporters: {nop: }
service: {pipelines: {metrics: {receivers: [otlp], exporters: [alert]}, logs: {receivers: [alert], exporters: [nop]}}}
`
	for name, c := range map[string]struct{ message, cron, want string }{
		"fine":                  {"{{.Value}}", "0 3 * * *", ""},
		"a step":                {"x", "*/99999999999 * * * *", "step"},
		"a step that overflows": {"x", "1-59/9223372036854775807 * * * *", "step"},
		"a loop":                {"{{range 9999999999999}}{{end}}", "0 3 * * *", "steps"},
		"loops in loops":        {strings.Repeat("{{range 99}}", 10) + "x" + strings.Repeat("{{end}}", 10), "0 3 * * *", "steps"},
		"a wide number":         {`{{printf "` + strings.Repeat("%999999d", 500) + `" 1}}`, "0 3 * * *", "width"},
		"a text that doubles":   {`{{$x := "x"}}` + strings.Repeat("{{$x = print $x $x}}", 60), "0 3 * * *", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, config, c.message, c.cron), 0o600))
			cmd := exec.Command(harness.Binary(t), "validate", "--config", path)
			cmd.Env = append(os.Environ(), "GOMEMLIMIT=1GiB")
			kill := time.AfterFunc(harness.Timeout, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
			out, err := cmd.CombinedOutput()
			if c.want == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			require.Error(t, err)
			assert.Contains(t, string(out), c.want)
			assert.NotContains(t, string(out), "goroutine")
		})
	}
}

// stored is a collector whose alerts, and what waits for a backend that is away, are in files.
const stored = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
connectors:
  alert:
    evaluation_interval: 1s
    storage: file_storage
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
exporters:
  alertmanager: {endpoint: %[2]s, storage: file_storage}
  otlp_http: {endpoint: "http://127.0.0.1:1", sending_queue: {storage: file_storage}, retry_on_failure: {max_elapsed_time: 0s}}
extensions:
  file_storage: {directory: state, create_directory: true, recreate: true}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert, otlp_http]}
    logs: {receivers: [alert], exporters: [alertmanager]}
`

// TestStateFilesThatAreTakenAway deletes the files of a running collector, and cuts them short. It goes on, says once for each what happened, and a
// restart knows what fires, in engine and exporter.
func TestStateFilesThatAreTakenAway(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]func(string) error{
		"deleted":   os.Remove,
		"cut short": func(path string) error { return os.Truncate(path, 0) },
		"cut in two": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()/2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, receiver, am := t.TempDir(), harness.FreeAddress(t), newAlertmanager(t)
			config := fmt.Sprintf(stored, receiver, am.URL)
			p := harness.Start(t, dir, config)
			sendLoad(t, receiver, "first", 9)
			am.await(t, "first")
			files, err := filepath.Glob(filepath.Join(dir, "state", "*"))
			require.NoError(t, err)
			require.Len(t, files, 3)
			for _, path := range files {
				require.NoError(t, does(path))
			}
			said := "was cut short while it was in use and is moved away"
			if name == "deleted" {
				said = "was deleted while it was in use, and is written again"
			}
			harness.Eventually(t, "each file", func() error {
				sendLoad(t, receiver, "first", 9)
				if n := strings.Count(p.Output(), said); n < 3 {
					return fmt.Errorf("said %d times", n)
				}
				return nil
			})
			sendLoad(t, receiver, "second", 9)
			am.await(t, "second")
			assert.Equal(t, 3, strings.Count(p.Output(), said))
			require.NoError(t, p.Stop(t, syscall.SIGTERM))

			p = harness.Start(t, dir, config)
			harness.Eventually(t, "the end", func() error {
				sendLoad(t, receiver, "first", 1)
				sendLoad(t, receiver, "second", 1)
				hosts := am.hosts()
				if hosts["first"] || hosts["second"] {
					return fmt.Errorf("so far there is %v", hosts)
				}
				return nil
			})
			require.NoError(t, p.Stop(t, syscall.SIGTERM))
		})
	}
}
