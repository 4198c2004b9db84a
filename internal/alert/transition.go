package alert

import (
	"cmp"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// alertState is what the engine knows of one alert beyond its group. It exists while the alert is pending or firing,
// while something of it waits to be announced, and while its recent changes count towards flapping.
type alertState struct {
	ladder.Machine
	// presentUntil is the event time until which the last value counts; what lies between it and the next value
	// counts towards neither for nor keep_firing_for.
	presentUntil int64
	// value is the last value, compared with the level in force or, without one, with the lowest.
	value attr.Number
	// exemplar and resource are those of the series that decided last, nil when there is none.
	exemplar *window.Exemplar
	resource *resource
	// noData tells that the value has stopped and that the alert stays as it was.
	noData bool
	// restored tells that the alert is from storage and that its windows are not full again yet.
	restored bool
	// decided is the newest round that an earlier process evaluated: what is delivered again after a crash is not evaluated again.
	decided int64
	// silent tells that nothing has come for so long that the time of the last sample is stored. It is for rules about silence.
	silent bool

	// open tells that there is an episode: from a fire to its resolve, and for as long as the alert is flapping. It started and ended at
	// these event times.
	open           bool
	started, ended int64
	// seq is how many transitions the episode has had, and worst its most severe level.
	seq   int
	worst int

	// announced is the level that the last record announced; 0 when no fire is announced, or its resolve is.
	announced int
	// announcedState is the state that the last record announced, at wall time announcedAt.
	announcedState alertschema.State
	announcedAt    int64
	// announcedStart is when the announced episode started.
	announcedStart int64
	// repeats is how many records of the episode were repetitions.
	repeats int
	// deferred is why an announcement waits.
	deferred deferral

	flap ladder.Flapping

	// rank, firstT and firstValue are what publish sorts the changes of one call by: the severity, the time and the value of the alert's
	// first change. Rank is -1 between calls.
	rank       int
	firstT     int64
	firstValue float64
}

// change is one transition on its way to a record, with what was true when it happened.
type change struct {
	group      *group
	transition alertschema.Transition
	t          int64
	from, to   int
	reason     alertschema.Reason
	value      attr.Number
	seq        int
	started    int64
	ended      int64
	worst      int
	resource   []attr.Attr
	belated    bool // Held back when it happened.
}

func (e *Engine) openAlert(g *group) *alertState {
	a := &alertState{Machine: ladder.NewMachine(len(g.rule.levels)), presentUntil: ladder.Unset, decided: ladder.Unset, rank: -1}
	g.alert = a
	e.alerts[g.id] = g
	e.journal.mark(g.id)
	return a
}

// transition records that an alert changed. Episodes begin and end here, and here the flapping latch holds changes
// back.
func (e *Engine) transition(g *group, c change) {
	a := g.alert
	e.journal.mark(g.id)
	if c.transition == alertschema.TransitionFire && !a.open {
		a.open, a.started, a.ended, a.seq, a.worst, a.repeats = true, c.t, ladder.Unset, 0, 0, 0
	}
	worst := a.worst
	a.worst = max(a.worst, c.to)
	if c.transition == alertschema.TransitionResolve {
		a.ended = c.t
	}
	if c.transition.ChangesLevel() && !e.passFlapping(g, &c, worst) {
		return
	}
	e.queue(g, c)
}

// queue appends the change to those that publish announces.
func (e *Engine) queue(g *group, c change) {
	a := g.alert
	a.seq++
	c.group, c.seq, c.value, c.started, c.ended, c.worst, c.resource = g, a.seq, a.value, a.started, a.ended, a.worst, g.resourceAttrs()
	if c.transition == alertschema.TransitionResolve {
		a.open = false
	}
	if a.rank < 0 {
		a.firstT, a.firstValue = c.t, c.value.Float64
	}
	if l := max(c.from, c.to); l > 0 {
		a.rank = max(a.rank, g.rule.Levels[l-1].Severity)
	}
	a.rank = max(a.rank, 0)
	e.changes = append(e.changes, c)
	g.rule.transitions[c.transition]++
}

// publish announces what has changed in this call: the most severe alerts first, and each alert's changes in their order.
func (e *Engine) publish() {
	if len(e.changes) > 0 {
		slices.SortStableFunc(e.changes, compareChanges)
		for i := range e.changes {
			e.changes[i].group.alert.rank = -1
			e.announce(&e.changes[i])
		}
		clear(e.changes)
		e.changes = e.changes[:0]
	}
	e.storm.summarize(e)
}

func compareChanges(x, y change) int {
	a, b := x.group.alert, y.group.alert
	if a == b {
		return 0
	}
	if c := cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(a.firstT, b.firstT),
		cmp.Compare(x.group.rule.Index, y.group.rule.Index)); c != 0 {
		return c
	}
	l := &x.group.rule.levels[0]
	switch {
	case l.Comparison.Worse(a.firstValue, b.firstValue, l.Low, l.High):
		return -1
	case l.Comparison.Worse(b.firstValue, a.firstValue, l.Low, l.High):
		return 1
	}
	return cmp.Compare(x.group.id, y.group.id)
}

// forgetAlerts forgets the alerts of which nothing is left to remember: what was decided until no sample of that time may come any
// more, and of an absent rule that its series was there.
func (e *Engine) forgetAlerts() {
	for id, g := range e.alerts {
		a := g.alert
		a.flap.Prune(g.clock(e.now) - g.rule.Flapping.Within)
		if a.Level > 0 || a.open || a.announced > 0 || a.Pending() || len(a.flap.Times) > 0 || a.deferred != notDeferred {
			continue
		}
		if a.seq > 0 && g.clock(e.now)-a.ended <= e.rules.MaxSampleAge || g.rule.silence > 0 && g.lastSample != ladder.Unset {
			continue
		}
		g.alert = nil
		delete(e.alerts, id)
		e.journal.mark(id)
	}
}
