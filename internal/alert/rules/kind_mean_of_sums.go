package rules

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// meanOfSums adds up all series of a group and divides by the number of those of one selector: idle and iowait of all CPUs by the number of
// CPUs, whether they come together or one by one, and where there is no iowait. It is a kind of presets alone.
type meanOfSums struct {
	valueKind
	each Target // of what there is one series for each thing
}

// compileMeanOfSums takes the rule's match for the selector of each thing, and its addends for what is summed. To stored alerts the rule is the one that it
// was when it had the former alone: both say how busy the host is.
func compileMeanOfSums(rc RuleConfig, r *Rule, report func(string, ...any)) Kind {
	k := &meanOfSums{valueKind: valueKind{r}, each: compileTarget("", SelectorConfig{rc.Metric, rc.Match, rc.Statistic}, report)}
	r.Metric = rc.Metric
	r.Value = compileTarget("", SelectorConfig{rc.Metric, rc.addends, rc.Statistic}, report)
	r.Value.Selector.canonical, r.Value.Selector.match = k.each.Selector.canonical, k.each.Selector.match
	return k
}

func (k *meanOfSums) Inputs() []Input {
	return []Input{{Target: &k.rule.Value, Role: RoleValue, versionKey: "point"}, {Target: &k.each, Role: RoleDivisor, versionKey: "point"}}
}

func (k *meanOfSums) Name() string               { return "threshold" }
func (k *meanOfSums) Span() int64                { return k.rule.Window }
func (k *meanOfSums) Reason() alertschema.Reason { return alertschema.ReasonThreshold }
func (k *meanOfSums) SelectionText() string      { return "" }
func (k *meanOfSums) VersionText() string        { return "" }
func (k *meanOfSums) Text(f Finding) string      { return k.rule.comparedText(f) }

func (k *meanOfSums) readSeries(m *Moment, s *window.Series, _ int64) (float64, window.Presence) {
	return k.rule.seriesValue(m, s)
}

// Read gives no value without any series of each thing.
func (k *meanOfSums) Read(m *Moment) {
	r := k.rule
	m.Until = r.until(m.Series[RoleDivisor])
	count, by, presence := r.joinedAs(window.GroupCount, m, k, m.Series[RoleDivisor], 0)
	if m.By, m.Presence = by, settled(presence); m.Presence != window.Present {
		return
	}
	sum, by, presence := r.joinedAs(window.GroupSum, m, k, m.Series[RoleValue], 0)
	if m.By, m.Presence = by, settled(presence); m.Presence != window.Present {
		return
	}
	if m.Value = m.Offset + r.Scale*(sum/count); math.IsNaN(m.Value) {
		m.Presence = window.Missing
	}
}
