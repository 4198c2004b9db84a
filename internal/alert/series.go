package alert

import "slices"

// resource is the resource of one or more series; series that share it share the copy.
type resource struct {
	key   Hash
	attrs []Attr
	refs  int
}

// series is one data point stream with the groups that it belongs to.
type series struct {
	Series
	seenAt   int64 // Wall time at which the newest sample or marker came.
	resource *resource
	groups   []*group
}

// What the marks of a series say.
const (
	markQueued uint8 = 1 << iota // Has a sample that was not there at the last Flush.
	markInput                    // Is an input of groups of which it is no member: Engine.inputRefs has them.
)

func (s *series) marked(mark uint8) bool { return s.Marks&mark != 0 }

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
		wait = max(wait, g.rule.StaleAfter)
	}
	for _, x := range e.inputRefsOf(s) {
		wait = max(wait, x.group.rule.StaleAfter)
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
		longest = max(longest, g.rule.Retention())
	}
	for _, x := range e.inputRefsOf(s) {
		if x.role == asDivisor {
			longest = max(longest, x.group.rule.Retention())
		}
	}
	return longest
}

// trim forgets the samples that no rule needs any more. A group that still waits to be evaluated at an earlier time
// needs what that time needs.
func (e *Engine) trim(s *series) {
	s.Marks &^= markQueued
	boundary := s.Newest()
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
	if boundary != Unset2 {
		s.Forget(boundary - e.retention(s))
	}
}

// value returns the rule's value of the series as of time t. ahead is the horizon of a forecast. restoring asks for
// full windows, because the samples before a restart are gone.
func (r *Rule) valueOf(s *Series, t, ahead int64, restoring bool, scratch *[]float64) (float64, Presence) {
	span := r.Retention()
	if span == 0 {
		return r.current(s, t)
	}
	if s.Ended(t) {
		return 0, Missing // What it was before it ended is not what it is now.
	}
	i, j := s.Samples.After(t-span), s.Samples.After(t)
	if i == j {
		return 0, Missing
	}
	// When samples stop, the window stays where they ended until the value counts as missing: it must not drain and look like recovery.
	// A lookback that is set asks for the window as it is at every moment, as in PromQL.
	if newest := s.Newest(); r.Lookback == 0 && t > newest {
		t = newest
		i = s.Samples.After(t - span)
	}
	switch {
	case j-i < r.MinSamples, t-s.First < r.NewSeriesDelay,
		(r.FullWindow || restoring) && !s.Covers(span, t):
		return 0, Unsettled
	case r.Forecast != nil:
		oldest, newest := s.Samples.At(i).Time, s.Samples.At(j-1).Time
		if j-i < 2 || float64(newest-oldest+s.Interval()) < r.Forecast.MinCoverage*float64(span) {
			return 0, Unsettled
		}
		return FitLine(&s.Samples, i, j, t).At(float64(ahead) / 1e9), Present
	case r.Aggregate.OfCounter():
		v := s.Increase(i, j, t-span, s.Lookback(r.Lookback))
		if r.Aggregate.Kind == AggregateRate {
			v /= float64(span) / 1e9
		}
		return v, Present
	}
	var v float64
	v, *scratch = r.Aggregate.Over(&s.Samples, i, j, *scratch)
	return v, Present
}

// current returns the last value as of time t, while it counts as current.
func (r *Rule) current(s *Series, t int64) (float64, Presence) {
	i := s.Samples.After(t)
	if i == 0 || s.Ended(t) {
		return 0, Missing
	}
	last := s.Samples.At(i - 1)
	switch {
	case last.Time <= t-s.Lookback(r.Lookback):
		return 0, Missing
	case t-s.First < r.NewSeriesDelay:
		return 0, Unsettled
	default:
		return last.Value, Present
	}
}

// presentUntil is the time up to which the series has a value if nothing more comes.
func (r *Rule) presentUntil(s *Series) int64 {
	return s.Lasts(r.Presence(s.Lookback(r.Lookback)))
}

// noDataFrom is the time from which the rule's no-data policy applies if nothing more comes. A marker counts as a last
// sample that is a lookback old.
func (r *Rule) noDataFrom(s *Series) int64 {
	last, ended := s.Newest(), s.EndedAt()
	switch {
	case ended != Unset2:
		return ended + max(0, r.NoDataAfter-s.Lookback(r.Lookback))
	case last == Unset2:
		return Unset2
	default:
		return last + r.NoDataAfter
	}
}
