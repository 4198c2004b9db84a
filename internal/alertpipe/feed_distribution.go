package alertpipe

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

func kindOf(t pmetric.AggregationTemporality) window.StreamKind {
	if t == pmetric.AggregationTemporalityDelta {
		return window.DeltaCounter
	}
	return window.CumulativeCounter
}

// distributionPoint is what data points that describe many values have in common.
type distributionPoint interface {
	Attributes() pcommon.Map
	StartTimestamp() pcommon.Timestamp
	Timestamp() pcommon.Timestamp
	Flags() pmetric.DataPointFlags
	Count() uint64
}

// begin reads what every kind of point has. It returns false when no rule wants the point.
func begin[P distributionPoint](f *feeder, m *alert.Matcher, dp P) bool {
	f.source.attrs = dp.Attributes()
	if !m.WantsDistribution(&f.source) {
		return false
	}
	p := &f.point
	f.pointAttributes()
	p.Start, p.Time = int64(dp.StartTimestamp()), int64(dp.Timestamp())
	p.NoValue, p.Value, p.Exemplar = dp.Flags().NoRecordedValue(), 0, nil
	f.values.Reset()
	f.values.Count = dp.Count()
	return true
}

// histogramPoint is what histograms of both kinds have in common.
type histogramPoint interface {
	distributionPoint
	Sum() float64
	HasSum() bool
	Min() float64
	HasMin() bool
	Max() float64
	HasMax() bool
	Exemplars() pmetric.ExemplarSlice
}

// describe reads all of a histogram's point but its buckets.
func describe[P histogramPoint](f *feeder, dp P) {
	d := &f.values
	d.Sum = attr.Number{Float64: dp.Sum(), Valid: dp.HasSum()}
	d.Min = attr.Number{Float64: dp.Min(), Valid: dp.HasMin()}
	d.Max = attr.Number{Float64: dp.Max(), Valid: dp.HasMax()}
	f.point.Exemplar = newestExemplar(dp.Exemplars())
}

func (f *feeder) histograms(m *alert.Matcher, stream alert.Stream, points pmetric.HistogramDataPointSlice) {
	if points.Len() == 0 || !m.SelectDistributions(&f.origin, stream, window.Histogram) {
		return
	}
	d := &f.values
	for _, dp := range points.All() {
		if !begin(f, m, dp) {
			continue
		}
		d.Shape = window.Histogram
		describe(f, dp)
		d.Bounds = appendAll(d.Bounds, dp.ExplicitBounds())
		d.Counts = appendAll(d.Counts, dp.BucketCounts())
		m.ObserveDistribution(&f.point, d)
	}
}

func (f *feeder) exponentialHistograms(m *alert.Matcher, stream alert.Stream, points pmetric.ExponentialHistogramDataPointSlice) {
	if points.Len() == 0 || !m.SelectDistributions(&f.origin, stream, window.ExponentialHistogram) {
		return
	}
	d := &f.values
	for _, dp := range points.All() {
		if !begin(f, m, dp) {
			continue
		}
		d.Shape = window.ExponentialHistogram
		describe(f, dp)
		d.Scale, d.ZeroCount, d.ZeroThreshold = dp.Scale(), dp.ZeroCount(), dp.ZeroThreshold()
		d.Positive.Offset, d.Negative.Offset = dp.Positive().Offset(), dp.Negative().Offset()
		d.Positive.Counts = appendAll(d.Positive.Counts, dp.Positive().BucketCounts())
		d.Negative.Counts = appendAll(d.Negative.Counts, dp.Negative().BucketCounts())
		m.ObserveDistribution(&f.point, d)
	}
}

func (f *feeder) summaries(m *alert.Matcher, stream alert.Stream, points pmetric.SummaryDataPointSlice) {
	if points.Len() == 0 || !m.SelectDistributions(&f.origin, stream, window.Summary) {
		return
	}
	d := &f.values
	for _, dp := range points.All() {
		if !begin(f, m, dp) {
			continue
		}
		d.Shape = window.Summary
		d.Sum = attr.Number{Float64: dp.Sum(), Valid: true}
		for _, q := range dp.QuantileValues().All() {
			d.Quantiles = append(d.Quantiles, window.Quantile{Q: q.Quantile(), Value: q.Value()})
		}
		m.ObserveDistribution(&f.point, d)
	}
}

// appendAll appends what a slice of the data model holds, without copying it first.
func appendAll[T any, S interface {
	Len() int
	At(i int) T
}](dst []T, from S) []T {
	for i := range from.Len() {
		dst = append(dst, from.At(i))
	}
	return dst
}
