package alert

import (
	"slices"
	"strconv"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// outbox holds the events that are not delivered yet, in order. Delivery is at least once: an event leaves when it is
// acknowledged. An event that was handed out may have arrived even if the attempt failed, so only events that were
// never handed out can be taken back.
type outbox struct {
	limit     int
	next      uint64
	entries   []entry
	coalesced uint64
	dropped   uint64
}

type entry struct {
	event     Event
	attempted bool
}

func newOutbox(limit int) outbox { return outbox{limit: limit, next: 1} }

// add appends an event. A resolve whose fire was never handed out takes the whole episode back: nobody heard of it.
// It returns the sequence numbers that left or joined, and the fires that had to give way for lack of room.
func (o *outbox) add(ev Event) (changed []uint64, dropped []Event) {
	if ev.Kind == alertschema.KindStateChange && ev.Transition == alertschema.TransitionResolve && o.silentFire(ev.EpisodeID) {
		return o.remove(func(x *entry) bool { return x.event.EpisodeID == ev.EpisodeID }, &o.coalesced), nil
	}
	ev.Seq = o.next
	o.next++
	o.entries = append(o.entries, entry{event: ev})
	changed = append(changed, ev.Seq)
	if len(o.entries) > o.limit {
		gone, fires := o.makeRoom()
		changed, dropped = append(changed, gone...), fires
	}
	return changed, dropped
}

// silentFire tells whether the fire of an episode waits here and was never handed out.
func (o *outbox) silentFire(episode string) bool {
	return slices.ContainsFunc(o.entries, func(x entry) bool {
		return !x.attempted && x.event.Kind == alertschema.KindStateChange && x.event.EpisodeID == episode && x.event.Transition == alertschema.TransitionFire
	})
}

// remove drops the entries that match and were never handed out, and returns their numbers.
func (o *outbox) remove(match func(*entry) bool, count *uint64) []uint64 {
	var gone []uint64
	o.entries = slices.DeleteFunc(o.entries, func(x entry) bool {
		if x.attempted || !match(&x) {
			return false
		}
		gone = append(gone, x.event.Seq)
		*count++
		return true
	})
	return gone
}

// makeRoom brings the outbox back to its limit, the cheapest loss first: updates that a later record of the same
// episode supersedes, then repeats and reports, then fires from the least severe up, with all that follows them.
// Resolves of fires that were handed out stay, even beyond the limit; there are no more of them than announced alerts.
func (o *outbox) makeRoom() (gone []uint64, fires []Event) {
	latest := map[string]uint64{}
	for i := range o.entries {
		latest[o.entries[i].event.EpisodeID] = o.entries[i].event.Seq
	}
	gone = o.remove(func(x *entry) bool {
		ev := &x.event
		return ev.Kind == alertschema.KindStateChange && ev.Transition != alertschema.TransitionFire && ev.Transition != alertschema.TransitionResolve && latest[ev.EpisodeID] != ev.Seq
	}, &o.coalesced)
	for len(o.entries) > o.limit {
		victim := slices.IndexFunc(o.entries, func(x entry) bool {
			return !x.attempted && (x.event.Kind != alertschema.KindStateChange || x.event.Transition == alertschema.TransitionRepeat)
		})
		if victim < 0 {
			break
		}
		seq := o.entries[victim].event.Seq
		gone = append(gone, o.remove(func(x *entry) bool { return x.event.Seq == seq }, &o.dropped)...)
	}
	for len(o.entries) > o.limit {
		victim := o.leastFire()
		if victim < 0 {
			break
		}
		fire := o.entries[victim].event
		fires = append(fires, fire)
		gone = append(gone, o.remove(func(x *entry) bool { return x.event.EpisodeID == fire.EpisodeID }, &o.dropped)...)
	}
	return gone, fires
}

// leastFire returns the position of the least severe fire that was never handed out, the newest of equals, or -1.
func (o *outbox) leastFire() int {
	victim := -1
	for i := range o.entries {
		x := &o.entries[i]
		if x.attempted || x.event.Kind != alertschema.KindStateChange || x.event.Transition != alertschema.TransitionFire {
			continue
		}
		if victim < 0 || x.event.SeverityNumber <= o.entries[victim].event.SeverityNumber {
			victim = i
		}
	}
	return victim
}

// Pending returns how many events wait for delivery.
func (e *Engine) Pending() int { return len(e.outbox.entries) }

// Peek appends the oldest undelivered events to dst, at most n. They stay until Ack; a failed delivery is simply peeked
// again. The events' slices are shared with the engine and must not be changed.
func (e *Engine) Peek(dst []Event, n int) []Event {
	for i := range min(n, len(e.outbox.entries)) {
		x := &e.outbox.entries[i]
		x.attempted = true
		dst = append(dst, x.event)
	}
	return dst
}

// Ack takes delivered events out of the outbox, by Seq. A number that is not there is ignored.
func (e *Engine) Ack(seqs ...uint64) {
	slices.Sort(seqs)
	e.outbox.entries = slices.DeleteFunc(e.outbox.entries, func(x entry) bool {
		_, hit := slices.BinarySearch(seqs, x.event.Seq)
		if hit {
			e.journal.markEvent(x.event.Seq)
		}
		return hit
	})
}

// enqueue puts an event into the outbox. An alert whose fire had to give way counts as not announced again, and waits.
func (e *Engine) enqueue(ev Event) {
	changed, dropped := e.outbox.add(ev)
	for _, seq := range changed {
		e.journal.markEvent(seq)
	}
	for i := range dropped {
		e.stats.suppressed[suppressedLimit]++
		e.unannounce(&dropped[i])
	}
}

func (e *Engine) unannounce(fire *Event) {
	id, err := strconv.ParseUint(fire.AlertID, 16, 64)
	g := e.alerts[id]
	if err != nil || g == nil || g.alert.told == 0 || alertschema.EpisodeID(id, g.alert.toldStart) != fire.EpisodeID {
		return
	}
	g.alert.told, g.alert.toldState = 0, alertschema.StateInactive
	g.rule.announced--
	e.postpone(g, deferredByLimit)
}
