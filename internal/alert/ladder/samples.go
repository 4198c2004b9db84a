package ladder

import "math/bits"

// MaxSamples is how many of its newest samples a level can look at.
const MaxSamples = 64

// SampleCount is a condition on the newest samples of a level in place of a duration: Breached of the newest Of must breach it. The
// zero value is no such condition. Of is at most MaxSamples.
type SampleCount struct{ Breached, Of int }

// Counts tells whether there is such a condition.
func (c SampleCount) Counts() bool { return c.Of > 0 }

// met tells whether enough of the newest samples are among the given ones.
func (c SampleCount) met(of uint64) bool {
	return bits.OnesCount64(of&(1<<c.Of-1)) >= c.Breached
}

// RecentSamples are what a level has seen of its newest samples, one bit each, the newest in bit 0: Raised those that breached the level,
// Held those that were not clear of it.
type RecentSamples struct{ Raised, Held uint64 }

// Hold takes all samples for held if those that are known do not keep a level in force.
func (r *RecentSamples) Hold(c SampleCount) {
	if !c.met(r.Held) {
		r.Held = 1<<c.Of - 1
	}
}

// push takes in the newest sample.
func (r *RecentSamples) push(raised, held bool) {
	r.Raised, r.Held = r.Raised<<1, r.Held<<1
	if raised {
		r.Raised |= 1
	}
	if held {
		r.Held |= 1
	}
}

// observeSamples takes in the sample of a reading for the levels that count samples. It returns whether there are any.
func (m *Machine) observeSamples(levels []Level, rd *Reading) bool {
	if !rd.Sample {
		return false
	}
	counted := false
	for i := range levels {
		l := &levels[i]
		if !l.Samples.Counts() {
			continue
		}
		counted = true
		if m.Recent == nil {
			m.Recent = make([]RecentSamples, len(levels))
		}
		m.Recent[i].push(!rd.Healthy && l.Raised(rd.At(i)), !rd.Healthy && l.Held(rd.ToClear(i)))
		mask := uint64(1)<<l.Samples.Of - 1
		m.Recent[i].Raised &= mask
		m.Recent[i].Held &= mask
	}
	return counted
}

// raises tells whether a level is to be in force by a reading: its bound is breached, or was by enough samples.
func (m *Machine) raises(i int, l *Level, rd *Reading) bool {
	switch {
	case !l.Samples.Counts():
		return l.Raised(rd.At(i))
	case m.Recent == nil:
		return false
	default:
		return l.Samples.met(m.Recent[i].Raised)
	}
}

// holds tells whether a level in force is to stay by a reading: the value is not clear of it, or enough samples were not.
func (m *Machine) holds(i int, l *Level, rd *Reading) bool {
	switch {
	case !l.Samples.Counts():
		return l.Held(rd.ToClear(i))
	case m.Recent == nil:
		return false
	default:
		return l.Samples.met(m.Recent[i].Held)
	}
}

// Counting tells whether any sample counts towards a level.
func (m *Machine) Counting() bool {
	for i := range m.Recent {
		if m.Recent[i].Raised|m.Recent[i].Held != 0 {
			return true
		}
	}
	return false
}
