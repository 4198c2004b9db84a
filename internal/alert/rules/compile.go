package rules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// shortProblem is up to how many bytes the text of a problem needs no look for long quotes.
const shortProblem = 64

// maxRules bounds the rules of a set, those of rule files and presets among them: each is compared with every sample.
const maxRules = 10_000

// problems collects everything that is wrong, each with the place it was found at.
type problems struct{ errs []error }

func (p *problems) at(prefix string) func(string, ...any) {
	return func(format string, args ...any) {
		err := fmt.Errorf("%s%w", prefix, fmt.Errorf(format, args...))
		if text := err.Error(); len(text) > shortProblem {
			if short := printable.ShortQuotes(text); short != text {
				err = errors.New(short)
			}
		}
		p.errs = append(p.errs, err)
	}
}

// lines are the problems as text.
func (p *problems) lines() []string {
	var out []string
	for _, err := range p.errs {
		out = append(out, err.Error())
	}
	return out
}

// compiler turns one Config into a Set.
type compiler struct {
	cfg        Config
	severities []Severity
	problems   problems
	warnings   problems
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
func Compile(cfg Config) (*Set, error) { return compile(cfg, true) }

// compile is Compile; complete tells that cfg has all rules.
func compile(cfg Config, complete bool) (*Set, error) {
	c := &compiler{cfg: cfg}
	report := c.problems.at("")
	if n := len(cfg.Rules); n > maxRules {
		return nil, fmt.Errorf("%d rules: a set may have %d; make one rule of those that differ in an attribute only, with group_by and thresholds_by", n, maxRules)
	}
	c.severities = compileSeverities(cfg.Severities, report)
	c.checkGlobals(report)
	checkDurations(reflect.ValueOf(cfg), "", report)
	out := &Set{
		Severities: c.severities, Limits: cfg.Limits, SendResolved: cfg.Output.SendResolved,
		MaxSampleAge: int64(cfg.Limits.MaxSampleAge), EvaluationInterval: int64(cfg.EvaluationInterval),
	}
	for _, rc := range cfg.presetRules(report) {
		c.add(rc, c.problems.at(fmt.Sprintf("preset %s: %q: ", cfg.presetName(), rc.Name)))
	}
	for i, rc := range cfg.Rules {
		prefix := fmt.Sprintf("rules[%d] %q: ", i, rc.Name)
		if rc.Name == "" {
			prefix = fmt.Sprintf("rules[%d]: ", i)
		}
		c.add(rc, c.problems.at(prefix))
		c.doubtfulRule(&rc, c.warnings.at(prefix))
	}
	for _, d := range c.drafts {
		c.finish(d)
		d.rule.Index = len(out.Rules)
		if out.MinStaleAfter == 0 || d.rule.StaleAfter < out.MinStaleAfter {
			out.MinStaleAfter = d.rule.StaleAfter
		}
		out.Rules = append(out.Rules, d.rule)
	}
	if complete { // The rule that is referred to may stand in a rule file.
		c.compileReferences(out)
	}
	for i, d := range c.drafts {
		if r := out.Rules[i]; !d.broken {
			r.Version, r.Selection = ruleVersion(r)
			r.WrittenSelection = writtenSelection(r)
		}
	}
	known := out.Rules // Of silences.
	if !complete || len(c.problems.errs) > 0 {
		known = nil // A rule that is wrong may be the one that is meant.
	} else if known == nil {
		known = []*Rule{}
	}
	for i, sc := range cfg.Silences {
		doubtfulMatch(sc.Match, "match.", c.warnings.at(fmt.Sprintf("silences[%d]: ", i)))
		s, ok := compileSilence(sc, known, c.problems.at(fmt.Sprintf("silences[%d]: ", i)))
		if ok {
			out.Silences = append(out.Silences, s)
		}
	}
	if err := errors.Join(c.problems.errs...); err != nil {
		return nil, err
	}
	out.Warnings = c.warnings.lines()
	return out, nil
}

// add compiles one rule, or merges its level into the rule of the same name.
func (c *compiler) add(rc RuleConfig, report func(string, ...any)) {
	before := len(c.problems.errs)
	d := &draft{config: rc, report: report, flat: rc.Thresholds == nil && rc.Severity != ""}
	if rc.Name == "" {
		report("name is required")
	}
	checkIgnoredKeys(&rc, report)
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
	if !reflect.DeepEqual(selectionOf(into.config), selectionOf(d.config)) || selectionText(into.rule) != selectionText(d.rule) {
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
	rc.FullWindow, rc.RepeatInterval, rc.Flapping, rc.Active, rc.Unless, rc.ThresholdsBy = nil, nil, nil, nil, nil, nil
	rc.Match, rc.GroupBy, rc.Identity = nil, nil, nil // Of these the meaning counts, which the selection's text has.
	return rc
}

// optionsOf returns the parts of a rule that concern the rule as a whole, and not which series it reads.
func optionsOf(rc RuleConfig) RuleConfig {
	return RuleConfig{
		Description: rc.Description, Labels: rc.Labels, Annotations: rc.Annotations, Top: rc.Top, Lookback: rc.Lookback, NoData: rc.NoData,
		StaleSeriesAfter: rc.StaleSeriesAfter, NewSeriesDelay: rc.NewSeriesDelay, MinSamples: rc.MinSamples, FullWindow: rc.FullWindow,
		RepeatInterval: rc.RepeatInterval, Flapping: rc.Flapping, Active: rc.Active, Unless: rc.Unless, ThresholdsBy: rc.ThresholdsBy,
	}
}

// finish orders the ladder and checks it.
func (c *compiler) finish(d *draft) {
	slices.SortStableFunc(d.rule.Levels, func(a, b LevelSpec) int { return a.Severity - b.Severity })
	if !d.broken {
		checkLadder(d.rule.Levels, d.report)
		if k, own := d.rule.Kind.(boundsChecker); own {
			k.checkBounds(d.report)
		}
		c.compileThresholdsBy(d)
		c.compileSource(d)
	}
	if d.config.eitherForm {
		for _, in := range d.rule.Inputs() {
			in.takeOldForm()
		}
	}
}

// checkLadder reports levels that a lesser level makes unreachable, as far as the written units allow to tell.
func checkLadder(levels []LevelSpec, report func(string, ...any)) {
	for i := 1; i < len(levels); i++ {
		low, high := &levels[i-1], &levels[i]
		if low.Comparison != high.Comparison {
			report("ladder mixes %q and %q: use one comparison in a rule", low.Comparison, high.Comparison)
			return
		}
		if !low.Raise[0].sameUnit(high.Raise[0]) || !low.Raise[1].sameUnit(high.Raise[1]) {
			continue
		}
		stricter := high.Comparison.Stricter(bounds(high.Raise), bounds(low.Raise))
		if low.Moves() || high.Moves() {
			stricter = stricterMoving(high.Comparison, high.Raise, low.Raise)
		}
		if !stricter {
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
		name         string
		value, least int
	}{
		{"series", l.Series, 1},
		{"samples_per_series", l.SamplesPerSeries, 1},
		{"alerts_per_rule", l.AlertsPerRule, 1},
		{"events_per_minute", l.EventsPerMinute, 1},
		{"outbox", l.Outbox, 1},
		{"attributes_per_resource", l.AttributesPerResource, 1},
		{"attributes_per_point", l.AttributesPerPoint, 1},
		{"attribute_bytes", l.AttributeBytes, MinAttributeBytes},
		{"attribute_depth", l.AttributeDepth, 1},
		{"times_per_batch", l.TimesPerBatch, 1},
		{"memory_mib", l.MemoryMiB, 0},
	} {
		if x.value < x.least {
			report("limits::%s must be ≥ %d", x.name, x.least)
		}
	}
	if l.KnownAfter <= 0 {
		report("limits::known_after must be > 0")
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
	doubtfulNoData(c.cfg.Defaults.NoData.After, c.cfg.Defaults.StaleSeriesAfter, c.warnings.at("defaults: "))
	before := len(c.problems.errs)
	var probe Rule
	c.compileOptions(RuleConfig{}, &probe, report)
	if len(c.problems.errs) > before {
		c.cfg.Defaults = DefaultConfig().Defaults
	}
}
