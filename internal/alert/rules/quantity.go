package rules

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// QuantityUnit is the unit that a threshold was written with.
type QuantityUnit uint8

const (
	// UnitBare is a bare number, in the metric's unit.
	UnitBare QuantityUnit = iota
	// UnitPercent is a percentage, of a metric of unit 1 or %, or one that means the same.
	UnitPercent
	// UnitBytes is a byte size, of a metric of unit By or By/s, or one that can be converted.
	UnitBytes
	// UnitMeasured is a number of any other unit, such as a duration, of a metric of a unit that measures the same.
	UnitMeasured
)

// Quantity is a threshold as written: number, unit and the text for messages.
type Quantity struct {
	// Number is the number, with the factor of its unit in it.
	Number float64
	// Unit is what it was written with.
	Unit QuantityUnit
	// Text is how it was written. Rule versions are made of it.
	Text string
	// Moving is a bound that is read from elsewhere, nil for a number.
	Moving *Moving
	// exact is Number without rounding, nil where Number is as it was written. It is what conversions go by.
	exact *big.Rat
	// of is the unit of UnitMeasured, and rated tells that it is compared with rates of the metric.
	of    Unit
	rated bool
}

var byteSuffixes = []struct {
	suffix string
	factor float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"PiB", 1 << 50},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"PB", 1e15},
	{"B", 1},
}

var (
	errNaN      = errors.New("threshold NaN")
	errInfinite = errors.New("threshold is infinite: no value is beyond it; leave the level out, or write a number that a value can reach")
)

// finite refuses numbers that nothing can be compared with.
func finite(f float64) error {
	switch {
	case math.IsNaN(f):
		return errNaN
	case math.IsInf(f, 0):
		return errInfinite
	default:
		return nil
	}
}

// quantityForms is what a threshold may look like, for messages.
const quantityForms = "a number, alone or with a unit, such as 80%, 5GiB, 30s, 100Mbit/s, 10k"

// parseQuantity reads a threshold: a number, the text of one, or text with a unit.
func parseQuantity(v any) (Quantity, error) {
	switch x := v.(type) {
	case float64:
		return bareQuantity(x)
	case float32:
		return bareQuantity(float64(x))
	case int:
		return bareQuantity(float64(x))
	case int64:
		return bareQuantity(float64(x))
	case uint64:
		return bareQuantity(float64(x))
	case string:
		return parseQuantityText(x)
	default:
		return Quantity{}, fmt.Errorf("threshold %v: expected %s", v, quantityForms)
	}
}

func bareQuantity(f float64) (Quantity, error) {
	if err := finite(f); err != nil {
		return Quantity{}, err
	}
	return Quantity{Number: f, Text: strconv.FormatFloat(f, 'g', -1, 64)}, nil
}

func parseQuantityText(s string) (Quantity, error) {
	text := strings.TrimSpace(s)
	q := Quantity{Text: text}
	number, factor := text, 1.0
	if rest, ok := strings.CutSuffix(text, "%"); ok {
		number, q.Unit = rest, UnitPercent
	} else {
		for _, b := range byteSuffixes {
			if rest, ok := strings.CutSuffix(text, b.suffix); ok {
				number, factor, q.Unit = rest, b.factor, UnitBytes
				break
			}
		}
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || strings.ContainsAny(number, "_xXpP") {
		if q, ok := parseMeasured(text); ok {
			if err := finite(q.Number); err != nil {
				return Quantity{}, err
			}
			return q, nil
		}
		return Quantity{}, fmt.Errorf("threshold %q: expected %s", s, quantityForms)
	}
	q.Number = f * factor
	if err := finite(q.Number); err != nil {
		return Quantity{}, err
	}
	if factor != 1 {
		q.exact = fractionOf(factor).scaled(rational(f))
	}
	return q, nil
}

// In returns the number to compare with a metric of the given unit.
func (q Quantity) In(unit string) (float64, error) {
	var whole []Unit // What the number is of.
	switch q.Unit {
	case UnitPercent:
		whole = percentUnits
	case UnitBytes:
		whole = byteUnits
	case UnitMeasured:
		return q.inMeasured(unit)
	default:
		if q.exact != nil {
			f, _ := q.exact.Float64()
			return f, nil
		}
		return q.Number, nil
	}
	metric := ParseUnit(unit)
	if rate := ParseUnit(unit + "/s"); q.rated && rate.dimension == percentUnits[0].dimension {
		metric = rate // Seconds per second are a share.
	}
	for _, u := range whole {
		if _, same := u.Per(metric); same {
			return u.convertExactly(q.exact, q.Number, metric), nil
		}
	}
	if q.Unit == UnitPercent {
		return 0, fmt.Errorf(`threshold %s needs a metric of unit "1" or "%%", not %q`, q.Text, unit)
	}
	return 0, fmt.Errorf(`threshold %s needs a metric of unit "By" or "By/s", not %q`, q.Text, unit)
}

// decimal tells whether a byte size was written with a prefix of powers of 1000.
func (q Quantity) decimal() bool {
	for prefix := range binaryPrefixes {
		if strings.Contains(q.Text, prefix) {
			return false
		}
	}
	return q.ofBytes() && strings.ContainsAny(q.Text, "kKMGTPE")
}

var (
	percentUnits = []Unit{ParseUnit("%")}
	byteUnits    = []Unit{ParseUnit("By"), ParseUnit("By/s")}
)
