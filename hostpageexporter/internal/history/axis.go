package history

import "slices"

const (
	// gapFactor is how many usual intervals without a scrape are a gap.
	gapFactor = 2.5
	// recentSteps is over how many scrapes the usual interval is the median.
	recentSteps = 9
	maxAxes     = 512
)

// axis is the times of the scrapes that some series share. The samples of these carry the ordinal of the scrape.
type axis struct {
	id    int
	base  uint32  // Ordinal of times[0].
	times []int64 // Shifted left by one; the lowest bit says that there is a gap before it.
	steps [recentSteps]int64
	nth   int
	// interval is the usual distance of scrapes; 0 while there was only one.
	interval int64
	series   int // How many series are on it.
	resource int // Of the first series.
}

func (a *axis) lastOrdinal() uint32 { return a.base + uint32(len(a.times)) - 1 }

func (a *axis) lastTime() int64 {
	if len(a.times) == 0 {
		return 0
	}
	return a.times[len(a.times)-1] >> 1
}

// advance begins a scrape, and returns by how many bytes the heap grew.
func (a *axis) advance(t int64) int {
	before := cap(a.times)
	gap := int64(0)
	if len(a.times) > 0 {
		step := t - a.lastTime()
		if previous := a.steps[(a.nth+recentSteps-1)%recentSteps]; float64(step) > gapFactor*float64(max(a.interval, previous)) && a.interval > 0 {
			gap = 1
		}
		a.steps[a.nth%recentSteps] = step
		a.nth++
		recent := a.steps
		known := recent[:min(a.nth, recentSteps)]
		slices.Sort(known)
		a.interval = known[(len(known)-1)/2]
	}
	a.times = append(a.times, t<<1|gap)
	return (cap(a.times) - before) * 8
}

// expire forgets times that no sample refers to any more; the last one stays.
func (a *axis) expire(before int64) int {
	n := 0
	for n < len(a.times)-1 && a.times[n]>>1 < before {
		n++
	}
	if n < len(a.times)/4 {
		return 0 // Copying costs; it waits until it frees something.
	}
	was := cap(a.times)
	a.times = append(make([]int64, 0, (len(a.times)-n)*5/4), a.times[n:]...)
	a.base += uint32(n)
	return (cap(a.times) - was) * 8
}

// ordinals returns which scrapes lie in [from, to); none if last is before first.
func (a *axis) ordinals(from, to int64) (first, last uint32, some bool) {
	at := func(t int64) int {
		i, _ := slices.BinarySearchFunc(a.times, t, func(x, t int64) int {
			if x>>1 < t {
				return -1
			}
			return 1
		})
		return i
	}
	i, j := at(from), at(to)
	return a.base + uint32(i), a.base + uint32(j) - 1, i < j
}

// timeline is a copy of a part of an axis.
type timeline struct {
	base  uint32
	times []int64 // As in axis.
}

func (l timeline) time(ordinal uint32) int64 { return l.times[ordinal-l.base] >> 1 }

func (l timeline) has(ordinal uint32) bool {
	return ordinal >= l.base && ordinal-l.base < uint32(len(l.times))
}

// apart reports whether samples of two scrapes are too far apart for a difference between them to be shown. distance is by how many scrapes the
// two samples before lay apart: a series need not come with each scrape.
func (l timeline) apart(earlier, later, distance uint32) bool {
	if later-earlier > max(2, 2*distance) || !l.has(earlier) {
		return true
	}
	for o := earlier + 1; o <= later; o++ {
		if l.times[o-l.base]&1 != 0 {
			return true
		}
	}
	return false
}
