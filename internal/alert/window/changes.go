package window

import "math"

// OfPairs tells whether the aggregate counts something between neighbouring samples. Series.Pairs works it out.
func (a Aggregate) OfPairs() bool { return a.Kind == AggregateChanges || a.Kind == AggregateResets }

// Pairs counts what a looks for between the samples i to j-1, of which there is at least one: changes are neighbours with different
// values, resets are counters that began again. Like Increase it begins with the newest sample at or before the window's start, when
// that is not older than lookback, so that a change is in exactly one of two windows that follow each other.
func (s *Series) Pairs(a Aggregate, i, j int, windowStart, lookback int64) float64 {
	if s.anchored(i, windowStart, lookback) {
		i--
	}
	n := 0
	previous := s.Samples.At(i)
	for k := i + 1; k < j; k++ {
		next := s.Samples.At(k)
		if a.Kind == AggregateChanges && !sameValue(previous.Value, next.Value) || a.Kind == AggregateResets && s.resetBetween(previous, next) {
			n++
		}
		previous = next
	}
	return float64(n)
}

// WholePairs tells whether Pairs over the same samples has seen the whole window, and not only the part of it in which the series was seen.
func (s *Series) WholePairs(from int, windowStart, lookback int64) bool {
	return s.anchored(from, windowStart, lookback) || s.bornBefore(from, windowStart, lookback)
}

func sameValue(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// resetBetween tells whether the stream began again between two neighbouring samples: its value fell, or its start moved. What goes up and
// down has no start, so its falls are all that is counted; the points of a delta stream each stand for themselves and tell of no reset.
func (s *Series) resetBetween(a, b Sample) bool {
	if s.Kind == DeltaCounter {
		return false
	}
	return b.Value < a.Value || s.Kind == CumulativeCounter && s.restartedBetween(a.Time, b.Time)
}
