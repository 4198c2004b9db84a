package alert

import "slices"

// resource is the resource of one or more series; series that share it share the copy.
type resource struct {
	key   seriesKey
	attrs []Attr
	refs  int
}

// series is one data point stream with the groups that it belongs to.
type series struct {
	windowSeries
	seenAt   int64 // Wall time at which the newest sample or marker came.
	resource *resource
	groups   []*group
}

// What the marks of a series say.
const (
	markQueued uint8 = 1 << iota // Has a sample that was not there at the last Flush.
	markInput                    // Is an input of groups of which it is no member: Engine.inputRefs has them.
)

func (s *series) marked(mark uint8) bool { return s.marks&mark != 0 }

// inputRefs returns the groups of which the series is no member and that look at it all the same.
func (e *Engine) inputRefsOf(s *series) []inputRef {
	if !s.marked(markInput) {
		return nil
	}
	return e.inputRefs[s]
}

// staleAfter is how long every rule that looks at the series waits before it is forgotten.
func (e *Engine) staleAfter(s *series) int64 {
	wait := int64(0)
	for _, g := range s.groups {
		wait = max(wait, g.rule.staleAfter)
	}
	for _, x := range e.inputRefsOf(s) {
		wait = max(wait, x.group.rule.staleAfter)
	}
	return wait
}

// leave takes the series out of its groups.
func (e *Engine) leave(s *series) {
	for _, g := range s.groups {
		g.members = without(g.members, s)
	}
	for _, x := range e.inputRefsOf(s) {
		c := x.group.inputs
		c.divisors, c.conditions = without(c.divisors, s), without(c.conditions, s)
	}
	delete(e.inputRefs, s)
}

func without(all []*series, s *series) []*series {
	if i := slices.Index(all, s); i >= 0 {
		return slices.Delete(all, i, i+1)
	}
	return all
}

// retention is how far back the rules of the series look.
func (e *Engine) retention(s *series) int64 {
	var longest int64
	for _, g := range s.groups {
		longest = max(longest, g.rule.retention())
	}
	for _, x := range e.inputRefsOf(s) {
		if x.role == asDivisor {
			longest = max(longest, x.group.rule.retention())
		}
	}
	return longest
}

// trim forgets the samples that no rule needs any more. A group that still waits to be evaluated at an earlier time
// needs what that time needs.
func (e *Engine) trim(s *series) {
	s.marks &^= markQueued
	boundary := s.newest()
	for _, g := range s.groups {
		if len(g.pend) > 0 && g.pend[0] < boundary {
			boundary = g.pend[0]
		}
	}
	for _, x := range e.inputRefsOf(s) {
		if p := x.group.pend; len(p) > 0 && p[0] < boundary {
			boundary = p[0]
		}
	}
	if boundary != unset {
		s.forget(boundary - e.retention(s))
	}
}

// value returns the rule's value of the series as of time t. ahead is the horizon of a forecast. restoring asks for
// full windows, because the samples before a restart are gone.
func (r *rule) valueOf(s *windowSeries, t, ahead int64, restoring bool, scratch *[]float64) (float64, presence) {
	window := r.retention()
	if window == 0 {
		return r.current(s, t)
	}
	if s.ended(t) {
		return 0, missing // What it was before it ended is not what it is now.
	}
	i, j := s.samples.after(t-window), s.samples.after(t)
	if i == j {
		return 0, missing
	}
	// When samples stop, the window stays where they ended until the value counts as missing: it must not drain and look like recovery.
	// A lookback that is set asks for the window as it is at every moment, as in PromQL.
	if newest := s.newest(); r.lookback == 0 && t > newest {
		t = newest
		i = s.samples.after(t - window)
	}
	switch {
	case j-i < r.minSamples, t-s.first < r.newSeriesDelay,
		(r.fullWindow || restoring) && !s.covers(window, t):
		return 0, unsettled
	case r.forecast != nil:
		oldest, newest := s.samples.at(i).t, s.samples.at(j-1).t
		if j-i < 2 || float64(newest-oldest+s.interval()) < r.forecast.minCoverage*float64(window) {
			return 0, unsettled
		}
		return fitLine(&s.samples, i, j, t).at(float64(ahead) / 1e9), present
	case r.agg.ofCounter():
		v := s.increase(i, j, t-window, s.lookback(r.lookback))
		if r.agg.kind == aggRate {
			v /= float64(window) / 1e9
		}
		return v, present
	}
	var v float64
	v, *scratch = r.agg.over(&s.samples, i, j, *scratch)
	return v, present
}

// current returns the last value as of time t, while it counts as current.
func (r *rule) current(s *windowSeries, t int64) (float64, presence) {
	i := s.samples.after(t)
	if i == 0 || s.ended(t) {
		return 0, missing
	}
	last := s.samples.at(i - 1)
	switch {
	case last.t <= t-s.lookback(r.lookback):
		return 0, missing
	case t-s.first < r.newSeriesDelay:
		return 0, unsettled
	default:
		return last.v, present
	}
}

// presentUntil is the time up to which the series has a value if nothing more comes.
func (r *rule) presentUntil(s *windowSeries) int64 {
	return s.lasts(r.presence(s.lookback(r.lookback)))
}

// noDataFrom is the time from which the rule's no-data policy applies if nothing more comes. A marker counts as a last
// sample that is a lookback old.
func (r *rule) noDataFrom(s *windowSeries) int64 {
	last, ended := s.newest(), s.endedAt()
	switch {
	case ended != unset:
		return ended + max(0, r.noDataAfter-s.lookback(r.lookback))
	case last == unset:
		return unset
	default:
		return last + r.noDataAfter
	}
}
