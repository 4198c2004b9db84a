package alert

import "math"

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
	s.marks |= markInput
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
	if c := g.inputs; c != nil && c.complete != unset {
		from = min(from, c.complete+g.rule.noDataAfter)
	}
	return from
}

// newestOf is the newest sample of several series, unset when there is none.
func newestOf(all []*series) int64 {
	newest := unset
	for _, s := range all {
		newest = max(newest, s.newest())
	}
	return newest
}

// until is the time up to which any of the series has a value if nothing more comes.
func (r *rule) until(all []*series) int64 {
	until := unset
	for _, s := range all {
		until = max(until, r.presentUntil(&s.windowSeries))
	}
	return until
}

// currentUntil is the time up to which the last value of any of the series counts as current if nothing more comes.
func (r *rule) currentUntil(all []*series) int64 {
	until := unset
	for _, s := range all {
		until = max(until, s.lasts(s.lookback(r.lookback)))
	}
	return until
}

// addInputs completes a reading by what the rule's condition says. Where the condition is not known there is no value.
func (e *Engine) addInputs(g *group, t int64, rd *reading, until int64) (int64, presence) {
	r, c := g.rule, g.inputs
	complete := newestOf(g.members)
	if r.divisor != nil {
		complete = min(complete, newestOf(c.divisors))
	}
	if r.onlyIf != nil {
		holds, said := g.condition(t)
		if said != present {
			return until, said
		}
		rd.healthy = !holds
		complete, until = min(complete, newestOf(c.conditions)), min(until, r.currentUntil(c.conditions))
	}
	c.complete = max(c.complete, min(complete, t))
	r.inputsSeen = true
	return until, present
}

// condition tells whether the rule's condition holds as of time t: any series of the group will do.
func (g *group) condition(t int64) (holds bool, said presence) {
	r := g.rule
	said = missing
	for _, s := range g.inputs.conditions {
		v, known := r.current(&s.windowSeries, t)
		if known != present {
			continue
		}
		said = present
		holds = holds || r.met.raised(v)
	}
	return holds, said
}

// ratio divides the group's value as of time t by that of its divisors. Division by zero gives no value.
func (e *Engine) ratio(g *group, t int64) (float64, *series, presence) {
	of, by, said := e.joined(g, g.members, t, 0)
	if said != present {
		return 0, nil, said
	}
	to, _, said := e.joined(g, g.inputs.divisors, t, 0)
	if said != present {
		return 0, nil, said
	}
	v := g.rule.offset + g.rule.scale*(of/to)
	if to == 0 || math.IsNaN(v) {
		return 0, by, missing
	}
	return v, by, present
}

// joined joins the values of series as the rule's group_agg says, and returns the newest series too. Ahead is the horizon of a forecast.
func (e *Engine) joined(g *group, all []*series, t, ahead int64) (float64, *series, presence) {
	var acc groupAccumulator
	var by *series
	unsure := false
	restoring := g.alert != nil && g.alert.restored
	for _, s := range all {
		v, said := g.rule.valueOf(&s.windowSeries, t, ahead, restoring, &e.scratch)
		if said != present || math.IsNaN(v) {
			unsure = unsure || said == unsettled
			continue
		}
		acc.add(g.rule.groupAgg, v)
		if by == nil || s.newest() > by.newest() {
			by = s
		}
	}
	switch {
	case acc.n > 0:
		return acc.value(g.rule.groupAgg), by, present
	case unsure:
		return 0, nil, unsettled
	default:
		return 0, nil, missing
	}
}
