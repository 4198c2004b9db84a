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

const (
	aggLast aggregateKind = iota
	aggAvg
	aggMin
	aggMax
	aggSum
	aggCount
	aggStddev
	aggPercentile
	aggRate
	aggIncrease
)

// aggregate is a compiled Aggregate; q is the quantile of a percentile, 0 to 1.
type aggregate struct {
	kind aggregateKind
	q    float64
}

var aggregateNames = []string{"last", "avg", "min", "max", "sum", "count", "stddev", "pNN", "rate", "increase"}

// aggregateSynonyms are the words that people bring along from elsewhere.
var aggregateSynonyms = map[string]string{
	"mean": "avg", "average": "avg", "maximum": "max", "minimum": "min", "total": "sum", "median": "p50",
	"std": "stddev", "stdev": "stddev", "latest": "last", "current": "last", "derivative": "rate", "delta": "increase",
}

func parseAggregate(name string) (aggregate, error) {
	if name == "" {
		return aggregate{}, nil
	}
	if i := slices.Index(aggregateNames, name); i >= 0 && name != "pNN" {
		return aggregate{kind: aggregateKind(i)}, nil
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

const (
	groupWorst groupAggregate = iota
	groupSum
	groupAvg
	groupMin
	groupMax
	groupCount
)

var groupAggregateNames = []string{"sum", "avg", "min", "max", "count"}

func parseGroupAggregate(name string) (groupAggregate, error) {
	if name == "" {
		return groupWorst, nil
	}
	if i := slices.Index(groupAggregateNames, name); i >= 0 {
		return groupAggregate(i + 1), nil
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
