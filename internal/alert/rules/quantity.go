package rules

import (
	"errors"
	"fmt"
	"math"
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
)

// Quantity is a threshold as written: number, unit and the text for messages.
type Quantity struct {
	// Number is the number, with the factor of a byte size in it.
	Number float64
	// Unit is what it was written with.
	Unit QuantityUnit
	// Text is how it was written. Rule versions are made of it.
	Text string
	// Moving is a bound that is read from elsewhere, nil for a number.
	Moving *Moving
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

var errNaN = errors.New("threshold NaN")

// parseQuantity reads a threshold: a number, "80%", "5GiB" or the text of a number.
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
		return Quantity{}, fmt.Errorf("threshold %v: expected a number, a percentage or a byte size", v)
	}
}

func bareQuantity(f float64) (Quantity, error) {
	if math.IsNaN(f) {
		return Quantity{}, errNaN
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
		return Quantity{}, fmt.Errorf("threshold %q: expected a number, a percentage or a byte size", s)
	}
	if math.IsNaN(f) {
		return Quantity{}, errNaN
	}
	q.Number = f * factor
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
	default:
		return q.Number, nil
	}
	metric := ParseUnit(unit)
	for _, u := range whole {
		if _, same := u.Per(metric); same {
			return q.Number / (metric.factor / u.factor), nil
		}
	}
	if q.Unit == UnitPercent {
		return 0, fmt.Errorf(`threshold %s needs a metric of unit "1" or "%%", not %q`, q.Text, unit)
	}
	return 0, fmt.Errorf(`threshold %s needs a metric of unit "By" or "By/s", not %q`, q.Text, unit)
}

// decimal tells whether a byte size was written with a prefix of powers of 1000.
func (q Quantity) decimal() bool {
	return q.Unit == UnitBytes && !strings.Contains(q.Text, "i") && strings.ContainsAny(q.Text, "kKMGTPE")
}

var (
	percentUnits = []Unit{ParseUnit("%")}
	byteUnits    = []Unit{ParseUnit("By"), ParseUnit("By/s")}
)
