package rules

import (
	"math"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// ratio divides one value by another within each group. Its unit is 1 whatever theirs are.
type ratio struct {
	valueKind
	divisor Target
}

var ratioSpec = kindSpec{
	key: "ratio",
	compile: func(_ *compiler, rc RuleConfig, r *Rule, _ Kind, report func(string, ...any)) Kind {
		for _, x := range []struct {
			key string
			set bool
		}{
			{"metric", rc.Metric != ""},
			{"match", rc.Match != nil},
			{"statistic", rc.Statistic != ""},
		} {
			if x.set {
				report(`%[1]q stands beside "ratio": write it in "ratio.numerator" and "ratio.denominator"`, x.key)
			}
		}
		r.Value = compileTarget("ratio.numerator.", rc.Ratio.Numerator, report)
		k := &ratio{valueKind: valueKind{r}, divisor: compileTarget("ratio.denominator.", rc.Ratio.Denominator, report)}
		r.Metric = r.Value.Metric
		if r.Metric != k.divisor.Metric {
			r.Metric += " / " + k.divisor.Metric
		}
		if r.GroupAggregate == window.GroupWorst {
			r.GroupAggregate = window.GroupSum
		}
		return k
	},
}

func (k *ratio) Inputs() []Input {
	return []Input{
		{Target: &k.rule.Value, Role: RoleValue, versionKey: "ratio.of.point"},
		{Target: &k.divisor, Role: RoleDivisor, versionKey: "ratio.to.point"},
	}
}

func (k *ratio) Name() string               { return "ratio" }
func (k *ratio) Span() int64                { return k.rule.Window }
func (k *ratio) FixedUnit() (string, bool)  { return "1", true }
func (k *ratio) Reason() alertschema.Reason { return alertschema.ReasonThreshold }
func (k *ratio) SelectionText() string      { return " to " + k.divisor.Selector.canonical }

func (k *ratio) Text(f Finding) string { return f.say(phrase{subject: k.subject(k.rule)}) }

// subject names the value in messages.
func (k *ratio) subject(r *Rule) string {
	subject := r.Metric
	if r.Value.StatisticName != "" || k.divisor.StatisticName != "" {
		subject = r.pointText(&r.Value) + " / " + r.pointText(&k.divisor)
	}
	if r.Window > 0 && r.Aggregate.Kind != window.AggregateLast {
		subject += " (" + r.AggregateName + " over " + FormatDuration(time.Duration(r.Window)) + ")"
	}
	return r.scaledText(subject)
}

// VersionText is empty: the divisor stands in the selection, and its statistic among the inputs'.
func (k *ratio) VersionText() string { return "" }

func (k *ratio) readSeries(m *Moment, s *window.Series, _ int64) (float64, window.Presence) {
	return k.rule.seriesValue(m, s)
}

// Read divides the group's value by that of its divisors. Division by zero gives no value.
func (k *ratio) Read(m *Moment) {
	r := k.rule
	m.Until = k.until(m)
	v, by, presence := k.readGroup(m)
	if m.Presence = presence; presence != window.Present {
		return
	}
	m.By = by
	if m.Value = m.Offset + r.Scale*v; math.IsNaN(m.Value) {
		m.Presence = window.Missing
	}
}

// until is the time up to which both sides have a value if nothing more comes.
func (k *ratio) until(m *Moment) int64 {
	return min(k.rule.until(m.Series[RoleValue]), k.rule.until(m.Series[RoleDivisor]))
}

// readGroup divides the joined values of the group's series.
func (k *ratio) readGroup(m *Moment) (float64, int, window.Presence) {
	r := k.rule
	numerator, by, presence := r.joined(m, k, m.Series[RoleValue], 0)
	if presence = settled(presence); presence != window.Present {
		return 0, -1, presence
	}
	denominator, _, presence := r.joined(m, k, m.Series[RoleDivisor], 0)
	if presence = settled(presence); presence == window.Present && denominator == 0 {
		presence = window.Missing
	}
	return numerator / denominator, by, presence
}

// checkBounds reports bounds that can't be compared with a ratio: only bare numbers and percentages can.
func (k *ratio) checkBounds(report func(string, ...any)) {
	for i := range k.rule.Levels {
		l := &k.rule.Levels[i]
		if _, err := l.Resolve("1"); err != nil {
			report("threshold %s can't be compared with a ratio: write a number or a percentage", l.BoundText())
		}
	}
}
