package textfile

import (
	"math"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// appendTo appends the metric, with points of the given time, that begin at the boot; start says when histograms and summaries begin to count.
func (f *Family) appendTo(to pmetric.MetricSlice, at, boot pcommon.Timestamp, start func(series string, count uint64) pcommon.Timestamp) {
	if len(f.GetMetric()) == 0 {
		return
	}
	metric := to.AppendEmpty()
	metric.SetName(f.GetName())
	metric.SetDescription(f.GetHelp())
	metric.SetUnit(f.GetUnit())
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		sum := metric.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for _, m := range f.GetMetric() { // The stage finds their resets.
			setNumber(sum.DataPoints().AppendEmpty(), m, at, boot, m.GetCounter().GetValue())
		}
	case dto.MetricType_HISTOGRAM:
		histogram := metric.SetEmptyHistogram()
		histogram.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for i, m := range f.GetMetric() {
			setHistogram(histogram.DataPoints().AppendEmpty(), m, at, start(f.Keys[i], m.GetHistogram().GetSampleCount()))
		}
	case dto.MetricType_SUMMARY:
		points := metric.SetEmptySummary().DataPoints()
		for i, m := range f.GetMetric() {
			setSummary(points.AppendEmpty(), m, at, start(f.Keys[i], m.GetSummary().GetSampleCount()))
		}
	default:
		points := metric.SetEmptyGauge().DataPoints()
		for _, m := range f.GetMetric() {
			value := m.GetGauge().GetValue()
			if m.GetUntyped() != nil {
				value = m.GetUntyped().GetValue()
			}
			setNumber(points.AppendEmpty(), m, at, boot, value)
		}
	}
}

func setNumber(p pmetric.NumberDataPoint, m *dto.Metric, at, start pcommon.Timestamp, value float64) {
	p.SetStartTimestamp(start)
	p.SetTimestamp(at)
	p.SetDoubleValue(value)
	putLabels(p.Attributes(), m)
}

func putLabels(to pcommon.Map, m *dto.Metric) {
	to.EnsureCapacity(len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		to.PutStr(l.GetName(), l.GetValue())
	}
}

// setHistogram makes counts of each bucket of the counts up to each bound. The bucket without an upper bound is what no other has.
func setHistogram(p pmetric.HistogramDataPoint, m *dto.Metric, at, start pcommon.Timestamp) {
	h := m.GetHistogram()
	p.SetTimestamp(at)
	p.SetStartTimestamp(start)
	p.SetCount(h.GetSampleCount())
	p.SetSum(h.GetSampleSum())
	putLabels(p.Attributes(), m)
	before := uint64(0)
	for _, b := range h.GetBucket() {
		if math.IsInf(b.GetUpperBound(), 1) {
			continue
		}
		p.ExplicitBounds().Append(b.GetUpperBound())
		p.BucketCounts().Append(b.GetCumulativeCount() - before)
		before = b.GetCumulativeCount()
	}
	p.BucketCounts().Append(h.GetSampleCount() - before)
}

func setSummary(p pmetric.SummaryDataPoint, m *dto.Metric, at, start pcommon.Timestamp) {
	s := m.GetSummary()
	p.SetTimestamp(at)
	p.SetStartTimestamp(start)
	p.SetCount(s.GetSampleCount())
	p.SetSum(s.GetSampleSum())
	putLabels(p.Attributes(), m)
	for _, q := range s.GetQuantile() {
		v := p.QuantileValues().AppendEmpty()
		v.SetQuantile(q.GetQuantile())
		v.SetValue(q.GetValue())
	}
}

// orderly tells whether the buckets of a histogram can be: bounds that rise, and counts that do not fall.
func orderly(h *dto.Histogram) bool {
	bound, count := math.Inf(-1), uint64(0)
	for i, b := range h.GetBucket() {
		if i > 0 && b.GetUpperBound() <= bound || math.IsNaN(b.GetUpperBound()) || b.GetCumulativeCount() < count {
			return false
		}
		bound, count = b.GetUpperBound(), b.GetCumulativeCount()
	}
	return count <= h.GetSampleCount()
}
