package rules

import (
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// compileTargets compiles what the rule looks at, unless its kind has said so, and its condition.
func compileTargets(rc RuleConfig, r *Rule, report func(string, ...any)) {
	if r.Value.Metric == "" && r.Value.Key == "" {
		if rc.Metric == "" {
			report(`metric is required unless "ratio" is set`)
		}
		r.Metric = rc.Metric
		r.Value = compileTarget("", SelectorConfig{rc.Metric, rc.Match, rc.Statistic}, report)
	}
	if rc.OnlyIf == nil {
		return
	}
	o := rc.OnlyIf
	r.OnlyIf = &Condition{Target: compileTarget("only_if.", SelectorConfig{o.Metric, o.Match, o.Statistic}, report)}
	if err := r.OnlyIf.Bound.setBounds(LevelConfig{Above: o.Above, Below: o.Below, Outside: o.Outside, Inside: o.Inside}); err != nil {
		report("%w", err)
	}
}

// compileTarget compiles one selector; key is where it stands in the rule.
func compileTarget(key string, s SelectorConfig, report func(string, ...any)) Target {
	t := Target{Metric: s.Metric, Selector: compileSelector(s.Match, key+"match.", report), StatisticName: s.Statistic, Key: key}
	if key != "" && s.Metric == "" {
		report("%smetric is required", key)
	}
	var err error
	if t.Statistic, err = window.ParseStatistic(s.Statistic); err != nil {
		if key == "" {
			report("%w", err)
		} else {
			report("%s: %w", strings.TrimSuffix(key, "."), err)
		}
	}
	return t
}
