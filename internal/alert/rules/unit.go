package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Unit is a unit of measurement as UCUM means it: what is measured, and how many of the base unit one of it is. Annotations in braces say what
// is counted and are no units, so {cpu} is 1 and {packet}/s is 1/s.
type Unit struct {
	// Text is how the sender wrote it.
	Text string
	// dimension is what is measured, as a product of base units in order.
	dimension string
	factor    float64
	// exact is factor, of which the nearest float64 may not be it.
	exact fraction
}

// ParseUnit reads a unit. One that is not known measures itself alone, and an empty one measures nothing that is known.
func ParseUnit(text string) Unit {
	u := Unit{Text: text, factor: 1, exact: fraction{1, 1}}
	powers := map[string]int{}
	if !u.multiply(stripAnnotations(text), powers) || u.factor == 0 || math.IsInf(u.factor, 0) {
		return Unit{Text: text, dimension: strconv.Quote(text), factor: 1, exact: fraction{1, 1}}
	}
	var b strings.Builder
	for _, base := range slices.Sorted(maps.Keys(powers)) {
		if n := powers[base]; n != 0 {
			fmt.Fprintf(&b, "%s^%d ", base, n)
		}
	}
	u.dimension = b.String()
	return u
}

// Per returns how many of unit o one of u is, where both measure the same.
func (u Unit) Per(o Unit) (factor float64, same bool) {
	factor = u.factor / o.factor
	if exact := u.exact.times(o.exact.inverse()).float(); exact > 0 && !math.IsInf(exact, 0) {
		factor = exact
	}
	return factor, u.dimension == o.dimension
}

// stripAnnotations takes out what stands in braces. What is annotated and nothing else is 1; text without a unit stays empty.
func stripAnnotations(text string) string {
	var b strings.Builder
	depth := 0
	for _, c := range text {
		switch {
		case c == '{':
			if depth == 0 && (b.Len() == 0 || strings.HasSuffix(b.String(), "/") || strings.HasSuffix(b.String(), ".")) {
				b.WriteByte('1')
			}
			depth++
		case c == '}' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	if depth > 0 {
		return text // Not UCUM.
	}
	return b.String()
}

// multiply takes in the terms of a product: atoms with exponents, between "." and "/".
func (u *Unit) multiply(text string, powers map[string]int) bool {
	if text == "" {
		return false
	}
	sign := 1
	if rest, ok := strings.CutPrefix(text, "/"); ok {
		text, sign = rest, -1
	}
	for {
		end := strings.IndexAny(text, "./")
		term := text
		if end >= 0 {
			term = text[:end]
		}
		if !u.term(term, sign, powers) {
			return false
		}
		if end < 0 {
			return true
		}
		if sign = 1; text[end] == '/' {
			sign = -1
		}
		text = text[end+1:]
	}
}

// term takes in one atom with its exponent.
func (u *Unit) term(term string, sign int, powers map[string]int) bool {
	if term == "1" {
		return true
	}
	atom := strings.TrimRight(term, "0123456789")
	atom = strings.TrimRight(atom, "+-")
	exponent := 1
	if digits := term[len(atom):]; digits != "" {
		n, err := strconv.Atoi(digits)
		if err != nil || n < -9 || n > 9 {
			return false
		}
		exponent = n
	}
	a, exact, ok := atomOf(atom)
	if !ok {
		return false
	}
	exponent *= sign
	for range max(exponent, -exponent) {
		if exponent > 0 {
			u.factor *= a.factor
			u.exact = u.exact.times(exact)
		} else {
			u.factor /= a.factor
			u.exact = u.exact.times(exact.inverse())
		}
	}
	for _, base := range a.bases {
		powers[base.name] += base.power * exponent
	}
	return true
}

// atom is a unit without exponent.
type atom struct {
	factor float64
	bases  []basePower
	// prefixes tells that metric prefixes go with it.
	prefixes bool
}

type basePower struct {
	name  string
	power int
}

var (
	ofBytes   = []basePower{{"By", 1}}
	ofSeconds = []basePower{{"s", 1}}
	perSecond = []basePower{{"s", -1}}
)

// base is an atom that measures itself.
func base(name string) atom { return atom{1, []basePower{{name, 1}}, true} }

// atoms are the units that telemetry has, with the words that the Prometheus world has for them.
var atoms = map[string]atom{
	"%": {0.01, nil, false}, "percent": {0.01, nil, false}, "ratio": {1, nil, false}, "[ppm]": {1e-6, nil, false}, "ppm": {1e-6, nil, false},
	"By": {1, ofBytes, true}, "B": {1, ofBytes, true}, "byte": {1, ofBytes, true}, "bytes": {1, ofBytes, true},
	"bit": {0.125, ofBytes, true}, "bits": {0.125, ofBytes, true},
	"s": {1, ofSeconds, true}, "sec": {1, ofSeconds, false}, "second": {1, ofSeconds, false}, "seconds": {1, ofSeconds, false},
	"milliseconds": {1e-3, ofSeconds, false}, "microseconds": {1e-6, ofSeconds, false}, "nanoseconds": {1e-9, ofSeconds, false},
	"min": {60, ofSeconds, false}, "minutes": {60, ofSeconds, false}, "h": {3600, ofSeconds, false}, "hours": {3600, ofSeconds, false},
	"d": {86400, ofSeconds, false}, "days": {86400, ofSeconds, false}, "wk": {604800, ofSeconds, false},
	"Hz": {1, perSecond, true}, "hertz": {1, perSecond, true}, "Cel": {1, []basePower{{"Cel", 1}}, false}, "celsius": {1, []basePower{{"Cel", 1}}, false},
	"m": base("m"), "meters": base("m"), "g": base("g"), "grams": base("g"), "K": base("K"), "V": base("V"), "volts": base("V"),
	"A": base("A"), "amperes": base("A"), "W": base("W"), "watts": base("W"), "J": base("J"), "joules": base("J"), "Pa": base("Pa"), "lm": base("lm"),
}

// metricPrefixes and binaryPrefixes stand before atoms.
var metricPrefixes = map[string]float64{
	"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1,
	"h": 1e2, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
}

var binaryPrefixes = map[string]float64{"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60}

// atomOf finds an atom, with or without a prefix, and its factor without rounding.
func atomOf(text string) (a atom, exact fraction, ok bool) {
	if a, ok := atoms[text]; ok {
		return a, fractionOf(a.factor), true
	}
	for _, prefixes := range []map[string]float64{binaryPrefixes, metricPrefixes} {
		for prefix, factor := range prefixes {
			rest, ok := strings.CutPrefix(text, prefix)
			if !ok || prefix == "K" && rest != "B" && rest != "bit" { // Kelvin, but KB is written for kB.
				continue
			}
			if a, ok := atoms[rest]; ok && a.prefixes {
				exact := fractionOf(factor).times(fractionOf(a.factor))
				a.factor *= factor
				return a, exact, true
			}
		}
	}
	return atom{}, fraction{}, false
}

// CommonUnit returns the unit that a text comes to without annotations, if it is a common one: a known atom with or without a prefix, or such a one
// per second, of which there are some hundreds. Else it returns none.
func CommonUnit(text string) string {
	text = stripAnnotations(text)
	atom := strings.TrimSuffix(text, "/s")
	if _, _, known := atomOf(atom); known || atom == "1" {
		return text
	}
	return ""
}
