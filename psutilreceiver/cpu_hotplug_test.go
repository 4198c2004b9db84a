package psutilreceiver

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// modelCPU is a CPU with what it truly did and what the kernel counts of it. Of idle time it has two counters, and which one the kernel gives, for
// itself and in the sum of all, goes by whether the CPU is online; where it is new by what boot and hot-plug did to them.
type modelCPU struct {
	online             bool
	user, idle         float64 // true
	ticked, slept      float64 // the counters of idle time
	lostAtOnline       bool    // slept begins again when it comes online
	sinceOnline        int     // steps; the tick's counter is given for the first one
	wasOnlineAllOfStep bool
	fixed              bool    // it never goes nor comes
	lazy               bool    // what it does in this step is counted in a later one
	owedBusy, owedIdle float64 // not counted yet
}

func (c *modelCPU) kernelIdle() float64 {
	if c.online && c.sinceOnline > 0 {
		return c.slept
	}
	return c.ticked
}

// hotplugHost is a host whose CPUs come and go.
type hotplugHost struct {
	random *rand.Rand
	cpus   []modelCPU
}

func newHotplugHost(random *rand.Rand) *hotplugHost {
	h := &hotplugHost{random: random, cpus: make([]modelCPU, 2+random.IntN(7))}
	for i := range h.cpus {
		c := &h.cpus[i]
		c.online, c.sinceOnline = i == 0 || random.IntN(3) > 0, 10
		c.user, c.ticked, c.slept = 1000*random.Float64(), 5000*random.Float64(), 5000*random.Float64()
		c.lostAtOnline = random.IntN(2) == 0
	}
	return h
}

// step lets time pass, and CPUs come and go at its end or in the middle of it.
func (h *hotplugHost) step(seconds float64) {
	for i := range h.cpus {
		c := &h.cpus[i]
		c.wasOnlineAllOfStep = c.online
		busy := h.random.Float64() * seconds
		if h.random.IntN(3) == 0 {
			busy = 0
		}
		change := i > 0 && h.random.IntN(6) == 0 && !c.fixed
		part := 1.0
		if change {
			c.lazy = false
			part = h.random.Float64()
			c.wasOnlineAllOfStep = false
			if !c.online {
				part = 1 - part
			}
		}
		if change && !c.online {
			if c.lostAtOnline {
				c.slept = 0
			}
			c.online, c.sinceOnline = true, -1
			c.run(busy*part, (seconds-busy)*part)
		} else if c.online {
			c.run(busy*part, (seconds-busy)*part)
			c.online = !change
		}
		c.sinceOnline++
	}
}

func (c *modelCPU) run(busy, idle float64) {
	busy, idle = busy+c.owedBusy, idle+c.owedIdle
	if c.owedBusy, c.owedIdle = 0, 0; c.lazy {
		c.owedBusy, c.owedIdle = busy, idle
		return
	}
	c.user += busy
	c.idle += idle
	c.slept += idle
	c.ticked += idle * 0.7 // Ticks miss some.
}

func toTicks(seconds float64) float64 { return math.Floor(seconds*100) / 100 }

// sample is what /proc/stat has.
func (h *hotplugHost) sample() *host.CPUSample {
	var s host.CPUSample
	s.Total.Number = -1
	for i := range h.cpus {
		c := &h.cpus[i]
		s.Total.User += c.user
		s.Total.Idle += c.kernelIdle()
		if c.online {
			s.PerCPU = append(s.PerCPU, host.CPUTimes{Number: i, User: toTicks(c.user), Idle: toTicks(c.kernelIdle())})
		}
	}
	s.Total.User, s.Total.Idle = toTicks(s.Total.User), toTicks(s.Total.Idle)
	return &s
}

// TestTheTotalAcrossHotPlug: in each step of each history the total tells, of each mode, what the CPUs did that were there all the time, and
// nothing that no CPU can have done.
func TestTheTotalAcrossHotPlug(t *testing.T) {
	const user = 0
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 3))
		h := newHotplugHost(random)
		clock := scrapeContext{now: time.Unix(1_700_000_000, 0), boot: 1}
		var c cpuStream
		var g cpuGrowth
		var before []modelCPU
		told := modeTimes{}
		for n := range 40 {
			seconds := []float64{0.25, 1, 15, 60}[random.IntN(4)]
			if n > 0 {
				h.step(seconds)
				clock.now = clock.now.Add(time.Duration(seconds * float64(time.Second)))
				clock.elapsed, clock.previous = time.Duration(seconds*float64(time.Second)), clock.time
			}
			clock.time = pcommon.NewTimestampFromTime(clock.now)
			g.advance(&c, &clock, h.sample())
			if n > 0 {
				h.check(t, seed, n, before, &c, told, seconds)
			}
			told = c.value
			before = append(before[:0], h.cpus...)
		}
		require.Equal(t, pcommon.Timestamp(1), c.start)
		require.Positive(t, c.value[user])
	}
}

func (h *hotplugHost) check(t *testing.T, seed uint64, n int, before []modelCPU, c *cpuStream, told modeTimes, seconds float64) {
	t.Helper()
	const user = 0
	var least, most [2]float64 // user, of which least is not used, and idle
	online, fresh := 0, 0
	for i := range h.cpus {
		a, b := &before[i], &h.cpus[i]
		u, idle := b.user-a.user, b.idle-a.idle
		if a.online || b.online {
			online++
		}
		most[0], most[1] = most[0]+u, most[1]+idle
		if !b.wasOnlineAllOfStep {
			continue
		}
		if b.sinceOnline > 2 {
			least[1] += idle
		} else {
			fresh++ // Its counter was exchanged in this step or the one before, so that it is not known.
		}
	}
	slack := 0.02*float64(len(h.cpus)) + 1e-9
	sum := 0.0
	for mode, v := range c.value {
		require.GreaterOrEqual(t, v, told[mode], "seed %d step %d: mode %d falls", seed, n, mode)
		require.InDelta(t, v-told[mode], c.delta[mode], 1e-6)
		sum += v - told[mode]
	}
	require.LessOrEqual(t, sum, seconds*float64(online)+slack+(settledSlack+lateSlack*seconds)*float64(online), "seed %d step %d", seed, n)
	grownUser, grownIdle := c.value[user]-told[user], c.value[idleMode]-told[idleMode]
	require.InDelta(t, most[0], grownUser, slack, "seed %d step %d: also of CPUs that came or went", seed, n)
	require.GreaterOrEqual(t, grownIdle, least[1]-slack, "seed %d step %d", seed, n)
	require.LessOrEqual(t, grownIdle, most[1]+slack+float64(fresh)*seconds, "seed %d step %d", seed, n)
}

// TestTheTotalWhenACPUGoesAndComes has the leaps of the sum that a real kernel showed.
func TestTheTotalWhenACPUGoesAndComes(t *testing.T) {
	clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
	var c cpuStream
	var g cpuGrowth
	at := func(total, first, second modeTimes) modeTimes {
		sample := &host.CPUSample{Total: timesOf(-1, total), PerCPU: []host.CPUTimes{timesOf(0, first)}}
		if second != (modeTimes{}) {
			sample.PerCPU = append(sample.PerCPU, timesOf(1, second))
		}
		g.advance(&c, clock.next(), sample)
		return c.delta
	}
	gone := modeTimes{}
	at(times(100, 500, 0), times(60, 200, 0), times(40, 300, 0))
	assert.Equal(t, times(10, 10, 0), at(times(110, 510, 0), times(69, 201, 0), times(41, 309, 0)))
	assert.Equal(t, times(9, 1, 0), at(times(119, 512.43, 0), times(78, 202, 0), gone), "1.43 s are another counter's")
	assert.Equal(t, times(8, 2, 0), at(times(127, 514.43, 0), times(86, 204, 0), gone))
	assert.Equal(t, times(8, 3, 0), at(times(135, 516, 0), times(93, 207, 0), times(42, 309, 0)), "its counter of idle time is back, and it did something meanwhile")
	assert.Equal(t, times(10, 10, 0), at(times(145, 526, 0), times(102, 208, 0), times(43, 318, 0)))
	assert.Equal(t, times(145, 526, 0), c.value)
	assert.InDelta(t, 0, clock.seconds(c.start), 1e-6)
}

func timesOf(number int, m modeTimes) host.CPUTimes {
	return host.CPUTimes{Number: number, User: m[0], Nice: m[1], System: m[2], Idle: m[3], IOWait: m[4], Interrupt: m[5], Steal: m[6]}
}

// TestTheTotalIsTheKernelsSumWithoutHotPlug: to the tick, though each CPU's times are rounded.
func TestTheTotalIsTheKernelsSumWithoutHotPlug(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 4))
	h := newHotplugHost(random)
	for i := range h.cpus {
		h.cpus[i].online = true
	}
	clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
	var c cpuStream
	var g cpuGrowth
	for range 100 {
		s := h.sample()
		g.advance(&c, clock.next(), s)
		want := modesOf(&s.Total)
		want[len(want)-1] = 0 // Soft interrupts are not apart.
		require.Equal(t, want, c.value)
		for i := range h.cpus {
			busy := 10 * random.Float64()
			h.cpus[i].run(busy, 10-busy)
		}
	}
}

func TestTheTotalsOfCPUsAreTakenWithoutAllocating(t *testing.T) {
	h := newHotplugHost(rand.New(rand.NewPCG(1, 5)))
	clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
	var c cpuStream
	var g cpuGrowth
	s := h.sample()
	for range 3 {
		g.advance(&c, clock.next(), s)
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { g.advance(&c, clock.next(), s) }))
}
