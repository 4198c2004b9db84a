package alertmanagerexporter

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// engine makes the records that the alert engine may make, and knows what it believes to be active.
type engine struct {
	rnd    *rand.Rand
	alerts map[string]*ladder
}

type ladder struct {
	severity          string // Empty when nothing is firing.
	flapping          bool
	started, seq, rep int64
}

// step makes the record of one random change at a second.
func (e *engine) step(now int64) say {
	id := fmt.Sprintf("alert%d", e.rnd.IntN(4))
	l := e.alerts[id]
	if l == nil {
		l = &ladder{}
		e.alerts[id] = l
	}
	r := say{id: id, at: now, previous: l.severity, state: "firing"}
	if l.severity == "" {
		*l = ladder{severity: []string{"warning", "critical"}[e.rnd.IntN(2)], started: now}
		r.transition = "fire"
	} else {
		switch k := e.rnd.IntN(7); {
		case k == 0:
			r.transition, l.severity = "escalate", "critical"
			if r.previous == "critical" {
				r.transition, l.severity = "deescalate", "warning"
			}
		case k <= 2:
			r.transition, r.state = "resolve", alertschema.StateResolved.String()
		case k == 3:
			r.transition = "repeat"
			l.rep++
			r.uid = fmt.Sprintf("%s-%d-%d-r%d", id, l.started, l.seq, l.rep)
		case k == 4:
			r.transition, r.state = "no_data", "no_data"
		case k == 5 && !l.flapping:
			l.flapping, r.transition, r.state = true, "flapping_start", "flapping"
		case k == 5:
			l.flapping, r.transition = false, "flapping_end"
		default:
			r.transition = "data_back"
		}
	}
	if r.uid == "" {
		l.seq++
	}
	r.severity, r.started, r.seq = l.severity, l.started, l.seq
	if r.state == alertschema.StateResolved.String() {
		*l = ladder{}
	}
	return r
}

func (e *engine) active() map[string]string {
	out := map[string]string{}
	for id, l := range e.alerts {
		if l.severity != "" {
			out[id] = l.severity
		}
	}
	return out
}

// pipeline is what lies between engine and exporter: it keeps records in order, brings some of them twice, and lets some wait.
type pipeline struct {
	rnd     *rand.Rand
	waiting []say
	past    []say
}

// deliver returns the next few records, with older ones among them.
func (p *pipeline) deliver(all bool) []say {
	n := p.rnd.IntN(4)
	if all {
		n = len(p.waiting)
	}
	n = min(n, len(p.waiting))
	batch := append([]say(nil), p.waiting[:n]...)
	p.past = append(p.past, batch...)
	p.waiting = p.waiting[n:]
	for range p.rnd.IntN(3) {
		if len(p.past) > 0 {
			old := p.past[max(0, len(p.past)-1-p.rnd.IntN(12))]
			at := p.rnd.IntN(len(batch) + 1)
			batch = append(batch[:at], append([]say{old}, batch[at:]...)...)
		}
	}
	if !all && p.rnd.IntN(4) == 0 {
		p.rnd.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	return batch
}

// TestAlertmanagerBelievesWhatTheEngineBelieves runs random histories through random misfortune: records that come twice or out of
// order, requests that fail before or after they are carried out, retries in any order, restarts and reloads. Whenever the records are
// through and a request succeeds, Alertmanager must hold as active just what the engine does; and never, at no moment, two severities of
// one alert.
func TestAlertmanagerBelievesWhatTheEngineBelieves(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 20
	}
	for _, kind := range []string{"storage", "memory"} {
		t.Run(kind, func(t *testing.T) {
			for seed := range uint64(rounds) {
				history(t, kind, seed)
			}
		})
	}
}

func history(t *testing.T, kind string, seed uint64) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 7))
	b := newBench(t, nil)
	if kind == "storage" {
		b.host, b.cfg.Storage = machine{diskID: newDisk()}, &diskID
		b.restart()
	}
	trouble := true
	b.server.lose = func() (taken, answered bool) {
		if !trouble {
			return true, true
		}
		return rnd.IntN(3) > 0, rnd.IntN(3) > 0
	}
	e := &engine{rnd: rnd, alerts: map[string]*ladder{}}
	p := &pipeline{rnd: rnd}
	var queue []plog.Logs // Requests that were not sent, or failed.
	receive := func(all bool) {
		if batch := p.deliver(all); len(batch) > 0 {
			if changes := b.am.take(t.Context(), logsOf(t, batch...)); changes.LogRecordCount() > 0 {
				queue = append(queue, changes)
			}
		}
	}
	for step := range 60 {
		b.clock = b.clock.Add(time.Duration(1+rnd.IntN(90)) * time.Second)
		switch rnd.IntN(8) {
		case 0, 1, 2:
			p.waiting = append(p.waiting, e.step(b.clock.Unix()))
		case 3, 4:
			receive(false)
		case 5:
			if len(queue) > 0 {
				i := rnd.IntN(len(queue))
				if b.am.push(t.Context(), queue[i]) == nil {
					queue = append(queue[:i], queue[i+1:]...)
				}
			}
		case 6:
			b.am.resend(t.Context())
		case 7:
			misfortune(b, kind, &queue, rnd)
		}
		if rnd.IntN(10) == 0 {
			receive(true)
			trouble = false
			b.am.resend(t.Context())
			trouble = true
			require.Equal(t, e.active(), b.server.active(), "seed %d, step %d", seed, step)
		}
		b.server.requireRight(t, "seed %d, step %d", seed, step)
		requireConsistent(t, b)
	}
}

// requireConsistent compares what is kept beside the table with the table.
func requireConsistent(t *testing.T, b *bench) {
	t.Helper()
	firing := 0
	for _, e := range b.am.table.entries {
		if e.Active != nil {
			firing++
		}
	}
	require.Equal(t, firing, b.am.table.firing)
	if d, ok := b.host[diskID].(*disk); ok && len(d.data) > 0 {
		require.Equal(t, sortedIDs(b.am.table.entries), d.alerts(t))
	}
}

// misfortune replaces the exporter. With a storage it may be killed; without, it hands its table over in good order.
func misfortune(b *bench, kind string, queue *[]plog.Logs, rnd *rand.Rand) {
	switch {
	case kind == "storage":
		*queue = nil
		b.restart()
	case rnd.IntN(2) == 0:
		*queue = nil
		b.reload()
	}
}

// TestWithoutStorageARestartHealsByExpiry: engine and exporter both forget. What fires again is active, and what does not ends by
// itself when its time in Alertmanager is over.
func TestWithoutStorageARestartHealsByExpiry(t *testing.T) {
	b := newBench(t, nil)
	b.at(0, say{id: "a", transition: "fire", severity: "warning", started: 0, seq: 1},
		say{id: "b", transition: "fire", severity: "warning", started: 0, seq: 1})
	b.restart()
	b.at(60, say{id: "a", transition: "fire", severity: "warning", started: 60, seq: 1})
	require.Equal(t, map[string]string{"a": "warning", "b": "warning"}, b.server.active())
	b.at(240)
	b.am.resend(t.Context())
	require.Equal(t, map[string]string{"a": "warning"}, b.server.active())
	b.server.requireRight(t)
}
