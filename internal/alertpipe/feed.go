package alertpipe

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// feeder shows metrics to an engine. It only reads, and reuses its buffers.
type feeder struct {
	origin attr.Origin
	point  alert.Point
	source source
	values window.Distribution
	attrs  attributeReader
	limits rules.LimitsConfig
	engine *alert.Engine // Of which attrs and limits are.

	// What origin holds at the moment: nothing, the resource, or resource and scope.
	hasResource, hasScope bool
}

// feed shows every point that a rule may want to the engine. Resource and scope are read only when a metric needs them.
func (f *feeder) feed(engine *alert.Engine, md pmetric.Metrics) {
	if f.engine != engine {
		f.engine, f.limits = engine, engine.Limits()
		f.attrs = newAttributeReader(&f.limits, engine.NamedKeys())
		f.source.reader = &f.attrs
	}
	for _, rm := range md.ResourceMetrics().All() {
		f.hasResource = false
		for _, sm := range rm.ScopeMetrics().All() {
			f.hasScope = false
			for _, metric := range sm.Metrics().All() {
				m := engine.Matcher(metric.Name())
				if m == nil {
					continue
				}
				f.describe(rm.Resource(), sm.Scope())
				f.metric(m, metric)
			}
		}
	}
	f.forget()
}

// forget empties the buffers, so that they do not keep what belongs to the sender in memory.
func (f *feeder) forget() {
	o, p := &f.origin, &f.point
	o.Reset()
	clear(o.Resource[:cap(o.Resource)])
	clear(o.IdentifyingKeys[:cap(o.IdentifyingKeys)])
	clear(o.Scope[:cap(o.Scope)])
	clear(p.Attributes[:cap(p.Attributes)])
	*p = alert.Point{Attributes: p.Attributes[:0]}
	f.source.attrs = pcommon.Map{}
}

// describe fills the origin, unless it holds the same resource and scope already.
func (f *feeder) describe(res pcommon.Resource, scope pcommon.InstrumentationScope) {
	if f.hasScope {
		return
	}
	o := &f.origin
	if f.hasResource {
		o.ResetScope()
	} else {
		o.Reset()
		o.Resource = f.attrs.append(o.Resource, res.Attributes(), f.limits.AttributesPerResource, alert.LimitAttributesPerResource)
		f.identifyingKeys(res)
	}
	o.ScopeName, o.ScopeVersion = f.attrs.text(scope.Name()), f.attrs.text(scope.Version())
	o.Scope = f.attrs.append(o.Scope, scope.Attributes(), f.limits.AttributesPerPoint, alert.LimitAttributesPerPoint)
	f.hasResource, f.hasScope = true, true
	f.account()
}

// identifyingKeys reads which attributes the entity references of the resource name as its identity: each once, and no more than it may have.
func (f *feeder) identifyingKeys(res pcommon.Resource) {
	o, looked := &f.origin, 0
	refs := entity.ResourceEntityRefs(res)
	for _, ref := range refs.All() {
		ids := ref.IdKeys()
		for i := range ids.Len() {
			if looked++; looked > f.limits.AttributesPerResource {
				f.attrs.exceed(alert.LimitAttributesPerResource)
				return
			}
			o.IdentifyingKeys = append(o.IdentifyingKeys, f.attrs.text(ids.At(i)))
		}
	}
}

// account counts the limits that have taken effect on the resource, scope or point that was read.
func (f *feeder) account() {
	if f.attrs.cost == 0 {
		return
	}
	for l := range f.attrs.cost.All {
		f.engine.Exceeded(l, &f.origin)
	}
	f.attrs.cost = 0
}

func (f *feeder) metric(m *alert.Matcher, metric pmetric.Metric) {
	stream := alert.Stream{Unit: metric.Unit()}
	if len(stream.Unit) > alert.MaxUnitText {
		stream.Unit = alertschema.CutText(stream.Unit, alert.MaxUnitText)
	}
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		f.points(m, stream, metric.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		switch sum := metric.Sum(); {
		case sum.AggregationTemporality() == pmetric.AggregationTemporalityDelta:
			stream.Kind = window.DeltaCounter
		case sum.IsMonotonic():
			stream.Kind = window.CumulativeCounter
		}
		f.points(m, stream, metric.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		stream.Kind = kindOf(metric.Histogram().AggregationTemporality())
		f.histograms(m, stream, metric.Histogram().DataPoints())
	case pmetric.MetricTypeExponentialHistogram:
		stream.Kind = kindOf(metric.ExponentialHistogram().AggregationTemporality())
		f.exponentialHistograms(m, stream, metric.ExponentialHistogram().DataPoints())
	case pmetric.MetricTypeSummary:
		stream.Kind = window.CumulativeCounter
		f.summaries(m, stream, metric.Summary().DataPoints())
	case pmetric.MetricTypeEmpty:
	}
}

func (f *feeder) points(m *alert.Matcher, stream alert.Stream, points pmetric.NumberDataPointSlice) {
	if points.Len() == 0 || !m.Select(&f.origin, stream) {
		return
	}
	p := &f.point
	for i := range points.Len() {
		dp := points.At(i)
		f.source.attrs = dp.Attributes()
		if !m.Wants(&f.source) {
			continue
		}
		f.pointAttributes()
		p.Start, p.Time = int64(dp.StartTimestamp()), int64(dp.Timestamp())
		p.NoValue = dp.Flags().NoRecordedValue()
		p.Value = 0
		switch dp.ValueType() {
		case pmetric.NumberDataPointValueTypeDouble:
			p.Value = dp.DoubleValue()
		case pmetric.NumberDataPointValueTypeInt:
			p.Value = float64(dp.IntValue())
		case pmetric.NumberDataPointValueTypeEmpty:
			p.NoValue = true
		}
		p.Exemplar = newestExemplar(dp.Exemplars())
		m.Take(p)
	}
}

// pointAttributes reads the attributes of the point that f.source has.
func (f *feeder) pointAttributes() {
	f.point.Attributes = f.attrs.append(f.point.Attributes[:0], f.source.attrs, f.limits.AttributesPerPoint, alert.LimitAttributesPerPoint)
	f.account()
}

// source gives the engine the attributes of a point without copying them.
type source struct {
	attrs  pcommon.Map
	reader *attributeReader
}

// Attribute finds one attribute.
func (s *source) Attribute(key string) (attr.Value, bool) {
	v, ok := s.attrs.Get(key)
	if !ok {
		return attr.Value{}, false
	}
	value, _, ok := s.reader.value(v)
	return value, ok
}

// newestExemplar returns the trace context of the newest exemplar that has one, or nil.
func newestExemplar(exemplars pmetric.ExemplarSlice) *window.Exemplar {
	var newest *window.Exemplar
	var at pcommon.Timestamp
	for i := range exemplars.Len() {
		x := exemplars.At(i)
		if !x.TraceID().IsEmpty() && (newest == nil || x.Timestamp() > at) {
			newest, at = &window.Exemplar{TraceID: x.TraceID(), SpanID: x.SpanID()}, x.Timestamp()
		}
	}
	return newest
}
