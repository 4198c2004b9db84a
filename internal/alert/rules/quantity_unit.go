package rules

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

var (
	numberForm   = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`)
	durationForm = regexp.MustCompile(`^([+-]?)((?:\d+\.?\d*|\.\d+) *(?:w|d|h|min|ms|m|s|us|µs|μs|ns) *)+$`)
	durationPart = regexp.MustCompile(`(\d+\.?\d*|\.\d+) *(w|d|h|min|ms|m|s|us|µs|μs|ns)`)
)

// durationUnits are the units of durations in seconds: those of the Collector's and Prometheus' durations, and "min".
var durationUnits = map[string]float64{
	"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9,
}

// multipliers are the prefixes that stand alone behind a number.
var multipliers = map[string]float64{"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}

// unitSpellings are units as people write them and UCUM does not: what stands at the end of a unit, and what is meant.
var unitSpellings = []struct{ suffix, means string }{
	{"bps", "bit/s"}, {"Bps", "By/s"}, {"°C", "Cel"}, {"/sec", "/s"}, {"/second", "/s"}, {"/minute", "/min"}, {"/hour", "/h"},
}

// parseMeasured reads a number with a unit: a duration (1h30m), a prefix alone (10k, 5Gi), or any unit that ParseUnit knows (100Mbit/s, 2.5GHz).
func parseMeasured(text string) (Quantity, bool) {
	if durationForm.MatchString(text) {
		return parseDurationQuantity(text)
	}
	number := numberForm.FindString(text)
	n, err := strconv.ParseFloat(number, 64)
	unit := strings.TrimSpace(text[len(number):])
	if err != nil || unit == "" || strings.ContainsAny(unit, "0123456789{}") {
		return Quantity{}, false
	}
	exact := rational(n)
	prefix, of, _ := strings.Cut(unit, "/")
	if of != "" {
		of = "/" + of
	}
	if _, binary := binaryPrefixes[prefix]; binary {
		unit = prefix + "By" + of // As in Kubernetes, of which "5Gi" is.
	} else if factor, alone := multipliers[prefix]; alone {
		n, exact, unit = n*factor, fractionOf(factor).scaled(exact), of
	}
	if unit == "" {
		return Quantity{Number: n, exact: exact, Text: text}, true
	}
	for _, spelling := range unitSpellings {
		if rest, ok := strings.CutSuffix(unit, spelling.suffix); ok {
			unit = rest + spelling.means
		}
	}
	return measuredIn(n, exact, ParseUnit(unit), text)
}

func parseDurationQuantity(text string) (Quantity, bool) {
	seconds, exact := 0.0, new(big.Rat)
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return Quantity{}, false
		}
		seconds += n * durationUnits[part[2]]
		exact.Add(exact, fractionOf(durationUnits[part[2]]).scaled(rational(n)))
	}
	if text[0] == '-' {
		seconds = -seconds
		exact.Neg(exact)
	}
	return measuredIn(seconds, exact, ParseUnit("s"), text)
}

// measuredIn makes the quantity of a number of units: in whole ones of the base units, so that quantities of one kind can be compared. exact is
// the number without rounding.
func measuredIn(n float64, exact *big.Rat, u Unit, text string) (Quantity, bool) {
	q := Quantity{
		Number: n * u.factor, exact: u.exact.scaled(exact), Unit: UnitMeasured, Text: text,
		of: Unit{dimension: u.dimension, factor: 1, exact: fraction{1, 1}},
	}
	switch u.dimension {
	case ParseUnit("1").dimension:
		if u.factor == 1 && u.Text != "ratio" {
			return Quantity{}, false
		}
		return Quantity{Number: q.Number * 100, exact: fraction{100, 1}.scaled(q.exact), Unit: UnitPercent, Text: text}, true
	case ParseUnit("By").dimension:
		return Quantity{Number: q.Number, exact: q.exact, Unit: UnitBytes, Text: text}, true
	}
	for _, known := range measuredUnits {
		if known.dimension == u.dimension {
			q.of.Text = known.Text
			return q, true
		}
	}
	q.of.Text = u.Text
	return q, !strings.HasPrefix(u.dimension, `"`) // A unit that is not known is more likely a mistake.
}

// measuredUnits are the usual names of what thresholds are of, for messages.
var measuredUnits = []Unit{ParseUnit("s"), ParseUnit("By/s"), ParseUnit("1/s")}

// inMeasured converts the quantity to the unit of a metric, of which the value is the rate, if it is rated.
func (q Quantity) inMeasured(unit string) (float64, error) {
	if q.rated {
		unit += "/s"
	}
	metric := ParseUnit(unit)
	if _, same := q.of.Per(metric); !same {
		return 0, fmt.Errorf("threshold %s needs a value in %q or a unit that it can be converted to, not in %q", q.Text, q.of.Text, unit)
	}
	return q.of.convertExactly(q.exact, q.Number, metric), nil
}

// sameUnit tells whether two quantities can be compared without knowing the metric's unit.
func (q Quantity) sameUnit(o Quantity) bool {
	return q.Unit == o.Unit && q.of.dimension == o.of.dimension
}

// zeroOf gives a 0 without a unit that of the quantity beside it: nothing is nothing in any unit.
func (q *Quantity) zeroOf(o *Quantity) {
	if q.Text == "" || q.Moving != nil || o.Moving != nil || q.Unit != UnitBare || q.Number != 0 || o.Unit == UnitBare {
		return
	}
	*q = Quantity{Text: q.Text, Unit: o.Unit, of: o.of, rated: o.rated}
}

// ofBytes tells whether the quantity is one of bytes, or of bytes per second.
func (q Quantity) ofBytes() bool {
	return q.Unit == UnitBytes || q.Unit == UnitMeasured && q.of.dimension == byteUnits[1].dimension
}
