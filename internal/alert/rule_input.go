package alert

import "fmt"

// role is what a rule wants the points of a selector for.
type role uint8

const (
	asValue     role = iota // The rule's value, or what a ratio divides.
	asDivisor               // What a ratio divides by.
	asCondition             // What only_if looks at.
)

// ruleInput is one selector of one rule.
type ruleInput struct {
	rule *ruleState
	*target
	role role

	unit      string
	unitKnown bool
	broken    bool // The bounds cannot be compared with the metric.
}

// from tells whether the input is for series of the origin.
func (w *ruleInput) from(o *Origin) bool {
	return w.sel.matchesOrigin(o)
}

// impossible tells whether the level waits for more than the metric can be: a bare 80 where it is a share.
func (w *ruleInput) impossible(s *levelSpec, l *level) bool {
	return l.cmp == above && s.raise[0].unit == unitBare && w.unit == "1" && isShare(w.metric) && w.figure.kind != figureSum && l.lo > 1
}

// unitFits tells whether the rule's bounds can be compared with a metric of this unit; the first unit seen decides
// what "80%" means.
func (e *Engine) unitFits(w *ruleInput, unit string) bool {
	if w.unitKnown {
		if unit != w.unit {
			e.ruleError(w.rule, fmt.Sprintf("metric %s comes with units %q and %q", w.metric, w.unit, unit))
			return false
		}
		return !w.broken
	}
	w.unit, w.unitKnown = unit, true
	var err error
	switch {
	case w.role == asCondition:
		if w.rule.met, err = w.rule.onlyIf.bound.resolve(unit); err == nil && w.impossible(&w.rule.onlyIf.bound, &w.rule.met) {
			e.notice("rule %q never fires: only_if above %s never holds, because %s is a ratio; did you mean %[2]s%%?", w.rule.name,
				w.rule.onlyIf.bound.raise[0].text, w.metric)
		}
	case w.rule.divisor == nil:
		w.rule.unit = unit
		if err = e.resolveLevels(w.rule); err == nil {
			e.noticeImpossible(w)
		}
	}
	if err != nil {
		w.broken = true
		e.ruleError(w.rule, err.Error())
	}
	return err == nil
}

// resolveLevels turns the rule's bounds into numbers of its unit.
func (e *Engine) resolveLevels(r *ruleState) error {
	for i := range r.rule.levels {
		spec := &r.rule.levels[i]
		l, err := spec.resolve(r.unit)
		if err == nil && i > 0 && !l.cmp.stricter([2]float64{l.lo, l.hi}, [2]float64{r.levels[i-1].lo, r.levels[i-1].hi}) {
			err = fmt.Errorf("ladder is not monotone: %s %s %s must be stricter than %s %s %s",
				spec.name, spec.cmp, spec.boundText(), r.rule.levels[i-1].name, spec.cmp, r.rule.levels[i-1].boundText())
		}
		if err != nil {
			r.broken = true
			return err
		}
		r.levels[i] = l
		r.oneReading = r.oneReading && (r.groupAgg != groupWorst || l.sameWorst(&r.levels[0]))
	}
	return nil
}

// addRuleInputs brings the rule's selectors to the matchers of their metrics.
func (e *Engine) addRuleInputs(r *ruleState) {
	add := func(t *target, as role, f figure) {
		m := e.matchers[t.metric]
		if m == nil {
			m = &Matcher{engine: e, series: map[seriesKey]*series{}}
			e.matchers[t.metric] = m
		}
		if f.kind != figureNone {
			m = m.figureMatcher(f)
		}
		m.inputs = append(m.inputs, &ruleInput{rule: r, target: t, role: as})
	}
	add(&r.value, asValue, r.value.figure)
	if r.absent != nil && r.value.figure.kind == figureNone {
		add(&r.value, asValue, figure{kind: figureCount}) // Whether points come can be asked of any kind of them.
	}
	if r.divisor != nil {
		add(r.divisor, asDivisor, r.divisor.figure)
		r.unit = "1"
		if err := e.resolveLevels(r); err != nil {
			e.ruleError(r, err.Error()) // Compile has refused such bounds.
		}
	}
	if r.onlyIf != nil {
		add(&r.onlyIf.target, asCondition, r.onlyIf.figure)
	}
}

// figureMatcher returns the matcher of one figure of the metric's points.
func (m *Matcher) figureMatcher(f figure) *Matcher {
	for _, known := range m.figures {
		if known.figure == f {
			return known
		}
	}
	sub := &Matcher{engine: m.engine, figure: f, series: map[seriesKey]*series{}}
	m.figures = append(m.figures, sub)
	return sub
}
