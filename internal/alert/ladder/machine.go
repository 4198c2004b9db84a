package ladder

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// Unset and Forever are the times that no event has: before everything and after everything.
const (
	Unset         = attr.Unset
	Forever int64 = math.MaxInt64
)

// Reading is the value of a rule at one moment.
type Reading struct {
	// Value is what all bounds are compared with, unless there is ByLevel.
	Value float64
	// ByLevel is there where levels look at different horizons, or each at the series that is worst for it: what each level's bound is
	// compared with, and after those what each clear bound is.
	ByLevel []float64
	// Healthy is a reading that breaches nothing, whatever the bounds: what missing data counts as when the
	// policy says so.
	Healthy bool
	// Sample tells that it is of a sample that has come, and not of one that is held until the next.
	Sample bool
}

// At is what the bound of a level is compared with; levels count from 0.
func (r *Reading) At(level int) float64 {
	if r.ByLevel != nil {
		return r.ByLevel[level]
	}
	return r.Value
}

// ToClear is what the clear bound of a level is compared with.
func (r *Reading) ToClear(level int) float64 {
	if r.ByLevel != nil {
		return r.ByLevel[len(r.ByLevel)/2+level]
	}
	return r.Value
}

// Machine is the ladder of one alert: the level in force and the times at which conditions began.
// Level 0 is inactive; level i is levels[i-1]. All times are event times.
type Machine struct {
	// Level is the level in force.
	Level int
	// Since[i] is when the unbroken run of breaching level i+1 or a higher one began.
	Since []int64
	// Recovering is when the unbroken run of being clear of the level in force began.
	Recovering int64
	// Recent has, by level, what the levels that count samples have seen of them; nil without such levels.
	Recent []RecentSamples
}

// NewMachine returns the machine of an inactive alert with so many levels.
func NewMachine(levels int) Machine {
	m := Machine{Since: make([]int64, levels), Recovering: Unset}
	for i := range m.Since {
		m.Since[i] = Unset
	}
	return m
}

// Pending tells whether a level above the one in force is breached and waits for its for, or for further samples.
func (m *Machine) Pending() bool {
	for i := m.Level; i < len(m.Since); i++ {
		if m.Since[i] != Unset || m.Recent != nil && m.Recent[i].Raised != 0 {
			return true
		}
	}
	return false
}

// Step moves the machine to time t with the given reading. It returns the level before; moved tells whether
// anything of the machine changed.
//
// Raising comes first: the highest level whose run has lasted its for takes force. Then letting go: when the
// level in force has been clear for its keep, the highest level that still holds or is breached takes over. Both are
// one step, so a warning that turns critical, or a critical that turns well, is one transition.
func (m *Machine) Step(t int64, levels []Level, rd Reading) (from int, moved bool) {
	from = m.Level
	raised, held := 0, 0
	moved = m.observeSamples(levels, &rd)
	if !rd.Healthy {
		for i := len(levels); i > 0 && raised == 0; i-- {
			if m.raises(i-1, &levels[i-1], &rd) {
				raised = i
			}
		}
	}
	for i := range levels {
		before := m.Since[i]
		switch {
		case i+1 > raised || i+1 <= m.Level:
			m.Since[i] = Unset
		case before == Unset:
			m.Since[i] = t
		}
		moved = moved || m.Since[i] != before
	}
	for i := raised; i > m.Level; i-- {
		if l := &levels[i-1]; t-m.Since[i-1] >= l.ForDuration && (!l.Samples.Counts() || m.raises(i-1, l, &rd)) {
			m.SetLevel(i)
			return from, true
		}
	}
	if m.Level == 0 {
		return from, moved
	}
	if !rd.Healthy {
		for i := m.Level; i > 0 && held == 0; i-- {
			if m.holds(i-1, &levels[i-1], &rd) {
				held = i
			}
		}
	}
	switch {
	case held >= m.Level:
		moved = moved || m.Recovering != Unset
		m.Recovering = Unset
		return from, moved
	case m.Recovering == Unset:
		m.Recovering, moved = t, true
	}
	if t-m.Recovering >= levels[m.Level-1].KeepFiringFor {
		m.SetLevel(max(held, min(raised, m.Level-1)))
		return from, true
	}
	return from, moved
}

// SetLevel puts a level in force; the runs of the levels up to it are over.
func (m *Machine) SetLevel(level int) {
	m.Level, m.Recovering = level, Unset
	for i := range level {
		m.Since[i] = Unset
	}
}

// Shift moves the running times later, so that a span without data counts towards neither for nor keep.
func (m *Machine) Shift(by int64) {
	for i, s := range m.Since {
		if s != Unset {
			m.Since[i] = s + by
		}
	}
	if m.Recovering != Unset {
		m.Recovering += by
	}
}

// NotAfter moves runs that begin after t to t.
func (m *Machine) NotAfter(t int64) {
	for i, s := range m.Since {
		m.Since[i] = min(s, t)
	}
	m.Recovering = min(m.Recovering, t)
}

// Drop ends all runs.
func (m *Machine) Drop() {
	m.Recovering = Unset
	for i := range m.Since {
		m.Since[i] = Unset
	}
}
