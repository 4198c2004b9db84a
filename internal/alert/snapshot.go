package alert

import (
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Keys under which the engine's state is stored. Alerts stand under "a/<alert id>", events under "o/<seq>".
const (
	metaKey  = "meta"
	indexKey = "index"
)

// Op is one change to the stored state: a value to set, or a key to delete when Value is nil.
type Op struct {
	Key   string
	Value []byte
}

// journal knows what of the state differs from what is stored.
type journal struct {
	alerts map[uint64]struct{}
	events map[uint64]struct{}
	// storedAlerts and storedEvents are the keys that the stored index lists.
	storedAlerts map[uint64]struct{}
	storedEvents map[uint64]struct{}
	index        bool
}

func newJournal() journal {
	return journal{
		alerts: map[uint64]struct{}{}, events: map[uint64]struct{}{},
		storedAlerts: map[uint64]struct{}{}, storedEvents: map[uint64]struct{}{},
	}
}

func (j *journal) mark(alert uint64)    { j.alerts[alert] = struct{}{} }
func (j *journal) markEvent(seq uint64) { j.events[seq] = struct{}{} }

func alertKey(id uint64) string  { return "a/" + alertschema.IDText(id) }
func eventKey(seq uint64) string { return "o/" + strconv.FormatUint(seq, 10) }

// listedKeys returns the keys that an index lists.
func listedKeys(alerts, events []uint64) []string {
	keys := make([]string, 0, len(alerts)+len(events))
	for _, seq := range events {
		keys = append(keys, eventKey(seq))
	}
	for _, id := range alerts {
		keys = append(keys, alertKey(id))
	}
	return keys
}

// StoredKeys returns the keys under which a state is stored. What an index that cannot be decoded listed is not among them.
func StoredKeys(get func(key string) ([]byte, error)) ([]string, error) {
	index, err := get(indexKey)
	if err != nil {
		return nil, &ReadError{indexKey, err}
	}
	alerts, events, _ := decodeIndex(index) // Without an index the lists are empty.
	return append(listedKeys(alerts, events), metaKey, indexKey), nil
}

// Snapshot returns what has to be written so that the stored state equals the engine's, and takes it as written. All
// of it belongs into one atomic write: an alert that counts as announced must never be stored without its record. If the write
// fails, Redo gives the changes back.
//
// Write the snapshot before delivering what Peek returns. Then whatever a receiver has heard of survives a crash.
func (e *Engine) Snapshot(now time.Time) []Op {
	j := &e.journal
	ops := []Op{{Key: metaKey, Value: (&storedMeta{savedAt: now.UnixNano(), nextSeq: int64(e.outbox.NextSeq())}).encode()}}
	for _, id := range sortedIDs(j.alerts) {
		op := Op{Key: alertKey(id)}
		_, stored := j.storedAlerts[id]
		if g := e.alerts[id]; g != nil {
			op.Value = encodeAlert(g)
			j.storedAlerts[id] = struct{}{}
			j.index = j.index || !stored
		} else if stored {
			delete(j.storedAlerts, id)
			j.index = true
		} else {
			continue
		}
		ops = append(ops, op)
	}
	for _, seq := range sortedIDs(j.events) {
		op := Op{Key: eventKey(seq)}
		_, stored := j.storedEvents[seq]
		if ev := e.outbox.Pending(seq); ev != nil {
			op.Value = event.Encode(ev)
			j.storedEvents[seq] = struct{}{}
			j.index = j.index || !stored
		} else if stored {
			delete(j.storedEvents, seq)
			j.index = true
		} else {
			continue
		}
		ops = append(ops, op)
	}
	if j.index {
		ops = append(ops, Op{Key: indexKey, Value: encodeIndex(sortedIDs(j.storedAlerts), sortedIDs(j.storedEvents))})
		j.index = false
	}
	clear(j.alerts)
	clear(j.events)
	return ops
}

// Redo takes back a snapshot whose write failed: the next one holds its changes again.
func (e *Engine) Redo(ops []Op) {
	j := &e.journal
	for _, op := range ops {
		switch {
		case op.Key == indexKey:
			j.index = true
		case len(op.Key) > 2 && op.Key[0] == 'a':
			if id, err := strconv.ParseUint(op.Key[2:], 16, 64); err == nil {
				j.mark(id)
				j.storedAlerts[id] = struct{}{} // It may be stored, so a deletion must be repeated.
			}
		case len(op.Key) > 2 && op.Key[0] == 'o':
			if seq, err := strconv.ParseUint(op.Key[2:], 10, 64); err == nil {
				j.markEvent(seq)
				j.storedEvents[seq] = struct{}{}
			}
		}
	}
	j.index = true
}

func sortedIDs(m map[uint64]struct{}) []uint64 {
	ids := make([]uint64, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func encodeIndex(alerts, events []uint64) []byte {
	var e attr.Encoder
	for _, ids := range [][]uint64{alerts, events} {
		e.Uint(uint64(len(ids)))
		for _, id := range ids {
			e.Uint(id)
		}
	}
	return e.Sealed()
}

func decodeIndex(v []byte) (alerts, events []uint64, err error) {
	d := attr.Unseal(v)
	alerts = attr.DecodeList(&d, (*attr.Decoder).Uint)
	events = attr.DecodeList(&d, (*attr.Decoder).Uint)
	return alerts, events, d.Finish()
}
