package alertmanagerexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// server is Alertmanager as far as this exporter sees it: what it accepts, how it merges an alert with what it has of the same labels,
// and what it takes for active. It is a handler for httptest, and a transport for tests with a clock of their own.
type server struct {
	now func() time.Time

	mu       sync.Mutex
	alerts   map[string]held // By labels.
	requests [][]postableAlert
	wrong    []error                               // What a real one would have refused, or what must never be.
	answer   func(*http.Request) (code int)        // What to answer instead, 0 for what is right.
	header   http.Header                           // Of the answers.
	lose     func() (takenIn, answered bool)       // For the transport: what becomes of a request.
	seen     func(path string, header http.Header) // Of each request.
}

type held struct {
	postableAlert
	updated time.Time
}

func newServer(now func() time.Time) *server {
	return &server{now: now, alerts: map[string]held{}, header: http.Header{}}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen != nil {
		s.seen(r.URL.Path, r.Header)
	}
	maps.Copy(w.Header(), s.header)
	if s.answer != nil {
		if code := s.answer(r); code != 0 {
			w.WriteHeader(code)
			_, _ = w.Write([]byte("so it was said"))
			return
		}
	}
	if err := s.take(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// RoundTrip takes a request without a network.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken, answered := true, true
	if s.lose != nil {
		taken, answered = s.lose()
	}
	if !taken {
		return nil, errors.New("connection refused")
	}
	if err := s.take(r.Body); err != nil {
		return nil, err
	}
	if !answered {
		return nil, context.DeadlineExceeded
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

// take holds every alert of a request, one after the other.
func (s *server) take(body io.Reader) error {
	var alerts []postableAlert
	if err := json.NewDecoder(body).Decode(&alerts); err != nil {
		s.wrong = append(s.wrong, err)
		return err
	}
	s.requests = append(s.requests, alerts)
	for _, a := range alerts {
		if err := valid(a); err != nil {
			s.wrong = append(s.wrong, err)
			return err
		}
		s.hold(held{a, s.now()})
		if s.activeTwice(a.Labels[labelAlertID]) {
			s.wrong = append(s.wrong, fmt.Errorf("alert %s is active twice", a.Labels[labelAlertID]))
		}
	}
	return nil
}

var validName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// valid tells what Alertmanager would refuse.
func valid(a postableAlert) error {
	if a.StartsAt.IsZero() || a.EndsAt.Before(a.StartsAt) {
		return fmt.Errorf("from %s to %s", a.StartsAt, a.EndsAt)
	}
	for _, set := range []map[string]string{a.Labels, a.Annotations} {
		for name, value := range set {
			if !validName.MatchString(name) || !utf8.ValidString(value) || value == "" {
				return fmt.Errorf("%q: %q", name, value)
			}
		}
	}
	for _, name := range ownLabels {
		if a.Labels[name] == "" {
			return fmt.Errorf("no label %s", name)
		}
	}
	return nil
}

// hold is how Alertmanager's store puts a new alert over an old one: where their times overlap they are merged.
func (s *server) hold(a held) {
	key := labelsText(a.Labels)
	old, ok := s.alerts[key]
	within := func(t time.Time) bool { return t.After(old.StartsAt) && t.Before(old.EndsAt) }
	if ok && (within(a.EndsAt) || within(a.StartsAt)) {
		if old.StartsAt.Before(a.StartsAt) {
			a.StartsAt = old.StartsAt
		}
		now := s.now()
		resolved := !a.EndsAt.After(now)
		if old.EndsAt.After(a.EndsAt) && (!resolved || !old.EndsAt.After(now)) {
			a.EndsAt = old.EndsAt
		}
	}
	s.alerts[key] = a
}

func labelsText(labels map[string]string) string {
	text := ""
	for _, name := range sortedKeys(labels) {
		text += fmt.Sprintf("%s=%q,", name, labels[name])
	}
	return text
}

// active returns the severities of the active alerts by alert_id.
func (s *server) active() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for _, a := range s.alerts {
		if a.EndsAt.After(s.now()) {
			out[a.Labels[labelAlertID]] = a.Labels[labelSeverity]
		}
	}
	return out
}

func (s *server) activeTwice(id string) bool {
	n := 0
	for _, a := range s.alerts {
		if a.Labels[labelAlertID] == id && a.EndsAt.After(s.now()) {
			n++
		}
	}
	return n > 1
}

// find returns the only alert with the given severity.
func (s *server) find(t *testing.T, severity string) held {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []held
	for _, a := range s.alerts {
		if a.Labels[labelSeverity] == severity {
			found = append(found, a)
		}
	}
	require.Len(t, found, 1, "alerts of severity %s", severity)
	return found[0]
}

// got returns the requests that came.
func (s *server) got() [][]postableAlert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// forget drops the requests that came.
func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// held returns its alerts by labels.
func (s *server) held() map[string]held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.alerts)
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *server) requireRight(t *testing.T, when ...any) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(t, s.wrong, when...)
}

// say is an alert record in short. Times are seconds after the epoch.
type say struct {
	id, transition, severity, previous, state string
	episode                                   string
	started, at, seq, observed                int64
	uid                                       string
	attrs                                     map[string]any
	resource                                  map[string]any
}

// logsOf makes the records, one resource each.
func logsOf(t require.TestingT, records ...say) plog.Logs {
	ld := plog.NewLogs()
	for _, r := range records {
		if r.state == "" {
			r.state = map[bool]string{true: "resolved", false: "firing"}[r.transition == "resolve"]
		}
		rl := ld.ResourceLogs().AppendEmpty()
		require.NoError(t, rl.Resource().Attributes().FromRaw(r.resource))
		if r.resource == nil {
			rl.Resource().Attributes().PutStr("host.name", "db1")
		}
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(alertschema.EventStateChange)
		lr.Body().SetStr(r.transition + " of " + r.id)
		lr.SetTimestamp(stamp(r.at))
		lr.SetObservedTimestamp(stamp(max(r.at, r.observed)))
		attrs := lr.Attributes()
		require.NoError(t, attrs.FromRaw(r.attrs))
		if r.episode == "" {
			r.episode = fmt.Sprintf("%s-%d", r.id, r.started)
		}
		if r.uid == "" {
			r.uid = fmt.Sprintf("%s-%d", r.episode, r.seq)
		}
		for key, value := range map[string]string{
			"alert.id": r.id, "alert.episode.id": r.episode, "log.record.uid": r.uid, "alert.transition": r.transition,
			"alert.state": r.state, "alert.severity": r.severity, "alert.severity.previous": r.previous, "alert.rule.name": "disk",
			"alert.metric.name": "system.filesystem.utilization", "alert.started_at": stamp(r.started).AsTime().Format(time.RFC3339Nano),
			"system.filesystem.mountpoint": "/" + r.id,
		} {
			if _, given := attrs.Get(key); !given && value != "" {
				attrs.PutStr(key, value)
			}
		}
		if r.state == alertschema.StateResolved.String() {
			attrs.PutStr("alert.ended_at", stamp(r.at).AsTime().Format(time.RFC3339Nano))
		}
		attrs.PutInt("alert.occurrences", r.seq)
	}
	return ld
}

// disk is a storage extension in memory that outlives what uses it, as a disk does.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	mu         sync.Mutex
	data       map[string][]byte
	broken     error            // Of writes.
	unreadable map[string]error // Of reads, by key.
	opened     int
}

func newDisk() *disk { return &disk{data: map[string][]byte{}} }

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened++
	return diskClient{d}, nil
}

// alerts gives the alerts that are stored, each of which must be listed once.
func (d *disk) alerts(t *testing.T) []string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var stored, listed []string
	for key, value := range d.data {
		if id, ok := strings.CutPrefix(key, layout.Values); ok {
			stored = append(stored, id)
			continue
		}
		var ids []string
		require.NoError(t, json.Unmarshal(value, &ids), key)
		listed = append(listed, ids...)
	}
	slices.Sort(stored)
	slices.Sort(listed)
	assert.Equal(t, stored, listed)
	return stored
}

// list gives the key of the list that has an alert.
func (d *disk) list(t *testing.T, id string) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, value := range d.data {
		if strings.HasPrefix(key, layout.Lists) && strings.Contains(string(value), `"`+id+`"`) {
			return key
		}
	}
	require.Fail(t, "no list has the alert", id)
	return ""
}

type diskClient struct{ *disk }

func (c diskClient) Get(_ context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.data[key], c.unreadable[key]
}

func (c diskClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c diskClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c diskClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Set:
			c.data[op.Key] = op.Value
		case storage.Delete:
			delete(c.data, op.Key)
		case storage.Get:
			op.Value = c.data[op.Key]
		}
	}
	return nil
}

func (c diskClient) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened--
	return nil
}

// machine is a host with extensions.
type machine map[component.ID]component.Component

func (m machine) GetExtensions() map[component.ID]component.Component { return m }

func stamp(seconds int64) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(time.Unix(seconds, 0))
}

var diskID = component.MustNewID("disk")
