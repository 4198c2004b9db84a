package rules

import (
	"fmt"
	"strings"
)

// dimension is a unit as a number of base units: seconds, bytes, and whatever else as it is written.
type dimension struct {
	base   string
	factor float64
}

// unitFactors are the units that are multiples of others. bit is one of By.
var unitFactors = map[string]dimension{
	"": {"", 1}, "1": {"", 1}, "%": {"", 0.01},
	"By": {"By", 1}, "bit": {"By", 0.125},
	"s": {"s", 1}, "min": {"s", 60}, "h": {"s", 3600}, "d": {"s", 86400},
	"Hz": {"/s", 1},
}

var unitPrefixes = []struct {
	prefix string
	factor float64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50},
	{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}, {"m", 1e-3}, {"u", 1e-6}, {"n", 1e-9},
}

// parseUnit reads a UCUM unit. Annotations in braces are no units. A unit that is not known is one of its own.
func parseUnit(text string) (d dimension, known bool) {
	for {
		open, end := strings.IndexByte(text, '{'), strings.IndexByte(text, '}')
		if open < 0 || end < open {
			break
		}
		text = text[:open] + text[end+1:]
	}
	over, under, fraction := strings.Cut(text, "/")
	d, known = parseSimpleUnit(over)
	if fraction {
		by, knownBy := parseSimpleUnit(under)
		if d.factor, known = d.factor/by.factor, known && knownBy; by.base != "" {
			d.base += "/" + by.base
		}
	}
	return d, known
}

func parseSimpleUnit(text string) (dimension, bool) {
	if d, ok := unitFactors[text]; ok {
		return d, true
	}
	for _, p := range unitPrefixes {
		if rest, ok := strings.CutPrefix(text, p.prefix); ok && rest != "" && rest != "1" && rest != "%" {
			if d, ok := unitFactors[rest]; ok {
				d.factor *= p.factor
				return d, true
			}
		}
	}
	return dimension{text, 1}, false
}

// ConvertUnit returns the factor that turns a number of one unit into one of another.
func ConvertUnit(from, to string) (float64, error) {
	a, _ := parseUnit(from)
	b, _ := parseUnit(to)
	if a.base != b.base {
		return 0, fmt.Errorf("unit %q can't be converted to %q", from, to)
	}
	return a.factor / b.factor, nil
}
