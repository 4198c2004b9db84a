package alert

import (
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

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
			e.ruleError(g.rule, errorThresholdUnit, err.Error)
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
			e.ruleError(g.rule, errorThresholdValues, func() string {
				return "a group has several values of what its threshold is read from: name in group_by what distinguishes them, " +
					"or say by group_aggregate in the threshold how they are joined"
			})
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
