package window

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// AggregateKind is how the samples of one window become one number.
type AggregateKind uint8

// Rule versions are made of the numbers: append only.
const (
	// AggregateLast is the newest sample.
	AggregateLast AggregateKind = 0
	// AggregateAvg is the mean.
	AggregateAvg AggregateKind = 1
	// AggregateMin is the least.
	AggregateMin AggregateKind = 2
	// AggregateMax is the greatest.
	AggregateMax AggregateKind = 3
	// AggregateSum is the sum.
	AggregateSum AggregateKind = 4
	// AggregateCount is how many samples there are.
	AggregateCount AggregateKind = 5
	// AggregateStddev is the population standard deviation.
	AggregateStddev AggregateKind = 6
	// AggregatePercentile is a quantile.
	AggregatePercentile AggregateKind = 7
	// AggregateRate is the increase by second of the window.
	AggregateRate AggregateKind = 8
	// AggregateIncrease is by how much a counter rose.
	AggregateIncrease AggregateKind = 9
	// AggregateChanges is how often the value changed.
	AggregateChanges AggregateKind = 10
	// AggregateResets is how often a counter began again.
	AggregateResets AggregateKind = 11
)

// Aggregate is a compiled Aggregate; q is the quantile of a percentile, 0 to 1.
type Aggregate struct {
	Kind     AggregateKind
	Quantile float64
}

// aggregateNames are the aggregates as messages list them.
var aggregateNames = []string{"last", "avg", "min", "max", "sum", "count", "stddev", "pNN", "rate", "increase", "changes", "resets"}

// aggregateKinds are the aggregates that have a plain name.
var aggregateKinds = map[string]AggregateKind{
	"last": AggregateLast, "avg": AggregateAvg, "min": AggregateMin, "max": AggregateMax, "sum": AggregateSum, "count": AggregateCount, "stddev": AggregateStddev,
	"rate": AggregateRate, "increase": AggregateIncrease, "changes": AggregateChanges, "resets": AggregateResets,
}

// aggregateSynonyms are the words that people bring along from elsewhere.
var aggregateSynonyms = map[string]string{
	"mean": "avg", "average": "avg", "maximum": "max", "minimum": "min", "total": "sum", "median": "p50",
	"std": "stddev", "stdev": "stddev", "latest": "last", "current": "last", "derivative": "rate", "delta": "increase",
	"changed": "changes", "transitions": "changes", "restarts": "resets",
}

// ParseAggregate reads the name of an aggregate, the newest sample when it is empty. The error says what was probably meant.
func ParseAggregate(name string) (Aggregate, error) {
	if name == "" {
		return Aggregate{}, nil
	}
	if kind, ok := aggregateKinds[name]; ok {
		return Aggregate{Kind: kind}, nil
	}
	if number, ok := strings.CutPrefix(name, "p"); ok {
		if p, err := strconv.ParseFloat(number, 64); err == nil {
			if !(p > 0 && p <= 100) {
				return Aggregate{}, fmt.Errorf("aggregate %q: percentile must be in (0,100]", name)
			}
			return Aggregate{Kind: AggregatePercentile, Quantile: p / 100}, nil
		}
	}
	if s, ok := aggregateSynonyms[strings.ToLower(name)]; ok {
		return Aggregate{}, fmt.Errorf("unknown aggregate %q (did you mean %q?)", name, s)
	}
	return Aggregate{}, fmt.Errorf("unknown aggregate %q %s", name, suggest.DidYouMean(name, aggregateNames))
}

// OfCounter tells whether the aggregate looks at differences between samples.
func (a Aggregate) OfCounter() bool { return a.Kind == AggregateRate || a.Kind == AggregateIncrease }

// WithinSamples tells whether the aggregate lies between the least and the greatest sample by its nature.
func (a Aggregate) WithinSamples() bool {
	switch a.Kind {
	case AggregateLast, AggregateAvg, AggregateMin, AggregateMax:
		return true
	default:
		return false
	}
}

// Over aggregates the samples i to j-1 of r, of which there is at least one. Those of counters
// are worked out by Series.Increase, and counts of neighbours by Series.Pairs. scratch is reused by percentiles; the grown slice is returned.
func (a Aggregate) Over(r *Ring, i, j int, scratch []float64) (float64, []float64) {
	switch a.Kind {
	case AggregateLast:
		return r.At(j - 1).Value, scratch
	case AggregateCount:
		return float64(j - i), scratch
	case AggregatePercentile:
		scratch = scratch[:0]
		for k := i; k < j; k++ {
			scratch = append(scratch, r.At(k).Value)
		}
		slices.Sort(scratch)
		return quantile(a.Quantile, scratch), scratch
	case AggregateStddev:
		return stddev(r, i, j), scratch
	case AggregateMin:
		least := r.At(i).Value // No sample is NaN.
		for k := i + 1; k < j; k++ {
			if v := r.At(k).Value; v < least {
				least = v
			}
		}
		return least, scratch
	case AggregateMax:
		most := r.At(i).Value
		for k := i + 1; k < j; k++ {
			if v := r.At(k).Value; v > most {
				most = v
			}
		}
		return most, scratch
	}
	var s kahanSum
	for k := i; k < j; k++ {
		s.add(r.At(k).Value)
	}
	if a.Kind == AggregateAvg {
		return s.value() / float64(j-i), scratch
	}
	return s.value(), scratch
}

// quantile returns the q-quantile of ordered values: rank q·(n−1), linear between neighbours.
func quantile(q float64, ordered []float64) float64 {
	rank := q * float64(len(ordered)-1)
	lower := int(math.Floor(rank))
	upper := min(lower+1, len(ordered)-1)
	if ordered[lower] == ordered[upper] {
		return ordered[lower] // Also keeps an infinity from becoming Inf − Inf.
	}
	weight := rank - float64(lower)
	return ordered[lower]*(1-weight) + ordered[upper]*weight
}

// stddev returns the population standard deviation, by Welford's method with compensated sums.
func stddev(r *Ring, i, j int) float64 {
	var mean, squares kahanSum
	for k := i; k < j; k++ {
		v := r.At(k).Value
		d := v - mean.value()
		mean.add(d / float64(k-i+1))
		squares.add(d * (v - mean.value()))
	}
	return math.Sqrt(squares.value() / float64(j-i))
}

// kahanSum is a sum that keeps the low bits which plain addition loses: c is the sum of what each addition lost, by Knuth's TwoSum.
type kahanSum struct{ sum, c float64 }

func (s *kahanSum) add(v float64) {
	t := s.sum + v
	added := t - s.sum
	s.c += (s.sum - (t - added)) + (v - added)
	s.sum = t
}

// value is the sum; what an infinite one lost is no number.
func (s *kahanSum) value() float64 {
	if math.IsInf(s.sum, 0) {
		return s.sum
	}
	return s.sum + s.c
}

// GroupAggregate is how the series of one group become one number.
type GroupAggregate uint8

// Stored selections have the numbers: append only.
const (
	// GroupWorst is the value that is nearest to the bound, or deepest in the breach.
	GroupWorst GroupAggregate = 0
	// GroupSum is the sum.
	GroupSum GroupAggregate = 1
	// GroupAvg is the mean.
	GroupAvg GroupAggregate = 2
	// GroupMin is the least.
	GroupMin GroupAggregate = 3
	// GroupMax is the greatest.
	GroupMax GroupAggregate = 4
	// GroupCount is how many series have a value.
	GroupCount GroupAggregate = 5
)

// groupAggregateNames are the group aggregates as messages list them.
var groupAggregateNames = []string{"sum", "avg", "min", "max", "count"}

var groupAggregates = map[string]GroupAggregate{
	"sum": GroupSum, "avg": GroupAvg, "min": GroupMin, "max": GroupMax, "count": GroupCount,
}

// ParseGroupAggregate reads the name of a group aggregate, GroupWorst when it is empty.
func ParseGroupAggregate(name string) (GroupAggregate, error) {
	if name == "" {
		return GroupWorst, nil
	}
	if agg, ok := groupAggregates[name]; ok {
		return agg, nil
	}
	if s, ok := aggregateSynonyms[strings.ToLower(name)]; ok && slices.Contains(groupAggregateNames, s) {
		return 0, fmt.Errorf("unknown group_aggregate %q (did you mean %q?)", name, s)
	}
	return 0, fmt.Errorf("unknown group_aggregate %q %s", name, suggest.DidYouMean(name, groupAggregateNames))
}

// GroupAccumulator joins the values of a group's series.
type GroupAccumulator struct {
	sum   kahanSum
	Count int
	worst float64
}

// Add takes in the value of one series.
func (g *GroupAccumulator) Add(agg GroupAggregate, v float64) {
	g.Count++
	switch agg {
	case GroupSum, GroupAvg:
		g.sum.add(v)
	case GroupMin:
		if g.Count == 1 || v < g.worst {
			g.worst = v
		}
	case GroupMax:
		if g.Count == 1 || v > g.worst {
			g.worst = v
		}
	}
}

// Value returns what the values taken in are together; Count must be above 0.
func (g *GroupAccumulator) Value(agg GroupAggregate) float64 {
	switch agg {
	case GroupSum:
		return g.sum.value()
	case GroupAvg:
		return g.sum.value() / float64(g.Count)
	case GroupCount:
		return float64(g.Count)
	default:
		return g.worst
	}
}
