package alertpipe

import (
	"encoding/json"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// makeLogs returns new log records of the events, in order; neighbours with one resource share it.
func makeLogs(events []event.Event) plog.Logs {
	logs := plog.NewLogs()
	var records plog.LogRecordSlice
	for i := range events {
		ev := &events[i]
		if i == 0 || !slices.Equal(ev.Resource, events[i-1].Resource) {
			rl := logs.ResourceLogs().AppendEmpty()
			putAttrs(rl.Resource().Attributes(), ev.Resource)
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(alertschema.ScopeName)
			sl.Scope().SetVersion(alertschema.SchemaVersion)
			records = sl.LogRecords()
		}
		writeRecord(records.AppendEmpty(), ev)
	}
	return logs
}

func writeRecord(r plog.LogRecord, ev *event.Event) {
	r.SetEventName(ev.Name())
	r.SetTimestamp(pcommon.Timestamp(ev.Time))
	r.SetObservedTimestamp(pcommon.Timestamp(ev.ObservedTime))
	r.SetSeverityNumber(plog.SeverityNumber(ev.SeverityNumber))
	r.SetSeverityText(ev.SeverityText)
	r.SetTraceID(ev.TraceID)
	r.SetSpanID(ev.SpanID)
	r.Body().SetStr(printable.Lines(ev.Body))
	putAttrs(r.Attributes(), ev.Attributes(nil))
}

// putAttrs writes attributes; of two with one key the first stays.
func putAttrs(dst pcommon.Map, attrs []attr.Attr) {
	dst.EnsureCapacity(len(attrs))
	for _, a := range attrs {
		if v, exists := dst.GetOrPutEmpty(printable.Text(a.Key)); !exists {
			putValue(v, a.Value)
			if a.Value.Kind() == attr.KindString {
				v.SetStr(printableText(a))
			}
		}
	}
}

// printableText returns the text of an attribute without what would steer a terminal or spoil a protocol. What a rule's configuration says may have lines.
func printableText(a attr.Attr) string {
	if a.Key == alertschema.KeyRuleDescription || strings.HasPrefix(a.Key, alertschema.PrefixAnnotation) {
		return printable.Lines(a.Value.AsString())
	}
	return printable.Text(a.Value.AsString())
}

func putValue(dst pcommon.Value, v attr.Value) {
	switch v.Kind() {
	case attr.KindString:
		dst.SetStr(v.AsString())
	case attr.KindInt:
		dst.SetInt(v.Int())
	case attr.KindDouble:
		dst.SetDouble(v.Double())
	case attr.KindBool:
		dst.SetBool(v.Bool())
	case attr.KindOther:
		putJSON(dst, v.AsString())
	case attr.KindEmpty:
	}
}

// putJSON writes a value that the engine carried as JSON text: a list or a map again, bytes as their base64 text.
func putJSON(dst pcommon.Value, text string) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var raw any
	if err := d.Decode(&raw); err != nil || d.More() {
		dst.SetStr(printable.Text(text))
		return
	}
	switch raw.(type) {
	case []any, map[string]any:
		if dst.FromRaw(plainNumbers(raw)) == nil {
			return
		}
	}
	dst.SetStr(printable.Text(text))
}

// plainNumbers turns the numbers of decoded JSON into int64 where they are whole, else float64.
func plainNumbers(raw any) any {
	switch x := raw.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i
		}
		f, err := x.Float64()
		if err != nil {
			return x.String()
		}
		return f
	case []any:
		for i := range x {
			x[i] = plainNumbers(x[i])
		}
	case map[string]any:
		for key := range x {
			x[key] = plainNumbers(x[key])
		}
	case string:
		return printable.Text(x)
	}
	return raw
}
