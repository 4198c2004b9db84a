package alert

import (
	"cmp"
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// group is one group key of one rule: the series that belong to it and the alert it may have. Times are event times
// unless said otherwise.
type group struct {
	rule        *ruleState
	id          uint64
	key         string // Compact form of the group key.
	members     []*series
	pending     []int64 // Times of samples that wait to be evaluated, in order.
	lastRound   int64   // Newest of those that was evaluated.
	lastEval    int64   // Newest time evaluated at all.
	lastEvent   int64   // Newest sample or marker.
	lastSample  int64   // Newest sample.
	lastArrival int64   // Running time at which lastEvent came.
	alert       *alertState
	inputs      *groupInputs // Nil for rules that look at one metric alone.
	place       int32        // Index in the rule's order.
	queued      bool
	waits       bool   // Stands in Engine.deferred.
	arrived     uint16 // How many samples have come in this round, or more.
}

const (
	// maxPending bounds the times that wait for a group to be complete.
	maxPending = 64
	// maxPendingOfRound bounds the times that are noted within a round. Of more the oldest are not evaluated.
	maxPendingOfRound = 4096
	// workPerPoint is how many series may be looked at for each point that has come, where a group has many of both.
	workPerPoint = 16
	// maxGapWork is how many series may be looked at in a round for gaps, whatever has come.
	maxGapWork = 1 << 17
)

// arrive records that a sample or a marker of time t came at a running time.
func (g *group) arrive(t, now int64, marker bool) {
	if g.lastEvent == ladder.Unset { // What there is was reckoned by running time.
		if g.lastEval = min(g.lastEval, t); g.lastSample != ladder.Unset {
			g.lastSample += t - now
		}
	}
	if !marker {
		g.lastSample = max(g.lastSample, t)
	}
	if t > g.lastEvent {
		g.lastEvent, g.lastArrival = t, now
	}
	if t <= g.decided() {
		return // The past is not evaluated again.
	}
	g.wait(t)
}

// wait puts time t among those that are to be evaluated.
func (g *group) wait(t int64) {
	if g.arrived < math.MaxUint16 {
		g.arrived++
	}
	n := len(g.pending)
	if n == 0 || n < maxPendingOfRound && t > g.pending[n-1] {
		g.pending = append(g.pending, t)
		return
	}
	if n >= maxPendingOfRound {
		if t < g.pending[0] {
			return
		}
		g.pending = g.pending[:copy(g.pending, g.pending[n/2:])]
	}
	if at, found := slices.BinarySearch(g.pending, t); !found {
		g.pending = slices.Insert(g.pending, at, t)
	}
}

// decided is the newest round that was evaluated, by this process or an earlier one.
func (g *group) decided() int64 {
	if g.alert == nil {
		return g.lastRound
	}
	return max(g.lastRound, g.alert.decided)
}

// complete tells whether every series that took part in the previous round has come to time t, so that a batch that
// was split on the way does not give the sum of half a group.
func (g *group) complete(t int64) bool {
	if g.rule.silence > 0 {
		return true
	}
	if g.lastRound == ladder.Unset {
		return !g.rule.wholeRounds || g.hasFollowed(t)
	}
	divisors := g.seriesOf(rules.RoleDivisor)
	if len(g.members) == 1 && len(divisors) == 0 {
		return true
	}
	return !g.awaited(g.members, t) && !g.awaited(divisors, t) && !g.awaited(g.seriesOf(rules.RoleTotal), t)
}

// hasFollowed tells whether a later round has begun, of which no series of this one is left out. Which series a first round has is not known before:
// a batch may have been split on the way.
func (g *group) hasFollowed(t int64) bool {
	next := g.pending[len(g.pending)-1]
	if next <= t {
		return false
	}
	for _, m := range g.members {
		if m.Newest() < next && !m.Ended(next) {
			return false
		}
	}
	return true
}

// awaited tells whether any of the series took part in the previous round and has not come to time t.
func (g *group) awaited(all []*series, t int64) bool {
	for _, m := range all {
		if last := m.Newest(); last < t && !m.Ended(t) && last >= g.lastRound {
			return true
		}
	}
	return false
}

// clock returns the event time that running time now stands for in this group: its newest sample plus the time since.
func (g *group) clock(now int64) int64 {
	if g.lastEvent == ladder.Unset {
		return now
	}
	return g.lastEvent + max(0, now-g.lastArrival)
}

// interval is the longest distance of samples among the group's series, 0 while unknown.
func (g *group) interval() int64 {
	var interval int64
	for _, m := range g.members {
		interval = max(interval, m.Interval())
	}
	if interval == 0 && g.alert != nil {
		return g.alert.interval
	}
	return interval
}

// overdueFrom is the event time at which the group's next samples are overdue. Until then the next sample decides, and not
// time: a held value that is about to be replaced must not fire.
func (g *group) overdueFrom() int64 {
	interval := g.interval()
	if interval == 0 {
		interval = window.DefaultLookback / 4
	}
	return g.lastEvent + interval + interval/2
}

// staleFrom is the event time from which the group's alert is closed because nothing has come for so long, ladder.Forever for
// rules about silence and for groups of which none is a value.
func (g *group) staleFrom() int64 {
	if g.rule.silence > 0 || g.lastEvent == ladder.Unset || g.staysWhenGone() {
		return ladder.Forever
	}
	return g.lastEvent + g.staleAfter()
}

// staleAfter is how long nothing may come before the group is forgotten.
func (g *group) staleAfter() int64 {
	return max(g.rule.StaleAfter, window.StalePatience(g.interval()))
}

// noDataFrom is the time from which the no-data policy applies.
func (g *group) noDataFrom() int64 {
	from := ladder.Unset
	for _, m := range g.members {
		from = max(from, g.rule.NoDataFrom(&m.Series))
	}
	switch {
	case from != ladder.Unset:
		return from
	case g.lastEvent == ladder.Unset:
		return ladder.Forever
	default: // None of its series has a sample yet.
		return g.lastEvent + g.rule.NoDataAfterOf(g.interval())
	}
}

// compareGroups orders groups by rule and alert, for results that do not depend on the order of a map.
func compareGroups(a, b *group) int {
	return cmp.Or(cmp.Compare(a.rule.Index, b.rule.Index), cmp.Compare(a.id, b.id))
}

// attributes returns the attributes of the group key that a record carries: those of the data point and all that a written group_by names. The
// others stand in the record's resource.
func (g *group) attributes() []attr.Attr {
	keyed := g.rule.names.Expand(g.key)
	out := make([]attr.Attr, 0, len(keyed))
	for _, a := range keyed {
		if g.rule.shows(a) {
			out = append(out, a.Attr)
		}
	}
	return out
}

// scopeAttrs returns the attributes of the scope that the group key has.
func (g *group) scopeAttrs() []attr.Attr {
	var out []attr.Attr
	for _, a := range g.rule.names.Expand(g.key) {
		if a.Location == attr.InScope {
			out = append(out, a.Attr)
		}
	}
	return out
}

// shows tells whether records carry an attribute of the group key.
func (r *ruleState) shows(a attr.Located) bool {
	named := r.GroupGiven && (!r.ByResource || slices.Contains(r.GroupBy, rules.GroupField{Location: a.Location, Key: a.Key}))
	return named || a.Location == attr.InPoint
}

// identity returns all attributes of the group key.
func (g *group) identity() []attr.Attr { return attr.Plain(g.rule.names.Expand(g.key)) }
