package event

import (
	"cmp"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Outbox holds the events that are not delivered yet, in order. Delivery is at least once: an event leaves when it is
// acknowledged. An event that was handed out may have arrived even if the attempt failed, so only events that were
// never handed out can be taken back.
type Outbox struct {
	limit   int
	next    uint64
	entries []entry
	// KnownAfter is by how much longer a sender must have been known than another for its fires to give way after the other's, in nanoseconds.
	KnownAfter int64
	// Coalesced counts events that a later one made pointless, Dropped those that a full outbox cost.
	Coalesced, Dropped uint64
}

type entry struct {
	event     Event
	attempted bool
	since     int64 // When the sender was first seen, in nanoseconds.
}

// NewOutbox returns an outbox that holds up to limit events.
func NewOutbox(limit int) Outbox { return Outbox{limit: limit, next: 1} }

// Add appends an event. A resolve whose fire was never handed out takes the whole episode back: nobody heard of it.
// It returns the sequence numbers that left or joined, and the fires that had to give way for lack of room.
func (o *Outbox) Add(ev Event) (changed []uint64, dropped []Event) { return o.AddOf(ev, 0) }

// AddOf is Add for an event of a sender that was first seen at a time in nanoseconds.
func (o *Outbox) AddOf(ev Event, since int64) (changed []uint64, dropped []Event) {
	if ev.Kind == alertschema.KindStateChange && ev.Transition == alertschema.TransitionResolve && o.silentFire(ev.EpisodeID) {
		return o.remove(func(x *entry) bool { return x.event.EpisodeID == ev.EpisodeID }, &o.Coalesced), nil
	}
	ev.Seq = o.next
	o.next++
	o.entries = append(o.entries, entry{event: ev, since: since})
	changed = append(changed, ev.Seq)
	if len(o.entries) > o.limit {
		gone, fires := o.makeRoom()
		changed, dropped = append(changed, gone...), fires
	}
	return changed, dropped
}

// silentFire tells whether the fire of an episode waits here and was never handed out.
func (o *Outbox) silentFire(episode string) bool {
	return slices.ContainsFunc(o.entries, func(x entry) bool {
		return !x.attempted && x.event.Kind == alertschema.KindStateChange && x.event.EpisodeID == episode && x.event.Transition == alertschema.TransitionFire
	})
}

// remove drops the entries that match and were never handed out, and returns their numbers.
func (o *Outbox) remove(match func(*entry) bool, count *uint64) []uint64 {
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
func (o *Outbox) makeRoom() (gone []uint64, fires []Event) {
	latest := map[string]uint64{}
	for i := range o.entries {
		latest[o.entries[i].event.EpisodeID] = o.entries[i].event.Seq
	}
	gone = o.remove(func(x *entry) bool {
		ev := &x.event
		return ev.Kind == alertschema.KindStateChange && ev.Transition.GivesWayToLater() && latest[ev.EpisodeID] != ev.Seq
	}, &o.Coalesced)
	for len(o.entries) > o.limit {
		victim := slices.IndexFunc(o.entries, func(x entry) bool {
			return !x.attempted && (x.event.Kind != alertschema.KindStateChange || x.event.Transition.GivesWay())
		})
		if victim < 0 {
			break
		}
		seq := o.entries[victim].event.Seq
		gone = append(gone, o.remove(func(x *entry) bool { return x.event.Seq == seq }, &o.Dropped)...)
	}
	for len(o.entries) > o.limit {
		victim := o.leastFire()
		if victim < 0 {
			break
		}
		fire := o.entries[victim].event
		fires = append(fires, fire)
		gone = append(gone, o.remove(func(x *entry) bool { return x.event.EpisodeID == fire.EpisodeID }, &o.Dropped)...)
	}
	return gone, fires
}

// leastFire returns the position of the least severe fire that was never handed out, of equals the newest of those whose senders are not known for
// longer than others, or -1.
func (o *Outbox) leastFire() int {
	victim := -1
	for i := range o.entries {
		x := &o.entries[i]
		if x.attempted || x.event.Kind != alertschema.KindStateChange || x.event.Transition != alertschema.TransitionFire {
			continue
		}
		if victim < 0 || o.givesWayBefore(x, &o.entries[victim]) {
			victim = i
		}
	}
	return victim
}

// givesWayBefore tells whether a fire gives way before an older one.
func (o *Outbox) givesWayBefore(x, older *entry) bool {
	if x.event.SeverityNumber != older.event.SeverityNumber {
		return x.event.SeverityNumber < older.event.SeverityNumber
	}
	return x.since+o.KnownAfter >= older.since
}

// Size is how many events wait.
func (o *Outbox) Size() int { return len(o.entries) }

// NextSeq is the number that the next event gets.
func (o *Outbox) NextSeq() uint64 { return o.next }

// Reserve makes the next event's number at least seq.
func (o *Outbox) Reserve(seq uint64) { o.next = max(o.next, seq) }

// Restore appends an event that was stored. Whether it had been handed out is not known, so it counts as such and is not taken back.
func (o *Outbox) Restore(ev Event) {
	o.Reserve(ev.Seq + 1)
	o.entries = append(o.entries, entry{event: ev, attempted: true})
}

// Pending returns the event of a number, nil when it does not wait.
func (o *Outbox) Pending(seq uint64) *Event {
	i, found := slices.BinarySearchFunc(o.entries, seq, func(x entry, seq uint64) int { return cmp.Compare(x.event.Seq, seq) })
	if !found {
		return nil
	}
	return &o.entries[i].event
}

// Peek appends the oldest events to dst, at most n. They count as handed out.
func (o *Outbox) Peek(dst []Event, n int) []Event {
	for i := range min(n, len(o.entries)) {
		x := &o.entries[i]
		x.attempted = true
		dst = append(dst, x.event)
	}
	return dst
}

// Ack takes delivered events out, and calls gone with the number of each.
func (o *Outbox) Ack(seqs []uint64, gone func(seq uint64)) {
	slices.Sort(seqs)
	o.entries = slices.DeleteFunc(o.entries, func(x entry) bool {
		_, hit := slices.BinarySearch(seqs, x.event.Seq)
		if hit {
			gone(x.event.Seq)
		}
		return hit
	})
}

// Attempted is how many of the events were handed out.
func (o *Outbox) Attempted() int {
	n := 0
	for i := range o.entries {
		if o.entries[i].attempted {
			n++
		}
	}
	return n
}
