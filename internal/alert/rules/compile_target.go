package rules

import (
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// compileTargets compiles what the rule looks at: its metric or its ratio, and its condition.
func compileTargets(rc RuleConfig, r *Rule, report func(string, ...any)) {
	switch {
	case rc.Ratio != nil:
		compileRatio(rc, r, report)
	case rc.Metric == "":
		report(`metric is required unless "ratio" is set`)
		fallthrough
	default:
		r.Metric = rc.Metric
		r.Value = compileTarget("", SelectorConfig{rc.Metric, rc.Match, rc.Point}, report)
	}
	if rc.OnlyIf == nil {
		return
	}
	if rc.Absent != nil {
		report(`"absent" and "only_if" exclude each other`)
	}
	o := rc.OnlyIf
	r.OnlyIf = &Condition{Target: compileTarget("only_if.", SelectorConfig{o.Metric, o.Match, o.Point}, report)}
	if err := r.OnlyIf.Bound.setBounds(LevelConfig{Above: o.Above, Below: o.Below, Outside: o.Outside, Inside: o.Inside}); err != nil {
		report("%w", err)
	}
}

// compileTarget compiles one selector; key is where it stands in the rule.
func compileTarget(key string, s SelectorConfig, report func(string, ...any)) Target {
	t := Target{Metric: s.Metric, Selector: compileSelector(s.Match, key+"match.", report), StatisticName: s.Point, Key: key}
	if key != "" && s.Metric == "" {
		report("%smetric is required", key)
	}
	var err error
	if t.Statistic, err = window.ParseStatistic(s.Point); err != nil {
		if key == "" {
			report("%w", err)
		} else {
			report("%s: %w", strings.TrimSuffix(key, "."), err)
		}
	}
	return t
}

// compileRatio compiles both sides of a ratio. Its unit is 1 whatever theirs are.
func compileRatio(rc RuleConfig, r *Rule, report func(string, ...any)) {
	for _, x := range []struct {
		key string
		set bool
	}{
		{"metric", rc.Metric != ""},
		{"match", rc.Match != nil},
		{"point", rc.Point != ""},
	} {
		if x.set {
			report(`%[1]q stands beside "ratio": write it in "ratio.of" and "ratio.to"`, x.key)
		}
	}
	if rc.Forecast != nil {
		report(`"forecast" and "ratio" exclude each other`)
	}
	if rc.Absent != nil {
		report(`"absent" and "ratio" exclude each other`)
	}
	r.Value = compileTarget("ratio.of.", rc.Ratio.Of, report)
	divisor := compileTarget("ratio.to.", rc.Ratio.To, report)
	r.Divisor = &divisor
	r.Metric = r.Value.Metric
	if r.Metric != divisor.Metric {
		r.Metric += " / " + divisor.Metric
	}
	if r.GroupAggregate == window.GroupWorst {
		r.GroupAggregate = window.GroupSum
	}
}

// checkRatioBounds reports bounds that can't be compared with a ratio: only bare numbers and percentages can.
func checkRatioBounds(r *Rule, report func(string, ...any)) {
	if r.Divisor == nil {
		return
	}
	for i := range r.Levels {
		l := &r.Levels[i]
		if _, err := l.Resolve("1"); err != nil {
			report("threshold %s can't be compared with a ratio: write a number or a percentage", l.BoundText())
		}
	}
}

// targets are all selectors of the rule.
func (r *Rule) targets() []*Target {
	out := []*Target{&r.Value}
	if r.Divisor != nil {
		out = append(out, r.Divisor)
	}
	if r.OnlyIf != nil {
		out = append(out, &r.OnlyIf.Target)
	}
	return out
}
