package psutilreceiver

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/sampling"
)

// SamplingFormat is how the samples of an interval are exported.
type SamplingFormat string

// The formats of sampled metrics.
const (
	// SamplingHistogram is one exponential histogram <metric>.distribution for each series.
	SamplingHistogram SamplingFormat = "exponential_histogram"
	// SamplingGauges is six gauges for each series: mean, minimum, maximum, and the 50th, 95th and 99th percentile.
	SamplingGauges SamplingFormat = "gauges"
)

// sampleWriter adds the samples of a series since the last export to what is exported.
type sampleWriter func(*exporting, *sampledSeries, *sampling.Histogram)

// samplingFormats is the table of the formats.
var samplingFormats = []struct {
	name  SamplingFormat
	write sampleWriter
}{
	{SamplingHistogram, writeHistogram},
	{SamplingGauges, writeGauges},
}

// writer returns the function that writes the format, nil for an unknown one.
func (f SamplingFormat) writer() sampleWriter {
	for _, known := range samplingFormats {
		if known.name == f {
			return known.write
		}
	}
	return nil
}

func samplingFormatNames() []string {
	var names []string
	for _, f := range samplingFormats {
		names = append(names, string(f.name))
	}
	return names
}

// distributionSuffix is what the name of a histogram of samples ends with.
const distributionSuffix = ".distribution"

// writeHistogram adds an exponential histogram point: of the interval, or of all since the series began.
func writeHistogram(e *exporting, x *sampledSeries, h *sampling.Histogram) {
	m := e.metric(x.metric.baseName()+distributionSuffix, func(m pmetric.Metric) {
		m.SetDescription(fmt.Sprintf("Distribution of %s, of samples every %v.", x.metric.baseName(), e.every))
		m.SetUnit(x.metric.sampledUnit())
		temporality := pmetric.AggregationTemporalityDelta
		if e.cumulative {
			temporality = pmetric.AggregationTemporalityCumulative
		}
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(temporality)
	})
	p := m.ExponentialHistogram().DataPoints().AppendEmpty()
	p.SetStartTimestamp(e.start)
	p.SetSum(h.Sum())
	if e.cumulative {
		since := x.cumulate(h, e.start, e.time)
		h = &since.Histogram
		p.SetStartTimestamp(since.start)
		p.SetSum(since.sum)
	}
	p.SetTimestamp(e.time)
	x.attributes.CopyTo(p.Attributes())
	p.SetCount(h.Count())
	p.SetMin(h.Min())
	p.SetMax(h.Max())
	p.SetScale(h.Scale())
	p.SetZeroCount(h.Zeros())
	offset, counts := h.Buckets()
	p.Positive().SetOffset(offset)
	p.Positive().BucketCounts().FromRaw(counts)
}

// sampledStatistics are the gauges that stand for a distribution.
var sampledStatistics = []struct {
	suffix, description string
	of                  func(*sampling.Histogram) float64
}{
	{".avg", "Mean of", (*sampling.Histogram).Mean},
	{".min", "Lowest", (*sampling.Histogram).Min},
	{".max", "Highest", (*sampling.Histogram).Max},
	{".p50", "Median of", func(h *sampling.Histogram) float64 { return h.Quantile(0.50) }},
	{".p95", "95th percentile of", func(h *sampling.Histogram) float64 { return h.Quantile(0.95) }},
	{".p99", "99th percentile of", func(h *sampling.Histogram) float64 { return h.Quantile(0.99) }},
}

// writeGauges adds a point of each statistic.
func writeGauges(e *exporting, x *sampledSeries, h *sampling.Histogram) {
	base := x.metric.baseName()
	for _, s := range sampledStatistics {
		m := e.metric(base+s.suffix, func(m pmetric.Metric) {
			m.SetDescription(fmt.Sprintf("%s %s between two exports, of samples every %v.", s.description, base, e.every))
			m.SetUnit(x.metric.sampledUnit())
			m.SetEmptyGauge()
		})
		p := m.Gauge().DataPoints().AppendEmpty()
		p.SetStartTimestamp(e.start)
		p.SetTimestamp(e.time)
		x.attributes.CopyTo(p.Attributes())
		p.SetDoubleValue(s.of(h))
	}
}
