package alert

import (
	"fmt"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// SelectDistributions is Select for the points of one metric that describe many values each. Rules that do not say which statistic
// of such a point they want, or want one that the points do not give, say so once.
func (m *Matcher) SelectDistributions(o *attr.Origin, s Stream, shape window.Shape) bool {
	for _, w := range m.inputs {
		if !w.AnyShape && w.from(o) {
			m.engine.ruleError(w.rule, errorShape, func() string {
				return fmt.Sprintf("metric %s is %s: set %q to one of its statistics (%s)", w.Metric, shape, w.Key+"statistic",
					strings.Join(window.StatisticNames, ", "))
			})
		}
	}
	wanted := false
	for _, f := range m.statistics {
		if f.selectStatistic(o, s, shape) {
			wanted = true
		}
	}
	return wanted
}

// selectStatistic prepares for the statistic of the points. Counts and sums go on from point to point as the stream does; other
// statistics are levels, and those of a cumulative stream would be about all the time since its start.
func (m *Matcher) selectStatistic(o *attr.Origin, s Stream, shape window.Shape) bool {
	m.active = m.active[:0]
	levels := shape == window.Summary && m.statistic.Kind != window.StatisticAvg // Quantiles of a summary are about the recent past.
	if s.Kind != window.DeltaCounter && !m.statistic.OfCounter() && !levels {
		for _, w := range m.inputs {
			if w.from(o) {
				m.engine.ruleError(w.rule, errorTemporality, func() string {
					return fmt.Sprintf("metric %s is %s of cumulative temporality, so its %s is since the start: use delta "+
						"temporality, or \"count\" or \"sum\" over a window", w.Metric, shape, m.statistic)
				})
			}
		}
		return false
	}
	if !m.statistic.OfCounter() {
		s.Kind = window.Gauge
	}
	s.Unit = m.statistic.UnitOf(s.Unit)
	return m.activate(o, s)
}

// WantsDistribution is Wants for a point that describes many values.
func (m *Matcher) WantsDistribution(attrs attr.Source) bool {
	for _, f := range m.statistics {
		if f.Wants(attrs) {
			return true
		}
	}
	return false
}

// ObserveDistribution takes a point that describes many values; the point's own value does not count.
func (m *Matcher) ObserveDistribution(p *Point, d *window.Distribution) {
	for _, f := range m.statistics {
		f.observeStatistic(p, d)
	}
}

func (m *Matcher) observeStatistic(p *Point, d *window.Distribution) {
	wanted := false
	var ok bool
	var problem string
	for _, w := range m.active {
		if !w.Selector.MatchesPoint(p.Attributes) {
			continue
		}
		if !wanted && !p.NoValue {
			p.Value, ok, problem = d.Read(m.statistic)
		}
		wanted = true
		if w.Role == rules.RoleValue {
			w.rule.lastMatch = m.engine.running // A point without values is a point.
		}
		if problem != "" {
			m.engine.ruleError(w.rule, errorStatistic, func() string { return fmt.Sprintf("metric %s is %s: %s", w.Metric, d.Shape, problem) })
		}
	}
	if wanted && (ok || p.NoValue) {
		m.Take(p)
	}
}
