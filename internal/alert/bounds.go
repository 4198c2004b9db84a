package alert

import (
	"fmt"
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
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
