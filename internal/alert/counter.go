package alert

import "slices"

// StreamKind tells how the points of a metric follow each other, which decides what an increase is.
type StreamKind uint8

const (
	// Gauge is a level, or a non-monotonic sum: it goes up and down, and its increase is the plain difference.
	Gauge StreamKind = iota
	// CumulativeCounter is a monotonic sum since a start time: a drop or a new start time is a reset.
	CumulativeCounter
	// DeltaCounter is a sum since the point before: the increase is the total of the points.
	DeltaCounter
)

// maxEpochs bounds the remembered start times of one series: a source that restarts more often than this within
// a window falls back to seeing the drops in value.
const maxEpochs = 64

// noteStart remembers the start time of a cumulative stream. A start at or before the oldest sample says nothing
// about the samples held, so jitter in a start time that a source computes anew each time is not a reset.
func (s *series) noteStart(start int64) {
	if start == 0 || s.samples.len() == 0 || start <= s.samples.at(0).t {
		return
	}
	rare := s.extras()
	at, found := slices.BinarySearch(rare.epochs, start)
	if !found && len(rare.epochs) < maxEpochs {
		rare.epochs = slices.Insert(rare.epochs, at, start)
	}
}

// trimEpochs forgets the starts that no pair of samples straddles any more.
func (s *series) trimEpochs() {
	if s.rare == nil || len(s.rare.epochs) == 0 {
		return
	}
	oldest := s.samples.at(0).t
	k, _ := slices.BinarySearch(s.rare.epochs, oldest+1)
	s.rare.epochs = slices.Delete(s.rare.epochs, 0, k)
}

// restartedBetween tells whether the stream started anew after time a, up to and including b.
func (s *series) restartedBetween(a, b int64) bool {
	if s.rare == nil {
		return false
	}
	i, found := slices.BinarySearch(s.rare.epochs, a)
	if found {
		i++
	}
	return i < len(s.rare.epochs) && s.rare.epochs[i] <= b
}

// increase returns by how much the series rose over the samples i to j-1, of which there is at least one.
// It counts from the newest sample at or before the window's start, when that is not older than lookback, else
// from the first sample inside; nothing is extrapolated.
func (s *series) increase(i, j int, windowStart, lookback int64) float64 {
	var total kahanSum
	if s.kind == DeltaCounter {
		for k := i; k < j; k++ {
			total.add(s.samples.at(k).v)
		}
		return total.value()
	}
	if i > 0 && s.samples.at(i-1).t > windowStart-lookback {
		i--
	}
	if s.kind == Gauge {
		return s.samples.at(j-1).v - s.samples.at(i).v
	}
	previous := s.samples.at(i)
	for k := i + 1; k < j; k++ {
		next := s.samples.at(k)
		if next.v < previous.v || s.restartedBetween(previous.t, next.t) {
			total.add(next.v) // The counter began again at zero.
		} else {
			total.add(next.v - previous.v)
		}
		previous = next
	}
	return total.value()
}
