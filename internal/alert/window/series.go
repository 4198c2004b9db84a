package window

import (
	"math"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
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
const Unset = attr.Unset

// Exemplar is the trace context of a data point.
type Exemplar struct {
	TraceID [16]byte
	SpanID  [8]byte
}

// Presence tells whether there is a value at one moment.
type Presence uint8

const (
	// Present is a value that is there.
	Present Presence = iota
	// Missing is no value.
	Missing
	// Unsettled is a value that exists but is not to be trusted yet: too few samples, a window not yet full.
	Unsettled
	// AtLeast is a value that is true of a part of the window: what the whole of it would give is that or more.
	AtLeast
	// AtMost is the same where it would be that or less.
	AtMost
)

// Partial tells whether there is a value that only bounds the true one.
func (p Presence) Partial() bool { return p == AtLeast || p == AtMost }

// Scaled returns the presence of a value times a factor: a negative one turns a bound around.
func (p Presence) Scaled(factor float64) Presence {
	switch {
	case factor >= 0:
		return p
	case p == AtLeast:
		return AtMost
	case p == AtMost:
		return AtLeast
	default:
		return p
	}
}

// Series holds the recent samples of one data point stream. Times are event times, in nanoseconds since the epoch.
type Series struct {
	// Samples are the samples held, in order of time; the newest one always is.
	Samples Ring
	// First is the time of the first sample, Unset before it.
	First    int64
	optional *optional
	spacing  uint32 // Smoothed distance of samples in milliseconds; 0 while unknown.
	// Kind is the kind of the stream.
	Kind StreamKind
	// Marks, and Unit, the number of the unit, are the owner's to use: they lie here because there is room.
	Marks uint8
	Unit  uint16
}

// optional is what few series have.
type optional struct {
	starts    []int64 // Start times that fall between samples held, in order.
	exemplars []timedExemplar
	endedAt   int64 // Newest marker "no value from here on" after the newest sample, else Unset.
	heardAt   int64 // Event time of the newest point that could not be used, Unset when there was none.
	born      int64 // Start time of the first sample, where that is known.
}

// timedExemplar is the exemplar of the sample of a time.
type timedExemplar struct {
	time     int64
	exemplar *Exemplar
}

// NewSeries returns a series without samples.
func NewSeries() Series { return Series{First: Unset} }

func (s *Series) withOptional() *optional {
	if s.optional == nil {
		s.optional = &optional{endedAt: Unset, heardAt: Unset, born: Unset}
	}
	return s.optional
}

// EndedAt returns the time of the marker that ended the series, Unset when it has not ended.
func (s *Series) EndedAt() int64 {
	if s.optional == nil {
		return Unset
	}
	return s.optional.endedAt
}

// End ends the series at time t, until a value comes.
func (s *Series) End(t int64) { s.withOptional().endedAt = t }

// Ended tells whether a marker has ended the series as of time t.
func (s *Series) Ended(t int64) bool {
	at := s.EndedAt()
	return at != Unset && at <= t
}

// Newest returns the time of the newest sample, Unset before the first.
func (s *Series) Newest() int64 {
	if s.Samples.n == 0 {
		return Unset
	}
	return s.Samples.At(int(s.Samples.n) - 1).Time
}

// Append takes a sample that is newer than all others, and the start time that came with it, 0 when none did. Of more than
// limit samples the oldest is dropped, and full is true.
func (s *Series) Append(t int64, v float64, start int64, limit int) (full bool) {
	if last := s.Newest(); last != Unset {
		s.observeInterval(t - last)
	} else {
		s.First = t
	}
	if s.Samples.Len() >= limit {
		s.Samples.DropFront(1)
		full = true
	}
	s.Samples.Insert(Sample{t, v})
	s.recordStart(start, t)
	if s.optional != nil && s.optional.endedAt <= t {
		s.optional.endedAt = Unset
	}
	return full
}

// InsertLate takes a sample that is older than the newest. It returns false when there is one of that time already.
func (s *Series) InsertLate(t int64, v float64, start int64) bool {
	if !s.Samples.Insert(Sample{t, v}) {
		return false
	}
	s.recordStart(start, t)
	return true
}

// observeInterval smooths the distance between samples. One odd distance, as a gap or a double delivery gives, moves it
// by half at most.
func (s *Series) observeInterval(d int64) {
	ms := max(1, min(d/1e6, math.MaxUint32))
	if old := int64(s.spacing); old > 0 {
		ms = min(max(ms, old/2), old*2)
		ms = max(1, min(old+(ms-old)/2, math.MaxUint32))
	}
	s.spacing = uint32(ms)
}

// Interval is the smoothed distance of samples in nanoseconds, 0 while unknown.
func (s *Series) Interval() int64 { return int64(s.spacing) * 1e6 }

// The automatic lookback, in nanoseconds: its least, and what it is while the interval of the series is not known.
const (
	MinLookback     = 30 * int64(time.Second)
	DefaultLookback = 300 * int64(time.Second)
)

// Lookback is how long the last value of the series counts as current: the given span, or, when that is 0, four intervals.
func (s *Series) Lookback(given int64) int64 {
	switch {
	case given > 0:
		return given
	case s.spacing == 0:
		return DefaultLookback
	default:
		return max(4*s.Interval(), MinLookback)
	}
}

// Covers tells whether the series has been seen for a whole window before t; the newest sample stands for the
// interval up to it.
func (s *Series) Covers(span, t int64) bool {
	return s.First != Unset && t-s.First >= span-s.Interval()
}

// Lasts is the time up to which a sample of the series counts when it stands for so long and nothing more comes.
func (s *Series) Lasts(span int64) int64 {
	last := s.Newest()
	if last == Unset {
		return Unset
	}
	return last + span
}

// Forget drops the samples from before boundary, except the newest of them, and what is known of their time.
func (s *Series) Forget(boundary int64) {
	s.Samples.Trim(boundary)
	if s.Samples.Len() > 0 {
		s.forgetStarts()
	}
}

// maxStarts bounds the remembered start times of one series: a source that restarts more often than this within
// a window falls back to seeing the drops in value.
const maxStarts = 64

// recordStart remembers the start time that came with the sample of time t of a cumulative stream. A start at or before the oldest sample
// says nothing about the samples held, so jitter in a start time that a source computes again each time is not a reset. A start that is the
// time of a sample says nothing either: of that sample the true start was not known, or it shows the zero itself.
func (s *Series) recordStart(start, t int64) {
	if start == 0 || start >= t || s.Samples.Len() == 0 || start <= s.Samples.At(0).Time {
		return
	}
	if before := s.Samples.After(start); s.Samples.At(before-1).Time == start {
		return
	}
	optional := s.withOptional()
	at, found := slices.BinarySearch(optional.starts, start)
	if !found && len(optional.starts) < maxStarts {
		optional.starts = slices.Insert(optional.starts, at, start)
	}
}

// forgetStarts drops the starts that no pair of samples straddles any more.
func (s *Series) forgetStarts() {
	if s.optional == nil || len(s.optional.starts) == 0 {
		return
	}
	oldest := s.Samples.At(0).Time
	k, _ := slices.BinarySearch(s.optional.starts, oldest+1)
	s.optional.starts = slices.Delete(s.optional.starts, 0, k)
}

// restartedBetween tells whether the stream started again after time a, up to and including b.
func (s *Series) restartedBetween(a, b int64) bool {
	if s.optional == nil {
		return false
	}
	i, found := slices.BinarySearch(s.optional.starts, a)
	if found {
		i++
	}
	return i < len(s.optional.starts) && s.optional.starts[i] <= b
}

// Increase returns by how much the series rose over the samples i to j-1, of which there is at least one.
// It counts from the newest sample at or before the window's start, when that is not older than lookback, else from the start of a
// counter that began as lately as that, else from the first sample inside; nothing is extrapolated.
func (s *Series) Increase(i, j int, windowStart, lookback int64) float64 {
	var total kahanSum
	if s.Kind == DeltaCounter {
		for k := i; k < j; k++ {
			total.add(s.Samples.At(k).Value)
		}
		return total.value()
	}
	anchored := s.anchored(i, windowStart, lookback)
	if anchored {
		i--
	}
	if s.Kind == Gauge {
		return s.Samples.At(j-1).Value - s.Samples.At(i).Value
	}
	previous := s.Samples.At(i)
	switch {
	case anchored:
	case i == 0 && s.bornWithin(windowStart, lookback), i > 0 && s.restartedBetween(windowStart, previous.Time):
		total.add(previous.Value) // The counter began at zero.
	}
	for k := i + 1; k < j; k++ {
		next := s.Samples.At(k)
		if next.Value < previous.Value || s.restartedBetween(previous.Time, next.Time) {
			total.add(next.Value) // The counter began again at zero.
		} else {
			total.add(next.Value - previous.Value)
		}
		previous = next
	}
	return total.value()
}
