package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// ruleInput is one selector of one rule.
type ruleInput struct {
	rule *ruleState
	rules.Input

	units []inputUnit // By the number of the unit.

	// offered tells that a stream of the metric came, and matched that a point of it was taken. Misplaced are the attributes of match that the first
	// stream had in its resource.
	offered, matched bool
	misplaced        []string

	// Whether the input is for series of an origin: that of the number that was asked for last.
	originNumber uint64
	fromOrigin   bool
}

// from tells whether the input is for series of the origin. It looks once, for an origin may have many metrics and long attributes.
func (w *ruleInput) from(o *attr.Origin) bool {
	if n := o.Number(); w.originNumber != n {
		w.originNumber, w.fromOrigin = n, w.Selector.MatchesOrigin(o)
	}
	return w.fromOrigin
}

// impossible tells whether the level waits for more than the metric can be: a bare 80 where it is a share.
func (w *ruleInput) impossible(s *rules.LevelSpec, l *ladder.Level, unit string) bool {
	return l.Comparison == ladder.Above && s.Raise[0].Unit == rules.UnitBare && unit == "1" && rules.IsShare(w.Metric) && w.Statistic.Kind != window.StatisticSum && l.Low > 1
}

// addRuleInputs brings the rule's selectors to the matchers of their metrics.
func (e *Engine) addRuleInputs(r *ruleState) {
	inputs := r.Inputs()
	for _, in := range inputs {
		r.joinsUnits = r.joinsUnits || in.Role != rules.RoleValue && in.Role != rules.RoleThreshold && !in.Optional
	}
	r.roles, r.required, r.wholeRounds = make([]rules.Role, len(inputs)), nil, r.JudgesRoundsWhole()
	for i, in := range inputs {
		if r.roles[i] = in.Role; !in.Optional {
			r.required = append(r.required, in.Role)
		}
		for _, metric := range in.Names() {
			e.addRuleInput(metric, r, in, in.Statistic)
			if in.AnyShape && in.Statistic.Kind == window.StatisticNone {
				e.addRuleInput(metric, r, in, window.Statistic{Kind: window.StatisticCount})
			}
		}
	}
	r.unit, r.fixedUnit = r.Kind.FixedUnit()
	// Until a unit has come bounds without one are known.
	levels, oneReading, err := r.resolve(r.Levels, r.unit)
	switch {
	case err == nil:
		r.levels, r.oneReading = levels, oneReading
	case r.fixedUnit:
		r.broken = true
		e.ruleError(r, errorLadder, err.Error) // Compile has refused such bounds.
	}
}

// addRuleInput brings one selector to the matcher of a metric name, for numbers or for one statistic of points that describe many values.
func (e *Engine) addRuleInput(metric string, r *ruleState, in rules.Input, s window.Statistic) {
	m := e.matchers[metric]
	if m == nil {
		m = &Matcher{engine: e, series: map[attr.Hash]*series{}}
		e.matchers[metric] = m
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
