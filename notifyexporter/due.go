package notifyexporter

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
)

// item is one alert of a message: a copy of what is known, and what is told of it now.
type item struct {
	entry   entry
	notices []notice // At least one, the oldest first.
	left    int
	told    *told // What the channel knows already, nil for nothing.
	why     string
	// around is what was around the alert, nil when that is not known.
	around *alertcontext.Context
	from   string
}

// last is the newest of what is told.
func (it *item) last() *notice { return &it.notices[len(it.notices)-1] }

// batch is what one message tells.
type batch struct {
	items []item
	storm bool
	// open is how many alerts remain active under a thread after the message, by thread.
	open map[string]int
}

const (
	// stormGroups and stormAlerts are how many groups, or alerts, are due at once before all of them are told in one message.
	stormGroups = 3
	stormAlerts = 10
)

// due returns what is to be told on the channel now, nil when that is nothing, and when to look again.
func (t *table) due(rt *route, now int64) (*batch, int64) {
	far := now + int64(time.Hour)
	if !rt.open(now) {
		t.dropUntold(rt)
		return nil, now + int64(time.Minute)
	}
	groups, next := t.dueGroups(rt, now)
	if len(groups) == 0 {
		return nil, min(next, far)
	}
	rt.lastSent = slices.DeleteFunc(rt.lastSent, func(at int64) bool { return now-at >= int64(time.Minute) })
	if len(rt.lastSent) >= rt.everyMinute {
		return nil, rt.lastSent[0] + int64(time.Minute)
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(groups[a].since, groups[b].since), cmp.Compare(a, b))
	})
	ids := groups[keys[0]].ids
	storm := false
	if alerts := countIDs(groups); len(keys) > 1 && (len(keys) > stormGroups || alerts > stormAlerts || len(rt.lastSent) >= rt.everyMinute-1) {
		storm, ids = true, nil
		for _, key := range keys {
			ids = append(ids, groups[key].ids...)
		}
	}
	storm = storm || len(ids) > stormAlerts
	slices.Sort(ids)
	return t.batchOf(rt, ids, storm), now
}

// group is what belongs into one message.
type group struct {
	ids   []string
	since int64 // When the oldest of it came.
}

func countIDs(groups map[string]*group) (n int) {
	for _, g := range groups {
		n += len(g.ids)
	}
	return n
}

// dueGroups returns the groups that have waited for long enough, and when the next one has.
func (t *table) dueGroups(rt *route, now int64) (map[string]*group, int64) {
	groups := map[string]*group{}
	for id, e := range t.entries {
		tl := e.Channels[rt.name]
		if tl == nil || len(tl.Pending) == 0 {
			continue
		}
		key := rt.groupOf(e, tl)
		g := groups[key]
		if g == nil {
			g = &group{since: tl.Pending[0].Received}
			groups[key] = g
		}
		g.since = min(g.since, tl.Pending[0].Received)
		g.ids = append(g.ids, id)
	}
	next := now + int64(time.Hour)
	maps.DeleteFunc(groups, func(_ string, g *group) bool {
		at := g.since + rt.groupWait
		if at <= now || g.since > now { // A clock that was set back must not keep back what is to be told.
			return false
		}
		next = min(next, at)
		return true
	})
	return groups, next
}

// groupOf is the key of the group that the alert belongs to.
func (rt *route) groupOf(e *entry, tl *telling) string {
	if rt.eachOnItsOwn {
		if tl.Told != nil && tl.Told.Episode == e.Episode {
			return "thread\x00" + tl.Told.Thread
		}
		return "alert\x00" + e.ID
	}
	values := make([]string, len(rt.groupBy))
	for i, key := range rt.groupBy {
		values[i] = e.value(key)
	}
	return strings.Join(values, "\x00")
}

// batchOf copies what is to be told of some alerts.
func (t *table) batchOf(rt *route, ids []string, storm bool) *batch {
	b := &batch{storm: storm, open: map[string]int{}}
	for _, id := range ids {
		e := t.entries[id]
		tl := e.Channels[rt.name]
		it := item{entry: *e, notices: slices.Clone(tl.Pending), left: tl.Left, why: tl.Why, from: tl.From}
		it.entry.Channels = nil
		if tl.Told != nil && tl.Told.Episode == e.Episode {
			known := *tl.Told
			it.told = &known
			b.open[known.Thread] = 0
		}
		b.items = append(b.items, it)
	}
	if len(b.open) == 0 {
		return b
	}
	for id, e := range t.entries {
		tl := e.Channels[rt.name]
		if tl == nil || tl.Told == nil {
			continue
		}
		if _, inBatch := slices.BinarySearch(ids, id); inBatch && !e.Active {
			continue
		}
		if _, asked := b.open[tl.Told.Thread]; asked && tl.Told.Episode == e.Episode && (e.Active || len(tl.Pending) > 0) {
			b.open[tl.Told.Thread]++
		}
	}
	return b
}

// dropUntold forgets what has begun and ended while the channel is not in use.
func (t *table) dropUntold(rt *route) {
	for id, e := range t.entries {
		tl := e.Channels[rt.name]
		if tl != nil && tl.Told == nil && len(tl.Pending) > 0 && tl.Pending[len(tl.Pending)-1].Resolved {
			delete(e.Channels, rt.name)
			t.touch(id)
		}
	}
}

// done notes that a batch was told in a message of a thread.
func (t *table) done(rt *route, b *batch, thread func(it *item) string, now int64) {
	rt.lastSent = append(rt.lastSent, now)
	for i := range b.items {
		it := &b.items[i]
		t.settle(rt, it, func(e *entry, tl *telling) {
			if it.last().Resolved || e.Once {
				if len(tl.Pending) == 0 {
					delete(e.Channels, rt.name)
				}
				tl.Told = nil
				return
			}
			if tl.Told == nil || tl.Told.Episode != it.entry.Episode {
				tl.Told = &told{Episode: it.entry.Episode, Thread: thread(it), First: now}
			}
			tl.Told.Last, tl.Told.Severity = now, it.last().Severity
			tl.Told.Count++
		})
	}
}

// refused notes that a batch will never be taken: the fallback is told, if there is one.
func (t *table) refused(rt *route, b *batch) {
	for i := range b.items {
		it := &b.items[i]
		if e := t.entries[it.entry.ID]; e != nil && rt.fallback != "" && e.Channels[rt.name] != nil && !e.Channels[rt.name].Handed {
			t.handPending(e, e.Channels[rt.name], rt)
		}
		t.settle(rt, it, func(e *entry, tl *telling) {
			if len(tl.Pending) == 0 && tl.Told == nil {
				delete(e.Channels, rt.name)
			}
		})
	}
}

// settle takes what an item has told from what is pending.
func (t *table) settle(rt *route, it *item, then func(e *entry, tl *telling)) {
	e := t.entries[it.entry.ID]
	if e == nil || e.Channels[rt.name] == nil {
		return
	}
	tl := e.Channels[rt.name]
	sent := map[string]struct{}{}
	for _, n := range it.notices {
		sent[n.key()] = struct{}{}
	}
	tl.Pending = slices.DeleteFunc(tl.Pending, func(n notice) bool {
		_, was := sent[n.key()]
		return was
	})
	tl.Left, tl.Handed, tl.Why, tl.From = max(0, tl.Left-it.left), false, "", ""
	then(e, tl)
	t.touch(it.entry.ID)
}

// key distinguishes the notices of one alert. It does not change when the clock is set while they are sent.
func (n *notice) key() string {
	if n.UID != "" {
		return n.UID + "\x00" + n.Transition
	}
	return "\x00" + n.Transition + "\x00" + time.Unix(0, n.Received).String()
}
