package ladder

// SurelyRaised tells whether the level is breached whatever the true value is, of which v is the least or, unless atLeast, the most that it can be.
func (l *Level) SurelyRaised(v float64, atLeast bool) bool {
	return l.Comparison.surely(l.Low, l.High, v, atLeast)
}

// SurelyHeld tells the same of the bounds that keep a level in force.
func (l *Level) SurelyHeld(v float64, atLeast bool) bool {
	return l.Comparison.surely(l.ClearLow, l.ClearHigh, v, atLeast)
}

func (c Comparison) surely(lo, hi, v float64, atLeast bool) bool {
	switch c {
	case Above:
		return atLeast && v > lo
	case Below:
		return !atLeast && v < lo
	case Outside:
		return atLeast && v > hi || !atLeast && v < lo
	default:
		return false
	}
}
