package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// evaluateBound moves the alert by a value that only bounds the true one. It may fire, go up and stay, and never goes down: for that the true
// value has to be known. While it says nothing, time counts towards nothing.
func (e *Engine) evaluateBound(g *group, t int64, res *rules.Result) {
	if res.Healthy || g.surely(res) {
		restoring := g.alert != nil && g.alert.restored
		e.evaluateValue(g, t, res)
		if g.alert != nil && !res.Healthy {
			g.alert.restored = restoring
		}
		return
	}
	if a := g.alert; a != nil {
		a.presentUntil = min(a.presentUntil, t)
	}
}

// surely tells whether the value, which only bounds the true one, breaches a level or keeps the one in force.
func (g *group) surely(res *rules.Result) bool {
	rd, atLeast := &res.Reading, res.Presence == window.AtLeast
	levels, from := g.levels(), 0
	if a := g.alert; a != nil && a.Level > 0 {
		from = a.Level
		if levels[from-1].SurelyHeld(rd.ToClear(from-1), atLeast) {
			return true
		}
	}
	for i := from; i < len(levels); i++ {
		if levels[i].SurelyRaised(rd.At(i), atLeast) {
			return true
		}
	}
	return false
}

// remembered tells whether the group is stored for having been seen at all: it may fire when nothing comes any more.
func (g *group) remembered() bool {
	return g.rule.silence > 0 && g.lastSample != ladder.Unset || g.staysWhenGone()
}

// staysWhenGone tells whether the group is kept when nothing comes any more, for that none is left is a value.
func (g *group) staysWhenGone() bool {
	return g.rule.counts && g.lastSample != ladder.Unset && g.breachedByNone()
}

// breachedByNone tells whether a level is breached when the group has no series left.
func (g *group) breachedByNone() bool {
	return breached(g.levels(), &ladder.Reading{Value: g.rule.Offset})
}

// recordSeen has stored that a group whose series are counted was seen.
func (e *Engine) recordSeen(g *group) {
	if g.alert == nil && len(e.alerts) < maxSilences && g.remembered() {
		e.openAlert(g)
	}
}
