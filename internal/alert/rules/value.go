package rules

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// Current returns the last value as of time t, while it counts as current.
func (r *Rule) Current(s *window.Series, t int64) (float64, window.Presence) {
	i := s.Samples.After(t)
	if i == 0 || s.Ended(t) {
		return 0, window.Missing
	}
	last := s.Samples.At(i - 1)
	switch {
	case last.Time <= t-s.Lookback(r.Lookback):
		return 0, window.Missing
	case t-s.First < r.NewSeriesDelay:
		return 0, window.Unsettled
	default:
		return last.Value, window.Present
	}
}

// PresentUntil is the time up to which the series has a value if nothing more comes.
func (r *Rule) PresentUntil(s *window.Series) int64 {
	span := r.Retention
	if span == 0 {
		span = s.Lookback(r.Lookback)
	}
	return s.Lasts(span)
}

// NoDataFrom is the time from which the rule's no-data policy applies if nothing more comes. A marker counts as a last
// sample that is a lookback old.
func (r *Rule) NoDataFrom(s *window.Series) int64 {
	last, ended := s.Newest(), s.EndedAt()
	switch {
	case ended != window.Unset:
		return ended + max(0, r.NoDataAfter-s.Lookback(r.Lookback))
	case last == window.Unset:
		return window.Unset
	default:
		return last + r.NoDataAfter
	}
}
