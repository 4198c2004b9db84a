package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Finding is what a rule has found at one transition of an alert, in numbers: what messages are made of. A message says of the value what
// is true of it, whatever the transition: on the way down, or when a record was held back, the value need not be beyond the threshold.
type Finding struct {
	// Rule is the rule.
	Rule *Rule
	// Value is the compared value, and Unit the unit of the rule's metric, "" when it is not known.
	Value attr.Number
	Unit  string
	// Level is the level that the value is compared with, as written, and Bounds are its bounds in numbers of the unit.
	Level  *LevelSpec
	Bounds ladder.Level
	// Transition is what happened, and Reason why.
	Transition alertschema.Transition
	Reason     alertschema.Reason
	// NeverSeen tells that no sample of the group has ever come.
	NeverSeen bool
	// Over tells that no level is in force any more.
	Over bool
}

// phrase is how a kind of rule says its value.
type phrase struct {
	// subject is what was compared, as in "avg of system.cpu.utilization over 5m".
	subject string
	// verb stands between subject and value; "is" when it is empty.
	verb string
	// negative is the verb of values below 0, which are then shown without their sign; none when it is empty.
	negative string
	// after stands behind the value, as in " in 1h".
	after string
}

// say writes subject, value and condition, with a colon in front: the text of a Kind about values.
func (f *Finding) say(p phrase) string {
	if !f.Value.Valid {
		return ": " + p.subject + " has no value"
	}
	v, verb, condition := f.Value.Float64, p.verb, f.condition(true)
	if verb == "" {
		verb = "is"
	}
	if p.negative != "" && v < 0 {
		// The condition is about the value with its sign.
		condition = f.text(v) + " " + condition
		v, verb = -v, p.negative
	}
	return ": " + p.subject + " " + verb + " " + f.text(v) + p.after + " (" + condition + ")"
}

// ValueText writes the value in the unit of the threshold; "" when there is none.
func (f *Finding) ValueText() string {
	if !f.Value.Valid {
		return ""
	}
	return f.text(f.Value.Float64)
}

// Condition says on which side of the threshold the value is, as in "> 80.0%", and on the way down "≤ 80.0%, clears at ≤ 70.0%", or, when the
// level has let go, "≤ 70.0%". It is "" without a value or without bounds.
func (f *Finding) Condition() string { return f.condition(false) }

// condition is Condition; written has bounds stand as they were written where that is in the value's unit.
func (f *Finding) condition(written bool) string {
	c := f.Bounds.Comparison
	if !f.Value.Valid || !c.HasBounds() {
		return ""
	}
	raise := f.bounds(f.Bounds.Low, f.Bounds.High, f.Level.Raise, written)
	if f.Bounds.Raised(f.Value.Float64) {
		return c.Symbol() + " " + raise + f.samplesText()
	}
	lapsed := complements[c] + " "
	if f.Bounds.Low == f.Bounds.ClearLow && (!c.TwoSided() || f.Bounds.High == f.Bounds.ClearHigh) {
		return lapsed + raise
	}
	cleared := f.bounds(f.Bounds.ClearLow, f.Bounds.ClearHigh, f.Level.Clear, written && f.Level.HasClear)
	if !f.Bounds.Held(f.Value.Float64) {
		return lapsed + cleared
	}
	return lapsed + raise + ", clears at " + lapsed + cleared
}

// samplesText says how many samples it took for a level that counts them.
func (f *Finding) samplesText() string {
	n := f.Level.ForSamples
	if !n.Counts() || f.Transition != alertschema.TransitionFire && f.Transition != alertschema.TransitionEscalate {
		return ""
	}
	return fmt.Sprintf(" in %d of %d samples", n.Breached, n.Of)
}

// complements are what holds of a value that does not breach a bound.
var complements = [...]string{ladder.Above: "≤", ladder.Below: "≥", ladder.Outside: "inside", ladder.Inside: "outside", ladder.Absent: ""}

// bounds writes the bounds of a level.
func (f *Finding) bounds(low, high float64, as [2]Quantity, written bool) string {
	text := func(v float64, q Quantity) string {
		if q.Moving != nil {
			return f.format().write(v) + " = " + q.Text
		}
		if written && q.Text != "" && (q.Unit != UnitBare || f.unit() == "") {
			return q.Text
		}
		return f.format().write(v)
	}
	if !f.Bounds.Comparison.TwoSided() {
		return text(low, as[0])
	}
	return "[" + text(low, as[0]) + ", " + text(high, as[1]) + "]"
}

// text writes a value with as many digits as it takes to tell it from bounds that it does not equal.
func (f *Finding) text(v float64) string {
	form := f.format()
	b := &f.Bounds
	if !b.Comparison.HasBounds() {
		return form.write(v)
	}
	return form.apart(v, b.Low, b.High, b.ClearLow, b.ClearHigh)
}

func (f *Finding) format() valueFormat {
	return valueFormat{unit: f.unit(), decimal: f.Level.Raise[0].decimal()}
}

// unit is the unit that the value is shown in, "" for a plain number: a share is a percentage where the metric or the threshold calls it one.
func (f *Finding) unit() string {
	unit := f.Rule.valueUnit(f.Unit)
	if unit == "1" && f.Level.Raise[0].Unit != UnitPercent && !IsShare(f.Rule.Metric) {
		return ""
	}
	return unit
}

// InPercent tells whether the value is a percentage, and not a share.
func (f *Finding) InPercent() bool {
	factor, same := ParseUnit(f.Rule.valueUnit(f.Unit)).Per(percentUnits[0])
	return same && factor == 1
}

// valueUnit is the unit of the rule's value, where that of its metric is known.
func (r *Rule) valueUnit(unit string) string {
	if fixed, is := r.Kind.FixedUnit(); is {
		return fixed
	}
	switch {
	case r.GroupAggregate == window.GroupCount || r.Aggregate.Kind == window.AggregateCount || r.Value.Statistic.Kind == window.StatisticCount:
		return ""
	case r.Aggregate.Kind == window.AggregateRate && unit == "s":
		return "1" // Seconds per second: how many are busy.
	case r.Aggregate.Kind == window.AggregateRate && !strings.HasSuffix(unit, "/s"):
		return strings.TrimPrefix(unit, "1") + "/s"
	default:
		return unit
	}
}

// comparedText says what value was compared with what.
func (r *Rule) comparedText(f Finding) string {
	p := phrase{subject: r.pointText(&r.Value)}
	if r.Aggregate.Kind == window.AggregateIncrease && r.Window > 0 && r.sums() {
		p.subject = r.groupText(p.subject)
		p.verb, p.negative, p.after = "rose by", "fell by", " in "+FormatDuration(time.Duration(r.Window))
		return f.say(p)
	}
	p.subject = r.scaledText(r.groupText(r.windowText(p.subject)))
	return f.say(p)
}

// sums tells whether an increase of the group's value is the group's value of its increases, so that it can be said to rise.
func (r *Rule) sums() bool {
	return r.Scale == 1 && r.Offset == 0 && (r.GroupAggregate == window.GroupWorst || r.GroupAggregate == window.GroupSum || r.GroupAggregate == window.GroupAvg)
}

// pointText names a selector's values: "p99 of m".
func (r *Rule) pointText(t *Target) string {
	if t.StatisticName == "" {
		return t.Metric
	}
	return t.StatisticName + " of " + t.Metric
}

// windowText names what the rule's aggregate makes of values: "avg of m over 5m".
func (r *Rule) windowText(of string) string {
	span := FormatDuration(time.Duration(r.Window))
	switch {
	case r.Window == 0 || r.Aggregate.Kind == window.AggregateLast:
		return of
	case r.Aggregate.Kind == window.AggregateCount:
		return "number of samples of " + of + " in " + span
	case r.Aggregate.Kind == window.AggregateIncrease:
		return "increase of " + of + " in " + span
	case r.Aggregate.OfPairs():
		return "number of " + r.AggregateName + " of " + of + " in " + span
	default:
		return r.AggregateName + " of " + of + " over " + span
	}
}

// groupText names what the rule's group aggregate makes of values, where one was written: "sum of m".
func (r *Rule) groupText(of string) string {
	name, given := groupWords[r.GroupAggregate]
	if !given || !r.Joins {
		return of
	}
	return name + " of " + of
}

var groupWords = map[window.GroupAggregate]string{
	window.GroupSum: "sum", window.GroupAvg: "avg", window.GroupMin: "min", window.GroupMax: "max", window.GroupCount: "number of series",
}

// scaledText names a value after scale and offset: "1 - m".
func (r *Rule) scaledText(of string) string {
	switch {
	case r.Scale == 1 && r.Offset == 0:
		return of
	case r.Scale == -1 && r.Offset != 0:
		return plainNumber(r.Offset) + " - " + of
	case r.Scale == -1:
		return "-(" + of + ")"
	case r.Scale != 1:
		of = plainNumber(r.Scale) + " × " + of
	}
	if r.Offset != 0 {
		return plainNumber(r.Offset) + " + " + of
	}
	return of
}
