package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
)

// compileLevels compiles the ladder, or the flat form's one level.
func (c *compiler) compileLevels(rc RuleConfig, r *Rule, report func(string, ...any)) {
	flat := rc.LevelConfig
	hasBound := rc.Threshold != nil || flat.Above != nil || flat.Below != nil || flat.Outside != nil || flat.Inside != nil
	if k, own := r.Kind.(ladderCompiler); own {
		k.compileLevels(c, rc, hasBound, report)
		return
	}
	switch {
	case len(rc.Thresholds) > 0:
		if hasBound || rc.Severity != "" {
			report(`set "thresholds", or "threshold"+"severity", not both`)
		}
		for _, name := range sortedKeys(rc.Thresholds) {
			c.compileLevel(rc, r, name, c.inherit(rc.Thresholds[name], flat), "thresholds."+name+".message", report)
		}
	case !hasBound || rc.Severity == "":
		report(`no thresholds: set "thresholds", or "threshold"+"severity", or "absent"`)
	default:
		if rc.Threshold != nil {
			if flat.Above != nil {
				report(`"threshold" means "above": set one of them`)
			}
			flat.Above = rc.Threshold
		}
		c.compileLevel(rc, r, rc.Severity, flat, "message", report)
	}
}

// inherit gives a ladder's level what the rule says for all its levels.
func (c *compiler) inherit(l, common LevelConfig) LevelConfig {
	if l.For == nil && l.ForSamples == nil {
		l.For, l.ForSamples = common.For, common.ForSamples
	}
	if l.KeepFiringFor == nil {
		l.KeepFiringFor = common.KeepFiringFor
	}
	if l.Horizon == 0 {
		l.Horizon = common.Horizon
	}
	if l.Message == "" {
		l.Message = common.Message
	}
	return l
}

func (c *compiler) compileLevel(rc RuleConfig, r *Rule, name string, lc LevelConfig, where string, report func(string, ...any)) {
	spec := LevelSpec{Hysteresis: c.cfg.Defaults.Hysteresis, ofRate: rc.Aggregate == "rate"}
	if rc.Hysteresis != nil {
		spec.Hysteresis = *rc.Hysteresis
	}
	if !(spec.Hysteresis >= 0 && spec.Hysteresis < 1) {
		report("hysteresis must be in [0,1)")
	}
	if !c.setSeverity(&spec, name, report) {
		return
	}
	if err := spec.setBounds(lc); err != nil {
		report("%w", err)
		return
	}
	spec.ForDuration = c.span(lc.For, c.cfg.Defaults.For, "for", report)
	spec.KeepFiringFor = c.span(lc.KeepFiringFor, c.cfg.Defaults.KeepFiringFor, "keep_firing_for", report)
	compileForSamples(&spec, lc, report)
	spec.Message = c.levelMessage(rc, lc, where, report)
	if k, own := r.Kind.(levelCompiler); own {
		k.compileLevel(&spec, lc, report)
	} else if lc.Horizon != 0 {
		report(`level %s: "horizon" needs "forecast"`, name)
	}
	r.Levels = append(r.Levels, spec)
}

func (c *compiler) span(own *time.Duration, common time.Duration, name string, report func(string, ...any)) int64 {
	if own == nil {
		return max(0, int64(common))
	}
	if *own < 0 {
		report("%s must be ≥ 0", name)
	}
	return int64(*own)
}

// levelMessage compiles the template of the record's body: the level's, the rule's, or the annotation "summary".
func (c *compiler) levelMessage(rc RuleConfig, lc LevelConfig, where string, report func(string, ...any)) *Template {
	text := lc.Message
	if text == "" {
		if text = rc.Annotations["summary"]; text == "" {
			return nil
		}
		where = "annotations.summary"
	}
	t, err := compileTemplate(where, text)
	if err != nil {
		if where != "annotations.summary" { // compileTexts has reported that one.
			report("%w", err)
		}
		return nil
	}
	return t
}

func (c *compiler) setSeverity(spec *LevelSpec, name string, report func(string, ...any)) bool {
	i := slices.IndexFunc(c.severities, func(s Severity) bool { return s.Name == name })
	if i < 0 {
		known := make([]string, len(c.severities))
		for j, s := range c.severities {
			known[j] = s.Name
		}
		report("unknown severity %q (known: %s)", name, strings.Join(known, ", "))
		return false
	}
	spec.Severity, spec.Name, spec.Number = i, name, c.severities[i].Number
	return true
}

// title names the level in messages; the bound of only_if has no name.
func (s *LevelSpec) title() string {
	if s.Name == "" {
		return "only_if"
	}
	return "level " + s.Name
}

// setBounds reads the comparison and its bounds.
func (s *LevelSpec) setBounds(lc LevelConfig) error {
	var set []ladder.Comparison
	var bound any
	for _, x := range [...]struct {
		cmp   ladder.Comparison
		bound any
	}{{ladder.Above, lc.Above}, {ladder.Below, lc.Below}, {ladder.Outside, lc.Outside}, {ladder.Inside, lc.Inside}} {
		if x.bound != nil {
			set, bound = append(set, x.cmp), x.bound
		}
	}
	switch {
	case len(set) == 0:
		return fmt.Errorf(`%s has no bound: set "above", "below", "outside" or "inside"`, s.title())
	case len(set) > 1 && set[0] == ladder.Above && set[1] == ladder.Below:
		return fmt.Errorf(`both "above" and "below" in %s: use "outside" or "inside"`, s.title())
	case len(set) > 1:
		return fmt.Errorf("both %q and %q in %s: use one of them", set[0], set[1], s.title())
	}
	s.Comparison = set[0]
	var err error
	if s.Raise, err = s.parseBounds(bound); err != nil {
		return err
	}
	if lc.Clear == nil {
		return nil
	}
	s.HasClear = true
	if s.Clear, err = s.parseBounds(lc.Clear); err != nil {
		return fmt.Errorf("clear: %w", err)
	}
	return s.checkClear()
}

// parseBounds reads one bound, or a pair for the two-sided comparisons.
func (s *LevelSpec) parseBounds(v any) ([2]Quantity, error) {
	var q [2]Quantity
	var err error
	if s.Comparison == ladder.Above || s.Comparison == ladder.Below {
		q[0], err = s.parseBound(v)
		return q, err
	}
	pair, ok := v.([]any)
	if !ok || len(pair) != 2 {
		return q, fmt.Errorf("%q in %s expects two bounds, as in [10, 20]", s.Comparison, s.title())
	}
	for i := range q {
		if q[i], err = s.parseBound(pair[i]); err != nil {
			return q, err
		}
	}
	if q[0].Moving != nil || q[1].Moving != nil {
		return q, nil
	}
	q[0].zeroOf(&q[1])
	q[1].zeroOf(&q[0])
	if !q[0].sameUnit(q[1]) {
		return q, fmt.Errorf("%s and %s in %s are of different units: write both in one", q[0].Text, q[1].Text, s.title())
	}
	if q[0].Number >= q[1].Number {
		return q, fmt.Errorf("%q in %s: %s must be below %s", s.Comparison, s.title(), q[0].Text, q[1].Text)
	}
	return q, nil
}

// checkClear reports a clear bound on the wrong side: the level would let go before it takes hold.
func (s *LevelSpec) checkClear() error {
	if s.Moves() || s.Clear[0].Moving != nil || s.Clear[1].Moving != nil {
		return s.checkMovingClear()
	}
	for i := range s.Raise {
		s.Clear[i].zeroOf(&s.Raise[i])
		s.Raise[i].zeroOf(&s.Clear[i])
	}
	if !s.Raise[0].sameUnit(s.Clear[0]) {
		return fmt.Errorf("clear %s and threshold %s are of different units: write both in one", s.Clear[0].Text, s.Raise[0].Text)
	}
	if s.Comparison.Stricter(bounds(s.Raise), bounds(s.Clear)) {
		return nil
	}
	switch s.Comparison {
	case ladder.Above:
		return fmt.Errorf(`clear %s must be below threshold %s for an "above" level`, s.Clear[0].Text, s.Raise[0].Text)
	case ladder.Below:
		return fmt.Errorf(`clear %s must be above threshold %s for a "below" level`, s.Clear[0].Text, s.Raise[0].Text)
	case ladder.Outside:
		return fmt.Errorf(`clear of level %s must lie within its bounds for an "outside" level`, s.Name)
	default:
		return fmt.Errorf(`clear of level %s must enclose its bounds for an "inside" level`, s.Name)
	}
}
