package psutilreceiver

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/events"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// eventWithheld is the name of the record that says how many events of a kind were not told of one by one.
const (
	eventWithheld    = "system.events.withheld"
	keyWithheldKind  = "system.events.kind"
	keyWithheldCount = "system.events.count"
)

// tellEvents passes on the events that wait. What is not delivered is tried again the next time. All includes how many were withheld in a minute that
// has not passed.
func (r *entityReceiver) tellEvents(ctx context.Context, all bool) {
	if r.events == nil {
		return
	}
	now := r.now()
	waiting := r.events.Take(now, all)
	if len(waiting) == 0 {
		return
	}
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.SetSchemaUrl(schemaURL)
	r.found.resource.CopyTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(r.set.BuildInfo.Version)
	for i := range waiting {
		addEvent(sl.LogRecords().AppendEmpty(), &waiting[i], now)
	}
	if r.deliver(ctx, logs, now, "The events") {
		r.events.Delivered(len(waiting))
		r.cfg.events.told(waiting)
	}
}

// severities are those of log records.
var severities = map[events.Severity]struct {
	number plog.SeverityNumber
	text   string
}{
	events.Info:    {plog.SeverityNumberInfo, "INFO"},
	events.Warning: {plog.SeverityNumberWarn, "WARN"},
	events.Error:   {plog.SeverityNumberError, "ERROR"},
}

// addEvent makes a log record of an event.
func addEvent(record plog.LogRecord, e *events.Event, now time.Time) {
	severity := severities[e.Severity]
	record.SetSeverityNumber(severity.number)
	record.SetSeverityText(severity.text)
	record.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	if e.Withheld > 0 {
		record.SetEventName(eventWithheld)
		record.Body().SetStr(fmt.Sprintf("%d events %s were withheld, for there were too many in a minute", e.Withheld, e.Kind))
		record.Attributes().PutStr(keyWithheldKind, e.Kind.String())
		record.Attributes().PutInt(keyWithheldCount, int64(e.Withheld))
		return
	}
	record.SetEventName(e.Kind.String())
	record.Body().SetStr(printable.Name(e.Text))
	for _, f := range e.Fields {
		switch v := f.Value.(type) {
		case string:
			record.Attributes().PutStr(f.Key, v)
		case int64:
			record.Attributes().PutInt(f.Key, v)
		case float64:
			record.Attributes().PutDouble(f.Key, v)
		case bool:
			record.Attributes().PutBool(f.Key, v)
		}
	}
	makePrintable(record.Attributes())
}
