package notifyexporter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// clockText is a time in words: the time of day, and the day if it is not that of now.
func clockText(at, now int64, location *time.Location) string {
	t, n := time.Unix(0, at).In(location), time.Unix(0, now).In(location)
	if t.Format(time.DateOnly) == n.Format(time.DateOnly) {
		return t.Format("15:04:05 MST")
	}
	return t.Format("Mon 2 Jan 2006 15:04:05 MST")
}

// duration is a length of time in words.
func duration(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour && d%time.Minute == 0:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 10*time.Minute:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// comparisons are the signs of comparisons in words, for a value for which it holds and for one that is well again.
var comparisons = map[string][2]string{
	">": {"above the threshold of", "the threshold is"}, ">=": {"at or above the threshold of", "the threshold is"},
	"<": {"below the threshold of", "the threshold is"}, "<=": {"at or below the threshold of", "the threshold is"},
	"==": {"equal to", "the bad value is"}, "!=": {"not", "the right value is"},
	"outside": {"out of the range that ends at", "the range ends at"}, "inside": {"in the range that ends at", "the range ends at"},
}

// valueText is the value and what it was compared with.
func valueText(a *about, n *notice) string {
	if n.Value == nil {
		if n.Comparison == "absent" && !n.Resolved {
			return "there is none"
		}
		return ""
	}
	text := quantity(*n.Value, a.Unit, a.Metric)
	if n.Threshold != nil {
		if c, ok := comparisons[n.Comparison]; ok {
			i := 0
			if n.Resolved {
				i = 1
			}
			text += ", " + c[i] + " " + quantity(*n.Threshold, a.Unit, a.Metric)
		} else {
			text += ", threshold " + quantity(*n.Threshold, a.Unit, a.Metric)
		}
	}
	return text
}

// metricText is where the value comes from.
func metricText(a *about) string {
	text := a.Metric
	if text == "" {
		return ""
	}
	if a.Aggregation != "" {
		text += ", " + a.Aggregation
	}
	if a.Window > 0 {
		text += " over " + duration(time.Duration(a.Window*float64(time.Second)))
	}
	return text
}

// quantity is a number with its unit, for people.
func quantity(v float64, unit, metric string) string {
	switch {
	case unit == "1" && (strings.HasSuffix(metric, "utilization") || strings.Contains(metric, " / ")):
		return number(v*100) + " %"
	case unit == "1" || unit == "":
		return number(v)
	case unit == "By" || unit == "By/s":
		return scaled(v) + strings.TrimPrefix(unit, "By")
	case unit == "s" && math.Abs(v) >= 60:
		return duration(time.Duration(v * float64(time.Second)))
	case unit == "Cel":
		return number(v) + " °C"
	case strings.HasPrefix(unit, "{"):
		return number(v) + " " + strings.NewReplacer("{", "", "}", "s").Replace(unit)
	default:
		return number(v) + " " + unit
	}
}

func scaled(v float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for math.Abs(v) >= 1024 && i < len(units)-1 {
		v /= 1024
		i++
	}
	return number(v) + " " + units[i]
}

// number is a number with as many digits as say something.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e15 || a > 0 && a < 1e-4:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 1:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}
