package psutilreceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// This file is the only way out of the receiver, for metrics and for what is logged: see printable.Name for what it does to text. One name
// that is not UTF-8, which any user of the host can make, would otherwise make a backend refuse the whole batch.

// printableConsumer makes all text printable of the metrics that it passes on.
type printableConsumer struct{ consumer.Metrics }

// ConsumeMetrics passes the metrics on.
func (c printableConsumer) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	makeAllPrintable(md)
	return c.Metrics.ConsumeMetrics(ctx, md)
}

func makeAllPrintable(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		makePrintable(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				makePointsPrintable(m)
			}
		}
	}
}

func makePointsPrintable(m pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		makeNumbersPrintable(m.Sum().DataPoints())
	case pmetric.MetricTypeGauge:
		makeNumbersPrintable(m.Gauge().DataPoints())
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			makePrintable(p.Attributes())
		}
	default:
		// The receiver makes no others, which a test holds.
	}
}

func makeNumbersPrintable(points pmetric.NumberDataPointSlice) {
	for i := range points.Len() {
		makePrintable(points.At(i).Attributes())
	}
}

func makePrintable(attributes pcommon.Map) {
	for _, v := range attributes.All() {
		makeValuePrintable(v)
	}
}

func makeValuePrintable(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		text := v.Str()
		if name := printable.Name(text); len(name) != len(text) {
			v.SetStr(name)
		}
	case pcommon.ValueTypeSlice:
		for _, element := range v.Slice().All() {
			makeValuePrintable(element)
		}
	case pcommon.ValueTypeMap:
		makePrintable(v.Map())
	default:
	}
}

// printableLogger returns a logger that makes all text printable of what it logs.
func printableLogger(logger *zap.Logger) *zap.Logger {
	return logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return printableCore{core} }))
}

type printableCore struct{ zapcore.Core }

// With adds fields to all that is logged.
func (c printableCore) With(fields []zapcore.Field) zapcore.Core {
	return printableCore{c.Core.With(printableFields(fields))}
}

// Check makes Write the one that writes.
func (c printableCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write passes on an entry, if the core behind would have taken it.
func (c printableCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	entry.Message = printable.Name(entry.Message)
	if checked := c.Core.Check(entry, nil); checked != nil {
		checked.Write(printableFields(fields)...)
	}
	return nil
}

// printableFields returns the fields with printable text. Those of errors and of what has a String method become strings where their text is not.
func printableFields(fields []zapcore.Field) []zapcore.Field {
	out := make([]zapcore.Field, len(fields))
	for i, f := range fields {
		out[i] = f
		switch value := f.Interface.(type) {
		case error:
			out[i] = printableField(f, value.Error())
		case fmt.Stringer:
			out[i] = printableField(f, value.String())
		case []byte:
			out[i] = printableField(f, string(value))
		case nil:
			out[i].String = printable.Name(f.String)
		}
	}
	return out
}

func printableField(f zapcore.Field, text string) zapcore.Field {
	if name := printable.Name(text); len(name) != len(text) {
		return zap.String(f.Key, name)
	}
	return f
}
