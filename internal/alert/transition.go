package alert

import (
	"cmp"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

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
	worst      string // The name of the worst level of the episode.
	resource   []attr.Attr
	levels     []ladder.Level   // What the value was compared with, nil where that is the same for all groups.
	exemplar   *window.Exemplar // Of the point that decided.
	belated    bool             // Held back when it happened.
	// previous is the name of the announced level where the ladder no longer has it; the state then stays as it was announced.
	previous string
	// comment is what a person said who did it, and endedBy who ended a silence before its time.
	comment, endedBy string
}

// transition records that an alert changed. Episodes begin and end here, and here the flapping latch holds changes
// back.
func (e *Engine) transition(g *group, c change) {
	a := g.alert
	e.journal.mark(g.id)
	g.rule.levelChanges++
	if c.transition == alertschema.TransitionFire && !a.open {
		a.worstBefore, a.person = nil, nil
		if a.announced == 0 { // Else it has the place.
			if a.holder = nil; g.rule.silence > 0 {
				a.holder = e.oldestSender(g)
			}
		}
		a.open, a.started, a.ended, a.changed, a.seq, a.worst, a.repeats = true, c.t, ladder.Unset, c.t, 0, 0, 0
	}
	a.reach(g.rule, c.from) // It is new where the ladder has changed.
	worst := a.worst
	a.reach(g.rule, c.to)
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
	// A point that comes late, and a clock that was set back, must not have the episode end before it began.
	c.t = max(c.t, a.changed, a.started)
	a.changed = c.t
	c.group, c.seq, c.value, c.started, c.ended, c.worst, c.resource = g, a.seq, a.value, a.started, max(a.ended, a.started), a.worstStored(g.rule).name, g.resourceAttrs()
	if g.rule.bounds != nil {
		if levels, known := g.rule.boundsOf(g); known {
			c.levels = slices.Clone(levels)
		}
	}
	c.exemplar = a.exemplar
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
		if e.placeFree {
			e.release()
		}
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
	l := &x.group.levels()[0]
	switch {
	case l.Comparison.Worse(a.firstValue, b.firstValue, l.Low, l.High):
		return -1
	case l.Comparison.Worse(b.firstValue, a.firstValue, l.Low, l.High):
		return 1
	}
	return cmp.Compare(x.group.id, y.group.id)
}
