package alert

import "math"

// unset and forever are the times that no event has: before everything and after everything.
const (
	unset   int64 = math.MinInt64
	forever int64 = math.MaxInt64
)

// reading is the value of a rule at one moment. byLevel replaces value where levels look at different horizons or each at
// the series that is worst for it: what each level's bound is compared with, and after those what each clear is.
type reading struct {
	value   float64
	byLevel []float64
	// healthy is a reading that breaches nothing, whatever the bounds: what missing data counts as when the
	// policy says so.
	healthy bool
}

func (r *reading) at(level int) float64 {
	if r.byLevel != nil {
		return r.byLevel[level]
	}
	return r.value
}

// toClear is what the clear bound of a level is compared with.
func (r *reading) toClear(level int) float64 {
	if r.byLevel != nil {
		return r.byLevel[len(r.byLevel)/2+level]
	}
	return r.value
}

// machine is the ladder of one alert: the level in force and the times at which conditions began.
// Level 0 is inactive; level i is levels[i-1]. All times are event times.
type machine struct {
	level int
	// since[i] is when the unbroken run of breaching level i+1 or a higher one began.
	since []int64
	// recovering is when the unbroken run of being clear of the level in force began.
	recovering int64
}

func newMachine(levels int) machine {
	m := machine{since: make([]int64, levels), recovering: unset}
	for i := range m.since {
		m.since[i] = unset
	}
	return m
}

// pending tells whether a level above the one in force is breached and waits for its for.
func (m *machine) pending() bool {
	for i := m.level; i < len(m.since); i++ {
		if m.since[i] != unset {
			return true
		}
	}
	return false
}

// step moves the machine to time t with the given reading. It returns the level before; moved tells whether
// anything of the machine changed.
//
// Raising comes first: the highest level whose run has lasted its for takes force. Then letting go: when the
// level in force has been clear for its keep, the highest level that still holds or is breached takes over. Both are
// one step, so a warning that turns critical, or a critical that turns well, is one transition.
func (m *machine) step(t int64, levels []level, rd reading) (from int, moved bool) {
	from = m.level
	raised, held := 0, 0
	if !rd.healthy {
		for i := len(levels); i > 0 && raised == 0; i-- {
			if levels[i-1].raised(rd.at(i - 1)) {
				raised = i
			}
		}
	}
	for i := range levels {
		before := m.since[i]
		switch {
		case i+1 > raised || i+1 <= m.level:
			m.since[i] = unset
		case before == unset:
			m.since[i] = t
		}
		moved = moved || m.since[i] != before
	}
	for i := raised; i > m.level; i-- {
		if t-m.since[i-1] >= levels[i-1].forDuration {
			m.setLevel(i)
			return from, true
		}
	}
	if m.level == 0 {
		return from, moved
	}
	if !rd.healthy {
		for i := m.level; i > 0 && held == 0; i-- {
			if levels[i-1].held(rd.toClear(i - 1)) {
				held = i
			}
		}
	}
	switch {
	case held >= m.level:
		moved = moved || m.recovering != unset
		m.recovering = unset
		return from, moved
	case m.recovering == unset:
		m.recovering, moved = t, true
	}
	if t-m.recovering >= levels[m.level-1].keepFiringFor {
		m.setLevel(max(held, min(raised, m.level-1)))
		return from, true
	}
	return from, moved
}

// setLevel puts a level in force; the runs of the levels up to it are over.
func (m *machine) setLevel(level int) {
	m.level, m.recovering = level, unset
	for i := range level {
		m.since[i] = unset
	}
}

// shift moves the running times later, so that a span without data counts towards neither for nor keep.
func (m *machine) shift(by int64) {
	for i, s := range m.since {
		if s != unset {
			m.since[i] = s + by
		}
	}
	if m.recovering != unset {
		m.recovering += by
	}
}

// notAfter moves runs that begin after t to t.
func (m *machine) notAfter(t int64) {
	for i, s := range m.since {
		m.since[i] = min(s, t)
	}
	m.recovering = min(m.recovering, t)
}

// drop ends all runs.
func (m *machine) drop() {
	m.recovering = unset
	for i := range m.since {
		m.since[i] = unset
	}
}
