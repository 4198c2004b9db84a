package window

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// Shape is the kind of a data point that describes many values at once.
type Shape uint8

const (
	// Histogram counts values between written-down bounds.
	Histogram Shape = iota
	// ExponentialHistogram counts values between the powers of a base.
	ExponentialHistogram
	// Summary holds quantiles that the source worked out.
	Summary
)

var shapeNames = []string{"a histogram", "an exponential histogram", "a summary"}

// String names the shape, with its article.
func (s Shape) String() string { return shapeNames[s] }

// Distribution is one histogram or summary data point. An adapter fills one and reuses it; the engine keeps none of it.
type Distribution struct {
	Shape Shape
	// Count is how many values there were; 0 is a point that has seen none.
	Count uint64
	// Sum, Min and Max are those of the values, where the point has them.
	Sum, Min, Max attr.Number

	// Bounds are the upper bounds of a histogram's buckets, in order. Counts has one more: what is above the last bound.
	Bounds []float64
	Counts []uint64

	// Scale tells the base of an exponential histogram, 2^(2^-Scale). ZeroCount values were within ZeroThreshold of 0.
	Scale              int32
	ZeroCount          uint64
	ZeroThreshold      float64
	Positive, Negative ExponentialBuckets

	// Quantiles are those of a summary.
	Quantiles []Quantile
}

// ExponentialBuckets are the counts of neighbouring buckets: the one at i holds the values above base^(Offset+i), up to and
// including base^(Offset+i+1), or their opposites.
type ExponentialBuckets struct {
	Offset int32
	Counts []uint64
}

// Quantile is one quantile of a summary; Q is from 0, the minimum, to 1, the maximum.
type Quantile struct{ Q, Value float64 }

// Reset empties the distribution for reuse.
func (d *Distribution) Reset() {
	*d = Distribution{
		Bounds: d.Bounds[:0], Counts: d.Counts[:0], Quantiles: d.Quantiles[:0],
		Positive: ExponentialBuckets{Counts: d.Positive.Counts[:0]}, Negative: ExponentialBuckets{Counts: d.Negative.Counts[:0]},
	}
}

// Read returns the statistic of the distribution, and false when a point that has seen no values has none. problem tells why no
// such point has the statistic.
func (d *Distribution) Read(f Statistic) (v float64, ok bool, problem string) {
	switch {
	case f.Kind == StatisticCount:
		return float64(d.Count), true, ""
	case f.Kind == StatisticSum && d.Count == 0:
		return 0, true, ""
	case d.Count == 0:
		return 0, false, ""
	case f.Kind == StatisticSum:
		return numberOrProblem(d.Sum, "sum")
	case f.Kind == StatisticAvg:
		v, ok, problem = numberOrProblem(d.Sum, "sum")
		return v / float64(d.Count), ok, problem
	case d.Shape == Summary:
		return d.listed(f)
	case f.Kind == StatisticMin:
		return numberOrProblem(d.Min, "min")
	case f.Kind == StatisticMax:
		return numberOrProblem(d.Max, "max")
	}
	return d.percentile(f.Quantile)
}

func numberOrProblem(n attr.Number, name string) (float64, bool, string) {
	if !n.Valid {
		return 0, false, "its points have no " + name
	}
	return n.Float64, true, ""
}

// maxListed bounds the percentiles that a message lists.
const maxListed = 10

// listed returns a quantile that the summary holds; between them nothing is known.
func (d *Distribution) listed(f Statistic) (float64, bool, string) {
	want := f.Quantile
	if f.Kind == StatisticMax {
		want = 1
	}
	var has []string
	for _, q := range d.Quantiles {
		if math.Abs(q.Q-want) < 1e-9 {
			return q.Value, !math.IsNaN(q.Value), ""
		}
		if len(has) < maxListed {
			has = append(has, "p"+strconv.FormatFloat(math.Round(q.Q*1e9)/1e7, 'g', -1, 64))
		}
	}
	switch {
	case len(has) == 0:
		return 0, false, "its points have no percentiles"
	case len(d.Quantiles) > maxListed:
		has = append(has, "…")
	}
	return 0, false, "its points have " + strings.Join(has, ", ") + " and no other percentile"
}

// percentile estimates a percentile from the buckets: rank q·(n−1) and linear between neighbours, as over a window. The values
// of a bucket are taken to lie evenly in it: by their logarithms in an exponential histogram. The first and the last value are
// known where the point has a minimum and a maximum.
func (d *Distribution) percentile(q float64) (float64, bool, string) {
	if d.Shape == Histogram && !d.hasBuckets() {
		return 0, false, "its points have no buckets"
	}
	n := d.bucketed()
	if n == 0 {
		return 0, false, ""
	}
	rank := q * (n - 1)
	lower := math.Floor(rank)
	v := d.valueAt(lower, n)
	if weight := rank - lower; weight > 0 {
		if next := d.valueAt(lower+1, n); next != v { // Equal infinities have no difference.
			v = v*(1-weight) + next*weight
		}
	}
	if d.Min.Valid && v < d.Min.Float64 {
		v = d.Min.Float64
	}
	if d.Max.Valid && v > d.Max.Float64 {
		v = d.Max.Float64
	}
	return v, !math.IsNaN(v), ""
}

// hasBuckets tells whether a histogram says where its values are. One that counts without bounds does by its minimum and maximum.
func (d *Distribution) hasBuckets() bool {
	if len(d.Bounds) == 0 && len(d.Counts) == 1 {
		return d.Min.Valid && d.Max.Valid
	}
	return len(d.Counts) == len(d.Bounds)+1
}

// bucketed is how many values the buckets hold.
func (d *Distribution) bucketed() float64 {
	if d.Shape == Histogram {
		return total(d.Counts)
	}
	return total(d.Negative.Counts) + float64(d.ZeroCount) + total(d.Positive.Counts)
}

func total(counts []uint64) float64 {
	sum := 0.0
	for _, n := range counts {
		sum += float64(n)
	}
	return sum
}

// valueAt estimates the value of rank k among n values, both counted from 0.
func (d *Distribution) valueAt(k, n float64) float64 {
	switch {
	case k <= 0 && d.Min.Valid:
		return d.Min.Float64
	case k >= n-1 && d.Max.Valid:
		return d.Max.Float64
	case d.Shape == Histogram:
		return d.linearAt(k)
	default:
		return d.exponentialAt(k)
	}
}

func (d *Distribution) linearAt(k float64) float64 {
	for i, count := range d.Counts {
		if c := float64(count); k >= c {
			k -= c
			continue
		}
		lo, hi := d.edges(i)
		switch {
		case math.IsInf(hi, 1):
			return lo
		case math.IsInf(lo, -1):
			return hi
		}
		return lo + (hi-lo)*(k+0.5)/float64(count)
	}
	return math.NaN() // The counts are so large that their sum was rounded.
}

// edges returns the bounds of a bucket. The outermost ones end at the minimum and the maximum where the point has them. Without,
// the first begins at 0 if its bound is positive, and else nothing but the inner bound is known.
func (d *Distribution) edges(i int) (lo, hi float64) {
	last := len(d.Bounds)
	switch {
	case i > 0:
		lo = d.Bounds[i-1]
	case d.Min.Valid:
		lo = d.Min.Float64
	case d.Bounds[0] <= 0:
		lo = d.Bounds[0]
	}
	switch {
	case i < last:
		hi = d.Bounds[i]
	case d.Max.Valid:
		hi = d.Max.Float64
	default:
		hi = lo
	}
	return lo, hi
}

func (d *Distribution) exponentialAt(k float64) float64 {
	for i, count := range slices.Backward(d.Negative.Counts) {
		c := float64(count)
		if k < c {
			return -d.power(d.Negative.Offset, i, 1-(k+0.5)/c)
		}
		k -= c
	}
	if c := float64(d.ZeroCount); k < c {
		lo := 0.0
		if total(d.Negative.Counts) > 0 {
			lo = -d.ZeroThreshold
		}
		return lo + (d.ZeroThreshold-lo)*(k+0.5)/c
	}
	k -= float64(d.ZeroCount)
	for i, count := range d.Positive.Counts {
		c := float64(count)
		if k < c {
			return d.power(d.Positive.Offset, i, (k+0.5)/c)
		}
		k -= c
	}
	return math.NaN() // As in linearAt.
}

// power returns what lies at the given part of the i-th bucket: base^(offset+i+part).
func (d *Distribution) power(offset int32, i int, part float64) float64 {
	v := math.Exp2(math.Ldexp(float64(int64(offset)+int64(i))+part, -int(d.Scale)))
	return min(v, math.MaxFloat64) // A bucket may begin beyond what a float holds.
}
