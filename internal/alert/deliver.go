package alert

import (
	"strconv"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Pending returns how many events wait for delivery.
func (e *Engine) Pending() int { return e.outbox.Size() }

// Peek appends the oldest undelivered events to dst, at most n. They stay until Ack; a failed delivery is simply peeked
// again. The events' slices are shared with the engine and must not be changed.
func (e *Engine) Peek(dst []event.Event, n int) []event.Event {
	return e.outbox.Peek(dst, n)
}

// Ack takes delivered events out of the outbox, by Seq. A number that is not there is ignored.
func (e *Engine) Ack(seqs ...uint64) {
	e.outbox.Ack(seqs, e.journal.markEvent)
}

// enqueue puts an event into the outbox. An alert whose fire had to give way counts as not announced again, and waits.
func (e *Engine) enqueue(ev event.Event) { e.enqueueOf(ev, 0) }

// enqueueOf is enqueue for an event of a sender that was first seen at a running time.
func (e *Engine) enqueueOf(ev event.Event, since int64) {
	before := e.outbox.Dropped
	changed, dropped := e.outbox.AddOf(ev, since)
	for _, seq := range changed {
		e.journal.markEvent(seq)
	}
	for i := range dropped {
		e.stats.suppressed[suppressedLimit]++
		e.unannounce(&dropped[i])
	}
	e.countUndelivered(int(e.outbox.Dropped-before), dropped)
}

func (e *Engine) unannounce(fire *event.Event) {
	id, err := strconv.ParseUint(fire.AlertID, 16, 64)
	g := e.alertOfRecord(id)
	if err != nil || g == nil || g.alert.announced == 0 || alertschema.EpisodeID(id, g.alert.announcedStart) != fire.EpisodeID {
		return
	}
	e.setAnnounced(g, 0)
	g.alert.announcedState = alertschema.StateInactive
	e.postpone(g, deferredByOutbox)
}

// alertOfRecord returns the group whose alert has an ID in records, nil when there is none.
func (e *Engine) alertOfRecord(id uint64) *group {
	if g := e.alerts[id]; g != nil && g.recordID() == id {
		return g
	}
	for _, g := range e.alerts {
		if g.alert.recordID == id {
			return g
		}
	}
	return nil
}
