package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// compileLevels compiles the ladder, the flat form's one level, or the level of an absent rule.
func (c *compiler) compileLevels(rc RuleConfig, r *rule, report func(string, ...any)) {
	flat := rc.LevelConfig
	hasBound := rc.Threshold != nil || flat.Above != nil || flat.Below != nil || flat.Outside != nil || flat.Inside != nil
	switch {
	case rc.Absent != nil:
		if len(rc.Thresholds) > 0 || hasBound {
			report(`"absent" and thresholds exclude each other`)
		}
		if rc.Severity == "" {
			report(`"absent" needs "severity"`)
			return
		}
		spec := levelSpec{cmp: isAbsent, message: c.levelMessage(rc, flat, "message", report)}
		if c.setSeverity(&spec, rc.Severity, report) {
			spec.keepFiringFor = c.span(flat.KeepFiringFor, c.cfg.Defaults.KeepFiringFor, "keep_firing_for", report)
			r.levels = append(r.levels, spec)
		}
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
	if l.For == nil {
		l.For = common.For
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

func (c *compiler) compileLevel(rc RuleConfig, r *rule, name string, lc LevelConfig, where string, report func(string, ...any)) {
	spec := levelSpec{hysteresis: c.cfg.Defaults.Hysteresis}
	if rc.Hysteresis != nil {
		spec.hysteresis = *rc.Hysteresis
	}
	if !(spec.hysteresis >= 0 && spec.hysteresis < 1) {
		report("hysteresis must be in [0,1)")
	}
	if !c.setSeverity(&spec, name, report) {
		return
	}
	if err := spec.setBounds(lc); err != nil {
		report("%w", err)
		return
	}
	spec.forDuration = c.span(lc.For, c.cfg.Defaults.For, "for", report)
	spec.keepFiringFor = c.span(lc.KeepFiringFor, c.cfg.Defaults.KeepFiringFor, "keep_firing_for", report)
	spec.message = c.levelMessage(rc, lc, where, report)
	if rc.Forecast != nil {
		spec.horizon = int64(rc.Forecast.Horizon)
		if lc.Horizon != 0 {
			spec.horizon = int64(lc.Horizon)
		}
		if spec.horizon < 0 {
			report("level %s: horizon must be > 0", name)
		}
	} else if lc.Horizon != 0 {
		report(`level %s: "horizon" needs "forecast"`, name)
	}
	r.levels = append(r.levels, spec)
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
func (c *compiler) levelMessage(rc RuleConfig, lc LevelConfig, where string, report func(string, ...any)) *messageTemplate {
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

func (c *compiler) setSeverity(spec *levelSpec, name string, report func(string, ...any)) bool {
	i := slices.IndexFunc(c.severities, func(s severity) bool { return s.name == name })
	if i < 0 {
		known := make([]string, len(c.severities))
		for j, s := range c.severities {
			known[j] = s.name
		}
		report("unknown severity %q (known: %s)", name, strings.Join(known, ", "))
		return false
	}
	spec.severity, spec.name, spec.number = i, name, c.severities[i].number
	return true
}

// title names the level in messages; the bound of only_if has no name.
func (s *levelSpec) title() string {
	if s.name == "" {
		return "only_if"
	}
	return "level " + s.name
}

// setBounds reads the comparison and its bounds.
func (s *levelSpec) setBounds(lc LevelConfig) error {
	var set []comparison
	var bound any
	for _, x := range [...]struct {
		cmp   comparison
		bound any
	}{{above, lc.Above}, {below, lc.Below}, {outside, lc.Outside}, {inside, lc.Inside}} {
		if x.bound != nil {
			set, bound = append(set, x.cmp), x.bound
		}
	}
	switch {
	case len(set) == 0:
		return fmt.Errorf(`%s has no bound: set "above", "below", "outside" or "inside"`, s.title())
	case len(set) > 1 && set[0] == above && set[1] == below:
		return fmt.Errorf(`both "above" and "below" in %s: use "outside" or "inside"`, s.title())
	case len(set) > 1:
		return fmt.Errorf("both %q and %q in %s: use one of them", set[0], set[1], s.title())
	}
	s.cmp = set[0]
	var err error
	if s.raise, err = s.parseBounds(bound); err != nil {
		return err
	}
	if lc.Clear == nil {
		return nil
	}
	s.hasClear = true
	if s.clear, err = s.parseBounds(lc.Clear); err != nil {
		return fmt.Errorf("clear: %w", err)
	}
	return s.checkClear()
}

// parseBounds reads one bound, or a pair for the two-sided comparisons.
func (s *levelSpec) parseBounds(v any) ([2]quantity, error) {
	var q [2]quantity
	var err error
	if s.cmp == above || s.cmp == below {
		q[0], err = parseQuantity(v)
		return q, err
	}
	pair, ok := v.([]any)
	if !ok || len(pair) != 2 {
		return q, fmt.Errorf("%q in %s wants two bounds, as in [10, 20]", s.cmp, s.title())
	}
	for i := range q {
		if q[i], err = parseQuantity(pair[i]); err != nil {
			return q, err
		}
	}
	if q[0].unit != q[1].unit {
		return q, fmt.Errorf("%s and %s in %s are of different units", q[0].text, q[1].text, s.title())
	}
	if q[0].num >= q[1].num {
		return q, fmt.Errorf("%q in %s: %s must be below %s", s.cmp, s.title(), q[0].text, q[1].text)
	}
	return q, nil
}

// checkClear reports a clear bound on the wrong side: the level would let go before it takes hold.
func (s *levelSpec) checkClear() error {
	if s.raise[0].unit != s.clear[0].unit {
		return fmt.Errorf("clear %s and threshold %s are of different units", s.clear[0].text, s.raise[0].text)
	}
	if s.cmp.stricter(bounds(s.raise), bounds(s.clear)) {
		return nil
	}
	switch s.cmp {
	case above:
		return fmt.Errorf(`clear %s must be below threshold %s for an "above" level`, s.clear[0].text, s.raise[0].text)
	case below:
		return fmt.Errorf(`clear %s must be above threshold %s for a "below" level`, s.clear[0].text, s.raise[0].text)
	case outside:
		return fmt.Errorf(`clear of level %s must lie within its bounds for an "outside" level`, s.name)
	default:
		return fmt.Errorf(`clear of level %s must enclose its bounds for an "inside" level`, s.name)
	}
}
