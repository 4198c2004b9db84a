package alert

import (
	"math"
	"slices"
	"time"
)

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

// Unset is the time that no sample has: before everything.
const noTime int64 = math.MinInt64

// Exemplar is the trace context of a data point.
type Exemplar struct {
	TraceID [16]byte
	SpanID  [8]byte
}

// presence tells whether there is a value at one moment.
type presence uint8

const (
	// present is a value that is there.
	present presence = iota
	// missing is no value.
	missing
	// unsettled is a value that exists but is not to be trusted yet: too few samples, a window not yet full.
	unsettled
)

// windowSeries holds the recent samples of one data point stream. Times are event times, in nanoseconds since the epoch.
type windowSeries struct {
	// Samples are the samples held, in order of time; the newest one always is.
	samples ring
	// First is the time of the first sample, Unset before it.
	first    int64
	optional *optionalState
	spacing  uint32 // Smoothed distance of samples in milliseconds; 0 while unknown.
	// Kind is the kind of the stream.
	kind StreamKind
	// Marks are the owner's to use: they lie here because there is room.
	marks uint8
}

// optionalState is what few series have.
type optionalState struct {
	starts   []int64 // Start times that fall between samples held, in order.
	exemplar *Exemplar
	endedAt  int64 // Newest marker "no value from here on" after the newest sample, else Unset.
}

// newWindowSeries returns a series without samples.
func newWindowSeries() windowSeries { return windowSeries{first: noTime} }

func (s *windowSeries) withOptional() *optionalState {
	if s.optional == nil {
		s.optional = &optionalState{endedAt: noTime}
	}
	return s.optional
}

// exemplar returns the newest exemplar, nil when none has come.
func (s *windowSeries) exemplar() *Exemplar {
	if s.optional == nil {
		return nil
	}
	return s.optional.exemplar
}

// setExemplar keeps the exemplar of the newest sample.
func (s *windowSeries) setExemplar(x *Exemplar) { s.withOptional().exemplar = x }

// endedAt returns the time of the marker that ended the series, Unset when it has not ended.
func (s *windowSeries) endedAt() int64 {
	if s.optional == nil {
		return noTime
	}
	return s.optional.endedAt
}

// end ends the series at time t, until a value comes.
func (s *windowSeries) end(t int64) { s.withOptional().endedAt = t }

// ended tells whether a marker has ended the series as of time t.
func (s *windowSeries) ended(t int64) bool {
	at := s.endedAt()
	return at != noTime && at <= t
}

// newest returns the time of the newest sample, Unset before the first.
func (s *windowSeries) newest() int64 {
	if s.samples.n == 0 {
		return noTime
	}
	return s.samples.at(int(s.samples.n) - 1).t
}

// appendNewest takes a sample that is newer than all others, and the start time that came with it, 0 when none did. Of more than
// limit samples the oldest is dropped, and full is true.
func (s *windowSeries) appendNewest(t int64, v float64, start int64, limit int) (full bool) {
	if last := s.newest(); last != noTime {
		s.observeInterval(t - last)
	} else {
		s.first = t
	}
	if s.samples.len() >= limit {
		s.samples.dropFront(1)
		full = true
	}
	s.samples.insert(sample{t, v})
	s.recordStart(start)
	if s.optional != nil && s.optional.endedAt <= t {
		s.optional.endedAt = noTime
	}
	return full
}

// insertLate takes a sample that is older than the newest. It returns false when there is one of that time already.
func (s *windowSeries) insertLate(t int64, v float64, start int64) bool {
	if !s.samples.insert(sample{t, v}) {
		return false
	}
	s.recordStart(start)
	return true
}

// observeInterval smooths the distance between samples. One odd distance, as a gap or a double delivery gives, moves it
// by half at most.
func (s *windowSeries) observeInterval(d int64) {
	ms := max(1, min(d/1e6, math.MaxUint32))
	if old := int64(s.spacing); old > 0 {
		ms = min(max(ms, old/2), old*2)
		ms = max(1, min(old+(ms-old)/2, math.MaxUint32))
	}
	s.spacing = uint32(ms)
}

// interval is the smoothed distance of samples in nanoseconds, 0 while unknown.
func (s *windowSeries) interval() int64 { return int64(s.spacing) * 1e6 }

// Bounds of the automatic lookback, in nanoseconds.
const (
	minLookback = 30 * int64(time.Second)
	maxLookback = 300 * int64(time.Second)
)

// lookback is how long the last value of the series counts as current: the given span, or, when that is 0, four intervals within bounds.
func (s *windowSeries) lookback(given int64) int64 {
	switch {
	case given > 0:
		return given
	case s.spacing == 0:
		return maxLookback
	default:
		return min(max(4*s.interval(), minLookback), maxLookback)
	}
}

// covers tells whether the series has been seen for a whole window before t; the newest sample stands for the
// interval up to it.
func (s *windowSeries) covers(window, t int64) bool {
	return s.first != noTime && t-s.first >= window-s.interval()
}

// lasts is the time up to which the series has a value when a sample stands for so long and nothing more comes.
func (s *windowSeries) lasts(span int64) int64 {
	last := s.newest()
	if last == noTime {
		return noTime
	}
	if at := s.endedAt(); at != noTime {
		return at
	}
	return last + span
}

// forget drops the samples from before boundary, except the newest of them, and what is known of their time.
func (s *windowSeries) forget(boundary int64) {
	s.samples.trim(boundary)
	if s.samples.len() > 0 {
		s.forgetStarts()
	}
}

// maxStarts bounds the remembered start times of one series: a source that restarts more often than this within
// a window falls back to seeing the drops in value.
const maxStarts = 64

// recordStart remembers the start time of a cumulative stream. A start at or before the oldest sample says nothing
// about the samples held, so jitter in a start time that a source computes anew each time is not a reset.
func (s *windowSeries) recordStart(start int64) {
	if start == 0 || s.samples.len() == 0 || start <= s.samples.at(0).t {
		return
	}
	optional := s.withOptional()
	at, found := slices.BinarySearch(optional.starts, start)
	if !found && len(optional.starts) < maxStarts {
		optional.starts = slices.Insert(optional.starts, at, start)
	}
}

// forgetStarts drops the starts that no pair of samples straddles any more.
func (s *windowSeries) forgetStarts() {
	if s.optional == nil || len(s.optional.starts) == 0 {
		return
	}
	oldest := s.samples.at(0).t
	k, _ := slices.BinarySearch(s.optional.starts, oldest+1)
	s.optional.starts = slices.Delete(s.optional.starts, 0, k)
}

// restartedBetween tells whether the stream started again after time a, up to and including b.
func (s *windowSeries) restartedBetween(a, b int64) bool {
	if s.optional == nil {
		return false
	}
	i, found := slices.BinarySearch(s.optional.starts, a)
	if found {
		i++
	}
	return i < len(s.optional.starts) && s.optional.starts[i] <= b
}

// increase returns by how much the series rose over the samples i to j-1, of which there is at least one.
// It counts from the newest sample at or before the window's start, when that is not older than lookback, else
// from the first sample inside; nothing is extrapolated.
func (s *windowSeries) increase(i, j int, windowStart, lookback int64) float64 {
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
