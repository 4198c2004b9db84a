package rules

import (
	"math"

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

// Scaled returns a value of the series in the unit of the group's value.
func (m *Moment) Scaled(s *window.Series, v float64) float64 {
	if len(m.Scales) == 0 {
		return v
	}
	return v * m.Scales[s.Unit]
}

// BareBound returns a bound of the rule that was written without a unit, "" when all have one. A bound that is read has the unit of what it is read
// from; only an attribute may have none. Zero is the same in every unit.
func (r *Rule) BareBound() string {
	for i := range r.Levels {
		l := &r.Levels[i]
		if !l.Comparison.HasBounds() {
			continue
		}
		for k := range l.Raise {
			q := &l.Raise[k]
			read := q.Moving != nil && !(r.Threshold.OfAttribute && r.Threshold.Unit == "")
			zero := q.Moving == nil && (q.Number == 0 || q.Text == "")
			if q.Unit == UnitBare && !read && !zero {
				return l.BoundText()
			}
		}
	}
	return ""
}

// OffsetIn returns the rule's offset in a unit of the metric. It was written as a bare number; where the bounds are percentages a whole is 1 or,
// beyond that, 100, whatever the metric has.
func (r *Rule) OffsetIn(unit string) float64 {
	if r.Offset == 0 || len(r.Levels) == 0 {
		return r.Offset
	}
	for i := range r.Levels {
		if r.Levels[i].Raise[0].Unit != UnitPercent {
			return r.Offset
		}
	}
	written := ParseUnit("1")
	if math.Abs(r.Offset) > 1 {
		written = percentUnits[0]
	}
	metric := ParseUnit(unit)
	if _, same := written.Per(metric); !same {
		return r.Offset
	}
	return written.convert(r.Offset, metric)
}
