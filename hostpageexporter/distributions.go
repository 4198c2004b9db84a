package hostpageexporter

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// percentile is the one that is shown of a distribution.
const percentile = 0.95

// bucket is a range of values with how many fell into it.
type bucket struct {
	low, high float64
	count     uint64
}

// summaryOf is what is shown of a distribution.
type summaryOf struct{ p95, min, max float64 }

// distributions takes histograms and summaries as their p95, minimum and maximum. Of cumulative histograms nothing is known about the time
// since the last scrape, short of subtracting buckets; they are counted as unsupported.
func (p *push) distributions(resource int, key history.Key, m pmetric.Metric) {
	handle := p.Metric(m.Name(), m.Unit(), m.Description(), history.Distribution)
	key = p.metricKey(key, m.Name(), history.Distribution)
	put := func(attributes pcommon.Map, at pcommon.Timestamp, s summaryOf) {
		p.Put(resource, handle, history.Sample{
			Key: key.Join(p.setKey(attributes, nil)), Time: int64(at), Values: [3]float64{s.p95, s.min, s.max},
		}, func() []history.Attribute { return texts(attributes, nil) })
	}
	switch m.Type() {
	case pmetric.MetricTypeExponentialHistogram:
		points := m.ExponentialHistogram().DataPoints()
		if m.ExponentialHistogram().AggregationTemporality() != pmetric.AggregationTemporalityDelta {
			p.unsupported += int64(points.Len())
			return
		}
		for _, dp := range points.All() {
			if s, ok := exponential(dp); ok {
				put(dp.Attributes(), dp.Timestamp(), s)
			}
		}
	case pmetric.MetricTypeHistogram:
		points := m.Histogram().DataPoints()
		if m.Histogram().AggregationTemporality() != pmetric.AggregationTemporalityDelta {
			p.unsupported += int64(points.Len())
			return
		}
		for _, dp := range points.All() {
			if s, ok := explicit(dp); ok {
				put(dp.Attributes(), dp.Timestamp(), s)
			}
		}
	default:
		for _, dp := range m.Summary().DataPoints().All() {
			if s, ok := quantiles(dp); ok {
				put(dp.Attributes(), dp.Timestamp(), s)
			} else {
				p.unsupported++
			}
		}
	}
}

// exponential summarizes a point of an exponential histogram; false if it has seen nothing.
func exponential(dp pmetric.ExponentialHistogramDataPoint) (summaryOf, bool) {
	if dp.Count() == 0 || dp.Flags().NoRecordedValue() {
		return summaryOf{}, false
	}
	scale := math.Ldexp(1, -int(dp.Scale()))
	bound := func(i int) float64 { return math.Exp2(float64(i) * scale) }
	var buckets []bucket
	negative := dp.Negative()
	for i, n := range negative.BucketCounts().All() {
		at := int(negative.Offset()) + i
		buckets = append(buckets, bucket{-bound(at + 1), -bound(at), n})
	}
	slices.Reverse(buckets)
	buckets = append(buckets, bucket{-dp.ZeroThreshold(), dp.ZeroThreshold(), dp.ZeroCount()})
	positive := dp.Positive()
	for i, n := range positive.BucketCounts().All() {
		at := int(positive.Offset()) + i
		buckets = append(buckets, bucket{bound(at), bound(at + 1), n})
	}
	low, high := math.NaN(), math.NaN()
	if dp.HasMin() {
		low = dp.Min()
	}
	if dp.HasMax() {
		high = dp.Max()
	}
	return summarize(buckets, low, high, geometric)
}

// explicit summarizes a point of a histogram with bounds.
func explicit(dp pmetric.HistogramDataPoint) (summaryOf, bool) {
	if dp.Count() == 0 || dp.Flags().NoRecordedValue() {
		return summaryOf{}, false
	}
	low, high := math.NaN(), math.NaN()
	if dp.HasMin() {
		low = dp.Min()
	}
	if dp.HasMax() {
		high = dp.Max()
	}
	bounds := dp.ExplicitBounds().AsRaw()
	var buckets []bucket
	for i, n := range dp.BucketCounts().All() {
		b := bucket{low: low, high: high, count: n}
		if i > 0 && i <= len(bounds) {
			b.low = bounds[i-1]
		}
		if i < len(bounds) {
			b.high = bounds[i]
		}
		if math.IsNaN(b.low) { // Nothing is known beyond the bounds.
			b.low = b.high
		}
		if math.IsNaN(b.high) {
			b.high = b.low
		}
		buckets = append(buckets, b)
	}
	return summarize(buckets, low, high, linear)
}

func linear(b bucket, share float64) float64 { return b.low + (b.high-b.low)*share }

// geometric takes the values of a bucket to lie evenly by their logarithms.
func geometric(b bucket, share float64) float64 {
	switch {
	case b.low > 0:
		return b.low * math.Pow(b.high/b.low, share)
	case b.high < 0:
		return b.low * math.Pow(b.high/b.low, share)
	default:
		return linear(b, share)
	}
}

// summarize finds the percentile in buckets that are in order of value. What is not known of minimum and maximum is taken from them.
func summarize(buckets []bucket, low, high float64, within func(bucket, float64) float64) (summaryOf, bool) {
	buckets = slices.DeleteFunc(buckets, func(b bucket) bool { return b.count == 0 })
	if len(buckets) == 0 {
		return summaryOf{}, false
	}
	if math.IsNaN(low) {
		low = buckets[0].low
	}
	if math.IsNaN(high) {
		high = buckets[len(buckets)-1].high
	}
	total := uint64(0)
	for _, b := range buckets {
		total += b.count
	}
	rank := percentile * float64(total)
	s := summaryOf{p95: high, min: low, max: high}
	for _, b := range buckets {
		n := float64(b.count)
		if rank <= n {
			s.p95 = within(b, rank/n)
			break
		}
		rank -= n
	}
	s.p95 = max(low, min(high, s.p95))
	return s, true
}

// quantiles summarizes a point of a summary; false if it has no percentile from 95 on.
func quantiles(dp pmetric.SummaryDataPoint) (summaryOf, bool) {
	s := summaryOf{p95: math.NaN(), min: math.NaN(), max: math.NaN()}
	nearest := 2.0
	for _, q := range dp.QuantileValues().All() {
		if q.Quantile() >= percentile && q.Quantile() < nearest {
			nearest, s.p95 = q.Quantile(), q.Value()
		}
		if math.IsNaN(s.min) || q.Value() < s.min {
			s.min = q.Value()
		}
		if math.IsNaN(s.max) || q.Value() > s.max {
			s.max = q.Value()
		}
	}
	return s, !math.IsNaN(s.p95)
}
