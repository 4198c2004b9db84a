package psutilreceiver

import (
	"reflect"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// builder is what the scrapers record points into.
type builder = metadata.MetricsBuilder

// pointRow is one point that a scraper records of each T that it reads, for instance of each disk. The scraper records by it, and the sampler
// samples by it. The name, the unit and the attribute keys of the metric are those of metadata.yaml: see describe.
type pointRow[T any] struct {
	// record records the point, unless the platform does not report its value.
	record func(mb *builder, ts pcommon.Timestamp, from *T)
	// zero records the point with the value 0, whatever there is to report.
	zero func(mb *builder, from *T)
	// value gives the value of the point, negative where the platform does not report it.
	value func(from *T) float64

	// odd records the point as one that could not be read: host.Odd.
	odd func(mb *builder, ts pcommon.Timestamp, from *T)

	sampling samplingChoice
}

// samplingChoice says whether a metric can be sampled between the exports: what is cheap to read, and may change within seconds.
type samplingChoice uint8

const (
	samplingNever samplingChoice = iota
	// samplingByName is for what is sampled where the configuration names it.
	samplingByName
	// samplingByDefault is for what is sampled where the configuration names nothing, too.
	samplingByDefault
)

// sampled makes the row one that can be sampled.
func (r pointRow[T]) sampled(choice samplingChoice) pointRow[T] {
	r.sampling = choice
	return r
}

// counter makes the row that of a counter. Its point is recorded when it could not be read, too: the stage drops it, and keeps the stream.
func (r pointRow[T]) counter() pointRow[T] {
	known, odd, value := r.record, r.odd, r.value
	r.record = func(mb *builder, ts pcommon.Timestamp, from *T) {
		if value(from) == host.Odd {
			odd(mb, ts, from)
			return
		}
		known(mb, ts, from)
	}
	return r
}

// intRow is the row of a metric of integers. A negative value is one that the platform does not report.
func intRow[T any](value func(*T) int64, record func(*builder, pcommon.Timestamp, int64, *T)) pointRow[T] {
	return pointRow[T]{
		record: func(mb *builder, ts pcommon.Timestamp, from *T) {
			if v := value(from); v >= 0 {
				record(mb, ts, v, from)
			}
		},
		zero:  func(mb *builder, from *T) { record(mb, 0, 0, from) },
		odd:   func(mb *builder, ts pcommon.Timestamp, from *T) { record(mb, ts, host.Odd, from) },
		value: func(from *T) float64 { return float64(value(from)) },
	}
}

// doubleRow is the row of a metric of floating-point numbers. A negative value is one that the platform does not report.
func doubleRow[T any](value func(*T) float64, record func(*builder, pcommon.Timestamp, float64, *T)) pointRow[T] {
	return pointRow[T]{
		record: func(mb *builder, ts pcommon.Timestamp, from *T) {
			if v := value(from); !(v < 0) {
				record(mb, ts, v, from)
			}
		},
		zero:  func(mb *builder, from *T) { record(mb, 0, 0, from) },
		odd:   func(mb *builder, ts pcommon.Timestamp, from *T) { record(mb, ts, host.Odd, from) },
		value: value,
	}
}

// hostPoint adapts the recording of a metric without attributes.
func hostPoint[T any, V int64 | float64](record func(*builder, pcommon.Timestamp, V)) func(*builder, pcommon.Timestamp, V, *T) {
	return func(mb *builder, ts pcommon.Timestamp, v V, _ *T) { record(mb, ts, v) }
}

// recordRows records the points of all rows.
func recordRows[T any](rows []pointRow[T], mb *builder, ts pcommon.Timestamp, from *T) {
	for i := range rows {
		rows[i].record(mb, ts, from)
	}
}

// describer finds out what metadata.yaml says of a point: it has the point recorded, and looks at what the generated code makes of it.
type describer struct{ mb *builder }

func newDescriber() describer {
	cfg := metadata.NewDefaultMetricsBuilderConfig()
	for _, metric := range reflect.ValueOf(&cfg.Metrics).Elem().Fields() {
		metric.FieldByName("Enabled").SetBool(true)
	}
	set := receiver.Settings{TelemetrySettings: component.TelemetrySettings{Logger: zap.NewNop()}}
	return describer{mb: metadata.NewMetricsBuilder(cfg, set)}
}

// describe gives the metric of the one point that record records, and the attributes of the point.
func (d describer) describe(record func(mb *builder)) (pmetric.Metric, pcommon.Map) {
	record(d.mb)
	m := d.mb.Emit().ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
	if m.Type() == pmetric.MetricTypeSum {
		return m, m.Sum().DataPoints().At(0).Attributes()
	}
	return m, m.Gauge().DataPoints().At(0).Attributes()
}

// anyEnabled is whether any metric of the rows is enabled.
func anyEnabled[T any](d describer, rows []pointRow[T], metrics *metadata.MetricsConfig) bool {
	for _, r := range rows {
		if m, _ := d.describe(func(mb *builder) { r.zero(mb, new(T)) }); isEnabled(metrics, m.Name()) {
			return true
		}
	}
	return false
}
