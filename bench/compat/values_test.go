package compat

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// compare tells in what the values of ours differ from those of the old by more than sampling does; "" if they don't. A point lies between what the
// other said before and after it, unless one of the two was kept from reading for a while: so a quarter has to, and half may be off by no more than all
// that the other saw the value change. What differs does so all the time.
func compare(was, is *series) string {
	least, most := math.Inf(1), math.Inf(-1)
	for _, p := range was.points {
		least, most = min(least, p.value), max(most, p.value)
	}
	all, good, bounded, worst := 0, 0, 0, ""
	for _, p := range is.points {
		low, high, ok := around(was.points, p.time)
		if !ok {
			continue
		}
		slack := slackOf(is, low, high)
		all++
		off := max(low-p.value, p.value-high, 0)
		if off <= slack {
			good++
		} else {
			worst = fmt.Sprintf("is %v, between %v before and %v after", p.value, low, high)
		}
		if off <= slack+most-least {
			bounded++
		}
	}
	switch {
	case all == 0:
		return "has no points to compare"
	case 4*good >= all && 2*bounded >= all:
		return ""
	}
	return fmt.Sprintf("%s (%d of %d points lie between, %d are near)", worst, good, all, bounded)
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
