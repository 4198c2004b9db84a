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

// holds is how long the last value counts: the window that it stands in, and the lookback at least.
func (r *Rule) holds(s *window.Series, span int64) int64 {
	if r.Lookback > 0 && span > 0 {
		return span
	}
	return max(span, s.Lookback(r.Lookback))
}

// PresentUntil is the time up to which the value of the series counts if nothing more comes. With an automatic lookback a marker does
// not end that time before the lookback does: one missed sample is one missed sample, whether it was left out or said to be missing.
func (r *Rule) PresentUntil(s *window.Series) int64 {
	if ended := s.EndedAt(); ended != window.Unset && r.Lookback > 0 && s.Newest() != window.Unset {
		return ended
	}
	return s.Lasts(r.holds(s, r.Retention))
}

// NoDataFrom is the time from which the rule's no-data policy applies if nothing more comes: no_data::after behind the last sample, and not
// before a sample and the next one after it were missed. With a lookback that is set, as in PromQL, and while the interval is not known, a marker
// counts as a last sample that is a lookback old.
func (r *Rule) NoDataFrom(s *window.Series) int64 {
	last, heard := s.Newest(), s.HeardAt()
	if ended := s.EndedAt(); ended != window.Unset && (r.Lookback > 0 || s.Interval() == 0) {
		return max(ended, heard) + max(0, r.NoDataAfter-s.Lookback(r.Lookback))
	}
	if last = max(last, heard); last == window.Unset {
		return window.Unset
	}
	return last + r.NoDataAfterOf(s.Interval())
}

// NoDataAfterOf is the age of the last sample from which the no-data policy applies to series whose samples are so far apart. With a lookback
// that is set it is as the rule says.
func (r *Rule) NoDataAfterOf(interval int64) int64 {
	if r.Lookback > 0 {
		return r.NoDataAfter
	}
	return max(r.NoDataAfter, window.Patience(interval))
}

// StaleAfterOf is how long after its last sample the series is forgotten if nothing more comes: as the rule says, or later where its samples are far between.
func (r *Rule) StaleAfterOf(s *window.Series) int64 {
	return max(r.StaleAfter, window.StalePatience(s.Interval()))
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
			read := q.Moving != nil && (!r.Threshold.OfAttribute || r.Threshold.Unit != "")
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
