package alert

import (
	"cmp"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// adopt puts a stored alert into force. It returns false where there is no level left that the alert can be at.
func (e *Engine) adopt(r *ruleState, s *storedAlert, down int64) bool {
	unit, key := e.unitNumber(s.unit), r.Upgraded(s.group, s.resource, s.byConventions)
	today := e.ladderOf(r, unit, key, s.resource)
	if s.level.name != "" && levelNow(s.level, s.value, today) == 0 || s.announced.name != "" && levelLike(s.announced, today.specs) == 0 {
		return false
	}
	g := e.groupOf(r, key)
	if g.alert != nil && (g.alert.announced > 0 || s.announced.name == "") {
		return false // Two of an older build are one today.
	}
	a := e.openAlert(g)
	s.fill(r, a, today)
	a.unit = unit
	r.restoreBounds(g, s.bounds)
	if r.bounds != nil && today.levels != nil {
		r.bounds.last[g] = slices.Clone(today.levels)
	}
	if id := alertschema.AlertID(s.rule, s.group); id != g.id {
		e.journal.mark(id)
		a.recordID = cmp.Or(a.recordID, id) // The receivers know it by the ID of before.
	}
	if down <= maxPendingDowntime {
		for _, run := range s.since {
			if i := levelLike(run.level, today.specs); i > a.Level {
				a.Since[i-1] = run.since
			}
		}
	}
	a.Shift(down)
	a.notAfter(e.now) // A clock that was set back must not leave runs that begin in the far future.
	a.restored = a.Level > 0
	a.decided = s.decided
	if down < 0 && a.decided != ladder.Unset {
		a.decided += down
	}
	a.decided = min(a.decided, e.now+maxAhead)
	switch {
	case r.silence > 0 && s.lastSample != ladder.Unset:
		g.lastSample, a.silent = min(e.now, s.lastSample+down), true
	case r.silence > 0 && s.seen:
		g.lastSample = e.now
	case r.silence == 0:
		if r.counts && s.seen {
			g.lastSample = e.now
		}
		// The data's own clock is not known yet; until it is, the alert counts as just seen.
		g.lastEvent, g.lastArrival = e.now, e.running
		a.presentUntil = e.now + window.DefaultLookback
	}
	if g.inputs != nil {
		g.inputs.complete = e.now
	}
	if r.silence > 0 {
		a.holder = e.restoreHolder(s)
	}
	e.restoreAnnounced(g)
	if s.deferred != notDeferred {
		e.postpone(g, s.deferred)
	}
	e.announceLevelOf(g, s)
	if !r.Flapping.Enabled {
		e.endFlapping(g, g.clock(e.running))
	}
	return true
}

// announceLevelOf announces the level of a restored alert if the ladder has none of the name that was announced: nobody shall go on believing
// in it.
func (e *Engine) announceLevelOf(g *group, s *storedAlert) {
	a, r := g.alert, g.rule
	if s.announced.name == "" || r.LevelName(a.announced) == s.announced.name {
		return
	}
	a.seq++
	c := change{
		group: g, transition: alertschema.TransitionDeescalate, t: g.clock(e.running), from: a.announced, to: cmp.Or(a.Level, a.announced),
		reason: alertschema.ReasonRuleChanged, value: a.value, seq: a.seq, started: a.started, ended: a.ended, worst: a.worstStored(r).name,
		resource: g.resourceAttrs(), previous: s.announced.name,
	}
	if r.Levels[c.to-1].Number > s.announced.number {
		c.transition = alertschema.TransitionEscalate
	}
	r.transitions[c.transition]++
	e.emit(&c)
}

// ladderToday is the ladder that the group of a stored alert has by the rule in force.
type ladderToday struct {
	specs  []rules.LevelSpec
	levels []ladder.Level // In the unit that the metric had; nil where that alone does not tell.
}

// ladderOf returns the ladder of a stored group for the unit that the metric had before a restart or a reload, so that records and levels do not
// have to wait for the first sample.
func (e *Engine) ladderOf(r *ruleState, unit uint16, key string, resource []attr.Attr) ladderToday {
	today := ladderToday{specs: r.Levels}
	variant := int32(0)
	if r.ThresholdsBy != nil {
		keyed, _ := attr.DecodeGroup(key) // decodeAlert has checked it.
		if v, known := r.variantFor(keyed, resource); known {
			variant, today.specs = v, r.bounds.specs[v]
		}
	}
	switch {
	case r.broken || r.Threshold != nil:
	case r.bounds != nil:
		text := e.units.units[unit].Text
		if r.fixedUnit {
			text = r.unit
		}
		today.levels, _ = r.bounds.levelsIn(r, variant, text) // Nil where they can't be.
	case r.fixedUnit:
		today.levels = r.levels
	default:
		today.levels = e.resolveUnit(r, unit).levels // Nil where they can't be.
	}
	return today
}

// levelNow finds the level that a stored one is in today's ladder: the one of its name. Where there is none, it is the most severe one that the
// value breaches, or none; where there is no value to tell, the one that levelLike finds.
func levelNow(s storedLevel, value attr.Number, today ladderToday) int {
	like := levelLike(s, today.specs)
	if like == 0 || today.specs[like-1].Name == s.name || !value.Valid || today.levels == nil || !today.levels[0].Comparison.HasBounds() {
		return like
	}
	for i := len(today.levels) - 1; i >= 0; i-- {
		if !today.specs[i].Off && today.levels[i].Raised(value.Float64) {
			return i + 1
		}
	}
	return 0
}

// levelLike finds the level that a stored one means in today's ladder: the one of its name, else the most severe that
// is not more severe, else the lowest. It is 0 where the group has no level at all.
func levelLike(s storedLevel, specs []rules.LevelSpec) int {
	if s.name == "" {
		return 0
	}
	best := 0
	for i := range specs {
		l := &specs[i]
		switch {
		case l.Off:
		case l.Name == s.name:
			return i + 1
		case l.Number <= s.number || best == 0:
			best = i + 1
		}
	}
	return best
}
