package alertmanagerexporter

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// picky refuses requests that contain a text.
type picky struct {
	http.RoundTripper
	refuses string
}

func (p *picky) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if p.refuses != "" && bytes.Contains(body, []byte(p.refuses)) {
		return &http.Response{
			StatusCode: http.StatusBadRequest, Status: "400 Bad Request", Body: io.NopCloser(bytes.NewReader(nil)), Request: r,
		}, nil
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return p.RoundTripper.RoundTrip(r)
}

func TestOneRefusedAlertAmongManyIsSaidOnce(t *testing.T) {
	b := newBench(t, nil)
	core, logs := observer.New(zap.InfoLevel)
	w := &witness{}
	b.am.logger, b.am.host = zap.New(core), w
	b.fireMany(2)
	network := &picky{RoundTripper: b.server, refuses: `"a00007"`}
	b.am.client.http.Transport = network
	for minute := range int64(4) {
		b.at(70 + 60*minute)
		b.am.resend(t.Context())
		b.at(80+60*minute, say{id: "fresh", transition: "fire", severity: "warning", started: 80 + 60*minute, seq: 1})
		assert.Equal(t, "warning", b.server.active()["fresh"], "others get through")
	}
	require.Equal(t, []string{"Alertmanager refuses alerts; they are kept and sent again"}, messages(logs))
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.statuses)

	network.refuses = ""
	b.at(310)
	b.am.resend(t.Context())
	b.at(370)
	b.am.resend(t.Context())
	require.Equal(t, []string{
		"Alertmanager refuses alerts; they are kept and sent again", "Alertmanager takes alerts again",
	}, messages(logs))
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.statuses)
	b.server.requireRight(t)
}

func messages(logs *observer.ObservedLogs) []string {
	var out []string
	for _, entry := range logs.All() {
		out = append(out, entry.Message)
	}
	return out
}

// statusHost is a host that looks at the exporter when a status is reported.
type statusHost struct {
	machine
	look func()
}

func (a *statusHost) Report(*componentstatus.Event) { a.look() }

func TestRecordsAreTakenWhileAStatusIsReported(t *testing.T) {
	b := newBench(t, nil)
	var free []bool
	b.am.host = &statusHost{look: func() {
		ok := b.am.mu.TryLock()
		if ok {
			b.am.mu.Unlock()
		}
		free = append(free, ok)
	}}
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	down := true
	b.server.lose = func() (taken, answered bool) { return !down, !down }
	b.am.resend(t.Context())
	b.clock = b.clock.Add(time.Minute)
	b.am.resend(t.Context())
	down = false
	b.am.resend(t.Context())
	assert.Equal(t, []bool{true, true}, free, "when it fails for a minute, and when it is over")
}

func TestTroubleIsOverWhenNothingIsLeftToSend(t *testing.T) {
	b := newBench(t, nil)
	core, logs := observer.New(zap.InfoLevel)
	w := &witness{}
	b.am.logger, b.am.host = zap.New(core), w
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	b.server.lose = func() (taken, answered bool) { return false, false }
	for _, s := range []int64{70, 140} {
		b.at(s)
		b.am.resend(t.Context())
	}
	require.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.statuses)
	b.am.take(t.Context(), logsOf(t, say{
		id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 1_000_010, at: 1_000_140, seq: 2,
	}))
	b.at(140 + 16*60)
	b.am.resend(t.Context())
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.statuses)
	assert.Equal(t, []string{
		"Alertmanager takes no alerts; they are kept and sent again", "No alert is left that Alertmanager has not taken",
	}, messages(logs))
}
