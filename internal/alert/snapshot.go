package alert

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Keys under which the engine's state is stored. They are part of the stored form. The rest of the key of an alert is its ID, that of an event
// its number.
const (
	metaKey       = "meta"
	alertPrefix   = "a/"
	eventPrefix   = "o/"
	historyPrefix = "h/"
	senderPrefix  = "s/"
	silencePrefix = "p/"
)

// Op is one change to the stored state: a value to set, or a key to delete when Value is nil.
type Op struct {
	Key   string
	Value []byte
}

// journal knows what has changed since the last snapshot.
type journal struct {
	alerts    map[uint64]struct{}
	events    map[uint64]struct{}
	histories map[uint64]struct{}
	senders   map[uint64]struct{}
	silences  map[uint64]struct{}
}

func newJournal() journal {
	return journal{
		alerts: map[uint64]struct{}{}, events: map[uint64]struct{}{}, histories: map[uint64]struct{}{}, senders: map[uint64]struct{}{},
		silences: map[uint64]struct{}{},
	}
}

func (j *journal) mark(alert uint64)     { j.alerts[alert] = struct{}{} }
func (j *journal) markEvent(seq uint64)  { j.events[seq] = struct{}{} }
func (j *journal) markHistory(id uint64) { j.histories[id] = struct{}{} }
func (j *journal) markSender(id uint64)  { j.senders[id] = struct{}{} }
func (j *journal) markSilence(id uint64) { j.silences[id] = struct{}{} }

// markKey marks what a key is of.
func (j *journal) markKey(key string) {
	if id, ok := alertOf(key); ok {
		j.mark(id)
	} else if seq, ok := eventOf(key); ok {
		j.markEvent(seq)
	} else if id, ok := historyOf(key); ok {
		j.markHistory(id)
	} else if id, ok := senderOfKey(key); ok {
		j.markSender(id)
	} else if id, ok := silenceOfKey(key); ok {
		j.markSilence(id)
	}
}

func alertKey(id uint64) string   { return alertPrefix + alertschema.IDText(id) }
func historyKey(id uint64) string { return historyPrefix + alertschema.IDText(id) }
func senderKey(id uint64) string  { return senderPrefix + alertschema.IDText(id) }
func silenceKey(id uint64) string { return silencePrefix + alertschema.IDText(id) }
func eventKey(seq uint64) string  { return eventPrefix + strconv.FormatUint(seq, 10) }

// alertOf returns the ID of the alert that is stored under a key.
func alertOf(key string) (id uint64, ok bool) { return numberOf(key, alertPrefix, 16) }

// eventOf returns the number of the event that is stored under a key.
func eventOf(key string) (seq uint64, ok bool) { return numberOf(key, eventPrefix, 10) }

// historyOf returns the ID of the history that is stored under a key.
func historyOf(key string) (id uint64, ok bool) { return numberOf(key, historyPrefix, 16) }

// senderOfKey returns the ID of the sender that is stored under a key.
func senderOfKey(key string) (id uint64, ok bool) { return numberOf(key, senderPrefix, 16) }

// silenceOfKey returns the ID of the person's silence that is stored under a key.
func silenceOfKey(key string) (id uint64, ok bool) { return numberOf(key, silencePrefix, 16) }

func numberOf(key, prefix string, base int) (uint64, bool) {
	text, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(text, base, 64)
	return n, err == nil
}

// Snapshot returns what has to be written so that the stored state equals the engine's, and takes it as written. The first op is the time of
// the snapshot. An op may delete a key that was never stored. All of it belongs into one atomic write: an alert that counts as announced
// must never be stored without its record. If the write fails, Redo gives the changes back.
//
// Write the snapshot before delivering what Peek returns. Then whatever a receiver has heard of survives a crash.
func (e *Engine) Snapshot(now time.Time) []Op {
	j := &e.journal
	ops := []Op{{Key: metaKey, Value: (&storedMeta{savedAt: now.UnixNano(), nextSeq: int64(e.outbox.NextSeq())}).encode()}}
	for _, id := range slices.Sorted(maps.Keys(j.alerts)) {
		op := Op{Key: alertKey(id)}
		if g := e.alerts[id]; g != nil {
			op.Value = e.encodeAlert(g)
		}
		ops = append(ops, op)
	}
	for _, seq := range slices.Sorted(maps.Keys(j.events)) {
		op := Op{Key: eventKey(seq)}
		if ev := e.outbox.Pending(seq); ev != nil {
			op.Value = event.Encode(ev)
		}
		ops = append(ops, op)
	}
	for _, id := range slices.Sorted(maps.Keys(j.histories)) {
		op := Op{Key: historyKey(id)}
		if h := e.histories.byID[id]; h != nil {
			op.Value = h.Encode()
		}
		ops = append(ops, op)
	}
	for _, id := range slices.Sorted(maps.Keys(j.senders)) {
		op := Op{Key: senderKey(id)}
		if s := e.senders.byID[id]; s != nil {
			op.Value = e.encodeSender(s)
		}
		ops = append(ops, op)
	}
	ops = e.snapshotSilences(ops)
	clear(j.senders)
	clear(j.histories)
	clear(j.alerts)
	clear(j.events)
	return ops
}

// RedoAll has the next snapshot hold all of the state, for a storage that has lost what it held.
func (e *Engine) RedoAll() {
	for id := range e.alerts {
		e.journal.mark(id)
	}
	for id := range e.histories.byID {
		e.journal.markHistory(id)
	}
	for id, s := range e.senders.byID {
		if s.stored {
			e.journal.markSender(id)
		}
	}
	for id := range e.personSilences {
		e.journal.markSilence(id)
	}
	for _, ev := range e.outbox.Peek(nil, e.outbox.Size()) {
		e.journal.markEvent(ev.Seq)
	}
}

// Redo takes back a snapshot whose write failed: the next one holds its changes again.
func (e *Engine) Redo(ops []Op) {
	for _, op := range ops {
		e.journal.markKey(op.Key)
	}
}
