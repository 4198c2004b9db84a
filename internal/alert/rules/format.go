package rules

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// FormatDuration writes a duration as an operator would: 24h, 1m30s, 15s.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// formatPercent writes a ratio as a percentage with one decimal.
func formatPercent(ratio float64) string { return percentText(ratio * 100) }

// percentText writes a percentage with one decimal.
func percentText(percent float64) string { return strconv.FormatFloat(percent, 'f', 1, 64) + "%" }

// formatBytes writes a number of bytes with a binary prefix.
func formatBytes(n float64) string { return scaleBytes(n, false, 1) }

// scaleBytes writes a number of bytes with a prefix, of powers of 1000 or else 1024, and so many decimals.
func scaleBytes(n float64, decimal bool, decimals int) string {
	units, base := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}, 1024.0
	if decimal {
		units, base = []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}, 1000
	}
	i := 0
	for math.Abs(n) >= base && i < len(units)-1 && !math.IsInf(n, 0) {
		n /= base
		i++
	}
	if i == 0 {
		decimals--
	}
	return strconv.FormatFloat(n, 'f', decimals, 64) + " " + units[i]
}

// FormatSeconds writes seconds as a duration: 15m15s.
func FormatSeconds(seconds float64) string {
	if math.IsNaN(seconds) || math.Abs(seconds) > math.MaxInt64/2e9 {
		return strconv.FormatFloat(seconds, 'g', -1, 64) + "s"
	}
	return FormatDuration(time.Duration(seconds * 1e9).Round(time.Millisecond))
}

// valueFormat is how a value of a rule is written in messages.
type valueFormat struct {
	// unit is the UCUM unit, "" for a plain number.
	unit string
	// decimal writes bytes with the prefixes of powers of 1000, as their threshold was written.
	decimal bool
}

// write writes a value with the usual number of digits.
func (f valueFormat) write(v float64) string { return f.writeDigits(v, 1) }

// apart writes a value with as many digits as it takes to tell it from the given numbers, where it is another.
func (f valueFormat) apart(v float64, from ...float64) string {
	const mostDigits = 6
	for digits := 1; ; digits++ {
		text, same := f.writeDigits(v, digits), false
		for _, other := range from {
			same = same || v != other && f.writeDigits(other, digits) == text
		}
		if !same {
			return text
		}
		if digits == mostDigits {
			return strconv.FormatFloat(v, 'g', -1, 64) + unitSuffix(f.unit)
		}
	}
}

// writeDigits writes a value with so many decimals, or where the unit has no usual form six significant digits and those beyond the first.
func (f valueFormat) writeDigits(v float64, digits int) string {
	switch f.unit {
	case "1":
		return strconv.FormatFloat(v*100, 'f', digits, 64) + "%"
	case "%":
		return strconv.FormatFloat(v, 'f', digits, 64) + "%"
	case "By":
		return scaleBytes(v, f.decimal, digits)
	case "By/s":
		return scaleBytes(v, f.decimal, digits) + "/s"
	case "s":
		if digits == 1 {
			return FormatSeconds(v)
		}
	}
	return significant(v, digits+5) + unitSuffix(f.unit)
}

// unitSuffix is what stands behind a number of the unit: nothing for an annotation in braces, of which all that is said is said by the metric.
func unitSuffix(unit string) string {
	unit, perSecond := strings.CutSuffix(unit, "/s")
	if strings.HasPrefix(unit, "{") || unit == "1" {
		unit = ""
	}
	switch {
	case perSecond:
		return strings.TrimRight(" "+unit, " ") + "/s"
	case unit == "":
		return ""
	default:
		return " " + unit
	}
}

// plainNumber writes a number of no unit.
func plainNumber(v float64) string { return significant(v, 6) }

// significant writes a number with so many significant digits, but all of an integer, and without an exponent where that is readable.
func significant(v float64, digits int) string {
	if a := math.Abs(v); a >= 1e15 || a < 1e-4 && a > 0 {
		return strconv.FormatFloat(v, 'g', digits, 64)
	}
	text := strconv.FormatFloat(v, 'g', digits, 64)
	if strings.Contains(text, "e") {
		text = strconv.FormatFloat(v, 'f', 0, 64)
	}
	return text
}
