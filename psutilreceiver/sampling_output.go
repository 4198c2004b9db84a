package psutilreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/sampling"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// sampledOutput holds the samples of one scraper, and exports them.
type sampledOutput struct {
	set        sampling.Set[*sampledSeries]
	every      time.Duration // between samples
	write      sampleWriter  // by the format
	cumulative bool
	resource   pcommon.Resource
	version    string // of the Collector

	last   pcommon.Timestamp // of the export before
	lastAt time.Time         // with a monotonic reading
}

// cumulated is a histogram over all intervals of a series.
type cumulated struct {
	sampling.Histogram
	start pcommon.Timestamp
	sum   float64 // of all intervals. The product of mean and count might fall by rounding, which reads as a reset
}

func newSampledOutput(cfg *SamplingConfig, resource pcommon.Resource, version string, begun time.Time) *sampledOutput {
	return &sampledOutput{
		every: cfg.Interval, write: cfg.Format.writer(), cumulative: cfg.Temporality == TemporalityCumulative, resource: resource, version: version,
		last: pcommon.NewTimestampFromTime(begun), lastAt: begun,
	}
}

// export adds the samples since the last export to what a scrape emitted. After the clock was set back by up to stream.HoldLimit, they are held
// until it has caught up, as points of counters are.
func (o *sampledOutput) export(t *scrapeContext, md pmetric.Metrics) {
	start := o.last
	if t.time <= start {
		if start-t.time <= pcommon.Timestamp(stream.HoldLimit) {
			return
		}
		start = pcommon.NewTimestampFromTime(t.now.Add(-max(t.now.Sub(o.lastAt), 1)))
	}
	o.last, o.lastAt = t.time, t.now
	e := exporting{sampledOutput: o, md: md, start: start, time: t.time, metrics: make(map[string]pmetric.Metric)}
	o.set.Take(func(x *sampledSeries, h *sampling.Histogram) {
		o.write(&e, x, h)
	})
}

// exporting is one export.
type exporting struct {
	*sampledOutput
	md          pmetric.Metrics
	slice       pmetric.MetricSlice
	begun       bool
	start, time pcommon.Timestamp
	metrics     map[string]pmetric.Metric // by name
}

// metric gives the metric of that name, which is added at its first point.
func (e *exporting) metric(name string, add func(pmetric.Metric)) pmetric.Metric {
	m, ok := e.metrics[name]
	if ok {
		return m
	}
	if !e.begun {
		e.begun, e.slice = true, e.metricSlice()
	}
	m = e.slice.AppendEmpty()
	m.SetName(name)
	add(m)
	e.metrics[name] = m
	return m
}

// metricSlice gives the metrics of the host. If the scraper could read nothing, there is no resource yet.
func (e *exporting) metricSlice() pmetric.MetricSlice {
	if resources := e.md.ResourceMetrics(); resources.Len() > 0 {
		return resources.At(0).ScopeMetrics().At(0).Metrics()
	}
	rm := e.md.ResourceMetrics().AppendEmpty()
	e.resource.CopyTo(rm.Resource())
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(metadata.ScopeName)
	sm.Scope().SetVersion(e.version)
	return sm.Metrics()
}

// cumulate adds an interval to the histogram of all intervals of the series, and returns this.
func (x *sampledSeries) cumulate(h *sampling.Histogram, start, now pcommon.Timestamp) *cumulated {
	if x.since == nil {
		x.since = &cumulated{start: start}
	}
	if x.since.start >= now { // The clock was set back to before the series began.
		x.since.start = start
	}
	x.since.Merge(h)
	x.since.sum += h.Sum()
	return x.since
}
