package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// peopleAct has a page on a socket, where people silence and acknowledge, and channels of which the second is told what nobody looks after.
const peopleAct = `
receivers: {psutil: {collection_interval: 100ms, initial_delay: 0s, root_path: %q, scrapers: {memory: {}}}}
connectors:
  alert: {preset: {host: {override: {memory: {for: 0s}}}}, evaluation_interval: 1s, storage: file_storage, defaults: {flapping: {enabled: false}}}
exporters:
  file/metrics: {path: metrics-%d.jsonl, flush_interval: 1ms}
  file/alerts: {path: alerts.jsonl, rotation: {max_megabytes: 100}}
  host_page: {endpoint: %q, transport: unix}
  notify:
    storage: file_storage
    group_wait: 100ms
    channels:
      first: {type: webhook, url: "http://%s/", escalate_to: second, escalate_after: %s}
      second: {type: webhook, url: "http://%s/", standby: true}
extensions: {file_storage: {directory: state, create_directory: true}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file/metrics, alert, host_page]}
    logs: {receivers: [alert], exporters: [file/alerts, host_page, notify]}
`

// office is a collector on a host whose memory the test takes, with a page on a socket and somebody who is told.
type office struct {
	*lives
	host          *harness.FixtureHost
	socket        string
	client        http.Client
	first, second *hookServer
	config        func(number int) string
}

func newOffice(t *testing.T, escalateAfter string) *office {
	t.Helper()
	host, dir := harness.NewFixtureHost(t), t.TempDir()
	o := &office{host: host, socket: filepath.Join(dir, "page.sock"), first: &hookServer{}, second: &hookServer{}}
	o.lives = &lives{t: t, dir: dir, root: host.Root, alerts: harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))}
	o.client.Timeout = harness.Timeout
	o.client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", o.socket)
	}}
	firstAt, secondAt := harness.FreeAddress(t), harness.FreeAddress(t)
	o.first.listen(t, firstAt)
	o.second.listen(t, secondAt)
	o.config = func(n int) string {
		return fmt.Sprintf(peopleAct, host.Root, n, o.socket, firstAt, escalateAfter, secondAt)
	}
	o.open()
	return o
}

// open starts the next collector, and waits until its page answers.
func (o *office) open() {
	o.t.Helper()
	o.number++
	o.now = harness.Start(o.t, o.dir, o.config(o.number))
	o.sees(2)
	harness.Eventually(o.t, "the page", func() error {
		status, body := o.try(http.MethodGet, "/api/meta", nil)
		if status != http.StatusOK {
			return fmt.Errorf("it answers %d %s", status, body)
		}
		return nil
	})
}

func (o *office) try(method, path string, body any) (status int, answer string) {
	o.t.Helper()
	var text bytes.Buffer
	require.NoError(o.t, json.NewEncoder(&text).Encode(body))
	r, err := http.NewRequestWithContext(o.t.Context(), method, "http://localhost"+path, &text)
	require.NoError(o.t, err)
	r.Header.Set("Content-Type", "application/json")
	res, err := o.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(got)
}

func (o *office) ask(want int, method, path string, body any) string {
	o.t.Helper()
	status, answer := o.try(method, path, body)
	require.Equal(o.t, want, status, answer)
	return answer
}

// firing waits until the page shows the alert of the memory, and returns it.
func (o *office) firing() (found struct {
	ID             string
	SilencedBy     string `json:"silenced_by"`
	AcknowledgedBy string `json:"acknowledged_by"`
},
) {
	o.t.Helper()
	harness.Eventually(o.t, "the page shows the alert", func() error {
		var answer struct {
			Firing []string
			Alerts []json.RawMessage
		}
		status, body := o.try(http.MethodGet, "/api/alerts", nil)
		if status != http.StatusOK || json.Unmarshal([]byte(body), &answer) != nil || len(answer.Firing) != 1 {
			return fmt.Errorf("it answers %d %s", status, body)
		}
		return json.Unmarshal(answer.Alerts[0], &found)
	})
	return found
}

// terminal runs hosttop.
func (o *office) terminal(arguments ...string) string {
	o.t.Helper()
	cmd := exec.Command("go", append(append([]string{"run", "."}, arguments...), "unix://"+o.socket)...)
	cmd.Dir = harness.Repository(o.t, "cmd", "hosttop")
	out, err := cmd.CombinedOutput()
	require.NoError(o.t, err, "%s", out)
	return string(out)
}

// TestASilenceOutlivesAKill: a silence that a person made over the socket is in the records and still in force after a kill; its end is told, and so is
// that somebody looks after the alert.
func TestASilenceOutlivesAKill(t *testing.T) {
	o := newOffice(t, "1h")
	o.host.TakeMemory()
	o.alerts.Await(t, "memory", "fire", 1)
	alert := o.firing()
	answer := o.ask(http.StatusCreated, http.MethodPost, "/api/silences", map[string]any{"alert": alert.ID, "for": "1h", "by": "anna", "comment": "a larger one comes"})
	var made struct{ Silence struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(answer), &made))
	start := o.alerts.Await(t, "memory", "silence_start", 1)
	assert.Equal(t, "anna", start.Attributes["alert.silenced_by"])

	o.now.Kill() // Right after the answer.
	o.open()
	assert.Contains(t, o.ask(http.StatusOK, http.MethodGet, "/api/silences", nil), made.Silence.ID)
	assert.Contains(t, o.terminal("-silences"), "by anna")

	o.ask(http.StatusOK, http.MethodDelete, "/api/silences/"+made.Silence.ID+"?by=bert", nil)
	end := o.alerts.Await(t, "memory", "silence_end", 1)
	assert.Empty(t, end.Attributes["alert.silenced_by"])
	o.ask(http.StatusOK, http.MethodPost, "/api/alerts/"+alert.ID+"/acknowledge", map[string]any{"by": "bert"})
	acknowledged := o.alerts.Await(t, "memory", "acknowledge", 1)
	assert.Equal(t, "bert", acknowledged.Attributes["alert.acknowledged_by"])

	o.now.Kill()
	o.open()
	o.ask(http.StatusOK, http.MethodGet, "/api/silences", nil)
	o.host.FreeMemory()
	resolved := o.alerts.Await(t, "memory", "resolve", 1)
	assert.Equal(t, "bert", resolved.Attributes["alert.acknowledged_by"], "it is known who looked after it")
	require.NoError(t, o.now.Stop(t, syscall.SIGTERM))
}

// TestSilencedBeforeItFires: what hosttop silences is announced to nobody while the silence lasts, over a kill, and what is still true at its end is told then.
func TestSilencedBeforeItFires(t *testing.T) {
	o := newOffice(t, "1h")
	require.Contains(t, o.terminal("-silence", "memory", "-for", "1h", "-by", "anna", "-comment", "a test"), "silenced for 1h0m0s: rule memory")
	o.host.TakeMemory()
	o.sees(30)
	o.now.Kill()
	o.open()
	o.sees(30)
	for _, r := range o.alerts.Of(t, "memory") {
		assert.NotEqual(t, "fire", r.Transition(), "%v", r.Attributes)
	}
	list := o.terminal("-silences")
	require.Contains(t, list, "rule memory")
	o.terminal("-end-silence", list[:bytes.IndexByte([]byte(list), ' ')], "-by", "anna")
	o.alerts.Await(t, "memory", "fire", 1)
	harness.Eventually(t, "the channel is told", func() error {
		if told, _ := o.first.got(); !slices.Contains(told, "memory fire") {
			return fmt.Errorf("told is %v", told)
		}
		return nil
	})
	require.NoError(t, o.now.Stop(t, syscall.SIGTERM))
}

// TestAcknowledgedIsNotEscalated: the second channel is told what nobody looks after, and not what somebody acknowledged on the page.
func TestAcknowledgedIsNotEscalated(t *testing.T) {
	tellsTheSecond := func(o *office) bool { told, _ := o.second.got(); return len(told) > 0 }
	o := newOffice(t, "3s")
	o.host.TakeMemory()
	o.alerts.Await(t, "memory", "fire", 1)
	alert := o.firing()
	o.ask(http.StatusOK, http.MethodPost, "/api/alerts/"+alert.ID+"/acknowledge", map[string]any{"by": "bert"})
	harness.Eventually(t, "the first channel is told who looks after it", func() error {
		if told, _ := o.first.got(); len(told) < 2 {
			return fmt.Errorf("told is %v", told)
		}
		return nil
	})
	escalated := tellsTheSecond(o) // On a slow machine it was before it was acknowledged: then this says nothing.

	other := newOffice(t, "3s") // Which nobody looks after: as long as it takes there, the first has kept quiet.
	other.host.TakeMemory()
	harness.Eventually(t, "the second channel is told what nobody looks after", func() error {
		if !tellsTheSecond(other) {
			return fmt.Errorf("it is told nothing")
		}
		return nil
	})
	if !escalated {
		assert.False(t, tellsTheSecond(o), "bert looks after it")
	}
	require.NoError(t, o.now.Stop(t, syscall.SIGTERM))
	require.NoError(t, other.now.Stop(t, syscall.SIGTERM))
}
