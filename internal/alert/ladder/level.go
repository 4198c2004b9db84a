package ladder

import "math"

// Comparison is how a level compares.
type Comparison uint8

// Names and symbols are stored, the numbers are not.
const (
	// Above is breached by values above the bound.
	Above Comparison = iota
	// Below is breached by values below the bound.
	Below
	// Outside is breached by values below the lower bound and above the upper one.
	Outside
	// Inside is breached by values from the lower bound to the upper one, both included.
	Inside
	// Absent has no bounds: any value above 0 breaches.
	Absent
)

// comparisonNames are what rule versions are made of.
var comparisonNames = [...]string{Above: "above", Below: "below", Outside: "outside", Inside: "inside", Absent: "absent"}

// comparisonSymbols are what records and stored alerts have.
var comparisonSymbols = [...]string{Above: ">", Below: "<", Outside: "outside", Inside: "inside", Absent: "absent"}

// HasBounds tells whether the comparison is one with bounds.
func (c Comparison) HasBounds() bool { return c != Absent }

// TwoSided tells whether the comparison is one with a lower and an upper bound.
func (c Comparison) TwoSided() bool { return c == Outside || c == Inside }

// Symbol returns the sign or the word that records and stored alerts have for the comparison.
func (c Comparison) Symbol() string { return comparisonSymbols[c] }

// String returns the comparison's key in the configuration.
func (c Comparison) String() string { return comparisonNames[c] }

// holds tells whether v is on the wrong side of the bounds. One-sided comparisons use lo alone.
func (c Comparison) holds(lo, hi, v float64) bool {
	switch c {
	case Above:
		return v > lo
	case Below:
		return v < lo
	case Outside:
		return v < lo || v > hi
	case Inside:
		return v >= lo && v <= hi
	default:
		return v > 0
	}
}

// Worse tells whether a is nearer to breaching, or deeper in the breach, than b.
func (c Comparison) Worse(a, b, lo, hi float64) bool {
	switch c {
	case Below:
		return a < b
	case Outside:
		mid := lo + (hi-lo)/2
		return math.Abs(a-mid) > math.Abs(b-mid)
	case Inside:
		mid := lo + (hi-lo)/2
		return math.Abs(a-mid) < math.Abs(b-mid)
	default:
		return a > b
	}
}

// Stricter tells whether everything that breaches a breaches b too. Equal bounds are fine: they may differ in for.
func (c Comparison) Stricter(a, b [2]float64) bool {
	switch c {
	case Above:
		return a[0] >= b[0]
	case Below:
		return a[0] <= b[0]
	case Outside:
		return a[0] <= b[0] && a[1] >= b[1]
	case Inside:
		return a[0] >= b[0] && a[1] <= b[1]
	default:
		return true
	}
}

// Level is one level of a ladder, with its bounds as numbers of the metric's unit. Spans are in nanoseconds.
type Level struct {
	// Comparison is how values are compared with the bounds.
	Comparison Comparison
	// Low and High are the bounds that a value breaches, ClearLow and ClearHigh those at which a level in force lets go. One-sided comparisons use the
	// lower ones alone.
	Low, High, ClearLow, ClearHigh float64
	// ForDuration is how long the level must be breached before it fires.
	ForDuration int64
	// KeepFiringFor is how long the clear condition must hold before the alert steps down.
	KeepFiringFor int64
	// Horizon is how far ahead a forecast is read for this level.
	Horizon int64
	// Samples is how many of the newest samples must breach the level, where that is asked instead of ForDuration.
	Samples SampleCount
}

// Raised tells whether v breaches the level.
func (l *Level) Raised(v float64) bool { return l.Comparison.holds(l.Low, l.High, v) }

// Held tells whether v keeps the level in force: it is not clear of it.
func (l *Level) Held(v float64) bool { return l.Comparison.holds(l.ClearLow, l.ClearHigh, v) }

// Depth is how far v is beyond the bounds of the level, or of its clear; negative where it is not.
func (l *Level) Depth(v float64, toClear bool) float64 {
	lo, hi := l.Low, l.High
	if toClear {
		lo, hi = l.ClearLow, l.ClearHigh
	}
	switch l.Comparison {
	case Below:
		return lo - v
	case Outside:
		return max(lo-v, v-hi)
	case Inside:
		return min(v-lo, hi-v)
	default:
		return v - lo
	}
}

// SameWorst tells whether the series that is worst for one of the other level's bounds is worst for all of this one's. It may
// not be when bounds on two sides have different middles.
func (l *Level) SameWorst(o *Level) bool {
	return l.Comparison == Above || l.Comparison == Below || l.Comparison == Absent ||
		l.Low+l.High == o.Low+o.High && l.ClearLow+l.ClearHigh == o.Low+o.High
}

// Threshold returns the bound that v is compared with, or, cleared, the one that clears it; two-sided levels give the nearer one.
func (l *Level) Threshold(v float64, cleared bool) float64 {
	lo, hi := l.Low, l.High
	if cleared {
		lo, hi = l.ClearLow, l.ClearHigh
	}
	if (l.Comparison == Outside || l.Comparison == Inside) && math.Abs(v-hi) < math.Abs(v-lo) {
		return hi
	}
	return lo
}

// Never tells whether no value from low to high breaches the level.
func (l *Level) Never(low, high float64) bool {
	switch l.Comparison {
	case Above:
		return l.Low >= high
	case Below:
		return l.Low <= low
	case Outside:
		return l.Low <= low && l.High >= high
	case Inside:
		return l.High < low || l.Low > high
	default:
		return false
	}
}

// Always tells whether every value from low to high breaches the level.
func (l *Level) Always(low, high float64) bool {
	switch l.Comparison {
	case Above:
		return l.Low < low
	case Below:
		return l.Low > high
	case Outside:
		return l.Low > high || l.High < low
	case Inside:
		return l.Low <= low && l.High >= high
	default:
		return false
	}
}
