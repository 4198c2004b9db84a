package rules

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// availableConfig says of what a share is in use: of a total all but what is available.
type availableConfig struct {
	available, total SelectorConfig
}

// inUse is the share of a total that is not available: of memory what free(1) takes for it. Where a host does not send both, the value is that
// of the rule's metric. It is a kind of presets alone.
type inUse struct {
	valueKind
	available, total Target
}

// compileInUse takes the rule's metric for hosts without the two others. To stored alerts the rule is the one that it was when it had the former alone:
// both say how full the host is.
func compileInUse(rc RuleConfig, r *Rule, report func(string, ...any)) Kind {
	r.Metric = rc.Metric
	r.Value = compileTarget("", SelectorConfig{rc.Metric, rc.Match, rc.Statistic}, report)
	return &inUse{
		valueKind: valueKind{r},
		available: compileTarget("", rc.inUse.available, report),
		total:     compileTarget("", rc.inUse.total, report),
	}
}

func (k *inUse) Inputs() []Input {
	return []Input{
		{Target: &k.rule.Value, Role: RoleValue, versionKey: "point"},
		{Target: &k.available, Role: RoleDivisor, Optional: true, versionKey: "point"},
		{Target: &k.total, Role: RoleTotal, Optional: true, versionKey: "point"},
	}
}

func (k *inUse) Name() string               { return "threshold" }
func (k *inUse) Span() int64                { return k.rule.Window }
func (k *inUse) Reason() alertschema.Reason { return alertschema.ReasonThreshold }
func (k *inUse) SelectionText() string      { return "" }
func (k *inUse) VersionText() string        { return "" }
func (k *inUse) Text(f Finding) string      { return k.rule.comparedText(f) }
func (k *inUse) Read(m *Moment)             { k.rule.read(m, k) }

// readSeries gives the value of the metric only where the others are not known.
func (k *inUse) readSeries(m *Moment, s *window.Series, _ int64) (float64, window.Presence) {
	v, presence := k.rule.seriesValue(m, s)
	if presence != window.Present || len(m.Series[RoleDivisor]) != 1 || len(m.Series[RoleTotal]) != 1 {
		return v, presence
	}
	of, by := m.Series[RoleDivisor][0], m.Series[RoleTotal][0]
	available, first := k.rule.Current(of, m.Time)
	total, second := k.rule.Current(by, m.Time)
	if first != window.Present || second != window.Present || of.Unit != by.Unit || !(available >= 0 && available <= total && total > 0) {
		return v, presence
	}
	return 1 - available/total, presence
}
