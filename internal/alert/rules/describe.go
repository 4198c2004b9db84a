package rules

import (
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// What this file has is for tools that check rules against what they know of metrics: the engine asks none of it.

// AttributeTest is one test of a match.
type AttributeTest struct {
	// Location is where the attribute stands, and Key its key. In the match of a silence an attribute of a data point may be the resource's, too.
	Location attr.Location
	Key      string
	// Text is the test as it was written.
	Text string
	// Needed tells that only what has the attribute passes.
	Needed bool
	// Values are all texts that pass, nil where these are not few.
	Values []string

	test matcher
}

// Accepts tells whether an attribute of that text passes.
func (t *AttributeTest) Accepts(text string) bool {
	return t.test.matchesValue(attr.StringValue(text), true)
}

// Tests returns the tests of the selector.
func (s *Selector) Tests() []AttributeTest {
	var out []AttributeTest
	for location, ms := range [...][]matcher{attr.InPoint: s.point, attr.InResource: s.resource, attr.InScope: s.scope} {
		for _, m := range ms {
			t := AttributeTest{
				Location: attr.Location(location), Key: m.key, Text: m.written(), Needed: m.op != opMissing && m.op != opNotRegex, test: m,
			}
			t.Values, _ = m.values()
			out = append(out, t)
		}
	}
	return out
}

// DataTests returns the tests of the i-th silence on attributes, and the rules that it may be about by its other tests.
func (r *Set) DataTests(silence int) ([]AttributeTest, []*Rule) {
	m := &r.Silences[silence].match
	var about []*Rule
	for _, rule := range r.Rules {
		if passedByAny([]*Rule{rule}, m.record) {
			about = append(about, rule)
		}
	}
	return m.data.Tests(), about
}

// MayGroupBy tells whether the key of the rule's groups may have the attribute of data points that have these.
func (r *Rule) MayGroupBy(key string, point []string) bool {
	switch {
	case r.GroupGiven:
		return slices.ContainsFunc(r.GroupBy, func(f GroupField) bool { return f.Key == key }) || r.Pinned() && r.Value.Selector.pins(key)
	case r.Joins || r.Value.Selector.pins(key):
		return false
	default:
		return slices.Contains(point, key)
	}
}

// ValueRange is the range of a rule's value where its points are from lowest to highest. It is false where that can't be said.
func (r *Rule) ValueRange(lowest, highest float64) (low, high float64, known bool) {
	if _, plain := r.Kind.(*comparison); !plain {
		return 0, 0, false
	}
	low, high = lowest, highest
	unbounded := func() { low, high = min(low, 0), math.Inf(1) }
	switch r.Value.Statistic.Kind {
	case window.StatisticSum:
		unbounded()
	case window.StatisticCount:
		low, high = 0, math.Inf(1)
	}
	if r.Window > 0 {
		switch r.Aggregate.Kind {
		case window.AggregateSum:
			unbounded()
		case window.AggregateCount:
			low, high = 0, math.Inf(1)
		case window.AggregateStddev:
			low, high = 0, (high-low)/2
		case window.AggregateLast, window.AggregateAvg, window.AggregateMin, window.AggregateMax, window.AggregatePercentile:
		default:
			return 0, 0, false
		}
	}
	switch r.GroupAggregate {
	case window.GroupSum:
		unbounded()
	case window.GroupCount:
		low, high = 0, math.Inf(1)
	}
	low, high = scaled(r, low), scaled(r, high)
	return min(low, high), max(low, high), true
}

// scaled is a value after scale and offset.
func scaled(r *Rule, v float64) float64 {
	if r.Scale == 0 {
		return r.Offset
	}
	return r.Offset + r.Scale*v
}

// LooksAtTotals tells whether the rule compares what its points say, or a mean, minimum or maximum of it, and not by how much that grew.
func (r *Rule) LooksAtTotals() bool {
	if _, isRatio := r.Kind.(*ratio); !isRatio {
		if _, plain := r.Kind.(*comparison); !plain {
			return false
		}
	}
	return r.Window == 0 || !r.Aggregate.OfCounter() && !r.Aggregate.OfPairs() && r.Aggregate.Kind != window.AggregateCount
}
