// Package alertorigin tells the alert records that the engine of this process has made from records that somebody sent. The exporters act on the
// former: a record that a sender made up could resolve an alert of another host, or fire one that nobody sees end.
//
// Records are known by a digest of all that the engine wrote into them: event name, times, severity, body, and every attribute of the record and of its
// resource. It is kept in memory and stands in no record, and holds through a batch, a connector and a reload of the configuration. Processors on the way may
// add attributes, but none of the schema's; what they change or remove makes an external record. No queue on disk stands between the engine and an
// exporter's ConsumeLogs, so that nothing has to outlive the process: what was not delivered before a restart the engine gives out again.
//
// The digest needs no secret, so that whoever reads a record at a backend can send the same one again, as it is and with attributes added to it. It is then
// known, and the consumer must take it for what it is: a repetition. An exporter knows the place of a record in the history of its alert; Repeats
// tells the same of records that have no such place.
package alertorigin

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

const (
	// remembered is how many of the newest records are known. At 600 records a minute they are those of almost two hours.
	remembered = 1 << 16
	// knownFor is how long a record is known. It is less than an exporter remembers how far the records of an alert have come: what is sent again later
	// would be news to it.
	knownFor = 12 * time.Hour
)

// made are the records that this process has made.
var made = newRegistry(remembered, knownFor)

// Mark says that the engine of this process has made all of these records now. It comes before they are given away.
func Mark(logs plog.Logs, now time.Time) {
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				keys := keysOf(rl.Resource(), lr)
				made.add(now, placeOf(lr), keys, contentOf(keys, rl.Resource(), lr))
			}
		}
	}
}

// Marked tells whether the engine of this process has made the record, which belongs to the resource.
func Marked(resource pcommon.Resource, lr plog.LogRecord, now time.Time) bool {
	return made.has(now, placeOf(lr), func(keys recordKeys) (digest, bool) {
		return contentOf(keys, resource, lr), keys.addedOnly(lr)
	})
}

// Repeats tells which records one consumer has had already. Its zero value has had none.
type Repeats struct{ registry registry }

// Had tells whether the consumer has had the record before, among the newest 65,536 and within twelve hours. From now on it has.
// What is no alert record it has never had.
func (r *Repeats) Had(lr plog.LogRecord, now time.Time) bool {
	if !alertschema.NamesEvent(lr.EventName()) {
		return false
	}
	r.registry.init(remembered, knownFor)
	return r.registry.add(now, placeOf(lr), recordKeys{}, digest{})
}

// keyEventName is where records had their event name before OTLP had a field for it.
const keyEventName = "event.name"

// External tells whether a record looks like an alert record and was not made by the engine of this process.
func External(resource pcommon.Resource, lr plog.LogRecord, now time.Time) bool {
	name, ok := lr.Attributes().Get(keyEventName)
	return (alertschema.NamesEvent(lr.EventName()) || ok && alertschema.NamesEvent(name.AsString())) && !Marked(resource, lr, now)
}

// WithoutExternal returns the logs without the external records, and how many these were. The logs themselves stay as they are.
func WithoutExternal(logs plog.Logs, now time.Time) (plog.Logs, int) {
	external := 0
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if External(rl.Resource(), lr, now) {
					external++
				}
			}
		}
	}
	if external == 0 {
		return logs, 0
	}
	rest := plog.NewLogs()
	logs.CopyTo(rest)
	rest.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return External(rl.Resource(), lr, now) })
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return rest, external
}

// Sender is who has sent the logs, "unknown" where a component on their way has forgotten it.
func Sender(ctx context.Context) string {
	if addr := client.FromContext(ctx).Addr; addr != nil {
		return addr.String()
	}
	return "unknown"
}
