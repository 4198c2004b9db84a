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
func formatPercent(ratio float64) string {
	return strconv.FormatFloat(ratio*100, 'f', 1, 64) + "%"
}

// formatBytes writes a number of bytes with a binary prefix.
func formatBytes(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i := 0
	for math.Abs(n) >= 1024 && i < len(units)-1 && !math.IsInf(n, 0) {
		n /= 1024
		i++
	}
	decimals := 1
	if i == 0 {
		decimals = 0
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

// FormatValue writes a value of the metric's unit for a message nobody wrote a template for.
func FormatValue(v float64, unit string) string {
	switch unit {
	case "1":
		return formatPercent(v)
	case "%":
		return strconv.FormatFloat(v, 'f', 1, 64) + "%"
	case "By":
		return formatBytes(v)
	case "By/s":
		return formatBytes(v) + "/s"
	case "s":
		return FormatSeconds(v)
	default:
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
}

// DisplayUnit returns the unit to show a value in: a ratio is a percentage where the metric or the threshold calls it one.
func (l *LevelSpec) DisplayUnit(metric, unit string) string {
	if unit == "1" && l.Raise[0].Unit != UnitPercent && !IsShare(metric) {
		return ""
	}
	return unit
}
