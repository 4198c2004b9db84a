package rules

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// known tells how much the samples of a window say of what the aggregate is of: all of it, a bound of it, or nothing yet. A window is known when
// the series was seen since its start. Of one that is not, the greatest sample is at least that of the whole, the least at most, and a counter
// has risen by at least what was seen of it. A mean of a part says nothing.
func (r *Rule) known(m *Moment, s *window.Series, w windowed) window.Presence {
	if r.PartialWindow {
		return window.Present
	}
	start := w.at - r.Window
	switch r.Aggregate.Kind {
	case window.AggregateLast:
		return window.Present
	case window.AggregateRate, window.AggregateIncrease:
		switch {
		case s.WholeIncrease(w.from, start, s.Lookback(r.Lookback)):
			return window.Present
		case s.Kind == window.Gauge:
			return window.Unsettled
		default:
			return window.AtLeast
		}
	case window.AggregateChanges, window.AggregateResets:
		if s.WholePairs(w.from, start, s.Lookback(r.Lookback)) {
			return window.Present
		}
		return window.AtLeast
	case window.AggregateSum:
		if s.Kind != window.DeltaCounter {
			return r.knownSum(s, w)
		}
		fallthrough
	case window.AggregateCount:
		if s.Holds(w.from, start) {
			return window.Present
		}
		return window.AtLeast
	}
	if s.Covers(r.Window, w.at) && (stoodFor(s, w)*2 >= r.Window || s.Cut(w.from)) || r.MinSamples > 1 && !m.Restoring {
		return window.Present
	}
	switch r.Aggregate.Kind {
	case window.AggregateMax:
		return window.AtLeast
	case window.AggregateMin:
		return window.AtMost
	default:
		return window.Unsettled
	}
}

// stoodFor is the time that the samples of a window stand for: after a gap that is less than the window.
func stoodFor(s *window.Series, w windowed) int64 { return int64(w.to-w.from) * s.Interval() }

// knownSum is known for the sum of levels, to which every sample that is missing would have added.
func (r *Rule) knownSum(s *window.Series, w windowed) window.Presence {
	if s.Contiguous(w.from, w.to, w.at-r.Window) {
		return window.Present
	}
	negative, positive := false, false
	for i := w.from; i < w.to; i++ {
		v := s.Samples.At(i).Value
		negative, positive = negative || v < 0, positive || v > 0
	}
	switch {
	case !negative:
		return window.AtLeast
	case !positive:
		return window.AtMost
	default:
		return window.Unsettled
	}
}

// gathering tells whether members of the group may still be on their way, as after a start: none of those that came has been there for
// longer than one interval, in which each of the others would have come.
func (r *Rule) gathering(m *Moment) bool {
	if r.PartialWindow || !r.Joins && (!r.GroupGiven || r.GroupAggregate != window.GroupWorst) {
		return false
	}
	for _, s := range m.Series[RoleValue] {
		interval := s.Interval()
		if interval == 0 {
			interval = window.DefaultLookback
		}
		if wait := interval + interval/2; m.Time-s.First >= wait && (!m.Resumed || m.Uptime >= wait) {
			return false
		}
	}
	return true
}

// gathered tells how much a group's value says while members may still be on their way.
func (r *Rule) gathered(m *Moment, negative, positive bool) window.Presence {
	switch r.GroupAggregate {
	case window.GroupAvg, window.GroupWorst:
		return window.Present
	}
	if !r.gathering(m) {
		return window.Present
	}
	switch r.GroupAggregate {
	case window.GroupMin:
		return window.AtMost
	case window.GroupSum:
		switch {
		case negative && positive:
			return window.Unsettled
		case negative:
			return window.AtMost
		}
	}
	return window.AtLeast
}

// worstGathered is gathered for the worst of a group. It matters to an alert that outlived a restart: what made it fire may be on its way.
func (r *Rule) worstGathered(m *Moment, l *ladder.Level) window.Presence {
	if !m.Restoring || !r.gathering(m) {
		return window.Present
	}
	switch l.Comparison {
	case ladder.Above:
		return window.AtLeast
	case ladder.Below:
		return window.AtMost
	default:
		return window.Present
	}
}

// CountsSeries tells whether the rule's value is how many series there are, so that none is a value and not the lack of one.
func (r *Rule) CountsSeries() bool {
	_, plain := r.Kind.(*comparison)
	return plain && r.GroupAggregate == window.GroupCount
}

// countedNone tells whether it is known that a group that was seen has no series now: after a start they may be on their way.
func (r *Rule) countedNone(m *Moment) window.Presence {
	wait := r.Lookback
	if wait == 0 {
		wait = max(window.DefaultLookback, window.Patience(m.Interval))
	}
	switch {
	case m.LastSample == ladder.Unset:
		return window.Missing
	case len(m.Series[RoleValue]) == 0 && m.Uptime < wait:
		return window.Unsettled
	default:
		return window.Present
	}
}

// settled takes a bound for what it is to a quotient: nothing.
func settled(p window.Presence) window.Presence {
	if p.Partial() {
		return window.Unsettled
	}
	return p
}
