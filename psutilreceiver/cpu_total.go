package psutilreceiver

import (
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// cpuGrowth tells what all CPUs together did between two samples.
//
// The kernel's own sum is what is emitted as long as the same CPUs are online. When a CPU goes or comes its idle times leap: of a CPU that is offline
// the kernel adds another counter than of one that is online, and the two have nothing to do with each other. Then the growth of each CPU that is in
// both samples is added, and the sum goes on from there. Of the other modes each CPU has one counter, online or not: the sum goes on with them.
type cpuGrowth struct {
	cpus, spare []knownCPU // of the last sample, by rising number
	sums        []float64  // of what each settled CPU grew by, reused

	last   modeTimes // the kernel's sum, as it was read last
	grown  modeTimes // what the CPUs grew by since last
	most   modeTimes // what they can have grown by since last
	offset modeTimes // what of the kernel's sum is not counted
}

// knownCPU is one CPU as it was seen last.
type knownCPU struct {
	number  int
	samples int       // in a row with this CPU, up to settledAfter
	raw     modeTimes // as they were read
	still   float64   // seconds up to the last sample in which nothing was counted; it may be counted at once

	grown  modeTimes // since the sample before
	sum    float64   // of grown
	hidden bool      // whether a mode could not be read, now or before
	both   bool      // whether it is in the sample before, too
}

const (
	// settledAfter is the number of samples after which a CPU that came online is taken to use the same counters as before.
	settledAfter = 3
	// tickSlack is how much more than the elapsed time the modes of a CPU may grow by, in seconds: times are in ticks, and samples are taken a
	// little before or after their time. One that came online just now may change its counters, which a leap would show.
	tickSlack    = 0.1
	settledSlack = 0.25
	// lateSlack is the same as a share of the elapsed time.
	lateSlack = 0.005
	// tickLength is the unit of the kernel's times, in seconds.
	tickLength = 0.01
)

// Places in a modeTimes.
const (
	idleMode   = 3
	iowaitMode = 4
)

// takenOff are the places in the order in which what is too much is taken off: first the counters that the kernel may have exchanged.
var takenOff = [len(cpuModes)]int{idleMode, iowaitMode, 6, 7, 5, 1, 2, 0}

// busyFrom is the first place of takenOff with a counter that is never exchanged.
const busyFrom = 2

// growthStep is what the CPUs did between two samples.
type growthStep struct {
	grown   modeTimes
	unknown [len(cpuModes)]bool // the mode could not be read of a CPU, now or before
	took    float64             // seconds between the reads
	cpus    int                 // in one of the samples or both
	changed int                 // in one only
	still   float64             // seconds in which those that went counted nothing
	owed    float64             // seconds that the others counted at once, at most
	fits    bool                // nothing was taken off or begun again
	exact   bool                // so far as is known no counter of idle time was exchanged
}

// advance takes a sample into the streams of all CPUs together.
func (g *cpuGrowth) advance(c *cpuStream, t *scrapeContext, sample *host.CPUSample) {
	now, online := modesOf(&sample.Total), len(sample.PerCPU)
	if c.start == 0 || online == 0 || len(g.cpus) == 0 {
		begins := c.start == 0
		g.remember(sample, now)
		for i, v := range now {
			if v >= 0 {
				now[i] = max(v-g.offset[i], 0)
			}
		}
		c.advanceTotal(t, now, online)
		c.shares.known = c.shares.known && !begins
		return
	}
	step := g.step(sample, t.now.Sub(c.seen).Seconds())
	counted, sound := g.sum(now, &step, online)
	most := step.took * float64(step.cpus)
	c.online = online
	sound = c.advance(t, counted, most+step.still+step.owed+float64(step.changed+1)*heldBack) && sound
	c.shares.advance(counted, most, sound)
}

// sum returns the times of all CPUs, without what can't be, and whether they tell what the same CPUs did as before.
func (g *cpuGrowth) sum(now modeTimes, step *growthStep, online int) (counted modeTimes, sound bool) {
	same := step.changed == 0
	sound = same && step.fits && step.exact
	slack := float64(online)*2*tickLength + tickSlack
	for i, v := range now {
		g.grown[i] += step.grown[i]
		g.most[i] += step.took*float64(step.cpus) + step.still + step.owed
		if v < 0 {
			counted[i] = v
			continue
		}
		d, grown := v-g.last[i], g.grown[i]
		idle := i == idleMode || i == iowaitMode
		switch {
		case g.last[i] < 0:
			// Accepted as it is: the mode is seen for the first time, or again.
		case step.unknown[i] && same && d > -heldBack && d <= g.most[i]+heldBack:
			// Accepted: what the CPUs did in this mode is not known, but together they can have done so much.
		case (same || !idle) && d >= grown-slack && d <= grown+slack:
			// Accepted: the total has grown by what the CPUs have, but for rounding.
		case !same && !idle && d >= grown-slack && d <= grown+slack+float64(step.changed)*(step.took+heldBack)+step.still:
			// Accepted: CPUs that came or went may have done that much that no sample of theirs shows.
		default:
			g.offset[i] += d - grown
			sound = sound && !step.unknown[i]
		}
		g.last[i], g.grown[i], g.most[i] = v, 0, 0
		counted[i] = max(v-g.offset[i], 0)
	}
	return counted, sound
}

// step returns what the CPUs that are in this sample and in the last one did in between, and remembers this sample.
func (g *cpuGrowth) step(sample *host.CPUSample, elapsed float64) growthStep {
	step := growthStep{fits: true, exact: true, cpus: len(sample.PerCPU)}
	last := g.cpus
	g.cpus, g.spare, g.sums = g.spare[:0], last, g.sums[:0]
	for i := range sample.PerCPU {
		times := &sample.PerCPU[i]
		for len(last) > 0 && last[0].number < times.Number {
			last = step.without(last)
		}
		if len(last) == 0 || last[0].number != times.Number {
			g.cpus = append(g.cpus, knownCPU{number: times.Number, samples: 1, raw: modesOf(times)})
			step.changed++
			continue
		}
		k := last[0]
		last = last[1:]
		settled := k.samples >= settledAfter
		k.grow(modesOf(times), elapsed, &step)
		if settled && k.sum > 0 {
			g.sums = append(g.sums, k.sum)
		}
		g.cpus = append(g.cpus, k)
	}
	for len(last) > 0 {
		last = step.without(last)
	}
	step.took = g.took(elapsed)
	for i := range g.cpus {
		if k := &g.cpus[i]; k.both {
			k.bound(&step)
			for mode, v := range k.grown {
				step.grown[mode] += v
			}
		}
	}
	return step
}

// without takes the first CPU off, which went.
func (s *growthStep) without(last []knownCPU) []knownCPU {
	s.changed++
	s.cpus++
	s.still += last[0].still
	return last[1:]
}

// took is how long it was between the reads. A read may be later than its time: then all CPUs have counted more.
func (g *cpuGrowth) took(elapsed float64) float64 {
	if len(g.sums) == 0 {
		return elapsed
	}
	slices.Sort(g.sums)
	return min(max(elapsed, g.sums[(len(g.sums)-1)/2]), elapsed+heldBack)
}

func (g *cpuGrowth) remember(sample *host.CPUSample, now modeTimes) {
	g.cpus, g.last, g.grown, g.most = g.cpus[:0], now, modeTimes{}, modeTimes{}
	for i := range sample.PerCPU {
		times := &sample.PerCPU[i]
		g.cpus = append(g.cpus, knownCPU{number: times.Number, samples: settledAfter, raw: modesOf(times)})
	}
}

// grow takes the times of a sample, and notes what they grew by. One that falls far, or falls just after the CPU came online, begins again, and so
// does one that grows by more than can have passed.
func (k *knownCPU) grow(now modeTimes, elapsed float64, step *growthStep) {
	k.grown, k.sum, k.hidden, k.both = modeTimes{}, 0, false, true
	most := elapsed + heldBack + k.still
	least := -float64(heldBack)
	if k.samples < settledAfter {
		least = -roundedBy
	}
	for i, v := range now {
		before := k.raw[i]
		k.raw[i] = v
		switch d := v - before; {
		case v < 0 && before < 0 && v != host.Odd: // The system does not have it.
		case v < 0 || before < 0:
			step.unknown[i], k.hidden = true, true
		case d <= least || d > most:
			step.fits = false
		default:
			k.grown[i] = d
			k.sum += d
		}
	}
}

// bound takes off what all modes grew by beyond what can have passed.
func (k *knownCPU) bound(step *growthStep) {
	slack := settledSlack
	if k.samples < settledAfter {
		slack = tickSlack
	}
	if k.samples < settledAfter && math.Abs(k.sum-step.took) > freshSlack {
		step.exact = false
	}
	k.samples = min(k.samples+1, settledAfter)
	if k.sum == 0 {
		if k.hidden {
			step.owed += k.still + heldBack
		}
		k.still += step.took
		return
	}
	if k.still > 0 {
		slack = heldBack
		step.owed += k.still + slack
	}
	most := step.took*(1+lateSlack) + slack + k.still
	k.still = 0
	if k.sum <= most {
		return
	}
	step.fits = false
	over := k.sum - step.took
	for i, mode := range takenOff {
		if i == busyFrom { // A late read may have counted as much.
			over -= heldBack
		}
		if k.grown[mode] > 0 && over > 0 {
			cut := min(over, k.grown[mode])
			k.grown[mode] -= cut
			over -= cut
		}
	}
}
