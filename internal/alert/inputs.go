package alert

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// groupInputs is what a group knows of series beside those of its value: what a ratio divides by, and what only_if looks at.
type groupInputs struct {
	// series are by role; those of the value are the group's members.
	series [rules.RoleCount][]*series
	// complete is the event time up to which everything that the rule needs was there, unset before it first was.
	complete int64
}

// inputRef is a group that looks at a series in another role than that of its value.
type inputRef struct {
	group *group
	role  rules.Role
}

// join makes a series one of the group's.
func (e *Engine) join(g *group, s *series, as rules.Role) {
	if as == rules.RoleValue {
		g.members = append(g.members, s)
		s.groups = append(s.groups, g)
		return
	}
	g.inputs.series[as] = append(g.inputs.series[as], s)
	s.Marks |= markInput
	e.inputRefs[s] = append(e.inputRefs[s], inputRef{g, as})
}

// seriesOf are the group's series of a role.
func (g *group) seriesOf(as rules.Role) []*series {
	switch {
	case as == rules.RoleValue:
		return g.members
	case g.inputs == nil:
		return nil
	default:
		return g.inputs.series[as]
	}
}

// hasInputs tells whether series of any kind belong to the group beside those of its value.
func (g *group) hasInputs() bool {
	return g.inputs != nil && slices.ContainsFunc(g.inputs.series[:], func(all []*series) bool { return len(all) > 0 })
}

// policyFrom is the time from which the no-data policy applies: when samples of the value have stopped, or what it takes besides
// has been missing for as long.
func (g *group) policyFrom() int64 {
	from := g.noDataFrom()
	if c := g.inputs; c != nil && c.complete != ladder.Unset {
		from = min(from, c.complete+g.rule.NoDataAfterOf(g.interval()))
	}
	return from
}

// newestOf is the newest sample of several series, unset when there is none.
func newestOf(all []*series) int64 {
	newest := ladder.Unset
	for _, s := range all {
		newest = max(newest, s.Newest())
	}
	return newest
}

// currentUntil is the time up to which the last value of any of the series counts as current if nothing more comes.
func (r *ruleState) currentUntil(all []*series) int64 {
	until := ladder.Unset
	for _, s := range all {
		if ended := s.EndedAt(); ended != ladder.Unset && r.Lookback > 0 {
			until = max(until, ended)
			continue
		}
		until = max(until, s.Lasts(s.Lookback(r.Lookback)))
	}
	return until
}

// moment fills what the rule's kind makes its value of, as of event time t.
func (e *Engine) moment(g *group, t int64) *rules.Moment {
	r, m := g.rule, &e.reused
	m.Time, m.Levels, m.OneReading, m.Offset, m.LastSample, m.Uptime = t, r.levels, r.oneReading, r.Offset, g.lastSample, e.running-e.started
	m.Resumed = e.resumed
	if m.Interval = 0; r.counts {
		m.Interval = g.interval()
	}
	unit, mixed := g.unitNumber(), false
	if !r.fixedUnit {
		if u := r.inUnit(unit); u != nil && u.err == nil {
			m.Levels, m.OneReading, m.Offset = u.levels, u.oneReading, u.offset
		}
	}
	if r.histories != nil {
		r.histories.current = g
		m.Histories = r.histories
		if r.fixedUnit && r.Offset != 0 { // The offset is that of the values of which the change is a percentage.
			m.Offset = e.resolveUnit(r, g.unitNumber()).offset
		}
	}
	m.Restoring = g.alert != nil && g.alert.restored
	m.Result = rules.Result{By: -1}
	for role := range m.Series { // A role that this rule lacks must not show the series of another rule.
		m.Series[role] = m.Series[role][:0]
	}
	for _, role := range r.roles {
		all := m.Series[role]
		e.work += uint64(len(g.seriesOf(role)))
		for _, s := range g.seriesOf(role) {
			all = append(all, &s.Series)
			mixed = mixed || s.Unit != unit
		}
		m.Series[role] = all
	}
	if m.Scales = m.Scales[:0]; mixed {
		e.scales(g, unit, m)
	}
	return m
}

// forgetMoment lets go of the series of the last moments.
func (e *Engine) forgetMoment() {
	for role := range e.reused.Series {
		all := e.reused.Series[role]
		clear(all[:cap(all)])
	}
}

// addInputs completes a result by what the rule's condition says. Where the condition is not known there is no value.
func (e *Engine) addInputs(g *group, t int64, res *rules.Result) {
	r, c := g.rule, g.inputs
	if r.OnlyIf != nil {
		holds, presence := g.condition(t)
		if presence != window.Present {
			res.Presence = presence
			return
		}
		res.Healthy = !holds
		res.Until = min(res.Until, r.currentUntil(c.series[rules.RoleCondition]))
	}
	e.completed(g, t)
}

// completed records that everything that the rule needs was there.
func (e *Engine) completed(g *group, t int64) {
	complete := t
	for _, role := range g.rule.required {
		complete = min(complete, newestOf(g.seriesOf(role)))
	}
	g.inputs.complete = max(g.inputs.complete, complete)
	g.rule.inputsSeen = true
}

// passesUnread tells whether the group's value makes no difference at event time t, because it has no alert and the rule's condition does not hold.
// It is not read then: a forecast costs a look at each sample of its window.
func (e *Engine) passesUnread(g *group, t int64) bool {
	r := g.rule
	if r.OnlyIf == nil || g.alert != nil || r.NoData == rules.NoDataAlert || r.histories != nil || r.silence > 0 || r.counts {
		return false
	}
	if holds, presence := g.condition(t); holds || presence != window.Present {
		return false
	}
	e.completed(g, t)
	return true
}

// condition tells whether the rule's condition holds as of time t: any series of the group will do.
func (g *group) condition(t int64) (holds bool, presence window.Presence) {
	r := g.rule
	presence = window.Missing
	for _, s := range g.inputs.series[rules.RoleCondition] {
		v, known := r.Current(&s.Series, t)
		if known != window.Present {
			continue
		}
		presence = window.Present
		holds = holds || r.conditions[s.Unit].Raised(v)
	}
	return holds, presence
}
