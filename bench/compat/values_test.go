package compat

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// compare tells in what the values of ours differ from those of the old by more than sampling does; "" if they don't. Each of our points lies between
// what the other said before and after it: of a counter always, of what goes up and down as a rule.
func compare(was, is *series) string {
	counter := strings.Contains(is.shape, "monotonic=true")
	good, all, worst := 0, 0, ""
	for _, p := range is.points {
		low, high, ok := around(was.points, p.time)
		if !ok {
			continue
		}
		all++
		slack := slackOf(is, low, high)
		if p.value >= low-slack && p.value <= high+slack {
			good++
			continue
		}
		worst = fmt.Sprintf("is %v, between %v before and %v after", p.value, low, high)
	}
	switch {
	case all == 0:
		return "has no points to compare"
	case counter && good == all, !counter && 2*good >= all:
		return ""
	}
	return worst
}

// around gives the least and the greatest of the values just before and after a time, and one further, for a scrape takes a while.
func around(points []point, t time.Time) (low, high float64, ok bool) {
	after := slices.IndexFunc(points, func(p point) bool { return !p.time.Before(t) })
	if after < 2 || after > len(points)-2 {
		return 0, 0, false
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range points[after-2 : after+2] {
		low, high = min(low, p.value), max(high, p.value)
	}
	return low, high, true
}

// slackOf is what rounding, and the moment of reading, may make of a value.
func slackOf(s *series, low, high float64) float64 {
	switch {
	case strings.HasSuffix(s.metric, ".cpu.utilization"):
		return 0.1 // Few ticks are in a second.
	case strings.HasSuffix(s.metric, ".utilization"):
		return 0.02
	case strings.HasPrefix(s.shape, "s "):
		return 0.05 // Ticks of all CPUs.
	case strings.Contains(s.shape, "monotonic=true"):
		return 0
	default:
		return 0.02*max(math.Abs(high), math.Abs(low)) + 3
	}
}
