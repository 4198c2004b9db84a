package hostpageexporter

import (
	"context"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// metricsNode is the exporter of metrics.
type metricsNode struct{ node }

// ConsumeMetrics takes metrics into the history. It never fails: an error would make the sender repeat what other exporters have got.
func (n *metricsNode) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	p := n.page
	store := p.store.Load()
	if store == nil {
		return nil
	}
	md = ours(md)
	now := p.now()
	push := push{Writer: store.Begin(now), hasher: store.Hasher()}
	push.metrics(md)
	brought, dropped := push.Commit()
	for _, d := range []struct {
		n   int64
		why string
	}{{dropped.Limit + push.beyond, "limit"}, {dropped.Time, "time"}, {dropped.Invalid, "invalid"}, {push.unsupported, "unsupported"}} {
		if d.n > 0 {
			p.telemetry.HostPagePointsDropped.Add(ctx, d.n, reason(d.why))
		}
	}
	if brought.Samples || brought.Tables {
		p.hub.wake()
	}
	series, memory := store.Size()
	p.telemetry.HostPageSeries.Record(ctx, int64(series))
	p.telemetry.HostPageMemory.Record(ctx, memory)
	return nil
}

// push is one write of metrics.
type push struct {
	*history.Writer
	hasher              history.Hasher
	beyond, unsupported int64
}

func (p *push) metrics(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes()
		if describesProcess(attributes) {
			p.process(rm)
			continue
		}
		group := describesGroup(attributes)
		if group && !p.group(rm) {
			continue
		}
		key := p.setKey(attributes, nil)
		resource, ok := p.Resource(key, func() []history.Attribute { return texts(attributes, nil) })
		if !ok {
			p.beyond += int64(points(rm))
			continue
		}
		var cpus cpuMean
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if !group || !isOfGroup(m) {
					p.metric(resource, key, m, &cpus)
				}
			}
		}
		p.putMean(resource, key, &cpus)
	}
}

// points counts the data points of a resource.
func points(rm pmetric.ResourceMetrics) (n int) {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			switch m.Type() {
			case pmetric.MetricTypeGauge:
				n += m.Gauge().DataPoints().Len()
			case pmetric.MetricTypeSum:
				n += m.Sum().DataPoints().Len()
			case pmetric.MetricTypeHistogram:
				n += m.Histogram().DataPoints().Len()
			case pmetric.MetricTypeExponentialHistogram:
				n += m.ExponentialHistogram().DataPoints().Len()
			case pmetric.MetricTypeSummary:
				n += m.Summary().DataPoints().Len()
			case pmetric.MetricTypeEmpty:
			}
		}
	}
	return n
}

// setKey is the key of a set of attributes, without those that skip names.
func (p *push) setKey(attributes pcommon.Map, skip func(string) bool) (k history.Key) {
	for key, v := range attributes.All() {
		if skip != nil && skip(key) {
			continue
		}
		switch v.Type() {
		case pcommon.ValueTypeStr:
			p.hasher.Text(&k, key, v.Str())
		case pcommon.ValueTypeInt:
			p.hasher.Bits(&k, key, 'i', uint64(v.Int()))
		case pcommon.ValueTypeDouble:
			p.hasher.Bits(&k, key, 'd', math.Float64bits(v.Double()))
		default:
			p.hasher.Text(&k, key, v.AsString())
		}
	}
	return k
}

// texts are attributes with their values as text.
func texts(attributes pcommon.Map, skip func(string) bool) []history.Attribute {
	out := make([]history.Attribute, 0, attributes.Len())
	for key, v := range attributes.All() {
		if skip == nil || !skip(key) {
			out = append(out, history.Attribute{Key: key, Value: v.AsString()})
		}
	}
	return out
}

// metricKey is the key of a metric of a resource.
func (p *push) metricKey(resource history.Key, name string, kind history.Kind) history.Key {
	var k history.Key
	p.hasher.Text(&k, name, "")
	p.hasher.Bits(&k, "", 'k', uint64(kind))
	return resource.Join(k)
}

func (p *push) metric(resource int, key history.Key, m pmetric.Metric, cpus *cpuMean) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		if m.Name() == metricUtilization {
			for _, dp := range m.Gauge().DataPoints().All() {
				cpus.add(dp, number(dp))
			}
		}
		p.numbers(resource, key, m, history.Gauge, m.Gauge().DataPoints(), false)
	case pmetric.MetricTypeSum:
		kind := history.Gauge
		if m.Sum().IsMonotonic() {
			kind = history.Counter
		}
		delta := m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta
		p.numbers(resource, key, m, kind, m.Sum().DataPoints(), delta && kind == history.Counter)
	case pmetric.MetricTypeHistogram, pmetric.MetricTypeExponentialHistogram, pmetric.MetricTypeSummary:
		p.distributions(resource, key, m)
	case pmetric.MetricTypeEmpty:
	}
}

// Metrics of the host that the process table needs.
const (
	metricUnattributed = "system.process.cpu.unattributed"
	metricCPUs         = "system.cpu.logical.count"
)

func (p *push) numbers(resource int, key history.Key, m pmetric.Metric, kind history.Kind, points pmetric.NumberDataPointSlice,
	delta bool,
) {
	name := m.Name()
	handle := p.Metric(name, m.Unit(), m.Description(), kind)
	key = p.metricKey(key, name, kind)
	for _, dp := range points.All() {
		if dp.Flags().NoRecordedValue() {
			continue
		}
		value := number(dp)
		switch name {
		case metricUnattributed:
			p.Unattributed(int64(dp.Timestamp()), value)
		case metricCPUs:
			p.CPUs(int64(value))
		}
		attributes := dp.Attributes()
		p.Put(resource, handle, history.Sample{
			Key: key.Join(p.setKey(attributes, nil)), Time: int64(dp.Timestamp()), Start: int64(dp.StartTimestamp()), Values: [3]float64{value},
			Delta: delta,
		}, func() []history.Attribute { return texts(attributes, nil) })
	}
}

func number(dp pmetric.NumberDataPoint) float64 {
	if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(dp.IntValue())
	}
	return dp.DoubleValue()
}

// describesProcess tells whether a resource is a process or a group of them, as the psutil receiver has them.
func describesProcess(attributes pcommon.Map) bool {
	if _, ok := attributes.Get("process.group.name"); ok {
		return true
	}
	_, pid := attributes.Get("process.pid")
	_, created := attributes.Get("process.creation.time")
	return pid && created
}

// ofProcess names the resource attributes that are of a process, not of its host.
func ofProcess(key string) bool {
	return strings.HasPrefix(key, "process.") || ofGroup(key)
}
