package rules

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// SeriesValue returns the rule's value of the series as of time t. ahead is the horizon of a forecast. restoring asks for
// full windows, because the samples before a restart are gone.
func (r *Rule) SeriesValue(s *window.Series, t, ahead int64, restoring bool, scratch *[]float64) (float64, window.Presence) {
	span := r.Retention()
	if span == 0 {
		return r.Current(s, t)
	}
	if s.Ended(t) {
		return 0, window.Missing // What it was before it ended is not what it is now.
	}
	i, j := s.Samples.After(t-span), s.Samples.After(t)
	if i == j {
		return 0, window.Missing
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
		return 0, window.Unsettled
	case r.Forecast != nil:
		oldest, newest := s.Samples.At(i).Time, s.Samples.At(j-1).Time
		if j-i < 2 || float64(newest-oldest+s.Interval()) < r.Forecast.MinCoverage*float64(span) {
			return 0, window.Unsettled
		}
		return window.FitLine(&s.Samples, i, j, t).At(float64(ahead) / 1e9), window.Present
	case r.Aggregate.OfCounter():
		v := s.Increase(i, j, t-span, s.Lookback(r.Lookback))
		if r.Aggregate.Kind == window.AggregateRate {
			v /= float64(span) / 1e9
		}
		return v, window.Present
	}
	var v float64
	v, *scratch = r.Aggregate.Over(&s.Samples, i, j, *scratch)
	return v, window.Present
}

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
	return s.Lasts(r.Presence(s.Lookback(r.Lookback)))
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

// ValueReason is why a value of the rule changes an alert.
func (r *Rule) ValueReason() alertschema.Reason {
	if r.Forecast != nil {
		return alertschema.ReasonForecast
	}
	return alertschema.ReasonThreshold
}
