package notifyexporter

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// table is what is known of each alert, what was told of it, and what is still to be told. It knows no I/O and no lock.
type table struct {
	entries map[string]*entry // By alert.id.
	limit   int
	routes  map[string]*route

	touched map[string]struct{} // IDs of entries that changed since takeTouched was called.
}

// route is what decides of what is told on a channel.
type route struct {
	name         string
	standby      bool
	min          int32
	match        matcher
	sendResolved bool
	// sendAcknowledged tells those who were told of an alert who looks after it.
	sendAcknowledged bool
	repeat           time.Duration
	escalateTo       string
	escalateAfter    time.Duration
	fallback         string
	fallbackAfter    time.Duration
	open             func(now int64) bool // Tells whether it is used at a time.
	eachOnItsOwn     bool                 // Each alert has a message of its own.
	groupBy          []string
	groupWait        int64
	everyMinute      int
	lastSent         []int64 // When the messages of the last minute were sent.
	failingSince     int64   // 0 when it does not fail.
	failure          string
	refusedForGood   bool     // The failure is a refusal of a message.
	shortened        bool     // The last message was taken in its short form only.
	lost             []string // Titles of the last messages that were told nowhere, until one is taken that says so.
	lostAt           int64    // When the last one was, 0 for never.
}

// entry is one alert. It is stored, as JSON: fields are added and never change their meaning.
type entry struct {
	ID      string
	Episode string
	// Started and Ended are event times. Ended is 0 while it is active.
	Started, Ended, Sequence int64
	Active                   bool
	Once                     bool   `json:",omitempty"`
	Acknowledged             string `json:",omitempty"`
	// Silenced is the wall time since which a person's silence covers the alert, 0 while none does. SilencedUntil is when it ends, 0 if that is not known.
	Silenced      int64 `json:",omitempty"`
	SilencedUntil int64 `json:",omitempty"`
	About         about
	Last          notice
	// UIDs are those of the last records, for duplicates.
	UIDs     []string
	Channels map[string]*telling `json:",omitempty"`
	// Heard is when the last record came, wall time.
	Heard int64
}

// telling is what was told of an alert on one channel, and what is still to be told there.
type telling struct {
	Pending []notice `json:",omitempty"`
	// Left is how many notices between the first and the others of Pending there was no room for.
	Left int   `json:",omitempty"`
	Told *told `json:",omitempty"`
	// Why is escalated or fallback where the channel is not the first one, and From the one that was.
	Why, From string `json:",omitempty"`
	// Handed tells that the fallback was told what is pending.
	Handed bool `json:",omitempty"`
}

// told is what the people on a channel know of an alert.
type told struct {
	Episode string
	// Thread is that of the message in which the alert was told first.
	Thread string
	// First and Last are when something was told, wall time. Count is how often.
	First, Last int64
	Count       int
	Severity    string
	Escalated   bool `json:",omitempty"`
}

const (
	maxAlerts  = 20_000
	maxUIDs    = 64
	maxPending = 8
	// retention is for how long it is known of an alert that is over that its records came. It is longer than alertorigin knows a record.
	retention = int64(24 * time.Hour)
)

const (
	whyEscalated = "escalated"
	whyFallback  = "fallback"
)

func newTable(routes map[string]*route) *table {
	return &table{entries: map[string]*entry{}, limit: maxAlerts, routes: routes, touched: map[string]struct{}{}}
}

// applyResult is what a record did to the table.
type applyResult uint8

const (
	changed applyResult = iota
	duplicate
	full
	untold // Nobody is to be told.
)

// apply takes up a record, and says on which channels it is to be told.
func (t *table) apply(r *record, now int64) applyResult {
	e := t.entries[r.ID]
	if e == nil {
		if len(t.entries) >= t.limit && !t.makeRoom() {
			return full
		}
		e = &entry{ID: r.ID, Channels: map[string]*telling{}}
		t.entries[r.ID] = e
	} else if e.knows(r, now) {
		return duplicate
	}
	t.touch(r.ID)
	// What a person did is not how the alert is: that is what is repeated and escalated.
	if e.Episode != r.Episode || r.notice.Transition != acknowledged && r.notice.Transition != silenceStart {
		e.Last = r.notice
	}
	if e.Episode != r.Episode {
		e.Acknowledged, e.Silenced, e.SilencedUntil = "", 0, 0
	}
	e.Episode, e.Started, e.Ended, e.Sequence = r.Episode, r.Started, r.Ended, r.Sequence
	e.Active, e.Once, e.About, e.Heard = r.Active, r.Once, r.about, now
	e.Acknowledged = cmp.Or(r.AcknowledgedBy, e.Acknowledged)
	t.observeSilence(e, r, now)
	t.dropNeedless(e)
	if r.notice.UID != "" {
		e.UIDs = append(e.UIDs, r.notice.UID)
		e.UIDs = slices.Clone(e.UIDs[max(0, len(e.UIDs)-maxUIDs):])
	}
	told := false
	for _, name := range slices.Sorted(maps.Keys(t.routes)) {
		told = t.routes[name].take(e, r) || told
	}
	if !told {
		return untold
	}
	return changed
}

// knows tells whether the record came before, or is older than what came.
func (e *entry) knows(r *record, now int64) bool {
	if r.notice.UID != "" && slices.Contains(e.UIDs, r.notice.UID) {
		return true
	}
	if r.Episode != e.Episode {
		return r.Started < e.Started && e.Started <= now
	}
	return r.Sequence < e.Sequence
}

// take puts what a record says to what is to be told on the channel, if it is.
func (rt *route) take(e *entry, r *record) bool {
	tl := e.Channels[rt.name]
	if tl == nil || !tl.concerns(e.Episode) {
		if r.notice.Resolved || r.Silenced || r.notice.Transition == acknowledged || rt.standby || r.notice.Number < rt.min || !rt.match.holds(e.value) {
			return false
		}
		tl = &telling{}
		e.Channels[rt.name] = tl
	}
	switch {
	case r.notice.Resolved && !rt.sendResolved:
		delete(e.Channels, rt.name)
		return false
	case r.Silenced && !r.notice.Resolved && r.notice.Transition != acknowledged:
		return false
	case r.notice.Transition == acknowledged && !rt.sendAcknowledged:
		return false
	}
	tl.add(r.notice)
	return true
}

// concerns tells whether the episode was told on the channel, or is to be.
func (tl *telling) concerns(episode string) bool {
	return len(tl.Pending) > 0 || tl.Told != nil && tl.Told.Episode == episode
}

// add puts a notice to those that are pending. Of too many those in the middle give way: how it began and how it is are told.
func (tl *telling) add(n notice) {
	tl.Pending = append(tl.Pending, n)
	if len(tl.Pending) > maxPending {
		tl.Pending = slices.Delete(tl.Pending, 1, 2)
		tl.Left++
	}
}

// value is what the alert has under a key of match or group_by.
func (e *entry) value(key string) string {
	switch key {
	case "alert.rule.name":
		return e.About.Rule
	case "alert.severity":
		return e.Last.Severity
	case "alert.id":
		return e.ID
	case "alert.metric.name":
		return e.About.Metric
	}
	if name, ok := strings.CutPrefix(key, "alert.label."); ok {
		return e.About.Labels[name]
	}
	if v, ok := e.About.Group[key]; ok {
		return v
	}
	if v, ok := e.About.Resource[key]; ok {
		return v
	}
	return e.About.Labels[key]
}

// tick begins what time brings: repetitions and escalations. It returns when to look again.
func (t *table) tick(now int64) (next int64) {
	next = now + int64(time.Hour)
	for id, e := range t.entries {
		if !e.Active || e.Once || e.Acknowledged != "" {
			continue
		}
		if e.silenced(now) {
			if e.SilencedUntil != 0 {
				next = min(next, e.SilencedUntil+silenceGrace)
			}
			continue
		}
		if e.Silenced != 0 { // Its end was never told.
			t.endSilence(e, now)
		}
		for name, tl := range e.Channels {
			rt := t.routes[name]
			if rt == nil || tl.Told == nil || tl.Told.Episode != e.Episode {
				continue
			}
			if rt.escalateTo != "" && !tl.Told.Escalated {
				at := tl.Told.First + int64(rt.escalateAfter)
				if at <= now {
					tl.Told.Escalated = true
					t.hand(e, name, rt.escalateTo, whyEscalated, now)
					t.touch(id)
				} else {
					next = min(next, at)
				}
			}
			if rt.repeat > 0 && len(tl.Pending) == 0 {
				at := tl.Told.Last + int64(rt.repeat)
				if at <= now {
					n := e.Last
					n.Transition, n.Received, n.UID = "repeat", now-rt.groupWait, n.UID+"-repeat-"+time.Unix(0, now).UTC().Format(time.RFC3339)
					tl.add(n)
					t.touch(id)
				} else {
					next = min(next, at)
				}
			}
		}
	}
	return next
}

// hand lets an alert be told on another channel.
func (t *table) hand(e *entry, from, to, why string, now int64) {
	tl := e.Channels[to]
	if tl != nil && tl.concerns(e.Episode) {
		if tl.Told == nil || why != whyEscalated {
			return // It is known there, or is about to be.
		}
	} else {
		tl = &telling{}
		e.Channels[to] = tl
	}
	n := e.Last
	n.Received = now
	tl.Why, tl.From = why, from
	tl.add(n)
}

// handOver lets a channel's fallback be told what the channel has not taken for so long.
func (t *table) handOver(rt *route, now int64) {
	if rt.fallback == "" || rt.failingSince == 0 {
		return
	}
	for id, e := range t.entries {
		tl := e.Channels[rt.name]
		if tl == nil || len(tl.Pending) == 0 || tl.Handed || now-tl.Pending[0].Received < int64(rt.fallbackAfter) {
			continue
		}
		tl.Handed = true
		t.touch(id)
		t.handPending(e, tl, rt)
	}
}

// handPending lets the fallback be told all that is pending.
func (t *table) handPending(e *entry, tl *telling, rt *route) {
	other := e.Channels[rt.fallback]
	if other != nil && other.concerns(e.Episode) {
		return
	}
	e.Channels[rt.fallback] = &telling{Pending: slices.Clone(tl.Pending), Left: tl.Left, Why: whyFallback, From: rt.name}
}

// age forgets alerts that are over and told for long enough.
func (t *table) age(now int64) {
	for id, e := range t.entries {
		for name, tl := range e.Channels {
			if t.routes[name] == nil && len(tl.Pending) > 0 {
				continue // A channel of an earlier configuration: it may come back.
			}
			if len(tl.Pending) == 0 && (tl.Told == nil || !e.Active) {
				delete(e.Channels, name)
				t.touch(id)
			}
		}
		if (!e.Active || e.Once) && now-e.Heard >= retention && !e.pending(t.routes) {
			delete(t.entries, id)
			t.touch(id)
		}
	}
}

// pending tells whether something is to be told on a channel that there is.
func (e *entry) pending(routes map[string]*route) bool {
	for name, tl := range e.Channels {
		if routes[name] != nil && len(tl.Pending) > 0 {
			return true
		}
	}
	return false
}

// makeRoom forgets alerts about which there is nothing to say; false when there are none.
func (t *table) makeRoom() bool {
	for id, e := range t.entries {
		if (!e.Active || e.Once) && !e.pending(t.routes) {
			delete(t.entries, id)
			t.touch(id)
		}
	}
	return len(t.entries) < t.limit
}

func (t *table) touch(id string) { t.touched[id] = struct{}{} }

// takeTouched returns the IDs of the entries that changed since the last call. Some may be gone.
func (t *table) takeTouched() []string {
	ids := slices.Sorted(maps.Keys(t.touched))
	clear(t.touched)
	return ids
}

// digest is a short hash of texts.
func digest(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
