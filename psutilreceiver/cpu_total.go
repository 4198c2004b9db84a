package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// cpuGrowth tells what all CPUs together did between two samples.
//
// The kernel's own sum is what is emitted as long as the same CPUs are online. When a CPU goes or comes the sum leaps: of a CPU that is offline the
// kernel adds another counter of idle time than of one that is online, and the two have nothing to do with each other. Then the growth of each CPU
// that is in both samples is added, and the sum goes on from there.
type cpuGrowth struct {
	cpus, spare []knownCPU // of the last sample, by rising number
}

// knownCPU is one CPU as it was seen last.
type knownCPU struct {
	number  int
	samples int       // in a row with this CPU, up to settledAfter
	raw     modeTimes // highest times
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
)

// advance takes a sample into the streams of all CPUs together.
func (g *cpuGrowth) advance(c *cpuStream, t *scrapeContext, sample *host.CPUSample) {
	now, online := modesOf(&sample.Total), len(sample.PerCPU)
	if c.start == 0 || online == 0 {
		g.remember(sample)
		c.advanceTotal(t, now, online)
		return
	}
	elapsed := t.now.Sub(c.seen).Seconds()
	growth, same := g.growth(sample, elapsed)
	if same && c.agrees(now, growth, elapsed, online) {
		c.advanceTotal(t, now, online)
		return
	}
	for i, v := range now {
		if v < 0 || c.raw[i] < 0 {
			c.raw[i] = v
			continue
		}
		c.raw[i], c.base[i] = v, v-c.value[i]-growth[i]
	}
	c.online = online
	c.advance(t, now, elapsed*float64(online)+heldBack)
}

// growth returns what the CPUs that are in this sample and in the last one did in between, and whether these are all of both. Of each no more
// is taken than can have passed. It remembers this sample.
func (g *cpuGrowth) growth(sample *host.CPUSample, elapsed float64) (sum modeTimes, same bool) {
	last := g.cpus
	g.cpus, g.spare = g.spare[:0], last
	same = len(last) == len(sample.PerCPU)
	for i := range sample.PerCPU {
		times := &sample.PerCPU[i]
		for len(last) > 0 && last[0].number < times.Number {
			last, same = last[1:], false
		}
		if len(last) == 0 || last[0].number != times.Number {
			g.cpus = append(g.cpus, knownCPU{number: times.Number, samples: 1, raw: modesOf(times)})
			same = false
			continue
		}
		k := last[0]
		last = last[1:]
		grown, fits := k.grow(modesOf(times), elapsed)
		same = same && fits
		for mode, v := range grown {
			sum[mode] += v
		}
		g.cpus = append(g.cpus, k)
	}
	return sum, same
}

func (g *cpuGrowth) remember(sample *host.CPUSample) {
	g.cpus = g.cpus[:0]
	for i := range sample.PerCPU {
		times := &sample.PerCPU[i]
		g.cpus = append(g.cpus, knownCPU{number: times.Number, samples: settledAfter, raw: modesOf(times)})
	}
}

// grow takes the times of a sample, and returns what they grew by. A time that steps back a little is held until it is passed, as in a stream;
// one that falls far, or falls just after the CPU came online, begins again, and so does one that grows by more than can have passed. What all
// modes grew by beyond that is taken off, first of idle and iowait, whose counters the kernel may have exchanged. fits is false if anything was taken off
// or begun again.
func (k *knownCPU) grow(now modeTimes, elapsed float64) (grown modeTimes, fits bool) {
	fits = true
	most := elapsed*(1+lateSlack) + settledSlack
	if k.samples < settledAfter {
		most = elapsed*(1+lateSlack) + tickSlack
	}
	sum := 0.0
	for i, v := range now {
		d := v - k.raw[i]
		switch {
		case v < 0 || k.raw[i] < 0: // Not known, now or before.
			k.raw[i] = v
		case d <= -heldBack || d < 0 && k.samples < settledAfter || d > most:
			k.raw[i], fits = v, false
		case d > 0:
			k.raw[i], grown[i] = v, d
			sum += d
		}
	}
	k.samples = min(k.samples+1, settledAfter)
	if sum > most {
		fits = false
		for _, mode := range takenOff {
			cut := min(sum-elapsed, grown[mode])
			grown[mode] -= cut
			sum -= cut
		}
	}
	return grown, fits
}

// Places in a modeTimes.
const (
	idleMode   = 3
	iowaitMode = 4
)

// takenOff are the places in the order in which what is too much is taken off.
var takenOff = [len(cpuModes)]int{idleMode, iowaitMode, 6, 7, 5, 1, 2, 0}

// agrees tells whether the kernel's sum grew by what its CPUs did. It is rounded to ticks once, where each of the CPUs is, and read before them.
func (c *cpuStream) agrees(now, growth modeTimes, elapsed float64, online int) bool {
	slack := float64(online) * (2*tickLength + elapsed*lateSlack)
	for i, v := range now {
		if v < 0 || c.raw[i] < 0 {
			continue
		}
		if d := max(v-c.raw[i], 0); d > growth[i]+slack+heldOf(i) || d < growth[i]-slack-heldOf(i) {
			return false
		}
	}
	return true
}

const tickLength = 0.01 // seconds

// heldOf is how far the sum of a mode may be from what its CPUs did because steps back of one CPU are held in one and not in the other.
func heldOf(mode int) float64 {
	if mode == idleMode || mode == iowaitMode {
		return heldBack
	}
	return 0
}
