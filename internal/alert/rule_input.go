package alert

import (
	"fmt"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// ruleInput is one selector of one rule.
type ruleInput struct {
	rule *ruleState
	rules.Input

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
	case w.Role == rules.RoleCondition:
		if w.rule.condition, err = w.rule.OnlyIf.Bound.Resolve(unit); err == nil && w.impossible(&w.rule.OnlyIf.Bound, &w.rule.condition) {
			e.notice("rule %q never fires: only_if above %s never holds, because %s is a ratio; did you mean %[2]s%%?", w.rule.Name,
				w.rule.OnlyIf.Bound.Raise[0].Text, w.Metric)
		}
	case !w.rule.fixedUnit:
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
	for i := range r.Levels {
		spec := &r.Levels[i]
		l, err := spec.Resolve(r.unit)
		if err == nil && i > 0 && !l.Comparison.Stricter([2]float64{l.Low, l.High}, [2]float64{r.levels[i-1].Low, r.levels[i-1].High}) {
			err = fmt.Errorf("ladder is not monotone: %s %s %s must be stricter than %s %s %s",
				spec.Name, spec.Comparison, spec.BoundText(), r.Levels[i-1].Name, spec.Comparison, r.Levels[i-1].BoundText())
		}
		if err != nil {
			r.broken = true
			return err
		}
		r.levels[i] = l
		r.oneReading = r.oneReading && (r.GroupAggregate != window.GroupWorst || l.SameWorst(&r.levels[0]))
	}
	r.resolved = true
	return nil
}

// addRuleInputs brings the rule's selectors to the matchers of their metrics.
func (e *Engine) addRuleInputs(r *ruleState) {
	inputs := r.Kind.Inputs()
	if r.OnlyIf != nil {
		inputs = append(inputs, rules.Input{Target: &r.OnlyIf.Target, Role: rules.RoleCondition})
	}
	r.roles = make([]rules.Role, len(inputs))
	for i, in := range inputs {
		r.roles[i] = in.Role
		e.addRuleInput(r, in, in.Statistic)
		if in.AnyShape && in.Statistic.Kind == window.StatisticNone {
			e.addRuleInput(r, in, window.Statistic{Kind: window.StatisticCount})
		}
	}
	if r.unit, r.fixedUnit = r.Kind.FixedUnit(); r.fixedUnit {
		if err := e.resolveLevels(r); err != nil {
			e.ruleError(r, err.Error()) // Compile has refused such bounds.
		}
	}
}

// addRuleInput brings one selector to the matcher of its metric, for numbers or for one statistic of points that describe many values.
func (e *Engine) addRuleInput(r *ruleState, in rules.Input, s window.Statistic) {
	m := e.matchers[in.Metric]
	if m == nil {
		m = &Matcher{engine: e, series: map[attr.Hash]*series{}}
		e.matchers[in.Metric] = m
	}
	if s.Kind != window.StatisticNone {
		m = m.statisticMatcher(s)
	}
	m.inputs = append(m.inputs, &ruleInput{rule: r, Input: in})
}

// statisticMatcher returns the matcher of one statistic of the metric's points.
func (m *Matcher) statisticMatcher(s window.Statistic) *Matcher {
	for _, known := range m.statistics {
		if known.statistic == s {
			return known
		}
	}
	sub := &Matcher{engine: m.engine, statistic: s, series: map[attr.Hash]*series{}}
	m.statistics = append(m.statistics, sub)
	return sub
}
