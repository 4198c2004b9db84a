package rules

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// Moving is a bound that is read and not written: Offset + Scale × the value of the rule's ThresholdSource, in the unit of the rule's value.
type Moving struct{ Scale, Offset float64 }

// at is the bound where the source is x.
func (m *Moving) at(x float64) float64 { return m.Offset + m.Scale*x }

// ThresholdSource is what the moving bounds of a rule are read from: the newest value of a metric in the same group, or an attribute's value.
type ThresholdSource struct {
	// Target is the metric; of no meaning where OfAttribute is set.
	Target Target
	// OfAttribute tells that it is an attribute, Attribute.
	OfAttribute bool
	Attribute   GroupField
	// Unit is the unit of the attribute's value, "" for that of the rule's value.
	Unit string
	// Aggregate joins several values of a group, GroupWorst for none: a group may then have one only.
	Aggregate window.GroupAggregate
	// canonical is all of it as text: levels of a rule have the same source, and rule versions are made of it.
	canonical string
}

// name is what messages call the source.
func (t *ThresholdSource) name() string {
	switch {
	case t.OfAttribute && t.Attribute.Location == attr.InResource:
		return "resource." + t.Attribute.Key
	case t.OfAttribute:
		return t.Attribute.Key
	case t.Target.StatisticName != "":
		return t.Target.StatisticName + " of " + t.Target.Metric
	default:
		return t.Target.Metric
	}
}

// text is how a message names the bound.
func (m *Moving) text(name string) string {
	if m.Scale != 1 {
		name = plainNumber(m.Scale) + " × " + name
	}
	if m.Offset != 0 {
		name = plainNumber(m.Offset) + " + " + name
	}
	return name
}

var movingKeys = []string{"metric", "match", "statistic", "attribute", "unit", "group_aggregate", "scale", "offset"}

// parseBound reads one bound: a quantity, or where to read it.
func (s *LevelSpec) parseBound(v any) (Quantity, error) {
	block, isMap := v.(map[string]any)
	if !isMap {
		q, err := parseQuantity(v)
		q.rated = s.ofRate && err == nil
		return q, err
	}
	for _, key := range sortedKeys(block) {
		if !slices.Contains(movingKeys, key) {
			return Quantity{}, fmt.Errorf("%s: unknown key %q %s", s.title(), key, suggest.DidYouMean(key, movingKeys))
		}
	}
	m := &Moving{Scale: 1}
	var err error
	for key, to := range map[string]*float64{"scale": &m.Scale, "offset": &m.Offset} {
		if v, there := block[key]; there {
			if *to, err = plainFactor(v); err != nil {
				return Quantity{}, fmt.Errorf("%s: %s: %w", s.title(), key, err)
			}
		}
	}
	if m.Scale <= 0 {
		return Quantity{}, fmt.Errorf("%s: scale must be > 0", s.title())
	}
	source, err := parseSource(block)
	if err != nil {
		return Quantity{}, fmt.Errorf("%s: %w", s.title(), err)
	}
	name := "threshold"
	switch {
	case source != nil && s.source != nil && source.canonical != s.source.canonical:
		return Quantity{}, fmt.Errorf("%s: the bounds of a rule are read from one metric or attribute, not from %s and %s", s.title(), s.source.name(), source.name())
	case source != nil:
		s.source, name = source, source.name()
	case s.source == nil:
		return Quantity{}, fmt.Errorf(`%s: set "metric" or "attribute"`, s.title())
	default:
		name = s.source.name() // A clear bound goes by what the bound goes by.
	}
	return Quantity{Moving: m, Text: m.text(name)}, nil
}

// plainFactor reads a number or a percentage.
func plainFactor(v any) (float64, error) {
	q, err := parseQuantity(v)
	switch {
	case err != nil:
		return 0, errors.New("expected a number or a percentage")
	case math.IsInf(q.Number, 0):
		return 0, errors.New("must be finite")
	case q.Unit == UnitPercent:
		return q.Number / 100, nil
	case q.Unit != UnitBare:
		return 0, errors.New("expected a number or a percentage")
	}
	return q.Number, nil
}

// parseSource reads what a bound is read from, nil for none.
func parseSource(block map[string]any) (*ThresholdSource, error) {
	text := func(key string) string {
		t, _ := block[key].(string)
		return t
	}
	for _, key := range []string{"metric", "statistic", "attribute", "unit", "group_aggregate"} {
		if v, there := block[key]; there && text(key) == "" {
			return nil, fmt.Errorf("%s: expected text, got %v", key, v)
		}
	}
	match, _ := block["match"].(map[string]any)
	if block["match"] != nil && match == nil {
		return nil, errors.New("match: expected attributes")
	}
	_, hasMatch := block["match"]
	t := &ThresholdSource{Unit: text("unit")}
	var err error
	if t.Aggregate, err = window.ParseGroupAggregate(text("group_aggregate")); err != nil {
		return nil, err
	}
	ofMetric := text("metric") != "" || hasMatch || text("statistic") != ""
	switch {
	case text("attribute") != "" && ofMetric:
		return nil, errors.New(`"attribute" excludes "metric", "match" and "statistic"`)
	case text("attribute") != "":
		t.OfAttribute, t.Attribute = true, parseField(text("attribute"))
		t.Target.Key = "threshold."
	case !ofMetric:
		if t.Unit != "" || t.Aggregate != window.GroupWorst {
			return nil, errors.New(`set "metric" or "attribute"`)
		}
		return nil, nil
	default:
		if t.Unit != "" {
			return nil, errors.New(`"unit" is for attributes: a metric has its own`)
		}
		var errs []error
		report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
		t.Target = compileTarget("threshold.", SelectorConfig{text("metric"), match, text("statistic")}, report)
		if err := errors.Join(errs...); err != nil {
			return nil, errs[0]
		}
	}
	if t.Unit != "" {
		if !ParseUnit(t.Unit).Known() {
			return nil, fmt.Errorf("unit %q is not known: write one as metrics have it, such as By/s or Mbit/s", t.Unit)
		}
	}
	t.canonical = fmt.Sprintf("%q %s %s %t {%d %s} %q %d", t.Target.Metric, t.Target.Selector.canonical, t.Target.Statistic, t.OfAttribute,
		t.Attribute.Location, t.Attribute.Key, t.Unit, t.Aggregate)
	return t, nil
}

// parseField reads the name of an attribute, with resource. or scope. in front where it is theirs.
func parseField(name string) GroupField {
	if key, ok := strings.CutPrefix(name, "resource."); ok {
		return GroupField{attr.InResource, key}
	}
	if key, ok := strings.CutPrefix(name, "scope."); ok {
		return GroupField{attr.InScope, key}
	}
	return GroupField{attr.InPoint, name}
}

// Moves tells whether any of the level's bounds is read and not written.
func (s *LevelSpec) Moves() bool { return s.Raise[0].Moving != nil || s.Raise[1].Moving != nil }

// Written tells whether the bounds are numbers as written.
func (s *LevelSpec) Written() bool { return !s.Moves() && !s.Off }

// checkMovingClear reports a clear bound of which it is not sure, or not true, that it is on the right side of the bound.
func (s *LevelSpec) checkMovingClear() error {
	for i := range s.Raise {
		if (s.Raise[i].Moving == nil) != (s.Clear[i].Moving == nil) {
			return fmt.Errorf("clear of %s: a bound that is read from %s is cleared by one, too: write {scale: …}, or use hysteresis", s.title(), s.source.name())
		}
	}
	if !stricterMoving(s.Comparison, s.Raise, s.Clear) {
		return fmt.Errorf("clear %s of %s is on the wrong side of threshold %s", s.Clear[0].Text, s.title(), s.Raise[0].Text)
	}
	return nil
}

// stricterMoving is Comparison.Stricter for bounds that move, whatever the source is from 0 on. It is true of what can't be compared.
func stricterMoving(c ladder.Comparison, a, b [2]Quantity) bool {
	side := func(of func(Quantity) float64) bool {
		x, y := [2]float64{of(a[0]), of(a[1])}, [2]float64{of(b[0]), of(b[1])}
		for i := range a {
			if (a[i].Moving == nil) != (b[i].Moving == nil) {
				x[i], y[i] = 0, 0
			}
		}
		return c.Stricter(x, y)
	}
	return side(func(q Quantity) float64 {
		if q.Moving != nil {
			return q.Moving.Scale
		}
		return q.Number
	}) && side(func(q Quantity) float64 {
		if q.Moving != nil {
			return q.Moving.Offset
		}
		return q.Number
	})
}

// Move sets the bounds of a resolved level that are read, where their source is x in the unit of the rule's value.
func (s *LevelSpec) Move(l *ladder.Level, x float64) {
	if !s.Moves() || s.Off {
		return
	}
	for i, to := range [...]*float64{&l.Low, &l.High} {
		if m := s.Raise[i].Moving; m != nil {
			*to = m.at(x)
		}
	}
	if !s.HasClear {
		s.clearByHysteresis(l)
		return
	}
	for i, to := range [...]*float64{&l.ClearLow, &l.ClearHigh} {
		if m := s.Clear[i].Moving; m != nil {
			*to = m.at(x)
		}
	}
	// Below 0 what was on one side is on the other.
	switch l.Comparison {
	case ladder.Above:
		l.ClearLow = min(l.ClearLow, l.Low)
	case ladder.Below:
		l.ClearLow = max(l.ClearLow, l.Low)
	case ladder.Outside:
		l.ClearLow, l.ClearHigh = max(l.ClearLow, l.Low), min(l.ClearHigh, l.High)
	default:
		l.ClearLow, l.ClearHigh = min(l.ClearLow, l.Low), max(l.ClearHigh, l.High)
	}
}

// compileSource finds what the rule's moving bounds are read from.
func (c *compiler) compileSource(d *draft) {
	r := d.rule
	if r.OnlyIf != nil && r.OnlyIf.Bound.Moves() {
		d.report("only_if: its bound is a number: one that is read from a metric or an attribute is for thresholds")
	}
	levels := slices.Clone(r.Levels)
	if r.ThresholdsBy != nil {
		for i := range r.ThresholdsBy.Entries {
			levels = append(levels, r.ThresholdsBy.Entries[i].Levels...)
		}
	}
	for i := range levels {
		source := levels[i].source
		switch {
		case source == nil:
		case r.Threshold == nil:
			r.Threshold = source
		case r.Threshold.canonical != source.canonical:
			d.report("level %s: the bounds of a rule are read from one metric or attribute, not from %s and %s", levels[i].Name, r.Threshold.name(), source.name())
			return
		}
	}
	r.comparesWithItself(d.report)
}

// comparesWithItself reports a bound that is read from what it is compared with.
func (r *Rule) comparesWithItself(report func(string, ...any)) {
	t := r.Threshold
	_, plain := r.Kind.(*comparison)
	if t == nil || t.OfAttribute || !plain || r.Window > 0 || t.Target.Metric != r.Metric || t.Target.Selector.canonical != r.Value.Selector.canonical ||
		t.Target.Statistic != r.Value.Statistic || t.Aggregate != r.GroupAggregate {
		return
	}
	report("the bound is read from %s with the same match, and so is the value: it is compared with itself; read the bound from another metric, "+
		"or compare with an earlier time by change", t.name())
}

// SourceNumber is the value of the attribute that bounds are read from, in the unit of the rule's value. It is not known where it is no number, or
// negative: the kernel has -1 for what it does not know or does not limit. metricUnit is the unit of the rule's metric.
func (r *Rule) SourceNumber(v attr.Value, metricUnit string) (float64, bool) {
	var x float64
	switch v.Kind() {
	case attr.KindInt:
		x = float64(v.Int())
	case attr.KindDouble:
		x = v.Double()
	case attr.KindString:
		q, err := parseQuantityText(v.AsString())
		if err != nil || q.Unit != UnitBare {
			return 0, false
		}
		x = q.Number
	default:
		return 0, false
	}
	if !(x >= 0) {
		return 0, false
	}
	if r.Threshold.Unit != "" {
		factor, err := r.SourceFactor(r.Threshold.Unit, metricUnit)
		if err != nil {
			return 0, false
		}
		x *= factor
	}
	return x, true
}

// SourceFactor returns the factor that turns values of the source, in its unit, into the unit of the rule's value.
func (r *Rule) SourceFactor(sourceUnit, metricUnit string) (float64, error) {
	_, fixed := r.Kind.FixedUnit()
	switch {
	case r.Scale != 1 && r.Scale != -1:
		return 1, nil // What unit a scaled value has is the operator's knowledge.
	case sourceUnit == "" || metricUnit == "" && !fixed:
		return 1, nil // Who sends no unit is taken at his number.
	}
	valueUnit := cmp.Or(r.valueUnit(metricUnit), "1")
	factor, same := ParseUnit(sourceUnit).Per(ParseUnit(valueUnit))
	if !same {
		return 0, fmt.Errorf("threshold %s: unit %q can't be converted to %q", r.Threshold.name(), sourceUnit, valueUnit)
	}
	return factor, nil
}

// readsBoundFrom tells whether an attribute of data points is the rule's threshold, and so none that distinguishes groups.
func (r *Rule) readsBoundFrom(key string) bool {
	t := r.Threshold
	return t != nil && t.OfAttribute && t.Attribute.Location == attr.InPoint && t.Attribute.Key == key
}

// Known tells whether the unit is one that can be converted to others.
func (u Unit) Known() bool { return !strings.HasPrefix(u.dimension, `"`) }
