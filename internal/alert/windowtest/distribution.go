// Package windowtest makes histogram points for tests.
package windowtest

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// Exponential counts values as an exponential histogram does, the way the data model says.
func Exponential(scale int32, threshold float64, values ...float64) *window.Distribution {
	d := &window.Distribution{Shape: window.ExponentialHistogram, Scale: scale, ZeroThreshold: threshold, Count: uint64(len(values))}
	positive, negative := map[int]uint64{}, map[int]uint64{}
	sum, low, high := 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range values {
		sum, low, high = sum+v, min(low, v), max(high, v)
		if math.Abs(v) <= threshold {
			d.ZeroCount++
			continue
		}
		index := int(math.Ceil(math.Ldexp(math.Log2(math.Abs(v)), int(scale)))) - 1
		if v > 0 {
			positive[index]++
		} else {
			negative[index]++
		}
	}
	if len(values) > 0 {
		d.Sum, d.Min, d.Max = attr.Number{Float64: sum, Valid: true}, attr.Number{Float64: low, Valid: true}, attr.Number{Float64: high, Valid: true}
	}
	d.Positive, d.Negative = dense(positive), dense(negative)
	return d
}

func dense(counts map[int]uint64) window.ExponentialBuckets {
	if len(counts) == 0 {
		return window.ExponentialBuckets{}
	}
	first, last := math.MaxInt, math.MinInt
	for i := range counts {
		first, last = min(first, i), max(last, i)
	}
	b := window.ExponentialBuckets{Offset: int32(first), Counts: make([]uint64, last-first+1)}
	for i, n := range counts {
		b.Counts[i-first] = n
	}
	return b
}

// Bare takes away what a point need not have: sum, minimum and maximum.
func Bare(d *window.Distribution) *window.Distribution {
	d.Sum, d.Min, d.Max = attr.Number{}, attr.Number{}, attr.Number{}
	return d
}
