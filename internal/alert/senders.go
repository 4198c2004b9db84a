package alert

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// sender is who sends: a host, or what else names itself as the source of a resource. All that names nobody is one sender. Anybody can make up
// senders, so limits go by how long one has been known. Times are running time.
type sender struct {
	id        uint64 // A hash of the name, the same in every process.
	since     int64  // When it was first seen.
	gone      int64  // When its last resource was forgotten.
	resources int
	series    int
	stored    bool // It has been known for long enough to be remembered over a restart.
}

// senders has all senders that are known.
type senders struct {
	byID map[uint64]*sender
	// order are those that may send now, by when they were first seen. Who has gone is in it until the next tick.
	order []*sender
}

// senderID returns what identifies the sender of a resource: its name, whichever attribute has it.
func senderID(resource []attr.Attr) uint64 {
	_, name := rules.Sender(resource)
	return alertschema.AlertID("sender", alertschema.CutText(name, maxSenderName))
}

// maxSenderName is how much of a name counts, in bytes.
const maxSenderName = 256

// senderOfResource returns the sender of a resource, nil for one that is not known.
func (e *Engine) senderOfResource(resource []attr.Attr) *sender {
	return e.senders.byID[senderID(resource)]
}

// useSender returns the sender of a resource that is new, and notes that it has the resource.
func (e *Engine) useSender(resource []attr.Attr) *sender {
	id := senderID(resource)
	s := e.senders.byID[id]
	if s == nil {
		s = &sender{id: id, since: e.running}
		e.senders.byID[id] = s
		e.senders.order = append(e.senders.order, s) // Nobody is younger.
	}
	s.resources++
	return s
}

// leaveSender notes that a resource of the sender is forgotten.
func (e *Engine) leaveSender(s *sender) {
	if s == nil {
		return // Of a stored alert.
	}
	if s.resources--; s.resources == 0 {
		s.gone = e.running
	}
}

// sends tells whether the sender may send now: it does, or it did until lately, before a restart perhaps.
func (e *Engine) sends(s *sender) bool {
	return s.resources > 0 || e.running-s.gone <= e.rules.MinStaleAfter
}

// senderKept is for how long a sender is remembered that sends no more, in nanoseconds.
const senderKept = 7 * 24 * 3600 * second

// updateSenders forgets senders, has those stored that have become known, and puts them in order. A sender that was seen for a short time and no more is
// forgotten with its series.
func (e *Engine) updateSenders() {
	known := int64(e.rules.Limits.KnownAfter)
	all := &e.senders
	all.order = slices.DeleteFunc(all.order, func(s *sender) bool { return !e.sends(s) })
	sending, silent := 0, 0
	for id, s := range all.byID {
		switch {
		case e.sends(s):
			sending++
		case s.gone-s.since < known, e.running-s.gone > senderKept, silent >= e.rules.Limits.Series:
			delete(all.byID, id)
			if s.stored {
				e.journal.markSender(id)
			}
		default:
			silent++
		}
	}
	if sending != len(all.order) {
		e.sortSenders() // One that was silent sends again, or was restored; who is new stands last already.
	}
	if len(all.order) > 1 { // One alone competes with nobody.
		for _, s := range all.order {
			if !s.stored && e.running-s.since >= known {
				s.stored = true
				e.journal.markSender(s.id)
			}
		}
	}
}

// sortSenders puts those that may send now in order.
func (e *Engine) sortSenders() {
	all := &e.senders
	all.order = all.order[:0]
	for _, s := range all.byID {
		if e.sends(s) {
			all.order = append(all.order, s)
		}
	}
	e.work += uint64(len(all.order))
	slices.SortFunc(all.order, func(a, b *sender) int { return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.id, b.id)) })
}

// firstSeenBy is how many of those that may send now were first seen at a time or before.
func (s *senders) firstSeenBy(t int64) int {
	return sort.Search(len(s.order), func(i int) bool { return s.order[i].since > t })
}

// since is when a sender was first seen: long ago for one that is not known, as of an alert that nobody has sent anything for yet.
func since(s *sender) int64 {
	if s == nil {
		return 0
	}
	return s.since
}

// holders are the senders, by ID, that have a part of what a limit leaves, and how much. A sender that was forgotten and comes back is the same.
type holders map[uint64]int

// idOf is the ID of a sender, 0 for one that is not known.
func idOf(s *sender) uint64 {
	if s == nil {
		return 0
	}
	return s.id
}

// shares are what senders have of a limit.
type shares struct {
	have holders
	// refusedFrom is the least time of precedes for which nothing was left since anything has changed. For a later one nothing is left either.
	refusedFrom int64
}

func newShares() shares { return shares{have: holders{}, refusedFrom: ladder.Forever} }

// precedes is until when others must have been first seen for something to be kept for them when a sender wants its share. A sender that is new, for
// limits::known_after, comes after all that were there before it; later those come before it that have been known for longer by as much. A sender that
// has something already leaves one to each of its own age as well.
func (e *Engine) precedes(s *sender, has bool) int64 {
	first, known := since(s), int64(e.rules.Limits.KnownAfter)
	switch {
	case has:
		return first + known
	case e.running-first < known:
		return first - 1
	default:
		return first - known
	}
}

// leaves tells whether anything of what is free of a limit is left for a sender. Up to a part of the limit is kept for others that have none yet, one
// for each of those that precede it.
//
// So a flood of senders that are made up takes nothing from those that were there before, as far as the part reaches, and where all are of one age
// those come first that have nothing.
func (e *Engine) leaves(s *sender, free, part int, of *shares) bool {
	if free <= 0 || free > part {
		return free > 0
	}
	before := e.precedes(s, of.have[idOf(s)] > 0)
	if before >= of.refusedFrom {
		return false
	}
	kept := e.senders.firstSeenBy(before)
	for id, n := range of.have {
		if kept < free {
			break
		}
		if other := e.senders.byID[id]; n > 0 && other != nil && other.since <= before && e.sends(other) {
			kept--
		}
	}
	if kept >= free {
		of.refusedFrom = before
		return false
	}
	return true
}

// oldestSender returns the sender that has been known for the longest of those that a group is of, nil when there is none.
func (e *Engine) oldestSender(g *group) *sender {
	var oldest *sender
	for _, s := range g.members[:min(len(g.members), maxLookedSenders)] {
		if of := s.resource.sender; oldest == nil || of.since < oldest.since {
			oldest = of
		}
	}
	if oldest != nil || g.alert == nil {
		return oldest
	}
	switch a := g.alert; {
	case a.holder != nil:
		return e.current(a.holder)
	case a.resource == nil:
		return nil
	case a.resource.sender != nil:
		return e.current(a.resource.sender)
	default:
		return e.senderOfResource(a.resource.attrs)
	}
}

// current returns the sender as it is known now. It may have been forgotten, and have come back as another; one that did not is as it was.
func (e *Engine) current(s *sender) *sender {
	if now := e.senders.byID[s.id]; now != nil {
		return now
	}
	return s
}

// maxLookedSenders bounds the members of a group that are asked for their sender.
const maxLookedSenders = 64

// roomForSeries tells whether a sender may have one more series. The last quarter of limits::series is for those that have been known for longer than
// others, and the last eighth for those that have less than half of them.
func (e *Engine) roomForSeries(o *attr.Origin) bool {
	n := e.rules.Limits.Series
	if e.seriesCount >= n {
		return false
	}
	if e.seriesCount < n-n/4 {
		return true
	}
	if e.isJunior(o.Resource) {
		return false
	}
	s := e.senderOfResource(o.Resource)
	return e.seriesCount < n-n/8 || s == nil || s.series < n/2 || len(e.senders.order) < 2
}

// storedSender is the stored form of a sender.
type storedSender struct {
	since int64 // When it was first seen, as wall time has it.
}

// senderFields is how it is stored. The numbers are stored: append only.
var senderFields = []attr.Field[storedSender]{
	attr.IntField(11, func(s *storedSender) *int64 { return &s.since }),
}

func (e *Engine) encodeSender(s *sender) []byte {
	var enc attr.Encoder
	attr.WriteFields(&enc, &storedSender{since: e.now - (e.running - s.since)}, senderFields)
	return enc.Sealed()
}

// restoreSender takes up a sender that was known before a restart. It counts as one that sends, for as long as silent series are kept.
func (e *Engine) restoreSender(id uint64, v []byte) error {
	d := attr.Unseal(v)
	var s storedSender
	attr.ReadFields(&d, &s, senderFields)
	if err := d.Finish(); err != nil {
		e.journal.markSender(id) // The next snapshot deletes it.
		return fmt.Errorf("decoding %s: %w", senderKey(id), err)
	}
	e.senders.byID[id] = &sender{id: id, since: min(s.since, e.running), gone: e.running, stored: true}
	return nil
}
