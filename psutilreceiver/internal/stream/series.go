package stream

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// HoldLimit is how far the wall clock may have stepped back for points to be
// held until it has caught up. Beyond it the stream goes on upon the new clock.
const HoldLimit = time.Minute

// number is a total or a difference of totals. By the point's value type one
// of the two fields is used and the other stays zero, so that the same
// arithmetic serves both and integers never pass through a float.
type number struct {
	i int64
	f float64
}

func (n number) less(m number) bool    { return n.i < m.i || n.f < m.f }
func (n number) minus(m number) number { return number{n.i - m.i, n.f - m.f} }
func (n number) float() float64        { return float64(n.i) + n.f }

// pack returns what unpack makes n of again, in half the memory.
func (n number) pack() uint64 { return uint64(n.i) | math.Float64bits(n.f) }

func unpack(packed uint64, float bool) number {
	if float {
		return number{f: math.Float64frombits(packed)}
	}
	return number{i: int64(packed)}
}

// totalOf returns the value of p, and whether it can be a monotonic total.
func totalOf(p pmetric.NumberDataPoint) (number, bool) {
	switch p.ValueType() {
	case pmetric.NumberDataPointValueTypeInt:
		v := p.IntValue()
		return number{i: v}, v >= 0
	case pmetric.NumberDataPointValueTypeDouble:
		v := p.DoubleValue()
		return number{f: v}, v >= 0 && !math.IsInf(v, 1)
	default:
		return number{}, false
	}
}

// observation is one point as the scraper recorded it.
type observation struct {
	total number
	float bool              // which of the total's fields is used
	given pcommon.Timestamp // start
	time  pcommon.Timestamp // never zero
}

// scrape is what all points of one scrape have in common.
type scrape struct {
	number  uint32
	at      pcommon.Timestamp // wall clock
	mono    time.Duration     // monotonic time since the stage's first scrape
	elapsed time.Duration     // monotonic time since the scrape before
	// first is the time of the first complete scrape: what started before it
	// has an unknown past. Before there was one it is later than any time.
	first pcommon.Timestamp
	// bornFrom is the earliest start with which a stream that is seen for the
	// first time counts in full.
	bornFrom pcommon.Timestamp
}

// observationKind is what a point is to its stream.
type observationKind int

const (
	baseline     observationKind = iota // first sight of a stream with an unknown past, or a base
	born                                // first sight of a stream that was born in view
	steady                              // one more point
	lowerValue                          // a reset: the value fell under an unchanged start
	startChanged                        // a reset: another start
	held                                // not after the previous point: no point
)

// outcome is how a point is to be emitted, unless its kind is held.
type outcome struct {
	kind observationKind
	// start is that of the cumulative point, from that of the delta point.
	start, from pcommon.Timestamp
	// delta is what was counted between from and the point's time.
	delta number
	// elapsed is the monotonic time in which delta came about, zero where no
	// rate may be taken.
	elapsed time.Duration
	// clockStepped is whether the stream was moved to a clock that stepped back.
	clockStepped bool
}

// series is the state of one stream: its last point that was not held.
type series struct {
	total uint64            // packed
	given pcommon.Timestamp // start as the scraper gave it
	start pcommon.Timestamp // start as emitted, before time
	time  pcommon.Timestamp
	mono  time.Duration
}

// first takes the point that makes a stream known, or makes it start again from a base.
func (s *series) first(o observation, c *scrape) outcome {
	*s = series{total: o.total.pack(), given: o.given, start: o.given, time: o.time, mono: c.mono}
	if s.start >= o.time {
		s.start = before(o.time, max(c.elapsed, 1))
	}
	out := outcome{kind: baseline, start: s.start, from: s.start, delta: o.total}
	if o.given >= c.bornFrom && o.time == c.at {
		out.kind = born
	}
	return out
}

// next takes a further point.
func (s *series) next(o observation, c *scrape) outcome {
	elapsed := c.mono - s.mono
	stepped := false
	if o.time <= s.time {
		if elapsed <= 0 || s.time-o.time <= pcommon.Timestamp(HoldLimit) {
			return outcome{kind: held}
		}
		s.rebase(o.time, elapsed)
		stepped = true
	}
	out := outcome{kind: steady, from: s.time, clockStepped: stepped}
	total := unpack(s.total, o.float)
	switch {
	case o.given != s.given && o.given >= min(s.time, c.first):
		out.kind, out.delta = startChanged, o.total
		if o.given > s.time && o.given < o.time {
			out.from = o.given
		}
		s.start = out.from
	case o.total.less(total):
		out.kind, out.delta = lowerValue, o.total
		s.start = s.time
	default:
		out.delta, out.elapsed = o.total.minus(total), max(elapsed, 0)
	}
	out.start = s.start
	s.total, s.given, s.time, s.mono = o.total.pack(), o.given, o.time, c.mono
	return out
}

// rebase moves the stream to a clock that stepped back and now shows t: what
// lies behind the stream ended elapsed before t. A start that the new clock has
// not reached yet keeps its distance from the previous point.
func (s *series) rebase(t pcommon.Timestamp, elapsed time.Duration) {
	previous := before(t, elapsed)
	if s.start >= previous {
		s.start = before(previous, time.Duration(s.time-s.start))
	}
	s.time = previous
}

// before returns the time d before t, and zero, the unknown time, where that
// would be before the epoch.
func before(t pcommon.Timestamp, d time.Duration) pcommon.Timestamp {
	if pcommon.Timestamp(d) >= t {
		return 0
	}
	return t - pcommon.Timestamp(d)
}
