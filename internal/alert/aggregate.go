package alert

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// aggregateKind is how the samples of one window become one number.
type aggregateKind uint8

// Rule versions are made of the numbers: append only.
const (
	// aggLast is the newest sample.
	aggLast aggregateKind = 0
	// aggAvg is the mean.
	aggAvg aggregateKind = 1
	// aggMin is the least.
	aggMin aggregateKind = 2
	// aggMax is the greatest.
	aggMax aggregateKind = 3
	// aggSum is the sum.
	aggSum aggregateKind = 4
	// aggCount is how many samples there are.
	aggCount aggregateKind = 5
	// aggStddev is the population standard deviation.
	aggStddev aggregateKind = 6
	// aggPercentile is a quantile.
	aggPercentile aggregateKind = 7
	// aggRate is the increase by second of the window.
	aggRate aggregateKind = 8
	// aggIncrease is by how much a counter rose.
	aggIncrease aggregateKind = 9
)

// aggregate is a compiled Aggregate; q is the quantile of a percentile, 0 to 1.
type aggregate struct {
	kind aggregateKind
	q    float64
}

// aggregateNames are the aggregates as messages list them.
var aggregateNames = []string{"last", "avg", "min", "max", "sum", "count", "stddev", "pNN", "rate", "increase"}

// aggregateKinds are the aggregates that have a plain name.
var aggregateKinds = map[string]aggregateKind{
	"last": aggLast, "avg": aggAvg, "min": aggMin, "max": aggMax, "sum": aggSum, "count": aggCount, "stddev": aggStddev,
	"rate": aggRate, "increase": aggIncrease,
}

// aggregateSynonyms are the words that people bring along from elsewhere.
var aggregateSynonyms = map[string]string{
	"mean": "avg", "average": "avg", "maximum": "max", "minimum": "min", "total": "sum", "median": "p50",
	"std": "stddev", "stdev": "stddev", "latest": "last", "current": "last", "derivative": "rate", "delta": "increase",
}

func parseAggregate(name string) (aggregate, error) {
	if name == "" {
		return aggregate{}, nil
	}
	if kind, ok := aggregateKinds[name]; ok {
		return aggregate{kind: kind}, nil
	}
	if number, ok := strings.CutPrefix(name, "p"); ok {
		if p, err := strconv.ParseFloat(number, 64); err == nil {
			if !(p > 0 && p <= 100) {
				return aggregate{}, fmt.Errorf("aggregate %q: percentile must be in (0,100]", name)
			}
			return aggregate{kind: aggPercentile, q: p / 100}, nil
		}
	}
	if s, ok := aggregateSynonyms[strings.ToLower(name)]; ok {
		return aggregate{}, fmt.Errorf("unknown aggregate %q (did you mean %q?)", name, s)
	}
	return aggregate{}, fmt.Errorf("unknown aggregate %q %s", name, suggest.DidYouMean(name, aggregateNames))
}

// ofCounter tells whether the aggregate looks at differences between samples.
func (a aggregate) ofCounter() bool { return a.kind == aggRate || a.kind == aggIncrease }

// withinSamples tells whether the aggregate lies between the least and the greatest sample by its nature.
func (a aggregate) withinSamples() bool {
	switch a.kind {
	case aggLast, aggAvg, aggMin, aggMax:
		return true
	default:
		return false
	}
}

// over aggregates the samples i to j-1 of r, of which there is at least one. Counter aggregates are in counter.go.
// scratch is reused by percentiles; the grown slice is returned.
func (a aggregate) over(r *ring, i, j int, scratch []float64) (float64, []float64) {
	switch a.kind {
	case aggLast:
		return r.at(j - 1).v, scratch
	case aggCount:
		return float64(j - i), scratch
	case aggPercentile:
		scratch = scratch[:0]
		for k := i; k < j; k++ {
			scratch = append(scratch, r.at(k).v)
		}
		slices.Sort(scratch)
		return quantile(a.q, scratch), scratch
	case aggStddev:
		return stddev(r, i, j), scratch
	case aggMin, aggMax:
		v := r.at(i).v
		for k := i + 1; k < j; k++ {
			if a.kind == aggMin {
				v = math.Min(v, r.at(k).v)
			} else {
				v = math.Max(v, r.at(k).v)
			}
		}
		return v, scratch
	}
	var s kahanSum
	for k := i; k < j; k++ {
		s.add(r.at(k).v)
	}
	if a.kind == aggAvg {
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
func stddev(r *ring, i, j int) float64 {
	var mean, squares kahanSum
	for k := i; k < j; k++ {
		v := r.at(k).v
		d := v - mean.value()
		mean.add(d / float64(k-i+1))
		squares.add(d * (v - mean.value()))
	}
	return math.Sqrt(squares.value() / float64(j-i))
}

// kahanSum is a sum that keeps the low bits which plain addition loses (Neumaier's variant of Kahan's method).
type kahanSum struct{ sum, c float64 }

func (s *kahanSum) add(v float64) {
	t := s.sum + v
	switch {
	case math.IsInf(t, 0):
		s.c = 0
	case math.Abs(s.sum) >= math.Abs(v):
		s.c += (s.sum - t) + v
	default:
		s.c += (v - t) + s.sum
	}
	s.sum = t
}

func (s *kahanSum) value() float64 { return s.sum + s.c }

// groupAggregate is how the series of one group become one number.
type groupAggregate uint8

// Stored selections have the numbers: append only.
const (
	// groupWorst is the value that is nearest to the bound, or deepest in the breach.
	groupWorst groupAggregate = 0
	// groupSum is the sum.
	groupSum groupAggregate = 1
	// groupAvg is the mean.
	groupAvg groupAggregate = 2
	// groupMin is the least.
	groupMin groupAggregate = 3
	// groupMax is the greatest.
	groupMax groupAggregate = 4
	// groupCount is how many series have a value.
	groupCount groupAggregate = 5
)

// groupAggregateNames are the group aggregates as messages list them.
var groupAggregateNames = []string{"sum", "avg", "min", "max", "count"}

var groupAggregates = map[string]groupAggregate{
	"sum": groupSum, "avg": groupAvg, "min": groupMin, "max": groupMax, "count": groupCount,
}

func parseGroupAggregate(name string) (groupAggregate, error) {
	if name == "" {
		return groupWorst, nil
	}
	if agg, ok := groupAggregates[name]; ok {
		return agg, nil
	}
	if s, ok := aggregateSynonyms[strings.ToLower(name)]; ok && slices.Contains(groupAggregateNames, s) {
		return 0, fmt.Errorf("unknown group_agg %q (did you mean %q?)", name, s)
	}
	return 0, fmt.Errorf("unknown group_agg %q %s", name, suggest.DidYouMean(name, groupAggregateNames))
}

// groupAccumulator joins the values of a group's series.
type groupAccumulator struct {
	sum   kahanSum
	n     int
	worst float64
}

func (g *groupAccumulator) add(agg groupAggregate, v float64) {
	g.n++
	switch agg {
	case groupSum, groupAvg:
		g.sum.add(v)
	case groupMin:
		if g.n == 1 || v < g.worst {
			g.worst = v
		}
	case groupMax:
		if g.n == 1 || v > g.worst {
			g.worst = v
		}
	}
}

func (g *groupAccumulator) value(agg groupAggregate) float64 {
	switch agg {
	case groupSum:
		return g.sum.value()
	case groupAvg:
		return g.sum.value() / float64(g.n)
	case groupCount:
		return float64(g.n)
	default:
		return g.worst
	}
}
