package notifyexporter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/notifyexporter/internal/metadata"
)

// began is when the stories of the tests begin: at three o'clock in the morning.
var began = time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)

// recorder is a sender that keeps what it was to send.
type recorder struct {
	alone bool
	sent  []*message
	fail  error
	calls int
}

func (r *recorder) eachOnItsOwn() bool { return r.alone }
func (*recorder) close()               {}

func (r *recorder) send(_ context.Context, m *message) (string, error) {
	r.calls++
	if r.fail != nil {
		return "", r.fail
	}
	r.sent = append(r.sent, m)
	return "taken", nil
}

// take returns what was sent since the last call.
func (r *recorder) take() []*message {
	out := r.sent
	r.sent = nil
	return out
}

// titles are the titles of messages.
func titles(messages []*message) (out []string) {
	for _, m := range messages {
		out = append(out, m.Title)
	}
	return out
}

// bench is an exporter under a clock of the test, with senders that keep what they were to send.
type bench struct {
	*notifier
	t     *testing.T
	clock time.Time
	set   time.Duration // By how much the clock was set, beside the time that passed.
	on    map[string]*recorder
	host  component.Host
}

// configOf reads a configuration.
func configOf(t *testing.T, text string) (*Config, error) {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw))
	cfg := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(raw).Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

// hook is the configuration of a channel of which the test keeps what is sent.
const hook = `type: webhook, url: "http://127.0.0.1:9/"`

func newBench(t *testing.T, text string) *bench {
	t.Helper()
	return newBenchOn(t, text, componenttest.NewNopHost(), began)
}

func newBenchOn(t *testing.T, text string, host component.Host, at time.Time) *bench {
	t.Helper()
	cfg, err := configOf(t, "accept_external_records: true\n"+text)
	require.NoError(t, err)
	b := &bench{t: t, clock: at, on: map[string]*recorder{}, host: host}
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewIDWithName(metadata.Type, t.Name())
	b.notifier, err = newNotifier(set, cfg, func() time.Time { return b.clock })
	require.NoError(t, err)
	b.elapsed = func() time.Duration { return b.clock.Sub(began) - b.set }
	require.NoError(t, b.open(t.Context(), host))
	for _, w := range b.workers {
		r := &recorder{alone: w.sender.eachOnItsOwn()}
		b.on[w.route.name], w.sender = r, r
	}
	return b
}

// pass lets time pass in steps of a second, and every worker do what is due.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	for end := b.clock.Add(d); ; b.clock = b.clock.Add(time.Second) {
		b.settleNow()
		if !b.clock.Before(end) {
			return
		}
	}
}

// settleNow lets every worker do what is due now.
func (b *bench) settleNow() {
	b.t.Helper()
	for range 3 {
		for _, w := range b.workers {
			for i := 0; w.step(b.t.Context()) <= b.clock.UnixNano(); i++ {
				require.Less(b.t, i, 10_000, "channel %s has never done all that is due", w.route.name)
			}
		}
	}
}

// event is a record of the tests.
type event struct {
	rule, host, severity, previous string
	transition                     alertschema.Transition
	state                          alertschema.State
	started, at                    time.Time
	n                              int // The number of the transition in its episode.
	text                           string
	value, threshold               float64
	unit, metric, comparison       string
	group, labels, annotations     map[string]string
	more                           map[string]string
}

// numbers are the severity numbers of the engine.
var numbers = map[string]plog.SeverityNumber{"info": 9, "warning": 13, "error": 17, "critical": 18}

// logs makes the record of an event.
func (e event) logs() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", e.host)
	rl.Resource().Attributes().PutStr("os.type", "linux")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(alertschema.EventStateChange)
	lr.SetTimestamp(stamp(e.at))
	lr.SetObservedTimestamp(stamp(e.at))
	lr.SetSeverityNumber(numbers[e.severity])
	if e.state == alertschema.StateResolved {
		lr.SetSeverityNumber(9)
	}
	lr.Body().SetStr(e.text)
	id := digest(e.rule, e.host, fmt.Sprint(e.group))
	episode := digest(id, e.started.String())
	a := lr.Attributes()
	put := func(key, text string) {
		if text != "" {
			a.PutStr(key, text)
		}
	}
	put(alertschema.KeyAlertID, id)
	put(alertschema.KeyEpisodeID, episode)
	put(alertschema.KeyRecordUID, fmt.Sprintf("%s-%d-%s", episode, e.n, e.transition))
	put(alertschema.KeyTransition, e.transition.String())
	put(alertschema.KeyState, e.state.String())
	put(alertschema.KeySeverity, e.severity)
	put(alertschema.KeyPreviousSeverity, e.previous)
	put(alertschema.KeyRuleName, e.rule)
	put(alertschema.KeyMetricName, e.metric)
	put(alertschema.KeyMetricUnit, e.unit)
	put(alertschema.KeyComparison, e.comparison)
	if e.value != 0 {
		a.PutDouble(alertschema.KeyValue, e.value)
	}
	if e.threshold != 0 {
		a.PutDouble(alertschema.KeyThreshold, e.threshold)
	}
	put(alertschema.KeyStartedAt, e.started.Format(time.RFC3339Nano))
	if e.state == alertschema.StateResolved {
		put(alertschema.KeyEndedAt, e.at.Format(time.RFC3339Nano))
	}
	a.PutInt(alertschema.KeyOccurrences, int64(e.n))
	for key, v := range e.group {
		put(key, v)
	}
	for key, v := range e.labels {
		put(alertschema.PrefixLabel+key, v)
	}
	for key, v := range e.annotations {
		put(alertschema.PrefixAnnotation+key, v)
	}
	for key, v := range e.more {
		put(key, v)
	}
	return ld
}

// tell gives the exporter the record of an event.
func (b *bench) tell(e event) {
	b.t.Helper()
	require.NoError(b.t, b.ConsumeLogs(b.t.Context(), e.logs()))
}

// disk is a disk that fills up, at the beginning.
func disk(host string) event {
	return event{
		rule: "disk_full", host: host, severity: "warning", transition: alertschema.TransitionFire, state: alertschema.StateFiring, started: began, at: began, n: 1,
		text: "disk /data on " + host + " is 86.4% full (> 85%)", value: 0.864, threshold: 0.85, unit: "1", metric: "system.filesystem.utilization", comparison: ">",
		group: map[string]string{"system.filesystem.mountpoint": "/data"}, labels: map[string]string{"team": "storage"},
		annotations: map[string]string{"runbook_url": "https://runbooks.example/disk_full"},
	}
}

// then is what happens to the alert later.
func (e event) then(after time.Duration, transition alertschema.Transition, severity string) event {
	e.previous, e.severity, e.transition, e.at = e.severity, severity, transition, e.at.Add(after)
	e.n++
	if state, ok := transition.Announces(); ok {
		e.state = state
	}
	return e
}

// resolved is its end.
func (e event) resolved(after time.Duration) event {
	out := e.then(after, alertschema.TransitionResolve, e.severity)
	out.text = "resolved: disk /data on " + e.host + " is 71.0% full"
	out.value, out.threshold = 0.71, 0.8
	return out
}

// golden compares a text with a file, which -update writes.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", "messages", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

// shown is messages as people read them.
func shown(messages []*message) string {
	var out []string
	for _, m := range messages {
		out = append(out, "=== "+m.Title+"\n\n"+m.plain())
	}
	return strings.Join(out, "\n")
}

// memory is a storage extension that keeps what was written, as a disk does, also when the Collector is killed.
type memory struct {
	component.StartFunc
	component.ShutdownFunc
	mu     sync.Mutex
	values map[string][]byte
	broken bool
}

func newMemory() *memory { return &memory{values: map[string][]byte{}} }

func (m *memory) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return m, nil
}

func (m *memory) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("disk"): m}
}

// breaks tells whether batches fail from now on.
func (m *memory) breaks(broken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = broken
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], nil
}

func (m *memory) Set(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return errors.New("no space left on device")
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = m.values[op.Key]
		case storage.Set:
			m.values[op.Key] = op.Value
		case storage.Delete:
			delete(m.values, op.Key)
		}
	}
	return nil
}

func (*memory) Close(context.Context) error { return nil }
