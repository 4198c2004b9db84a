package alert

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// decision is what becomes of a change: announced, or why not.
type decision uint8

const (
	// announced is a change of which a record is made.
	announced decision = iota
	// unannounced is a change of an alert whose fire was never announced: nobody waits for it.
	unannounced
	// heldBySilence is a change that a silence covers.
	heldBySilence
	// heldByHours is a change outside the hours in which the rule's alerts are announced.
	heldByHours
	// heldByOther is a change that an alert of the rule which unless names holds back.
	heldByOther
	// heldByLimit is a fire of a rule that has as many announced alerts as it may have.
	heldByLimit
	// heldByStorm is a change for which the minute's budget of records has nothing left.
	heldByStorm
)

// deferral is why an alert's announcement waits.
type deferral uint8

// The numbers are stored: append only.
const (
	// notDeferred is an alert of which no announcement waits.
	notDeferred deferral = 0
	// deferredBySilence waits for the end of a silence, for the hours of the rule, or for the end of an alert of another rule.
	deferredBySilence deferral = 1
	// deferredByLimit waits for fewer announced alerts of its rule; of older builds also for room in the outbox.
	deferredByLimit deferral = 2
	// deferredByStorm waits for the budget of records.
	deferredByStorm deferral = 3
	// deferredToRank waits for the next tick, when it is compared with the others that want a place.
	deferredToRank deferral = 4
	// deferredByOutbox waits for room in the outbox.
	deferredByOutbox deferral = 5
)

// Valid tells whether the number is that of a deferral.
func (d deferral) Valid() bool {
	switch d {
	case notDeferred, deferredBySilence, deferredByLimit, deferredByStorm, deferredToRank, deferredByOutbox:
		return true
	default:
		return false
	}
}

// deferral is why the announcement of a change that was held back waits.
func (d decision) deferral() deferral {
	switch d {
	case heldBySilence, heldByHours, heldByOther:
		return deferredBySilence
	case heldByLimit:
		return deferredByLimit
	case heldByStorm:
		return deferredByStorm
	default:
		return notDeferred
	}
}

// circumstances are what decide looks at besides the change itself. Each is asked at most once, in order of declaration.
type circumstances struct {
	announced int
	state     alertschema.State
	silenced  func() bool
	// inactive tells that the rule is outside its hours, and inhibited that an alert of another rule holds it back.
	inactive, inhibited bool
	full                func() bool
	budget              func() bool
}

// decide says whether a change is announced. A resolve of an announced fire always is, whatever else holds: silences,
// limits and storms hold back beginnings, never ends.
func decide(t alertschema.Transition, c circumstances) decision {
	switch t {
	case alertschema.TransitionResolve, alertschema.TransitionFlappingStart, alertschema.TransitionFlappingEnd:
		if c.announced == 0 {
			return unannounced
		}
		return announced
	case alertschema.TransitionFire:
	case alertschema.TransitionDataBack:
		if c.announced == 0 || c.state != alertschema.StateNoData {
			return unannounced
		}
	default:
		if c.announced == 0 {
			return unannounced
		}
	}
	switch {
	case c.silenced():
		return heldBySilence
	case c.inactive:
		return heldByHours
	case c.inhibited:
		return heldByOther
	case t == alertschema.TransitionFire && c.full():
		return heldByLimit
	case !c.budget():
		return heldByStorm
	default:
		return announced
	}
}

// judge asks decide about a change in the present circumstances.
func (e *Engine) judge(c *change) decision {
	g := c.group
	a := g.alert
	return decide(c.transition, circumstances{
		announced: a.announced, state: a.announcedState,
		silenced: func() bool {
			return e.silenced(g, max(c.from, c.to)) || len(e.personSilences) > 0 && e.silencedByPerson(g) != nil
		},
		inactive: e.outsideHours(g), inhibited: e.inhibited(g),
		full:   func() bool { return e.full(g, c.to) },
		budget: func() bool { return e.allowRecord(g) },
	})
}

func (e *Engine) silenced(g *group, level int) bool {
	if e.silences.Empty() {
		return false
	}
	return e.silences.Silenced(e.now, g.rule.Name, g.rule.LevelName(level), e.labels(g), g.attributes(), g.resourceAttrs(), g.scopeAttrs())
}

// announce makes a record of a change, or records why there is none yet.
func (e *Engine) announce(c *change) {
	a := c.group.alert
	if (c.transition == alertschema.TransitionEscalate || c.transition == alertschema.TransitionDeescalate) && a.announced > 0 {
		// What was held back in between may have left the receiver at another level than the change began at.
		switch {
		case c.to == a.announced:
			return
		case c.to > a.announced:
			c.transition = alertschema.TransitionEscalate
		default:
			c.transition = alertschema.TransitionDeescalate
		}
	}
	if e.queues(c) {
		e.postpone(c.group, deferredToRank)
		return
	}
	d := e.judge(c)
	switch d {
	case announced:
		e.emit(c)
		e.placeFree = e.placeFree || c.group.rule.waiting > 0
		return
	case unannounced:
		if c.transition == alertschema.TransitionResolve {
			a.deferred = notDeferred
		}
		return
	case heldBySilence:
		e.stats.suppressed[suppressedSilence]++
	case heldByHours:
		e.stats.suppressed[suppressedHours]++
	case heldByOther:
		e.stats.suppressed[suppressedOther]++
	case heldByLimit:
		e.stats.suppressed[suppressedLimit]++
	case heldByStorm:
		e.stats.suppressed[suppressedStorm]++
		e.storm.count(c)
	}
	if c.transition != alertschema.TransitionRepeat {
		e.postpone(c.group, d.deferral())
	}
}

// postpone remembers that the alert's announcement waits for a better moment.
func (e *Engine) postpone(g *group, why deferral) {
	if !g.waits {
		g.waits = true
		e.deferred = append(e.deferred, g)
	}
	g.alert.deferred = why
	e.journal.mark(g.id)
}

// release announces what waited, as far as circumstances allow by now: the most severe alerts first, then the worst values.
// What has come and gone in the meantime stays unsaid.
func (e *Engine) release() {
	if e.placeFree = false; len(e.deferred) == 0 {
		e.reportWithheld(nil)
		return
	}
	var ready []change
	waiting := e.deferred[:0]
	for _, g := range e.deferred {
		a := g.alert
		switch {
		case a == nil || a.deferred == notDeferred:
			g.waits = false
			continue
		case a.Level == 0 || a.Level == a.announced && a.noData == (a.announcedState == alertschema.StateNoData):
			a.deferred, g.waits = notDeferred, false
			e.journal.mark(g.id)
			continue
		case a.flap.Latched:
			waiting = append(waiting, g)
			continue
		}
		a.rank, a.firstT, a.firstValue = g.rule.Levels[a.Level-1].Severity, 0, a.value.Float64
		ready = append(ready, change{group: g})
	}
	clear(e.deferred[len(waiting):])
	e.deferred = waiting
	slices.SortFunc(ready, compareChanges)
	for i := range ready {
		g := ready[i].group
		a := g.alert
		a.rank = -1
		first := a.deferred == deferredToRank
		c := e.belated(g) // Only now: a record just made may have pushed this alert's fire out of the outbox.
		d := e.judge(&c)
		if d == announced {
			a.deferred, g.waits = notDeferred, false
			e.emit(&c)
			continue
		}
		if why := d.deferral(); why != a.deferred {
			a.deferred = why
			e.journal.mark(g.id)
			e.countDeferred(d, &c, first)
		}
		e.deferred = append(e.deferred, g)
	}
	e.reportWithheld(e.deferred[len(waiting):])
}

// countDeferred accounts for an alert that was compared with others for the first time and is held back.
func (e *Engine) countDeferred(d decision, c *change, first bool) {
	if !first {
		return
	}
	switch d {
	case heldBySilence:
		e.stats.suppressed[suppressedSilence]++
	case heldByLimit:
		e.stats.suppressed[suppressedLimit]++
	case heldByStorm:
		e.stats.suppressed[suppressedStorm]++
		e.storm.count(c)
	}
}

// belated returns the change that brings what was announced up to what is.
func (e *Engine) belated(g *group) change {
	a := g.alert
	c := change{
		group: g, t: max(a.changed, g.clock(e.running)), exemplar: a.exemplar, from: a.announced, to: a.Level, reason: g.rule.Kind.Reason(), seq: a.seq, value: a.value,
		started: a.started, ended: max(a.ended, a.started), worst: a.worstStored(g.rule).name, resource: g.resourceAttrs(), belated: true,
	}
	if a.deferred == deferredByStorm && g.rule.silence == 0 {
		c.reason = alertschema.ReasonStormReleased
	}
	switch {
	case a.announced == 0:
		c.transition = alertschema.TransitionFire
		if a.deferred == deferredToRank && a.seq == 1 { // Nothing but the comparison has kept it: it is the record of its time.
			c.t, c.belated = a.started, false
		}
	case a.Level > a.announced:
		c.transition = alertschema.TransitionEscalate
	case a.Level < a.announced:
		c.transition = alertschema.TransitionDeescalate
	case a.noData:
		c.transition, c.reason = alertschema.TransitionNoData, alertschema.ReasonNoData
	default:
		c.transition = alertschema.TransitionDataBack
	}
	return c
}

// repeat announces the firing alerts again whose repeat interval has passed and that nobody looks after. It comes after publish: what an alert has
// just become is said first.
func (e *Engine) repeat() {
	var due []*group
	for _, g := range e.alerts {
		a := g.alert
		if g.rule.RepeatInterval > 0 && a.announced > 0 && a.Level > 0 && !a.flap.Latched && !a.acknowledged() && e.now-a.announcedAt >= g.rule.RepeatInterval {
			due = append(due, g)
		}
	}
	slices.SortFunc(due, compareGroups)
	for _, g := range due {
		a := g.alert
		a.repeats++
		c := e.belated(g)
		c.transition, c.reason, c.from, c.to = alertschema.TransitionRepeat, alertschema.ReasonRepeat, a.announced, a.announced
		g.rule.transitions[alertschema.TransitionRepeat]++
		e.announce(&c)
	}
}
