package alert

// flapping is when an alert counts as flapping. Spans are in nanoseconds.
type flappingRule struct {
	// Enabled turns the latch on.
	enabled bool
	// Transitions is how many changes Within close the latch.
	transitions int
	within      int64
	// StableFor is how long the alert must not change before the latch opens.
	stableFor int64
}

// flapState counts the recent changes of one alert. While latched, changes are not announced; the episode stays open. Times are event times.
type flapState struct {
	// Times are those of the changes that count, oldest first.
	times []int64
	// Latched tells whether changes are held back.
	latched bool
	// Last is the time of the newest change.
	last int64
}

// flapChange is what the latch asks of a change.
type flapChange struct {
	t int64
	// Opens is the fire that opens an episode.
	opens bool
	// Forgotten is the resolve of an alert whose series is gone.
	forgotten bool
	// Worsens is a change to a level that the episode has not reached before.
	worsens bool
}

// flapResult is what the latch does with a change.
type flapResult uint8

const (
	// flapPasses announces the change as it is.
	flapPasses flapResult = iota
	// flapLatches announces the change as the start of flapping.
	flapLatches
	// flapEscalates announces the change, although the latch is closed.
	flapEscalates
	// flapHolds holds the change back.
	flapHolds
)

// observe counts a change. The change that makes the count is announced as the start of flapping; a fire never is, so that every alert
// opens with its fire. While latched only a level that the episode has not reached before passes.
func (f *flapState) observe(rule *flappingRule, c flapChange) flapResult {
	if !rule.enabled {
		return flapPasses
	}
	if !f.latched {
		f.times = append(f.times, c.t)
	}
	f.last = c.t
	f.prune(c.t - rule.within)
	switch {
	case !f.latched && (len(f.times) < rule.transitions || c.opens):
		return flapPasses
	case !f.latched && c.forgotten && len(f.times) < 2*rule.transitions:
		return flapPasses // What is gone does not flap, unless it keeps coming back.
	case !f.latched:
		f.latched = true
		return flapLatches
	case c.worsens:
		return flapEscalates
	default:
		return flapHolds
	}
}

// stable tells whether a latched alert has not changed for long enough at time t.
func (f *flapState) stable(rule *flappingRule, t int64) bool {
	return f.latched && t-f.last >= rule.stableFor
}

// prune forgets the changes before a time.
func (f *flapState) prune(before int64) {
	k := 0
	for k < len(f.times) && f.times[k] < before {
		k++
	}
	f.times = append(f.times[:0], f.times[k:]...)
	if len(f.times) == 0 {
		f.times = nil
	}
}

// notAfter moves to t what lies after it.
func (f *flapState) notAfter(t int64) {
	f.last = min(f.last, t)
	for i := range f.times {
		f.times[i] = min(f.times[i], t)
	}
}
