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
	value        attr.Number
	exemplar     *window.Exemplar
	resource     *resource // Of the series that decided last; nil when none was seen.
	noData       bool
	restored     bool // From storage, and its windows are not full again yet.
	// decided is the newest round that an earlier process evaluated: what is delivered again after a crash is not evaluated again.
	decided int64
	silent  bool // Of an absent rule: nothing has come for so long that the time of the last sample is stored.

	// The episode: from a fire to its resolve. While flapping it stays open.
	open           bool
	started, ended int64
	seq            int // Transitions so far.
	worst          int

	// What was announced.
	announced      int // Level; 0 when no fire is announced, or its resolve is.
	announcedState alertschema.State
	announcedStart int64 // When the announced episode started.
	announcedAt    int64 // Wall time.
	repeats        int
	deferred       deferral

	flap ladder.Flapping

	// Of the current call: what publish sorts by.
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

// transition takes down that an alert changed. Episodes begin and end here, and the flapping latch swallows here what
// it holds back.
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
