package rules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
)

// problems collects everything that is wrong, each with the place it was found at.
type problems struct{ errs []error }

func (p *problems) at(prefix string) func(string, ...any) {
	return func(format string, args ...any) {
		p.errs = append(p.errs, fmt.Errorf("%s%w", prefix, fmt.Errorf(format, args...)))
	}
}

// compiler turns one Config into a Set.
type compiler struct {
	cfg        Config
	severities []Severity
	problems   problems
	drafts     []*draft
}

// draft is a rule with what merging needs to know about where it came from.
type draft struct {
	rule   *Rule
	config RuleConfig
	report func(string, ...any)
	flat   bool
	broken bool
}

// Compile checks a configuration and turns it into rules. The error holds every problem, one a line.
func Compile(cfg Config) (*Set, error) {
	c := &compiler{cfg: cfg}
	report := c.problems.at("")
	c.severities = compileSeverities(cfg.Severities, report)
	c.checkGlobals(report)
	checkDurations(reflect.ValueOf(cfg), "", report)
	out := &Set{
		Severities: c.severities, Limits: cfg.Limits, SendResolved: cfg.Output.SendResolved,
		MaxSampleAge: int64(cfg.Limits.MaxSampleAge), EvaluationInterval: int64(cfg.EvaluationInterval),
	}
	presets, err := presetRules(cfg.Preset, cfg.Rules)
	if err != nil {
		report("%w", err)
	}
	for i, rc := range presets {
		c.add(rc, c.problems.at(fmt.Sprintf("preset %s[%d] %q: ", cfg.Preset, i, rc.Name)))
	}
	for i, rc := range cfg.Rules {
		prefix := fmt.Sprintf("rules[%d] %q: ", i, rc.Name)
		if rc.Name == "" {
			prefix = fmt.Sprintf("rules[%d]: ", i)
		}
		c.add(rc, c.problems.at(prefix))
	}
	for i, sc := range cfg.Silences {
		s, ok := compileSilence(sc, c.problems.at(fmt.Sprintf("silences[%d]: ", i)))
		if ok {
			out.Silences = append(out.Silences, s)
		}
	}
	for _, d := range c.drafts {
		c.finish(d)
		d.rule.Index = len(out.Rules)
		if out.MinStaleAfter == 0 || d.rule.StaleAfter < out.MinStaleAfter {
			out.MinStaleAfter = d.rule.StaleAfter
		}
		out.Rules = append(out.Rules, d.rule)
	}
	if err := errors.Join(c.problems.errs...); err != nil {
		return nil, err
	}
	return out, nil
}

// add compiles one rule, or merges its level into the rule of the same name.
func (c *compiler) add(rc RuleConfig, report func(string, ...any)) {
	before := len(c.problems.errs)
	d := &draft{config: rc, report: report, flat: rc.Thresholds == nil && rc.Severity != ""}
	if rc.Name == "" {
		report("name is required")
	}
	d.rule = c.compileRule(rc, report)
	d.broken = len(c.problems.errs) > before
	for _, other := range c.drafts {
		if rc.Name != "" && other.config.Name == rc.Name {
			c.merge(other, d)
			return
		}
	}
	c.drafts = append(c.drafts, d)
}

// merge adds the levels of a later rule of the same name.
func (c *compiler) merge(into, d *draft) {
	if into.broken || d.broken {
		return // What is wrong with them is already said.
	}
	if !reflect.DeepEqual(selectionOf(into.config), selectionOf(d.config)) {
		d.report("%q is defined twice with different selectors; same-named rules are merged into one ladder and must agree on "+
			"metric, match, group_by, window, aggregate", d.config.Name)
		return
	}
	if options := optionsOf(d.config); !reflect.DeepEqual(options, RuleConfig{}) &&
		!reflect.DeepEqual(options, optionsOf(into.config)) {
		d.report("%q is defined twice: set labels, annotations and options at its first rule only", d.config.Name)
		return
	}
	for _, l := range d.rule.Levels {
		if slices.ContainsFunc(into.rule.Levels, func(o LevelSpec) bool { return o.Severity == l.Severity }) {
			d.report("%q has severity %q twice", d.config.Name, l.Name)
			continue
		}
		into.rule.Levels = append(into.rule.Levels, l)
	}
}

// selectionOf returns the parts of a rule that same-named rules must share: all but its levels and options.
func selectionOf(rc RuleConfig) RuleConfig {
	rc.Name, rc.Description, rc.Severity, rc.Threshold, rc.Thresholds, rc.LevelConfig, rc.Hysteresis = "", "", "", nil, nil, LevelConfig{}, nil
	rc.Labels, rc.Annotations, rc.Top, rc.mayMatchNothing = nil, nil, 0, false
	rc.Lookback, rc.NoData, rc.StaleSeriesAfter, rc.NewSeriesDelay, rc.MinSamples = "", nil, nil, nil, nil
	rc.FullWindow, rc.RepeatInterval, rc.Flapping = nil, nil, nil
	return rc
}

// optionsOf returns the parts of a rule that concern the rule as a whole, and not which series it reads.
func optionsOf(rc RuleConfig) RuleConfig {
	return RuleConfig{
		Description: rc.Description, Labels: rc.Labels, Annotations: rc.Annotations, Top: rc.Top, Lookback: rc.Lookback, NoData: rc.NoData,
		StaleSeriesAfter: rc.StaleSeriesAfter, NewSeriesDelay: rc.NewSeriesDelay, MinSamples: rc.MinSamples, FullWindow: rc.FullWindow,
		RepeatInterval: rc.RepeatInterval, Flapping: rc.Flapping,
	}
}

// finish orders the ladder, checks it and names the rule's version.
func (c *compiler) finish(d *draft) {
	slices.SortStableFunc(d.rule.Levels, func(a, b LevelSpec) int { return a.Severity - b.Severity })
	if !d.broken {
		checkLadder(d.rule.Levels, d.report)
		if k, own := d.rule.Kind.(boundsChecker); own {
			k.checkBounds(d.report)
		}
	}
	d.rule.Version, d.rule.Selection = ruleVersion(d.rule)
}

// checkLadder reports levels that a lesser level makes unreachable, as far as the written units allow to tell.
func checkLadder(levels []LevelSpec, report func(string, ...any)) {
	for i := 1; i < len(levels); i++ {
		low, high := &levels[i-1], &levels[i]
		if low.Comparison != high.Comparison {
			report("ladder mixes %q and %q: use one comparison in a rule", low.Comparison, high.Comparison)
			return
		}
		if low.Raise[0].Unit != high.Raise[0].Unit || low.Raise[1].Unit != high.Raise[1].Unit {
			continue
		}
		if !high.Comparison.Stricter(bounds(high.Raise), bounds(low.Raise)) {
			report("ladder is not monotone: %s %s %s must be stricter than %s %s %s",
				high.Name, high.Comparison, high.BoundText(), low.Name, low.Comparison, low.BoundText())
		}
	}
}

func bounds(q [2]Quantity) [2]float64 { return [2]float64{q[0].Number, q[1].Number} }

// BoundText returns the bounds as they are written.
func (s *LevelSpec) BoundText() string {
	if s.Comparison == ladder.Outside || s.Comparison == ladder.Inside {
		return "[" + s.Raise[0].Text + ", " + s.Raise[1].Text + "]"
	}
	return s.Raise[0].Text
}

// checkGlobals checks everything that is not a rule.
func (c *compiler) checkGlobals(report func(string, ...any)) {
	if c.cfg.EvaluationInterval < time.Second {
		report("evaluation_interval must be ≥ 1s")
	}
	l := c.cfg.Limits
	for _, x := range []struct {
		name  string
		value int
	}{
		{"series", l.Series},
		{"samples_per_series", l.SamplesPerSeries},
		{"alerts_per_rule", l.AlertsPerRule},
		{"events_per_minute", l.EventsPerMinute},
		{"outbox", l.Outbox},
	} {
		if x.value < 1 {
			report("limits::%s must be ≥ 1", x.name)
		}
	}
	if l.MaxSampleAge <= 0 {
		report("limits::max_sample_age must be > 0")
	}
	if c.cfg.Defaults.For < 0 {
		report("for must be ≥ 0")
	}
	if c.cfg.Defaults.KeepFiringFor < 0 {
		report("keep_firing_for must be ≥ 0")
	}
	if h := c.cfg.Defaults.Hysteresis; !(h >= 0 && h < 1) {
		report("hysteresis must be in [0,1)")
		c.cfg.Defaults.Hysteresis = 0
	}
	// The defaults go through the same checks as a rule's own settings, once and without a rule's name; the
	// rules are then checked against sound defaults, so that one mistake is reported once.
	before := len(c.problems.errs)
	var probe Rule
	c.compileOptions(RuleConfig{}, &probe, report)
	if len(c.problems.errs) > before {
		c.cfg.Defaults = DefaultConfig().Defaults
	}
}
