package rules

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// compileRule compiles everything of a rule except its place among the others.
func (c *compiler) compileRule(rc RuleConfig, report func(string, ...any)) *Rule {
	r := &Rule{
		Name: rc.Name, Description: rc.Description, Scale: 1, Offset: rc.Offset, Top: rc.Top, Joins: rc.GroupAggregate != "",
		MayMatchNothing: rc.mayMatchNothing,
	}
	if rc.Scale != nil {
		r.Scale = *rc.Scale
	}
	if math.IsNaN(r.Scale) || math.IsInf(r.Scale, 0) || math.IsNaN(r.Offset) || math.IsInf(r.Offset, 0) {
		report("scale and offset must be finite")
	}
	if rc.Top < 0 {
		report("top must be ≥ 0")
	}
	c.compileGrouping(rc, r, report)
	c.compileKind(rc, r, report)
	compileTargets(rc, r, report)
	c.compileWindow(rc, r, report)
	c.compileOptions(rc, r, report)
	c.compileTexts(rc, r, report)
	if rc.Active != nil {
		r.Active = compileSchedule("active", rc.Active, report)
	}
	c.compileLevels(rc, r, report)
	return r
}

func (c *compiler) compileGrouping(rc RuleConfig, r *Rule, report func(string, ...any)) {
	var err error
	if r.GroupAggregate, err = window.ParseGroupAggregate(rc.GroupAggregate); err != nil {
		report("%w", err)
	}
	r.GroupGiven = rc.GroupBy != nil
	for _, name := range rc.GroupBy {
		if name == "resource" && !r.ByResource {
			r.ByResource = true
			continue
		}
		f := GroupField{Location: attr.InPoint, Key: name}
		if key, ok := strings.CutPrefix(name, "resource."); ok {
			f = GroupField{Location: attr.InResource, Key: key}
		} else if key, ok := strings.CutPrefix(name, "scope."); ok {
			f = GroupField{Location: attr.InScope, Key: key}
		}
		if f.Key == "" || name == "resource" || slices.Contains(r.GroupBy, f) {
			report("group_by: %q is empty or a duplicate", name)
			continue
		}
		r.GroupBy = append(r.GroupBy, f)
	}
}

// compileIdentity fills which resource attributes identify what an alert is about.
func (c *compiler) compileIdentity(rc RuleConfig, r *Rule, report func(string, ...any)) {
	keys := c.cfg.Defaults.Identity
	if rc.Identity != nil {
		keys = rc.Identity
	}
	if keys == nil {
		return
	}
	r.Identity = []string{}
	for _, key := range keys {
		switch {
		case key == "" || slices.Contains(r.Identity, key):
			report("identity: %q is empty or a duplicate", key)
		case strings.HasPrefix(key, "resource."):
			report("identity: %q: only attributes of resources identify; leave out \"resource.\"", key)
		default:
			r.Identity = append(r.Identity, key)
		}
	}
	slices.Sort(r.Identity)
}

func (c *compiler) compileWindow(rc RuleConfig, r *Rule, report func(string, ...any)) {
	interval := c.cfg.EvaluationInterval
	var err error
	if r.Aggregate, err = window.ParseAggregate(rc.Aggregate); err != nil {
		report("%w", err)
	}
	r.Window = int64(rc.Window)
	if r.AggregateName == "" {
		r.AggregateName = rc.Aggregate
	}
	switch {
	case rc.Window < 0:
		report("window must be ≥ 0")
	case rc.Window == 0 && r.Aggregate.Kind != window.AggregateLast:
		report("window is required for aggregate %q", rc.Aggregate)
	case rc.Window > 0 && r.AggregateName == "":
		report("window %s has no effect without aggregate: set it to avg, min, max, rate or another", FormatDuration(rc.Window))
	case rc.Window > 0 && rc.Window < interval && !rc.ofPreset:
		report("window %s is shorter than evaluation_interval %s", FormatDuration(rc.Window), FormatDuration(interval))
	}
	r.Retention = r.Kind.Span()
	longest := time.Duration(r.Retention)
	if interval > 0 && !rc.ofPreset {
		if need := int(longest / interval); need > c.cfg.Limits.SamplesPerSeries {
			report("window %s needs ~%d samples at %s, limits::samples_per_series is %d: raise it or shorten the window",
				FormatDuration(longest), need, FormatDuration(interval), c.cfg.Limits.SamplesPerSeries)
		}
	}
}

// compileOptions fills what defaults and overrides decide.
func (c *compiler) compileOptions(rc RuleConfig, r *Rule, report func(string, ...any)) {
	d := c.cfg.Defaults
	span := func(name string, own *time.Duration, common time.Duration) int64 {
		if own != nil {
			common = *own
		}
		if common < 0 {
			report("%s must be ≥ 0", name)
		}
		return int64(common)
	}
	r.StaleAfter = span("stale_series_after", rc.StaleSeriesAfter, d.StaleSeriesAfter)
	if r.StaleAfter == 0 {
		report("stale_series_after must be > 0")
	}
	r.NewSeriesDelay = span("new_series_delay", rc.NewSeriesDelay, d.NewSeriesDelay)
	r.RepeatInterval = span("repeat_interval", rc.RepeatInterval, d.RepeatInterval)
	r.MinSamples = d.MinSamples
	if rc.MinSamples != nil {
		r.MinSamples = *rc.MinSamples
	}
	if r.MinSamples < 1 {
		report("min_samples must be ≥ 1")
	}
	if full := cmp.Or(rc.FullWindow, d.FullWindow); full != nil {
		r.FullWindow, r.PartialWindow = *full, !*full
	}
	lookback := d.Lookback
	if rc.Lookback != "" {
		lookback = rc.Lookback
	}
	if lookback != "auto" && lookback != "" {
		span, err := time.ParseDuration(lookback)
		if _, bare := strconv.ParseFloat(lookback, 64); bare == nil {
			report("lookback is %s: a duration has a unit, as in %[1]ss", lookback)
		} else if err != nil || span <= 0 {
			report("lookback %q: expected \"auto\" or a duration > 0", lookback)
		}
		r.Lookback = int64(span)
	}
	c.compileNoData(rc.NoData, r, report)
	c.compileFlapping(rc.Flapping, r, report)
	c.compileIdentity(rc, r, report)
}

func (c *compiler) compileNoData(own *NoDataConfig, r *Rule, report func(string, ...any)) {
	policy := c.cfg.Defaults.NoData
	if own != nil {
		if own.After != 0 {
			policy.After = own.After
		}
		if own.Action != "" {
			policy.Action = own.Action
		}
	}
	r.NoDataAfter = int64(policy.After)
	if policy.After <= 0 {
		report("no_data.after must be > 0")
	}
	allowed := make([]string, len(noDataActions))
	for i, a := range noDataActions {
		if allowed[i] = a.name; a.name == policy.Action {
			r.NoData = a.action
			return
		}
	}
	report("unknown no_data.action %q %s", policy.Action, suggest.DidYouMean(policy.Action, allowed))
}

func (c *compiler) compileFlapping(own *FlappingConfig, r *Rule, report func(string, ...any)) {
	f := c.cfg.Defaults.Flapping
	if own != nil {
		if own.Enabled != nil {
			f.Enabled = own.Enabled
		}
		if own.Transitions != 0 {
			f.Transitions = own.Transitions
		}
		if own.Within != 0 {
			f.Within = own.Within
		}
		if own.StableFor != 0 {
			f.StableFor = own.StableFor
		}
	}
	r.Flapping = ladder.FlappingRule{
		Enabled: f.Enabled == nil || *f.Enabled, Transitions: f.Transitions, Within: int64(f.Within), StableFor: int64(f.StableFor),
	}
	if !r.Flapping.Enabled {
		return
	}
	if f.Transitions < 3 {
		report("flapping.transitions must be ≥ 3")
	}
	if f.Within <= 0 || f.StableFor <= 0 {
		report("flapping.within and flapping.stable_for must be > 0")
	}
}

func (c *compiler) compileTexts(rc RuleConfig, r *Rule, report func(string, ...any)) {
	for _, k := range sortedKeys(rc.Labels) {
		t, err := compileTemplate("labels."+k, rc.Labels[k])
		if err != nil {
			report("%w", err)
			continue
		}
		if field := t.changingField(); field != "" {
			report("label %q uses {{ .%s }}: labels identify the alert; move it to annotations", k, field)
			continue
		}
		r.Labels = append(r.Labels, NamedTemplate{Name: k, Template: t})
	}
	for _, k := range sortedKeys(rc.Annotations) {
		t, err := compileTemplate("annotations."+k, rc.Annotations[k])
		if err != nil {
			report("%w", err)
			continue
		}
		r.Annotations = append(r.Annotations, NamedTemplate{Name: k, Template: t})
	}
}
