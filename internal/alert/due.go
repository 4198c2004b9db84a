package alert

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// What time decides without a sample is decided as of the event time at which it comes due: the last sample plus a duration. So it does not
// matter when somebody looks, at a tick or when the next sample has come, and two engines that are fed the same say the same.

// maxDues bounds what may come due in a group at one look.
const maxDues = 256

// letTimeDecide evaluates the group at the event times up to t at which something is due. A tick also looks at what nobody can tell
// the time of.
func (e *Engine) letTimeDecide(g *group, t int64, tick bool) {
	r := g.rule
	if r.broken || len(r.levels) == 0 {
		return
	}
	if r.silence > 0 && tick {
		e.recordSilence(g, t)
	}
	limit := min(t, g.staleFrom())
	for range maxDues {
		at := g.nextDue()
		if at > limit {
			break
		}
		if g.alert != nil {
			e.endFlapping(g, at-1) // What it was stable for comes before.
		}
		e.evaluate(g, at)
	}
	switch {
	case !tick || t <= g.lastEval || t > limit:
	case r.silence > 0 && (g.lastEvent == ladder.Unset || g.lastSample == ladder.Unset): // It may be expected, or was last seen before a restart.
		e.evaluate(g, t)
	case r.counts && len(g.members) == 0: // Its series may be on their way after a restart.
		e.evaluate(g, t)
	case r.silence == 0 && r.Lookback > 0: // As Prometheus, which looks at every tick.
		e.evaluate(g, t)
	case g.missesPolicy(t):
		e.evaluate(g, t)
	}
}

// undue tells at little cost of most groups that nothing is due at time t: their samples go on.
func (g *group) undue(t int64) bool {
	r := g.rule
	return r.silence == 0 && r.Lookback == 0 && !r.counts && g.lastEvent != ladder.Unset && t < g.overdueFrom() && t < g.noDataFrom()
}

// nextDue is the next event time after the newest evaluation at which time alone may change the alert, ladder.Forever for none.
func (g *group) nextDue() int64 {
	next := ladder.Forever
	due := func(at int64) {
		if at > g.lastEval && at < next {
			next = at
		}
	}
	if g.rule.silence > 0 {
		if g.lastEvent == ladder.Unset || g.lastSample == ladder.Unset {
			return next
		}
		due(g.lastSample + g.rule.silence)
		g.machineDues(ladder.Unset, due)
		return next
	}
	noData := g.noDataFrom()
	if g.rule.counts {
		noData = ladder.Forever // None of them is a number, too.
	} else {
		due(noData)
	}
	if noData <= g.lastEval || g.rule.counts && len(g.members) == 0 {
		g.machineDues(ladder.Unset, due)
		return next
	}
	if g.rule.Lookback > 0 || g.lastEvent == ladder.Unset {
		return next
	}
	overdue := g.overdueFrom()
	if due(overdue); overdue > g.lastEval {
		return next
	}
	due(max(overdue, g.policyFrom()))
	g.machineDues(overdue, due)
	for role := range rules.RoleCount {
		for _, s := range g.seriesOf(role) {
			due(max(overdue, g.rule.PresentUntil(&s.Series)))
		}
	}
	return next
}

// machineDues are the times, not before a given one, at which the durations of the ladder have lasted.
func (g *group) machineDues(from int64, due func(int64)) {
	a := g.alert
	if a == nil {
		return
	}
	for i := a.Level; i < len(a.Since); i++ {
		if a.Since[i] != ladder.Unset {
			due(max(from, a.Since[i]+g.rule.levels[i].ForDuration))
		}
	}
	if a.Level > 0 && a.Recovering != ladder.Unset {
		due(max(from, a.Recovering+g.rule.levels[a.Level-1].KeepFiringFor))
	}
}

// missesPolicy tells whether the no-data policy should be in force at time t and is not, because it began before the newest evaluation.
func (g *group) missesPolicy(t int64) bool {
	if g.rule.silence > 0 || g.rule.counts || t < g.noDataFrom() {
		return false
	}
	a := g.alert
	switch {
	case a == nil:
		return g.rule.NoData == rules.NoDataAlert
	case g.rule.NoData == rules.NoDataResolve:
		return a.presentUntil != ladder.Forever
	case g.rule.NoData == rules.NoDataClose:
		return a.Level > 0 || a.Pending()
	default:
		return !a.noData && (a.Level > 0 || a.Pending() || g.rule.NoData == rules.NoDataAlert)
	}
}

// delayedPoint is a point that waits for the end of its round.
type delayedPoint struct {
	series *series
	point  Point
}

func (e *Engine) delay(s *series, p *Point) {
	s.Marks |= markDelayed
	d := delayedPoint{s, *p}
	d.point.Attributes = nil
	e.delayed = append(e.delayed, d)
}

// maxKeptDelayed is how much room for delayed points is kept from round to round.
const maxKeptDelayed = 1 << 12

// acceptDelayed takes the points that have waited, the oldest first.
func (e *Engine) acceptDelayed() {
	if len(e.delayed) == 0 {
		return
	}
	e.references.beginPass(nil)
	e.gapWork, e.delayedLooked = 0, 0
	clear(e.delayedNewest)
	byTime := func(a, b delayedPoint) int {
		switch {
		case a.point.Time < b.point.Time:
			return -1
		case a.point.Time > b.point.Time:
			return 1
		default:
			return 0
		}
	}
	if !slices.IsSortedFunc(e.delayed, byTime) {
		e.markUnordered()
		slices.SortStableFunc(e.delayed, byTime)
	}
	for i := range e.delayed {
		s, p := e.delayed[i].series, &e.delayed[i].point
		s.Marks &^= markDelayed
		lost := int64(0)
		for _, g := range s.groups {
			lost = max(lost, e.passGap(g, s, p.Time))
		}
		interval := s.Interval()
		e.file(s, p)
		if lost > 0 {
			s.AssumeInterval(interval) // The gap tells nothing of it.
		}
	}
	clear(e.delayed)
	if e.delayed = e.delayed[:0]; cap(e.delayed) > maxKeptDelayed {
		e.delayed = nil
	}
}

// markUnordered marks the series whose delayed points are not in order of time.
func (e *Engine) markUnordered() {
	newest := map[*series]int64{}
	for i := range e.delayed {
		s, t := e.delayed[i].series, e.delayed[i].point.Time
		if before, seen := newest[s]; seen && t < before {
			s.Marks |= markUnordered
		}
		newest[s] = t
	}
}

// passGap lets the time before a sample of time t decide what it had to, before the sample does. Time that the engine has lost since the
// group's last sample does not count, as far as no sample covers it. It returns how much that is.
func (e *Engine) passGap(g *group, s *series, t int64) int64 {
	if g.lastEvent == ladder.Unset || t <= g.lastEvent {
		return 0
	}
	if e.gapWork += 1 + len(g.members); e.gapWork > maxGapWork+workPerPoint*len(e.delayed) {
		return 0 // So many points of so many series of one group are no gap.
	}
	e.work += uint64(1 + len(g.members))
	a, interval := g.alert, g.interval()
	lost := max(0, min(e.lostBetween(g, t), t-g.lastEvent-interval))
	switch {
	case interval == 0 && g.rule.silence == 0 && g.rule.Lookback == 0:
		// The first gap of a series tells its interval.
		if a != nil && !a.noData && a.presentUntil != ladder.Forever && s.Samples.Len() == 1 {
			a.presentUntil = max(a.presentUntil, g.lastEvent+4*(t-g.lastEvent))
		}
	case e.running-e.ticked <= 2*e.rules.EvaluationInterval: // Otherwise nobody has looked for so long, and time decides nothing.
		e.decideBefore(g, t-lost)
	}
	if a = g.alert; a != nil && lost > 0 {
		a.Shift(lost)
		if a.presentUntil != ladder.Unset && a.presentUntil != ladder.Forever {
			a.presentUntil += lost
		}
		e.journal.mark(g.id)
	}
	return lost
}

// decideBefore lets time decide what is due before event time t.
func (e *Engine) decideBefore(g *group, t int64) {
	stale := g.staleFrom()
	if g.nextDue() >= t && stale >= t && (g.alert == nil || !g.alert.flap.Latched) {
		return
	}
	if len(g.pending) > 0 {
		e.evaluatePending(g, true)
	}
	if g.rule.referenced {
		defer e.references.beginPass(nil) // Others look at what becomes of it.
	}
	e.letTimeDecide(g, t-1, false)
	if g.alert == nil {
		return
	}
	e.endFlapping(g, t-1)
	if stale < t && !e.awaitReturn(g) {
		e.closeStale(g, stale)
	}
}

// maxSeenOnce bounds the forgotten series of a metric whose one sample is remembered.
const maxSeenOnce = 4096

// rememberOnce remembers a series that is forgotten after its first sample: the next one tells an interval that is longer than silent
// series are kept.
func (m *Matcher) rememberOnce(key attr.Hash, s *series) {
	if s.Interval() > 0 || s.Newest() == window.Unset {
		return
	}
	if m.seenOnce == nil {
		m.seenOnce = map[attr.Hash]int64{}
	}
	for other := range m.seenOnce {
		if len(m.seenOnce) < maxSeenOnce {
			break
		}
		delete(m.seenOnce, other) // Any: whoever fills it has most of them.
	}
	m.seenOnce[key] = s.Newest()
}

// recallInterval tells a new series the distance of its samples, where that is known.
func (m *Matcher) recallInterval(key attr.Hash, s *series, t int64) {
	if before, ok := m.seenOnce[key]; ok {
		delete(m.seenOnce, key)
		if t > before {
			s.AssumeInterval(t - before)
		}
		return
	}
	for _, g := range s.groups {
		if a := g.alert; a != nil && a.interval > 0 {
			s.AssumeInterval(a.interval)
			return
		}
	}
}

// newestOf is the time of the newest sample of a series, one that waits for the end of the round included.
func (e *Engine) newestOf(s *series) int64 {
	newest := s.Newest()
	if !s.marked(markDelayed) {
		return newest
	}
	if e.delayedNewest == nil {
		e.delayedNewest = map[*series]int64{}
	}
	for ; e.delayedLooked < len(e.delayed); e.delayedLooked++ { // Each point once, however often it is asked.
		d := &e.delayed[e.delayedLooked]
		e.work++
		before, seen := e.delayedNewest[d.series]
		if !seen || d.point.Time > before {
			e.delayedNewest[d.series] = d.point.Time
		}
	}
	if t, seen := e.delayedNewest[s]; seen {
		newest = max(newest, t)
	}
	return newest
}
