package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// boundPending keeps the newest of the times at which a group is to be evaluated: no more than limits::times_per_batch, and in a large group no more
// than the points that have come are worth, for each time costs as much as the group has series.
func (e *Engine) boundPending(g *group) {
	n := len(g.pending)
	size := len(g.members)
	if g.inputs != nil {
		for role := range g.inputs.series {
			size += len(g.inputs.series[role])
		}
	}
	most := max(maxPending, min(e.rules.Limits.TimesPerBatch, workPerPoint*int(g.arrived)/max(1, size)))
	if n > most {
		g.pending = append(g.pending[:0], g.pending[n-most:]...)
		e.exceeded[LimitTimesPerBatch].total += uint64(n - most)
		e.countExceeded(LimitTimesPerBatch, g.resourceAttrs())
	}
}

// evaluatePending evaluates a group at the times of the samples that came, in order. Unless forced it stops at a time for
// which part of the group is still to come.
func (e *Engine) evaluatePending(g *group, force bool) {
	done := 0
	for _, t := range g.pending {
		if !force && !g.complete(t) && len(g.pending)-done <= maxPending {
			break
		}
		done++
		if a := g.alert; a != nil && (a.flap.Latched || g.rule.silence > 0 && a.Recovering != ladder.Unset) {
			if g.rule.silence > 0 { // Between its samples time decides at once, not from when the next is overdue.
				e.letTimeDecide(g, t-1, false)
			}
			e.endFlapping(g, t-1)
		}
		g.lastRound = t
		e.evaluate(g, t)
	}
	g.pending = append(g.pending[:0], g.pending[done:]...)
}

// tick evaluates a group for the time that has passed since its samples. It returns false when the group is to be forgotten.
func (e *Engine) tick(g *group) bool {
	if len(g.pending) > 0 {
		e.evaluatePending(g, true)
	}
	t := g.clock(e.running)
	if !e.evaluateByTime(g, t) && g.rule.recheck && t >= g.lastEval {
		e.rechecking = true
		e.evaluate(g, t)
		e.rechecking = false
	}
	if g.alert != nil {
		e.endFlapping(g, t)
	}
	return e.retainGroup(g, t)
}

// evaluateByTime lets the time that has passed since the group's samples decide. It tells whether the group was evaluated at time t itself.
func (e *Engine) evaluateByTime(g *group, t int64) bool {
	if t <= g.lastEval || g.undue(t) {
		return false
	}
	e.letTimeDecide(g, t, true)
	return g.lastEval == t
}

// evaluate moves the group's alert to event time t.
func (e *Engine) evaluate(g *group, t int64) {
	g.lastEval = max(g.lastEval, t)
	r := g.rule
	if r.broken || len(r.levels) == 0 {
		return
	}
	switch {
	case r.silence > 0:
		e.recordSilence(g, t)
	case r.counts:
		e.recordSeen(g)
	case t >= g.noDataFrom():
		g.recordNothing(t)
		e.evaluateNoData(g, t)
		return
	}
	if e.passesUnread(g, t) {
		return
	}
	m := e.moment(g, t)
	if r.bounds == nil {
		r.Kind.Read(m)
	} else {
		e.readBounded(g, m)
	}
	res := &m.Result
	if (res.Presence == window.Present || res.Presence.Partial()) && g.inputs != nil {
		e.addInputs(g, t, res)
	}
	if e.lacksOther(g) {
		res.Healthy = true
	}
	switch {
	case res.Presence == window.Present:
		e.evaluateValue(g, t, res)
	case res.Presence.Partial():
		e.evaluateBound(g, t, res)
	case res.Presence == window.Missing && t >= g.policyFrom():
		e.evaluateNoData(g, t)
	case res.Presence == window.Missing && g.alert != nil:
		// From here on time does not count; evaluateValue makes up for it when a value comes.
		g.alert.presentUntil = min(g.alert.presentUntil, max(t, res.Until))
	}
}

// evaluateValue moves the alert by a value that is there.
func (e *Engine) evaluateValue(g *group, t int64, res *rules.Result) {
	a, rd := g.alert, &res.Reading
	rd.Sample = t == g.lastRound && !e.rechecking
	if a == nil {
		if !breached(e.reused.Levels, rd) {
			return
		}
		a = e.openAlert(g)
	}
	g.rule.bounds.remember(g)
	if a.presentUntil != ladder.Unset && t > a.presentUntil {
		a.Shift(t - a.presentUntil)
		e.journal.mark(g.id)
	}
	a.presentUntil, a.restored, a.unit = res.Until, false, g.unitNumber()
	if res.By >= 0 {
		a.resource = g.members[res.By].resource
	}
	if g.rule.silence == 0 { // Silence has neither a value nor a trace.
		if res.By >= 0 {
			a.exemplar = g.members[res.By].ExemplarAt(t)
		}
		a.value = attr.Number{Float64: rd.At(max(a.Level, 1) - 1), Valid: true}
	}
	back := a.noData
	a.noData = false
	reason := g.rule.Kind.Reason()
	if rd.Healthy && (g.rule.OnlyIf != nil || g.rule.And != nil) {
		reason = alertschema.ReasonOnlyIf
	}
	if changed := e.step(g, t, *rd, reason); back && !changed {
		e.transition(g, change{transition: alertschema.TransitionDataBack, t: t, from: a.Level, to: a.Level, reason: reason})
	}
}

// breached tells whether any level is breached: the question that quiet groups are asked.
func breached(levels []ladder.Level, rd *ladder.Reading) bool {
	if rd.Healthy {
		return false
	}
	for i := range levels {
		l := &levels[i]
		if l.Raised(rd.At(i)) || l.Samples.Counts() && l.Held(rd.ToClear(i)) {
			return true
		}
	}
	return false
}

// step moves the ladder and reports the transition, if there is one.
func (e *Engine) step(g *group, t int64, rd ladder.Reading, reason alertschema.Reason) bool {
	a := g.alert
	from, moved := a.Step(t, g.levels(), rd)
	if moved {
		e.journal.mark(g.id)
	}
	if from == a.Level {
		return false
	}
	switch {
	case rd.Healthy || g.rule.silence > 0:
	case a.Level > 0:
		a.value = attr.Number{Float64: rd.At(a.Level - 1), Valid: true}
	default:
		a.value = attr.Number{Float64: rd.ToClear(0), Valid: true}
	}
	c := change{transition: alertschema.TransitionFire, t: t, from: from, to: a.Level, reason: reason}
	switch {
	case a.Level == 0:
		c.transition = alertschema.TransitionResolve
	case a.Level < from:
		c.transition = alertschema.TransitionDeescalate
	case from > 0:
		c.transition = alertschema.TransitionEscalate
	}
	e.transition(g, c)
	return true
}

// maxSilences bounds the alerts that are stored when another group is to have its last sample remembered.
const maxSilences = 1 << 15

// recordSilence has stored that the group was seen, and, once it has been silent for half of what makes the rule fire, since when.
func (e *Engine) recordSilence(g *group, t int64) {
	if g.lastSample == ladder.Unset {
		return
	}
	if g.alert == nil {
		if len(e.alerts) >= maxSilences {
			return
		}
		e.openAlert(g)
	}
	if silent := t-g.lastSample >= g.rule.silence/2; silent != g.alert.silent {
		g.alert.silent = silent
		e.journal.mark(g.id)
	}
}

// evaluateNoData applies the policy for values that have stopped.
func (e *Engine) evaluateNoData(g *group, t int64) {
	a := g.alert
	if e.lacksOther(g) {
		e.endBesideOther(g, t)
		return
	}
	if a == nil {
		if g.rule.NoData != rules.NoDataAlert {
			return
		}
		a = e.openAlert(g)
	}
	a.exemplar = nil
	switch g.rule.NoData {
	case rules.NoDataResolve:
		// The span without a value ends where the policy begins; from there on time counts, as healthy.
		if a.presentUntil != ladder.Unset && a.presentUntil != ladder.Forever {
			a.Shift(max(0, g.policyFrom()-a.presentUntil))
		}
		a.presentUntil = ladder.Forever
		e.step(g, t, ladder.Reading{Healthy: true}, alertschema.ReasonStale)
	case rules.NoDataClose:
		e.closeAlert(g, t, alertschema.ReasonStale)
	case rules.NoDataAlert, rules.NoDataKeep:
		a.presentUntil = min(a.presentUntil, t)
		if a.noData {
			return
		}
		a.Drop()
		e.journal.mark(g.id)
		switch {
		case a.Level > 0:
			a.noData = true
			e.transition(g, change{transition: alertschema.TransitionNoData, t: t, from: a.Level, to: a.Level, reason: alertschema.ReasonNoData})
		case g.rule.NoData == rules.NoDataAlert:
			a.noData = true
			a.SetLevel(1)
			a.value = attr.Number{}
			e.transition(g, change{transition: alertschema.TransitionFire, t: t, from: 0, to: 1, reason: alertschema.ReasonNoData})
		}
	}
}

// closeAlert closes whatever the alert has open, at once.
func (e *Engine) closeAlert(g *group, t int64, reason alertschema.Reason) {
	a := g.alert
	from := a.Level
	a.Drop()
	a.SetLevel(0)
	a.Recent, a.noData = nil, false
	e.journal.mark(g.id)
	if a.open && (from > 0 || !a.flap.Latched) {
		e.transition(g, change{transition: alertschema.TransitionResolve, t: t, from: max(from, a.announced), to: 0, reason: reason})
	}
}

// retainGroup tells whether a group is still of use. It closes the alert of one that nothing has come for; an alert whose condition
// is the silence itself stays.
func (e *Engine) retainGroup(g *group, t int64) bool {
	r := g.rule
	silent := e.running - g.lastArrival
	if r.silence > 0 {
		return !e.forgetBrief(g, t)
	}
	if silent <= r.StaleAfter || silent <= g.staleAfter() || g.staysWhenGone() || e.awaitReturn(g) {
		return true
	}
	if g.alert != nil && !e.closeStale(g, min(t, g.staleFrom())) {
		return true
	}
	return len(g.members) > 0 || g.alert != nil || g.hasInputs()
}

// closeStale closes the alert of a group that nothing has come for. An alert whose condition is that stays, and closeStale returns false.
func (e *Engine) closeStale(g *group, t int64) bool {
	a := g.alert
	if g.rule.NoData == rules.NoDataAlert && a.Level > 0 {
		return false
	}
	a.flap, a.exemplar = ladder.Flapping{}, nil
	e.closeAlert(g, t, alertschema.ReasonStale)
	return true
}
