package alert

import (
	"fmt"
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// groupBounds is what a rule knows of bounds that are not the same for all its groups: those of thresholds_by, and those that are read from a metric
// or an attribute. Rules whose bounds are all written have none.
type groupBounds struct {
	// specs are the ladders of thresholds_by as written, the rule's own first, and resolved are they by the unit of the rule's metric.
	specs    [][]rules.LevelSpec
	resolved map[variantUnit][]ladder.Level
	// variantOf is which of them a group has. It is found once.
	variantOf map[*group]int32
	// attributes are, by series, the values of the attribute of data points that bounds are read from; in the attribute's own unit.
	attributes map[*series]attr.Value
	// factors turn values of the metric that bounds are read from into the unit of the rule's value, by the units of both metrics; 0 where they can't.
	factors map[[2]uint16]float64

	// last are the bounds that the alert of a group was last compared with.
	last map[*group][]ladder.Level
	// current are those of the group that was evaluated last, which is of.
	of      *group
	current []ladder.Level
	// currentKnown tells that those which are read are known.
	currentKnown bool
	reading      []float64 // Reused.
}

// variantUnit is one of the ladders of a rule in one unit of its metric.
type variantUnit struct {
	variant int32
	unit    string
}

func newGroupBounds(r *rules.Rule) *groupBounds {
	if r.Threshold == nil && r.ThresholdsBy == nil {
		return nil
	}
	b := &groupBounds{
		specs: [][]rules.LevelSpec{r.Levels}, resolved: map[variantUnit][]ladder.Level{}, variantOf: map[*group]int32{},
		attributes: map[*series]attr.Value{}, factors: map[[2]uint16]float64{}, last: map[*group][]ladder.Level{},
	}
	if r.ThresholdsBy != nil {
		for i := range r.ThresholdsBy.Entries {
			b.specs = append(b.specs, r.ThresholdsBy.Entries[i].Levels)
		}
	}
	return b
}

// fit tells whether all bounds of the rule's groups can be compared with values of a unit.
func (b *groupBounds) fit(r *ruleState, unit string) error {
	if b == nil {
		return nil
	}
	for v := range b.specs {
		if _, err := b.levelsIn(r, int32(v), unit); err != nil {
			return fmt.Errorf("thresholds_by: %w", err)
		}
	}
	if source := r.Threshold; source != nil && source.Unit != "" {
		_, err := r.SourceFactor(source.Unit, unit)
		return err
	}
	return nil
}

// levelsIn is a ladder in a unit of the rule's metric.
func (b *groupBounds) levelsIn(r *ruleState, variant int32, unit string) ([]ladder.Level, error) {
	key := variantUnit{variant, unit}
	levels, known := b.resolved[key]
	if known {
		return levels, nil
	}
	levels, _, err := r.resolve(b.specs[variant], unit)
	if err == nil {
		b.resolved[key] = levels
	}
	return levels, err
}

// noteSeries remembers the attribute of a new series that bounds are read from.
func (b *groupBounds) noteSeries(r *ruleState, s *series, origin *attr.Origin, point []attr.Attr) {
	if b == nil || r.Threshold == nil || !r.Threshold.OfAttribute {
		return
	}
	from := point
	switch f := r.Threshold.Attribute; f.Location {
	case attr.InPoint:
	case attr.InScope:
		from = origin.Scope
	default:
		return // The series has its resource.
	}
	if v, ok := attr.Lookup(from, r.Threshold.Attribute.Key); ok {
		b.attributes[s] = attr.Clone([]attr.Attr{{Value: v}})[0].Value
	}
}

func (b *groupBounds) forgetSeries(s *series) {
	if b != nil {
		delete(b.attributes, s)
	}
}

func (b *groupBounds) forgetGroup(g *group) {
	if b != nil {
		if b.of == g {
			b.of = nil
		}
		delete(b.variantOf, g)
		delete(b.last, g)
	}
}

func (b *groupBounds) forgetAlert(g *group) {
	if b != nil {
		delete(b.last, g)
	}
}

// variant returns which ladder the group has.
func (b *groupBounds) variant(g *group) int32 {
	if len(b.specs) == 1 {
		return 0
	}
	v, known := b.variantOf[g]
	if !known {
		v, known = g.rule.variantFor(g.rule.names.Expand(g.key), g.resourceAttrs())
		if !known && len(g.members) == 0 {
			return 0 // An alert that was restored: its series may still come.
		}
		b.variantOf[g] = v
	}
	return v
}

// variantFor returns which ladder groups of a key and a resource have. It is not known where the attribute of the resource that tells is not.
func (r *ruleState) variantFor(keyed []attr.Located, resource []attr.Attr) (variant int32, known bool) {
	f := r.ThresholdsBy.Attribute
	value, ok := rules.EqualKey{Key: f.Key, OfResource: f.Location == attr.InResource}.ValueOf(keyed, nil)
	if !ok && f.Location == attr.InResource {
		value, ok = attr.Lookup(resource, f.Key)
	}
	return int32(r.ThresholdsBy.Find(value, ok)) + 1, ok || f.Location != attr.InResource
}

// boundsOf are the levels that the group is compared with, or was last. They are not known before, where bounds are read from elsewhere.
func (r *ruleState) boundsOf(g *group) (levels []ladder.Level, known bool) {
	b := r.bounds
	last := b.last[g]
	switch {
	case b.of == g && (b.currentKnown || last == nil):
		return b.current, b.currentKnown
	case last != nil:
		return last, true
	default:
		return r.levels, false
	}
}

// bounds are the levels that the change's value was compared with.
func (c *change) bounds() (levels []ladder.Level, known bool) {
	if c.levels != nil {
		return c.levels, true
	}
	if c.group.rule.bounds == nil {
		return c.group.levels(), true
	}
	return c.group.rule.boundsOf(c.group)
}

// lowest is the least severe level that the group has.
func lowest(specs []rules.LevelSpec) int {
	return max(0, slices.IndexFunc(specs, func(s rules.LevelSpec) bool { return !s.Off }))
}

// boundNumber is a bound as records have it: none of a level that the group does not have.
func boundNumber(v float64, known bool) attr.Number {
	return attr.Number{Float64: v, Valid: known && !math.IsInf(v, 0)}
}

// specsOf are the levels of the group as written.
func (r *ruleState) specsOf(g *group) []rules.LevelSpec {
	if b := r.bounds; b != nil {
		return b.specs[b.variant(g)]
	}
	return r.Levels
}

// remember keeps the bounds that the group's alert is compared with, for its records.
func (b *groupBounds) remember(g *group) {
	if b != nil && b.of == g {
		b.last[g] = append(b.last[g][:0], b.current...)
	}
}

// readBounded works out the value of a rule whose groups have bounds of their own, and the bounds that it is compared with.
func (e *Engine) readBounded(g *group, m *rules.Moment) {
	b := g.rule.bounds
	v := b.variant(g)
	levels, err := b.levelsIn(g.rule, v, e.unit(g))
	if err != nil { // Said when the unit came.
		m.Presence = window.Missing
		return
	}
	b.of, b.current, b.currentKnown = g, append(b.current[:0], levels...), false
	m.Levels = b.current
	source := g.rule.Threshold
	switch {
	case source == nil:
	case !source.OfAttribute:
		x, presence := e.sourceValue(g, m)
		if presence != window.Present {
			m.Presence = presence
			return
		}
		b.move(v, x)
	case g.rule.GroupAggregate == window.GroupWorst:
		e.readEach(g, m, v, levels)
		b.currentKnown = m.Presence == window.Present
		return
	default:
		x, presence := e.attributeOf(g, m)
		if presence != window.Present {
			m.Presence = presence
			return
		}
		b.move(v, x)
	}
	b.currentKnown = true
	m.OneReading = sameReading(b.current)
	g.rule.Kind.Read(m)
	if source != nil && !source.OfAttribute {
		m.Until = min(m.Until, g.rule.currentUntil(g.seriesOf(rules.RoleThreshold)))
	}
}

// move sets the bounds that are read in the ladder that is evaluated.
func (b *groupBounds) move(variant int32, x float64) {
	for i := range b.current {
		b.specs[variant][i].Move(&b.current[i], x)
	}
}

// sameReading tells whether one value answers for all levels.
func sameReading(levels []ladder.Level) bool {
	return !slices.ContainsFunc(levels, func(l ladder.Level) bool { return l.Horizon != levels[0].Horizon || !l.SameWorst(&levels[0]) })
}

// sourceValue is the newest value of the metric that bounds are read from.
func (e *Engine) sourceValue(g *group, m *rules.Moment) (float64, window.Presence) {
	source := g.rule.Threshold
	values := g.rule.bounds.reading[:0]
	unsettled := false
	for _, s := range m.Series[rules.RoleThreshold] {
		v, presence := g.rule.Current(s, m.Time)
		unsettled = unsettled || presence == window.Unsettled
		if factor := e.sourceFactor(g, s.Unit); presence == window.Present && factor != 0 {
			values = append(values, v*factor)
		}
	}
	g.rule.bounds.reading = values
	if len(values) == 0 && unsettled {
		return 0, window.Unsettled
	}
	return e.joinSource(g, source, values)
}

// sourceFactor turns values of a unit of the metric that bounds are read from into the unit of the group's value, 0 where that can't be.
func (e *Engine) sourceFactor(g *group, from uint16) float64 {
	b, to := g.rule.bounds, g.unitNumber()
	if g.rule.fixedUnit {
		to = 0
	}
	key := [2]uint16{from, to}
	factor, known := b.factors[key]
	if !known {
		var err error
		if factor, err = g.rule.SourceFactor(e.units.units[from].Text, e.unit(g)); err != nil {
			factor = 0
			e.ruleError(g.rule, err.Error())
		}
		b.factors[key] = factor
	}
	return factor
}

// joinSource makes one value of those that the group has of what bounds are read from.
func (e *Engine) joinSource(g *group, source *rules.ThresholdSource, values []float64) (float64, window.Presence) {
	if len(values) == 0 {
		return 0, window.Missing
	}
	if source.Aggregate != window.GroupWorst {
		var acc window.GroupAccumulator
		for _, v := range values {
			acc.Add(source.Aggregate, v)
		}
		v := acc.Value(source.Aggregate)
		if math.IsNaN(v) {
			return 0, window.Missing
		}
		return v, window.Present
	}
	for _, v := range values[1:] {
		if v != values[0] {
			e.ruleError(g.rule, "a group has several values of what its threshold is read from: name in group_by what distinguishes them, "+
				"or say by group_aggregate in the threshold how they are joined")
			return 0, window.Missing
		}
	}
	return values[0], window.Present
}

// attributeAt is the value of the attribute that bounds are read from, of one of the group's series.
func (e *Engine) attributeAt(g *group, s *series) (float64, bool) {
	source, b := g.rule.Threshold, g.rule.bounds
	v, ok := b.attributes[s]
	if source.Attribute.Location == attr.InResource {
		v, ok = attr.Lookup(s.resource.attrs, source.Attribute.Key)
	}
	if !ok {
		return 0, false
	}
	return g.rule.SourceNumber(v, e.unit(g))
}

// attributeOf is the attribute that bounds are read from, of a group whose value is made of several series.
func (e *Engine) attributeOf(g *group, m *rules.Moment) (float64, window.Presence) {
	values := g.rule.bounds.reading[:0]
	for i, s := range m.Series[rules.RoleValue] {
		if _, presence := g.rule.Current(s, m.Time); presence != window.Present {
			continue
		}
		if x, known := e.attributeAt(g, g.members[i]); known {
			values = append(values, x)
		}
	}
	g.rule.bounds.reading = values
	return e.joinSource(g, g.rule.Threshold, values)
}

// readEach compares each series with the bounds of its own attribute. The one that is deepest in the breach of its own bound decides; a series whose
// attribute is not known says nothing.
func (e *Engine) readEach(g *group, m *rules.Moment, variant int32, levels []ladder.Level) {
	b, n := g.rule.bounds, len(m.Levels)
	all, own := m.Series[rules.RoleValue], make([]ladder.Level, n)
	b.reading = append(b.reading[:0], make([]float64, 2*n)...)
	best := make([]float64, 2*n)
	out := rules.Result{By: -1, Presence: window.Missing, Until: ladder.Unset}
	for i := range all {
		x, known := e.attributeAt(g, g.members[i])
		if !known {
			continue
		}
		copy(own, levels)
		for k := range own {
			b.specs[variant][k].Move(&own[k], x)
		}
		m.Series[rules.RoleValue], m.Levels, m.OneReading, m.Result = all[i:i+1:i+1], own, sameReading(own), rules.Result{By: -1}
		if g.rule.Kind.Read(m); m.Presence != window.Present {
			if m.Presence == window.Unsettled && out.By < 0 {
				out.Presence = window.Unsettled
			}
			continue
		}
		first := out.By < 0
		for k := range own {
			if depth := own[k].Depth(m.At(k), false); first || depth > best[k] {
				best[k], b.reading[k] = depth, m.At(k)
				b.current[k].Low, b.current[k].High = own[k].Low, own[k].High
				if k == 0 {
					out.By = i
				}
			}
			if depth := own[k].Depth(m.ToClear(k), true); first || depth > best[n+k] {
				best[n+k], b.reading[n+k] = depth, m.ToClear(k)
				b.current[k].ClearLow, b.current[k].ClearHigh = own[k].ClearLow, own[k].ClearHigh
			}
		}
		out.Presence, out.Until, out.Healthy = window.Present, max(out.Until, m.Until), m.Healthy
	}
	m.Series[rules.RoleValue], m.Levels, m.Result = all, b.current, out
	if out.Presence == window.Present {
		m.ByLevel = b.reading
	}
}

// boundsPerLevel is how many numbers are stored of a level's bounds.
const boundsPerLevel = 4

// storedBounds are the bounds that the alert was last compared with, as stored: four for each level. There are none where all bounds are written.
func (r *ruleState) storedBounds(g *group) []float64 {
	if r.bounds == nil {
		return nil
	}
	var out []float64
	for _, l := range r.bounds.last[g] {
		out = append(out, l.Low, l.High, l.ClearLow, l.ClearHigh)
	}
	return out
}

// restoreBounds is the inverse of storedBounds, for a ladder that has as many levels.
func (r *ruleState) restoreBounds(g *group, stored []float64) {
	if r.bounds == nil || len(stored) != boundsPerLevel*len(r.Levels) {
		return
	}
	specs := r.specsOf(g)
	last := make([]ladder.Level, len(specs))
	for i := range specs {
		last[i] = specs[i].Unresolved()
		at := stored[boundsPerLevel*i:]
		last[i].Low, last[i].High, last[i].ClearLow, last[i].ClearHigh = at[0], at[1], at[2], at[3]
	}
	r.bounds.last[g] = last
}

func writeFloats(e *attr.Encoder, all []float64) {
	e.Uint(uint64(len(all)))
	for _, v := range all {
		e.Float(v)
	}
}

func readFloats(d *attr.Decoder) []float64 { return attr.DecodeList(d, (*attr.Decoder).Float) }
