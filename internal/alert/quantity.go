package alert

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// quantityUnit is the unit that a threshold was written with.
type quantityUnit uint8

const (
	unitBare quantityUnit = iota
	unitPercent
	unitBytes
)

// quantity is a threshold as written: number, unit and the text for messages.
type quantity struct {
	num  float64
	unit quantityUnit
	text string
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
func parseQuantity(v any) (quantity, error) {
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
		return quantity{}, fmt.Errorf("threshold %v: want a number, a percentage or a byte size", v)
	}
}

func bareQuantity(f float64) (quantity, error) {
	if math.IsNaN(f) {
		return quantity{}, errNaN
	}
	return quantity{num: f, text: strconv.FormatFloat(f, 'g', -1, 64)}, nil
}

func parseQuantityText(s string) (quantity, error) {
	text := strings.TrimSpace(s)
	q := quantity{text: text}
	number, factor := text, 1.0
	if rest, ok := strings.CutSuffix(text, "%"); ok {
		number, q.unit = rest, unitPercent
	} else {
		for _, b := range byteSuffixes {
			if rest, ok := strings.CutSuffix(text, b.suffix); ok {
				number, factor, q.unit = rest, b.factor, unitBytes
				break
			}
		}
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || strings.ContainsAny(number, "_xXpP") {
		return quantity{}, fmt.Errorf("threshold %q: want a number, a percentage or a byte size", s)
	}
	if math.IsNaN(f) {
		return quantity{}, errNaN
	}
	q.num = f * factor
	return q, nil
}

// in returns the number to compare with a metric of the given unit.
func (q quantity) in(unit string) (float64, error) {
	switch q.unit {
	case unitPercent:
		switch unit {
		case "1":
			return q.num / 100, nil
		case "%":
			return q.num, nil
		}
		return 0, fmt.Errorf(`threshold %s needs a metric of unit "1" or "%%", not %q`, q.text, unit)
	case unitBytes:
		if unit != "By" && unit != "By/s" {
			return 0, fmt.Errorf(`threshold %s needs a metric of unit "By" or "By/s", not %q`, q.text, unit)
		}
	}
	return q.num, nil
}
