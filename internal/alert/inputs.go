package alert

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// groupInputs is what a group knows of series beside those of its value: what a ratio divides by, and what only_if looks at.
type groupInputs struct {
	divisors, conditions []*series
	// complete is the event time up to which everything that the rule needs was there, unset before it first was.
	complete int64
}

// inputRef is a group that looks at a series in another role than that of its value.
type inputRef struct {
	group *group
	role  role
}

// join makes a series a member of the group.
func (e *Engine) join(g *group, s *series, as role) {
	switch as {
	case asDivisor:
		g.inputs.divisors = append(g.inputs.divisors, s)
	case asCondition:
		g.inputs.conditions = append(g.inputs.conditions, s)
	default:
		g.members = append(g.members, s)
		s.groups = append(s.groups, g)
		return
	}
	s.Marks |= markInput
	e.inputRefs[s] = append(e.inputRefs[s], inputRef{g, as})
}

// divisors are the series that a ratio divides by.
func (g *group) divisors() []*series {
	if g.inputs == nil {
		return nil
	}
	return g.inputs.divisors
}

// hasInputs tells whether series of any kind belong to the group beside those of its value.
func (g *group) hasInputs() bool {
	return g.inputs != nil && len(g.inputs.divisors)+len(g.inputs.conditions) > 0
}

// policyFrom is the time from which the no-data policy applies: when samples of the value have stopped, or what it takes besides
// has been missing for as long.
func (g *group) policyFrom() int64 {
	from := g.noDataFrom()
	if c := g.inputs; c != nil && c.complete != ladder.Unset {
		from = min(from, c.complete+g.rule.NoDataAfter)
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

// until is the time up to which any of the series has a value if nothing more comes.
func (r *ruleState) until(all []*series) int64 {
	until := ladder.Unset
	for _, s := range all {
		until = max(until, r.PresentUntil(&s.Series))
	}
	return until
}

// currentUntil is the time up to which the last value of any of the series counts as current if nothing more comes.
func (r *ruleState) currentUntil(all []*series) int64 {
	until := ladder.Unset
	for _, s := range all {
		until = max(until, s.Lasts(s.Lookback(r.Lookback)))
	}
	return until
}

// addInputs completes a reading by what the rule's condition says. Where the condition is not known there is no value.
func (e *Engine) addInputs(g *group, t int64, rd *ladder.Reading, until int64) (int64, window.Presence) {
	r, c := g.rule, g.inputs
	complete := newestOf(g.members)
	if r.Divisor != nil {
		complete = min(complete, newestOf(c.divisors))
	}
	if r.OnlyIf != nil {
		holds, said := g.condition(t)
		if said != window.Present {
			return until, said
		}
		rd.Healthy = !holds
		complete, until = min(complete, newestOf(c.conditions)), min(until, r.currentUntil(c.conditions))
	}
	c.complete = max(c.complete, min(complete, t))
	r.inputsSeen = true
	return until, window.Present
}

// condition tells whether the rule's condition holds as of time t: any series of the group will do.
func (g *group) condition(t int64) (holds bool, said window.Presence) {
	r := g.rule
	said = window.Missing
	for _, s := range g.inputs.conditions {
		v, known := r.Current(&s.Series, t)
		if known != window.Present {
			continue
		}
		said = window.Present
		holds = holds || r.met.Raised(v)
	}
	return holds, said
}

// ratio divides the group's value as of time t by that of its divisors. Division by zero gives no value.
func (e *Engine) ratio(g *group, t int64) (float64, *series, window.Presence) {
	of, by, said := e.joined(g, g.members, t, 0)
	if said != window.Present {
		return 0, nil, said
	}
	to, _, said := e.joined(g, g.inputs.divisors, t, 0)
	if said != window.Present {
		return 0, nil, said
	}
	v := g.rule.Offset + g.rule.Scale*(of/to)
	if to == 0 || math.IsNaN(v) {
		return 0, by, window.Missing
	}
	return v, by, window.Present
}

// joined joins the values of series as the rule's group_agg says, and returns the newest series too. Ahead is the horizon of a forecast.
func (e *Engine) joined(g *group, all []*series, t, ahead int64) (float64, *series, window.Presence) {
	var acc window.GroupAccumulator
	var by *series
	unsure := false
	restoring := g.alert != nil && g.alert.restored
	for _, s := range all {
		v, said := g.rule.SeriesValue(&s.Series, t, ahead, restoring, &e.scratch)
		if said != window.Present || math.IsNaN(v) {
			unsure = unsure || said == window.Unsettled
			continue
		}
		acc.Add(g.rule.GroupAggregate, v)
		if by == nil || s.Newest() > by.Newest() {
			by = s
		}
	}
	switch {
	case acc.Count > 0:
		return acc.Value(g.rule.GroupAggregate), by, window.Present
	case unsure:
		return 0, nil, window.Unsettled
	default:
		return 0, nil, window.Missing
	}
}
