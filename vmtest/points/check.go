package points

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Allowed are the exceptions that a test makes from the invariants of streams.
type Allowed struct {
	// StepsBack is how many times the wall clock was set back by more than the minute for which counters wait. There the time of a
	// stream may fall, and its start.
	StepsBack int
	// SmallStepsBack is how many times it was set back by less. There only gauges and levels go on, at times that fall.
	SmallStepsBack int
}

// Check holds the points of one run of a Collector against what streams.md promises of all: no total that falls under one start, no delta that is
// negative, no interval that is empty, reversed or overlaps the one before, no point twice, shares within 0 and 1, parts that sum to their
// whole. It returns what does not hold.
func Check(ps Points, allowed Allowed) []string {
	var wrong []string
	streams := ps.Streams()
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		wrong = append(wrong, checkStream(streams[name], allowed)...)
	}
	return append(wrong, checkSums(ps)...)
}

func checkStream(stream Points, allowed Allowed) []string {
	var wrong []string
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	var before *Point
	back := allowed.StepsBack
	if kind := stream[0].Kind; kind == Gauge || kind == Level {
		back += allowed.SmallStepsBack
	}
	for _, p := range stream {
		if problem := checkPoint(p); problem != "" {
			report("%s: %v", problem, p)
		}
		if before != nil && p.Time < before.Time && back > 0 {
			back--
			before = nil
		}
		if before != nil {
			if problem := checkPair(before, p); problem != "" {
				report("%s:\n\t%v\n\t%v", problem, before, p)
			}
		}
		before = p
	}
	return wrong
}

func checkPoint(p *Point) string {
	cumulative, counter := p.Kind == Total, p.Kind == Total || p.Kind == Delta
	switch {
	case math.IsNaN(p.Value) || math.IsInf(p.Value, 0):
		return "no number"
	case p.Value < 0 && p.Unit != "Cel":
		return "negative"
	case counter && p.Start == 0:
		return "a counter without a start"
	case cumulative && p.Start > p.Time, p.Kind == Delta && p.Start >= p.Time:
		return "the start is after the time"
	case p.Unit == "1" && isShare(p.Metric) && p.Value > 1:
		return "more than all"
	}
	return ""
}

// isShare tells the metrics that are a share of a whole. A process may use more than all of one CPU, and still less than all CPUs.
func isShare(metric string) bool {
	return strings.HasSuffix(metric, ".utilization") || strings.Contains(metric, ".pressure.")
}

func checkPair(before, p *Point) string {
	switch {
	case p.Time == before.Time:
		return "twice at one time"
	case p.Time < before.Time:
		return "the time falls"
	case p.Kind == Delta && p.Start < before.Time:
		return "the interval overlaps the one before"
	case p.Kind == Total && p.Start == before.Start && p.Value < before.Value:
		return "the total falls under one start"
	case p.Kind == Total && p.Start < before.Start:
		return "the start falls"
	case p.Kind == Total && p.Start != before.Start && p.Start < before.Time:
		return "the new total overlaps the one before"
	}
	return ""
}

// parts are the metrics whose points at one time are the parts of a whole: by which attribute, and the metric that has the whole; without one
// the whole is 1.
var parts = []struct {
	metric, attribute, whole string
	tolerance                float64 // as a share of the whole
}{
	{"system.cpu.utilization", "cpu.mode", "", 1e-9},
	{"system.memory.utilization", "system.memory.state", "", 1e-9},
	{"system.memory.usage", "system.memory.state", "system.memory.limit", 0},
	{"system.filesystem.usage", "system.filesystem.state", "system.filesystem.limit", 0},
	{"system.filesystem.utilization", "system.filesystem.state", "", 1e-9},
}

func checkSums(ps Points) []string {
	var wrong []string
	for _, part := range parts {
		sums := sumBy(ps.Of(part.metric), part.attribute)
		wholes := sumBy(ps.Of(part.whole), "")
		for _, key := range slices.Sorted(maps.Keys(sums)) {
			whole := 1.0
			if part.whole != "" {
				whole = wholes[key]
			}
			if sum := sums[key]; math.Abs(sum-whole) > part.tolerance*whole {
				wrong = append(wrong, fmt.Sprintf("the states of %s sum to %v, of %v: %s", part.metric, sum, whole, key))
			}
		}
	}
	return wrong
}

// sumBy adds the points of each batch that differ in one attribute alone.
func sumBy(ps Points, attribute string) map[string]float64 {
	sums := make(map[string]float64)
	for _, p := range ps {
		rest := maps.Clone(p.Attributes)
		delete(rest, attribute)
		sums[fmt.Sprintf("%s%s at %s, batch %d", join(rest), join(identifying(p.Resource)), at(p.Time), p.Batch)] += p.Value
	}
	return sums
}
