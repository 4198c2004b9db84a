package alert

import (
	"fmt"
	"hash/maphash"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// unitTable numbers the units that have come, so that a series has a number and no text. Number 0 is that of no unit.
type unitTable struct {
	numbers map[string]uint16
	units   []rules.Unit
	hashes  []attr.Hash
}

// unitHash is what distinguishes the series of a unit.
func unitHash(seed maphash.Seed, text string) attr.Hash {
	return attr.HashSet(seed, []attr.Attr{attr.String("unit", text)})
}

const (
	// maxUnits bounds the units that are distinguished beside the common ones; beyond it they count as what they are without annotations, or as
	// none given.
	maxUnits = 1000
	// MaxUnitText bounds the text of a unit, in bytes.
	MaxUnitText = maxQuoted
)

func newUnitTable() unitTable {
	return unitTable{numbers: map[string]uint16{"": 0}, units: []rules.Unit{rules.ParseUnit("")}, hashes: []attr.Hash{{}}}
}

// unitNumber returns the number of a unit.
func (e *Engine) unitNumber(text string) uint16 {
	u := &e.units
	if len(text) > MaxUnitText {
		text = alertschema.CutText(text, MaxUnitText)
	}
	n, known := u.numbers[text]
	if !known && len(u.units) >= maxUnits { // Whoever sends units that nobody knows takes none of those that all use.
		text = rules.CommonUnit(text)
		n, known = u.numbers[text]
	}
	if !known {
		n = uint16(len(u.units))
		u.numbers[text] = n
		u.units = append(u.units, rules.ParseUnit(text))
		u.hashes = append(u.hashes, unitHash(e.seed, text))
	}
	return n
}

// ruleUnit is a rule's ladder in one unit of its metric.
type ruleUnit struct {
	levels     []ladder.Level
	offset     float64
	oneReading bool
	// err is why the bounds can't be compared with the unit.
	err error
}

// inUnit returns the rule's ladder in a unit, nil when none has come with it.
func (r *ruleState) inUnit(n uint16) *ruleUnit {
	if int(n) < len(r.byUnit) {
		return r.byUnit[n]
	}
	return nil
}

// resolveUnit makes the rule's ladder in a unit.
func (e *Engine) resolveUnit(r *ruleState, n uint16) *ruleUnit {
	for len(r.byUnit) <= int(n) {
		r.byUnit = append(r.byUnit, nil)
	}
	if r.byUnit[n] == nil {
		u := &ruleUnit{}
		text := e.units.units[n].Text
		if u.levels, u.oneReading, u.err = r.resolve(r.Levels, text); u.err == nil {
			u.err = r.bounds.fit(r, text)
		}
		u.offset = r.OffsetIn(text)
		r.byUnit[n] = u
	}
	return r.byUnit[n]
}

// resolve turns bounds of the rule into numbers of a unit.
func (r *ruleState) resolve(specs []rules.LevelSpec, unit string) (levels []ladder.Level, oneReading bool, err error) {
	levels, oneReading = make([]ladder.Level, len(specs)), r.oneReading
	for i := range specs {
		spec := &specs[i]
		l, err := spec.Resolve(unit)
		if err == nil && i > 0 && spec.Written() && specs[i-1].Written() && !l.Comparison.Stricter([2]float64{l.Low, l.High}, [2]float64{levels[i-1].Low, levels[i-1].High}) {
			err = fmt.Errorf("ladder is not monotone: %s %s %s must be stricter than %s %s %s",
				spec.Name, spec.Comparison, spec.BoundText(), specs[i-1].Name, spec.Comparison, specs[i-1].BoundText())
		}
		if err != nil {
			return nil, false, err
		}
		levels[i] = l
		oneReading = oneReading && (r.GroupAggregate != window.GroupWorst || l.SameWorst(&levels[0]))
	}
	return levels, oneReading, nil
}

// unitNumber is the number of the unit of the group's value: that of its first member, or of those that it had.
func (g *group) unitNumber() uint16 {
	switch {
	case len(g.members) > 0:
		return g.members[0].Unit
	case g.alert != nil:
		return g.alert.unit
	default:
		return 0
	}
}

// unit is the unit of the group's value.
func (e *Engine) unit(g *group) string {
	if g.rule.fixedUnit {
		return g.rule.unit
	}
	return e.units.units[g.unitNumber()].Text
}

// levels is the rule's ladder in the group's unit.
func (g *group) levels() []ladder.Level {
	if g.rule.bounds != nil {
		levels, _ := g.rule.boundsOf(g)
		return levels
	}
	if !g.rule.fixedUnit {
		if u := g.rule.inUnit(g.unitNumber()); u != nil && u.err == nil {
			return u.levels
		}
	}
	return g.rule.levels
}

// inputUnit is what an input knows of a unit.
type inputUnit struct {
	known, fits bool
	err         error // Why it does not.
	// from names the sender that came with it first.
	from string
}

// unitFits tells whether the input's rule can look at series of a unit. What it can't compare it says once, with the sender that came with it
// first, and looks at the others.
func (e *Engine) unitFits(w *ruleInput, n uint16, o *attr.Origin) bool {
	if int(n) >= len(w.units) || !w.units[n].known {
		for len(w.units) <= int(n) {
			w.units = append(w.units, inputUnit{})
		}
		w.units[n] = inputUnit{known: true, from: ofSender(o.Resource)}
		w.units[n].fits = e.admitUnit(w, n)
	} else if !w.units[n].fits && e.mayReport(w.rule, errorUnit) {
		e.reportUnit(w, n, ofSender(o.Resource))
	}
	return w.units[n].fits
}

// reportUnit says that the bounds of the input's rule can't be compared with a unit.
func (e *Engine) reportUnit(w *ruleInput, n uint16, from string) {
	e.ruleError(w.rule, errorUnit, func() string {
		return fmt.Sprintf("metric %s%s: %v; what comes with other units is watched", w.Metric, from, w.units[n].err)
	})
}

// admitUnit looks at a unit that is new to an input.
func (e *Engine) admitUnit(w *ruleInput, n uint16) bool {
	r := w.rule
	var err error
	switch {
	case w.Role == rules.RoleCondition:
		err = e.resolveCondition(w, n)
	case w.Role == rules.RoleThreshold, w.Optional: // Whether it can be converted depends on the unit of the group.
	case r.fixedUnit:
		e.noticeMixedUnits(w, n)
	default:
		u := e.resolveUnit(r, n)
		if err = u.err; err == nil {
			e.noticeImpossible(w, n, u.levels)
			e.noticeMixedUnits(w, n)
		}
	}
	if err != nil {
		w.units[n].err = err
		e.reportUnit(w, n, w.units[n].from)
	}
	return err == nil
}

// resolveCondition makes the bound of only_if in a unit.
func (e *Engine) resolveCondition(w *ruleInput, n uint16) error {
	r, text := w.rule, e.units.units[n].Text
	l, err := r.OnlyIf.Bound.Resolve(text)
	if err != nil {
		return err
	}
	for len(r.conditions) <= int(n) {
		r.conditions = append(r.conditions, ladder.Level{})
	}
	r.conditions[n] = l
	if w.impossible(&r.OnlyIf.Bound, &l, text) {
		e.notice("rule %q never fires: only_if above %s never holds, because %s is a ratio; did you mean %[2]s%%?", r.Name,
			r.OnlyIf.Bound.Raise[0].Text, w.Metric)
	}
	return nil
}

// noticeMixedUnits says once of a unit that it can't be converted to one that the metric came with before, or that a bound without a unit is
// compared with values of both.
func (e *Engine) noticeMixedUnits(w *ruleInput, n uint16) {
	r := w.rule
	if w.Role != rules.RoleValue || r.scaleless() || r.silence > 0 || !e.mayReport(r, errorMixedUnits) {
		return
	}
	for other := range w.units {
		o := &w.units[other]
		if !o.fits || uint16(other) == n {
			continue
		}
		factor, same := e.units.units[n].Per(e.units.units[other])
		bare := r.BareBound()
		if same && (factor == 1 || bare == "" || r.fixedUnit) {
			continue
		}
		text := fmt.Sprintf("metric %s comes with units %q%s and %q%s", w.Metric, e.units.units[other].Text, o.from, e.units.units[n].Text, w.units[n].from)
		if same {
			text += fmt.Sprintf(": threshold %s has no unit and is compared with the values of each as they are; write it with its unit", bare)
		} else {
			text += ", which can't be converted: they are watched apart, and in one group only those of one unit"
		}
		e.ruleError(r, errorMixedUnits, func() string { return text })
		return
	}
}

// scaleless tells whether the rule's value has the unit of no series: it counts.
func (r *ruleState) scaleless() bool {
	return r.Aggregate.Kind == window.AggregateCount || r.Aggregate.OfPairs() || r.GroupAggregate == window.GroupCount ||
		r.fixedUnit && !r.joinsUnits && r.histories == nil
}

// scales fills what values of each unit are to be multiplied with to be of the group's unit, as its series have several.
func (e *Engine) scales(g *group, to uint16, m *rules.Moment) {
	if g.rule.scaleless() || g.rule.silence > 0 {
		return
	}
	for _, role := range g.rule.roles {
		for _, s := range m.Series[role] {
			for len(m.Scales) <= int(s.Unit) {
				m.Scales = append(m.Scales, 0)
			}
			if m.Scales[s.Unit] != 0 {
				continue
			}
			factor, same := e.units.units[s.Unit].Per(e.units.units[to])
			if !same || math.IsNaN(factor) || factor == 0 {
				factor = 1 // Of what a ratio divides by.
			}
			m.Scales[s.Unit] = factor
		}
	}
}
