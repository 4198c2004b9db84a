package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// flapState counts the recent changes of one alert. While latched, changes are not announced; the episode stays open.
type flapState struct {
	times   []int64 // Event times of changes, oldest first.
	latched bool
	last    int64 // Newest change.
}

func (f *flapState) prune(before int64) {
	k := 0
	for k < len(f.times) && f.times[k] < before {
		k++
	}
	f.times = append(f.times[:0], f.times[k:]...)
	if len(f.times) == 0 {
		f.times = nil
	}
}

// passFlapping counts a change and tells whether it is announced as it is. The change that makes the count is announced as
// the start of flapping; a fire never is, so that every alert opens with its fire. While latched only a level that the
// episode has not reached before passes.
func (e *Engine) passFlapping(g *group, c *change, worst int) bool {
	rule, a := &g.rule.flapping, g.alert
	if !rule.enabled {
		return true
	}
	f := &a.flap
	if !f.latched {
		f.times = append(f.times, c.t)
	}
	f.last = c.t
	f.prune(c.t - rule.within)
	switch {
	case !f.latched && (len(f.times) < rule.transitions || c.transition == alertschema.TransitionFire):
		return true
	case !f.latched && c.reason == alertschema.ReasonStale && c.transition == alertschema.TransitionResolve && len(f.times) < 2*rule.transitions:
		return true // What is gone does not flap, unless it keeps coming back.
	case !f.latched:
		f.latched = true
		c.transition = alertschema.TransitionFlappingStart
		return true
	case c.to > worst:
		c.transition = alertschema.TransitionEscalate
		return true
	default:
		e.stats.suppressed[suppressedFlapping]++
		return false
	}
}

// settleFlapping opens the latch when the alert has been stable for long enough. The record of it says what the alert is
// now; when that is inactive the episode's resolve follows, with the time at which it really ended.
func (e *Engine) settleFlapping(g *group, t int64) {
	a := g.alert
	if !a.flap.latched || t-a.flap.last < g.rule.flapping.stable {
		return
	}
	a.flap = flapState{}
	e.transition(g, change{transition: alertschema.TransitionFlappingEnd, t: t, from: a.told, to: a.level, reason: g.rule.valueReason()})
	switch {
	case a.level == 0:
		e.queue(g, change{transition: alertschema.TransitionResolve, t: t, from: max(a.told, 1), to: 0, reason: g.rule.valueReason()})
	case a.told == 0:
		e.postpone(g, deferredBySilence) // What held the fire back may be over; release finds out.
	}
	e.journal.mark(g.id)
}
