package ladder

// FlappingRule is when an alert counts as flapping. Spans are in nanoseconds.
type FlappingRule struct {
	// Enabled turns the latch on.
	Enabled bool
	// Transitions is how many changes Within close the latch.
	Transitions int
	Within      int64
	// StableFor is how long the alert must not change before the latch opens.
	StableFor int64
}

// Flapping counts the recent changes of one alert. While latched, changes are not announced; the episode stays open. Times are event times.
type Flapping struct {
	// Times are those of the changes that count, oldest first.
	Times []int64
	// Latched tells whether changes are held back.
	Latched bool
	// Last is the time of the newest change.
	Last int64
}

// Change is what the latch asks of a change.
type Change struct {
	Time int64
	// Opens is the fire that opens an episode.
	Opens bool
	// Forgotten is the resolve of an alert whose series is gone.
	Forgotten bool
	// Worsens is a change to a level that the episode has not reached before.
	Worsens bool
}

// FlappingResult is what the latch does with a change.
type FlappingResult uint8

const (
	// FlappingPass announces the change as it is.
	FlappingPass FlappingResult = iota
	// FlappingStart announces the change as the start of flapping.
	FlappingStart
	// FlappingEscalate announces the change, although the latch is closed.
	FlappingEscalate
	// FlappingHold holds the change back.
	FlappingHold
)

// Observe counts a change. The change that makes the count is announced as the start of flapping; a fire never is, so that every alert
// opens with its fire. While latched only a level that the episode has not reached before passes.
func (f *Flapping) Observe(rule *FlappingRule, c Change) FlappingResult {
	if !rule.Enabled {
		return FlappingPass
	}
	if !f.Latched {
		f.Times = append(f.Times, c.Time)
	}
	f.Last = c.Time
	f.Prune(c.Time - rule.Within)
	switch {
	case !f.Latched && (len(f.Times) < rule.Transitions || c.Opens):
		return FlappingPass
	case !f.Latched && c.Forgotten && len(f.Times) < 2*rule.Transitions:
		return FlappingPass // What is gone does not flap, unless it keeps coming back.
	case !f.Latched:
		f.Latched = true
		return FlappingStart
	case c.Worsens:
		return FlappingEscalate
	default:
		return FlappingHold
	}
}

// Stable tells whether a latched alert has not changed for long enough at time t. It has where the rule no longer knows of flapping.
func (f *Flapping) Stable(rule *FlappingRule, t int64) bool {
	return f.Latched && (!rule.Enabled || t-f.Last >= rule.StableFor)
}

// Prune forgets the changes before a time.
func (f *Flapping) Prune(before int64) {
	k := 0
	for k < len(f.Times) && f.Times[k] < before {
		k++
	}
	f.Times = append(f.Times[:0], f.Times[k:]...)
	if len(f.Times) == 0 {
		f.Times = nil
	}
}

// Shift moves all times.
func (f *Flapping) Shift(by int64) {
	f.Last += by
	for i := range f.Times {
		f.Times[i] += by
	}
}

// NotAfter moves to t what lies after it.
func (f *Flapping) NotAfter(t int64) {
	f.Last = min(f.Last, t)
	for i := range f.Times {
		f.Times[i] = min(f.Times[i], t)
	}
}
