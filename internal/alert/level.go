package alert

import "math"

// comparison is how a level compares.
type comparison uint8

const (
	above comparison = iota
	below
	outside
	inside
	isAbsent
)

// comparisonNames are what rule versions are made of.
var comparisonNames = [...]string{above: "above", below: "below", outside: "outside", inside: "inside", isAbsent: "absent"}

// comparisonSymbols are what records and stored alerts have.
var comparisonSymbols = [...]string{above: ">", below: "<", outside: "outside", inside: "inside", isAbsent: "absent"}

// symbol returns the sign or the word that records and stored alerts have for the comparison.
func (c comparison) symbol() string { return comparisonSymbols[c] }

// String returns the comparison's key in the configuration.
func (c comparison) String() string { return comparisonNames[c] }

// holds tells whether v is on the wrong side of the bounds. One-sided comparisons use lo alone.
func (c comparison) holds(lo, hi, v float64) bool {
	switch c {
	case above:
		return v > lo
	case below:
		return v < lo
	case outside:
		return v < lo || v > hi
	case inside:
		return v >= lo && v <= hi
	default:
		return v > 0
	}
}

// worse tells whether a is nearer to breaching, or deeper in the breach, than b.
func (c comparison) worse(a, b, lo, hi float64) bool {
	switch c {
	case below:
		return a < b
	case outside:
		mid := lo + (hi-lo)/2
		return math.Abs(a-mid) > math.Abs(b-mid)
	case inside:
		mid := lo + (hi-lo)/2
		return math.Abs(a-mid) < math.Abs(b-mid)
	default:
		return a > b
	}
}

// stricter tells whether everything that breaches a breaches b too. Equal bounds are fine: they may differ in for.
func (c comparison) stricter(a, b [2]float64) bool {
	switch c {
	case above:
		return a[0] >= b[0]
	case below:
		return a[0] <= b[0]
	case outside:
		return a[0] <= b[0] && a[1] >= b[1]
	case inside:
		return a[0] >= b[0] && a[1] <= b[1]
	default:
		return true
	}
}

// level is one level of a ladder, with its bounds as numbers of the metric's unit. Spans are in nanoseconds.
type level struct {
	// Comparison is how values are compared with the bounds.
	cmp comparison
	// Low and High are the bounds that a value breaches, ClearLow and ClearHigh those at which a level in force lets go. One-sided comparisons use the
	// lower ones alone.
	lo, hi, clearLo, clearHi float64
	// ForDuration is how long the level must be breached before it fires.
	forDuration int64
	// KeepFiringFor is how long the clear condition must hold before the alert steps down.
	keepFiringFor int64
	// Horizon is how far ahead a forecast is read for this level.
	horizon int64
}

func (l *level) raised(v float64) bool { return l.cmp.holds(l.lo, l.hi, v) }

func (l *level) held(v float64) bool { return l.cmp.holds(l.clearLo, l.clearHi, v) }

// sameWorst tells whether the series that is worst for one of the other level's bounds is worst for all of this one's. It may
// not be when bounds on two sides have different middles.
func (l *level) sameWorst(o *level) bool {
	return l.cmp == above || l.cmp == below || l.cmp == isAbsent ||
		l.lo+l.hi == o.lo+o.hi && l.clearLo+l.clearHi == o.lo+o.hi
}

// threshold returns the bound that v is compared with, or, cleared, the one that clears it; two-sided levels give the nearer one.
func (l *level) threshold(v float64, cleared bool) float64 {
	lo, hi := l.lo, l.hi
	if cleared {
		lo, hi = l.clearLo, l.clearHi
	}
	if (l.cmp == outside || l.cmp == inside) && math.Abs(v-hi) < math.Abs(v-lo) {
		return hi
	}
	return lo
}
