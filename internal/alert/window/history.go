package window

import "math"

// HistoryPoints is how many values a history has over its span, at least one of them each step; sparser samples give fewer.
const HistoryPoints = 360

// HistorySpan is how far back a history reaches and how far apart its values are, in nanoseconds.
type HistorySpan struct{ Span, Step int64 }

// NewHistorySpan returns the span of a history that reaches back so far. Its values are a part of the span apart, and a second at least.
func NewHistorySpan(span int64) HistorySpan {
	return HistorySpan{Span: span, Step: max(span/HistoryPoints, 1e9)}
}

// History is what something was at earlier times: one value each step, as it was at that time. NaN stands for "nothing from here on". It
// takes 16 bytes a value. Times are event times, in nanoseconds since the epoch.
type History struct {
	span   HistorySpan
	values Ring
	stored int64 // Time of the newest value when it was last stored, Unset before.
}

// NewHistory returns a history without values.
func NewHistory(span HistorySpan) *History { return &History{span: span, stored: Unset} }

// maxHistory bounds the values: data that comes and goes all the time takes up to two each step.
const maxHistory = 2*HistoryPoints + 8

// Record notes the value as of time t. What comes sooner than a step after the one before is left out, and so is what is not newer.
func (h *History) Record(t int64, v float64) {
	if n := h.values.Len(); n > 0 {
		last := h.values.At(n - 1)
		back := math.IsNaN(last.Value) && !math.IsNaN(v)
		soon := t-last.Time < h.span.Step-h.span.Step/8 // Samples come a little early at times.
		if t <= last.Time || soon && !back || math.IsNaN(last.Value) && math.IsNaN(v) {
			return
		}
		if n >= maxHistory {
			h.values.DropFront(1)
		}
	} else if math.IsNaN(v) {
		return
	}
	h.values.Insert(Sample{t, v})
	h.values.Trim(t - h.span.Span - 2*h.span.Step)
}

// At returns the value that was as of time t, and when it was recorded: the newest one that is not newer, unless it is older than a step and
// the given lookback, or one that is nearer and newer by half a step at most. It is not known where nothing was then.
func (h *History) At(t, lookback int64) (s Sample, known bool) {
	i := h.values.After(t)
	if i > 0 {
		if s = h.values.At(i - 1); !math.IsNaN(s.Value) {
			known = t-s.Time < h.span.Step+lookback
		}
	}
	if i < h.values.Len() {
		next := h.values.At(i)
		if ahead := next.Time - t; !math.IsNaN(next.Value) && ahead <= h.span.Step/2 && (!known || ahead < t-s.Time) {
			return next, true
		}
	}
	return s, known
}

// Newest returns the time of the newest value, Unset when there is none.
func (h *History) Newest() int64 {
	if n := h.values.Len(); n > 0 {
		return h.values.At(n - 1).Time
	}
	return Unset
}

// Interval is how far apart the samples were that the newest values are of, in nanoseconds; 0 where these are about a step apart, and the samples
// perhaps nearer.
func (h *History) Interval() int64 {
	least := int64(0)
	for n := h.values.Len(); n > 1 && n > h.values.Len()-4; n-- {
		if d := h.values.At(n-1).Time - h.values.At(n-2).Time; least == 0 || d < least {
			least = d
		}
	}
	if least <= 2*h.span.Step {
		return 0
	}
	return least
}

// Lookback is how long a value counts: that of the series where it is known, or else as the distance of the values has it.
func (h *History) Lookback(s *Series, given int64) int64 {
	if given > 0 || s.Interval() > 0 {
		return s.Lookback(given)
	}
	return max(s.Lookback(given), 4*h.Interval())
}

// Span is how far back the history reaches, in nanoseconds.
func (h *History) Span() int64 { return h.span.Span }

// NotAfter forgets what lies after t.
func (h *History) NotAfter(t int64) {
	h.values.n = int32(h.values.After(t))
	h.stored = min(h.stored, h.Newest())
}
