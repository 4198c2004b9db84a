package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// passFlapping tells whether a change is announced, and as what.
func (e *Engine) passFlapping(g *group, c *change, worst int) bool {
	switch g.alert.flap.Observe(&g.rule.Flapping, ladder.Change{
		Time: c.t, Opens: c.transition == alertschema.TransitionFire, Worsens: c.to > worst,
		Forgotten: c.reason == alertschema.ReasonStale && c.transition == alertschema.TransitionResolve,
	}) {
	case ladder.FlappingStart:
		c.transition = alertschema.TransitionFlappingStart
	case ladder.FlappingEscalate:
		c.transition = alertschema.TransitionEscalate
	case ladder.FlappingHold:
		e.stats.suppressed[suppressedFlapping]++
		return false
	case ladder.FlappingPass:
	}
	return true
}

// endFlapping opens the latch when the alert has been stable for long enough. The record of it says what the alert is
// now; when that is inactive the episode's resolve follows, with the time at which it really ended.
func (e *Engine) endFlapping(g *group, t int64) {
	a := g.alert
	if !a.flap.Stable(&g.rule.Flapping, t) {
		return
	}
	t = a.flap.Last + g.rule.Flapping.StableFor
	a.flap = ladder.Flapping{}
	e.transition(g, change{transition: alertschema.TransitionFlappingEnd, t: t, from: a.announced, to: a.Level, reason: g.rule.Kind.Reason()})
	switch {
	case a.Level == 0:
		e.queue(g, change{transition: alertschema.TransitionResolve, t: t, from: max(a.announced, 1), to: 0, reason: g.rule.Kind.Reason()})
	case a.announced == 0:
		e.postpone(g, deferredBySilence) // What held the fire back may be over; release finds out.
	}
	e.journal.mark(g.id)
}
