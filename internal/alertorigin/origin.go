// Package alertorigin tells the alert records that the engine of this process has made from records that somebody sent. The exporters act on the
// former: a record that a sender made up could resolve an alert of another host, or fire one that nobody sees end.
//
// Records are known by a digest of what decides about an alert, which is kept in memory and stands in no record: it holds through a batch, a
// connector and a reload of the configuration, nothing of it can be read at a backend, and what a processor changes of texts, labels and resources
// changes nothing. No queue on disk stands between the engine and an exporter's ConsumeLogs, so that nothing has to outlive the process: what was
// not delivered before a restart the engine gives out again.
package alertorigin

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// remembered is how many of the newest records are known. At 600 records a minute they are those of almost two hours.
const remembered = 1 << 16

// deciding are the attributes that say which alert a record is about and what became of it. A processor that changes one makes another record.
var deciding = []string{
	alertschema.KeyAlertID, alertschema.KeyEpisodeID, alertschema.KeyRecordUID, alertschema.KeyTransition, alertschema.KeyState, alertschema.KeySeverity,
	alertschema.KeyRuleName, alertschema.KeyStartedAt, alertschema.KeyEndedAt, alertschema.KeyOccurrences,
}

// digest is a hash of what decides about an alert in a record.
type digest [16]byte

// registry holds the newest digests.
type registry struct {
	mu    sync.Mutex
	known map[digest]struct{}
	order []digest // In a circle once it is full.
	next  int      // Where the next digest goes.
	limit int
}

// made are the records that this process has made.
var made = newRegistry(remembered)

func newRegistry(limit int) *registry { return &registry{known: map[digest]struct{}{}, limit: limit} }

// Mark says that the engine of this process has made all of these records. It comes before they are given away.
func Mark(logs plog.Logs) {
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				made.add(digestOf(lr))
			}
		}
	}
}

// Marked tells whether the engine of this process has made the record.
func Marked(lr plog.LogRecord) bool { return made.has(digestOf(lr)) }

// keyEventName is where records had their event name before OTLP had a field for it.
const keyEventName = "event.name"

// External tells whether a record looks like an alert record and was not made by the engine of this process.
func External(lr plog.LogRecord) bool {
	name, ok := lr.Attributes().Get(keyEventName)
	return (alertschema.NamesEvent(lr.EventName()) || ok && alertschema.NamesEvent(name.AsString())) && !Marked(lr)
}

// WithoutExternal returns the logs without the external records, and how many these were. The logs themselves stay as they are.
func WithoutExternal(logs plog.Logs) (plog.Logs, int) {
	external := 0
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if External(lr) {
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
			sl.LogRecords().RemoveIf(External)
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return rest, external
}

func digestOf(lr plog.LogRecord) digest {
	text := make([]byte, 0, 512)
	put := func(s string) {
		text = binary.AppendUvarint(text, uint64(len(s)))
		text = append(text, s...)
	}
	put(lr.EventName())
	text = binary.BigEndian.AppendUint64(text, uint64(lr.Timestamp()))
	text = binary.BigEndian.AppendUint64(text, uint64(lr.ObservedTimestamp()))
	for _, key := range deciding {
		value := ""
		if v, ok := lr.Attributes().Get(key); ok {
			value = v.AsString()
		}
		put(value)
	}
	sum := sha256.Sum256(text)
	return digest(sum[:])
}

func (r *registry) add(d digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.known[d]; known {
		return // Delivered again.
	}
	r.known[d] = struct{}{}
	if len(r.order) < r.limit {
		r.order = append(r.order, d)
		return
	}
	delete(r.known, r.order[r.next])
	r.order[r.next] = d
	r.next = (r.next + 1) % r.limit
}

func (r *registry) has(d digest) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.known[d]
	return known
}

// Sender is who has sent the logs, "unknown" where a component on their way has forgotten it.
func Sender(ctx context.Context) string {
	if addr := client.FromContext(ctx).Addr; addr != nil {
		return addr.String()
	}
	return "unknown"
}
