package alert

import (
	"fmt"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

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
	*rules.Target
	role role

	unit      string
	unitKnown bool
	broken    bool // The bounds cannot be compared with the metric.
}

// from tells whether the input is for series of the origin.
func (w *ruleInput) from(o *attr.Origin) bool {
	return w.Selector.MatchesOrigin(o)
}

// impossible tells whether the level waits for more than the metric can be: a bare 80 where it is a share.
func (w *ruleInput) impossible(s *rules.LevelSpec, l *ladder.Level) bool {
	return l.Comparison == ladder.Above && s.Raise[0].Unit == rules.UnitBare && w.unit == "1" && rules.IsShare(w.Metric) && w.Statistic.Kind != window.StatisticSum && l.Low > 1
}

// unitFits tells whether the rule's bounds can be compared with a metric of this unit; the first unit seen decides
// what "80%" means.
func (e *Engine) unitFits(w *ruleInput, unit string) bool {
	if w.unitKnown {
		if unit != w.unit {
			e.ruleError(w.rule, fmt.Sprintf("metric %s comes with units %q and %q", w.Metric, w.unit, unit))
			return false
		}
		return !w.broken
	}
	w.unit, w.unitKnown = unit, true
	var err error
	switch {
	case w.role == asCondition:
		if w.rule.met, err = w.rule.OnlyIf.Bound.Resolve(unit); err == nil && w.impossible(&w.rule.OnlyIf.Bound, &w.rule.met) {
			e.notice("rule %q never fires: only_if above %s never holds, because %s is a ratio; did you mean %[2]s%%?", w.rule.Name,
				w.rule.OnlyIf.Bound.Raise[0].Text, w.Metric)
		}
	case w.rule.Divisor == nil:
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
	for i := range r.Rule.Levels {
		spec := &r.Rule.Levels[i]
		l, err := spec.Resolve(r.unit)
		if err == nil && i > 0 && !l.Comparison.Stricter([2]float64{l.Low, l.High}, [2]float64{r.levels[i-1].Low, r.levels[i-1].High}) {
			err = fmt.Errorf("ladder is not monotone: %s %s %s must be stricter than %s %s %s",
				spec.Name, spec.Comparison, spec.BoundText(), r.Rule.Levels[i-1].Name, spec.Comparison, r.Rule.Levels[i-1].BoundText())
		}
		if err != nil {
			r.broken = true
			return err
		}
		r.levels[i] = l
		r.oneReading = r.oneReading && (r.GroupAggregate != window.GroupWorst || l.SameWorst(&r.levels[0]))
	}
	return nil
}

// addRuleInputs brings the rule's selectors to the matchers of their metrics.
func (e *Engine) addRuleInputs(r *ruleState) {
	add := func(t *rules.Target, as role, f window.Statistic) {
		m := e.matchers[t.Metric]
		if m == nil {
			m = &Matcher{engine: e, series: map[attr.Hash]*series{}}
			e.matchers[t.Metric] = m
		}
		if f.Kind != window.StatisticNone {
			m = m.figureMatcher(f)
		}
		m.inputs = append(m.inputs, &ruleInput{rule: r, Target: t, role: as})
	}
	add(&r.Value, asValue, r.Value.Statistic)
	if r.Absent != nil && r.Value.Statistic.Kind == window.StatisticNone {
		add(&r.Value, asValue, window.Statistic{Kind: window.StatisticCount}) // Whether points come can be asked of any kind of them.
	}
	if r.Divisor != nil {
		add(r.Divisor, asDivisor, r.Divisor.Statistic)
		r.unit = "1"
		if err := e.resolveLevels(r); err != nil {
			e.ruleError(r, err.Error()) // Compile has refused such bounds.
		}
	}
	if r.OnlyIf != nil {
		add(&r.OnlyIf.Target, asCondition, r.OnlyIf.Statistic)
	}
}

// figureMatcher returns the matcher of one figure of the metric's points.
func (m *Matcher) figureMatcher(f window.Statistic) *Matcher {
	for _, known := range m.figures {
		if known.figure == f {
			return known
		}
	}
	sub := &Matcher{engine: m.engine, figure: f, series: map[attr.Hash]*series{}}
	m.figures = append(m.figures, sub)
	return sub
}
