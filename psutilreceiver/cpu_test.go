package psutilreceiver

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// clockAt makes scrapes 10 s apart for tests of streams.
type clockAt struct {
	boot    time.Time
	current scrapeContext
}

func (c *clockAt) next() *scrapeContext {
	previous := c.current
	now := previous.now.Add(10 * time.Second)
	if previous.now.IsZero() {
		now = c.boot.Add(1000 * time.Second)
	}
	c.current = scrapeContext{now: now, time: pcommon.NewTimestampFromTime(now), boot: pcommon.NewTimestampFromTime(c.boot), previous: previous.time}
	if !previous.now.IsZero() {
		c.current.elapsed = now.Sub(previous.now)
	}
	return &c.current
}

func (c *clockAt) seconds(ts pcommon.Timestamp) float64 { return ts.AsTime().Sub(c.boot).Seconds() }

func times(user, idle, iowait float64) modeTimes {
	var m modeTimes
	m[0], m[3], m[4] = user, idle, iowait
	return m
}

func TestOneCPU(t *testing.T) {
	type step struct {
		raw    *modeTimes // nil: the CPU is offline in this scrape
		start  float64    // of the streams, in seconds since boot
		value  modeTimes
		deltas bool
	}
	at := func(user, idle, iowait float64) *modeTimes { m := times(user, idle, iowait); return &m }
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"counts since boot", []step{
			{raw: at(100, 800, 0), value: times(100, 800, 0)},
			{raw: at(104, 806, 0), value: times(104, 806, 0), deltas: true},
		}},
		{"iowait that steps back a little is held until it is passed", []step{
			{raw: at(100, 800, 50), value: times(100, 800, 50)},
			{raw: at(104, 806, 49), value: times(104, 806, 50), deltas: true},
			{raw: at(108, 812, 51), value: times(108, 812, 51), deltas: true},
		}},
		{"a CPU that comes back with its counters goes on from them under a new start", []step{
			{raw: at(100, 800, 0), value: times(100, 800, 0)},
			{},
			{raw: at(103, 810, 0), start: 1010, value: times(3, 10, 0)},
			{raw: at(105, 818, 0), start: 1010, value: times(5, 18, 0), deltas: true},
		}},
		{"a CPU that comes back with idle that starts again never falls and never leaps", []step{
			{raw: at(100, 800, 0), value: times(100, 800, 0)},
			{},
			{raw: at(101, 2, 0), start: 1010, value: times(1, 0, 0)},
			{raw: at(102, 11, 0), start: 1010, value: times(2, 9, 0), deltas: true},
		}},
		{"idle that falls far goes on from where it was, and the rest as ever", []step{
			{raw: at(100, 800, 0), value: times(100, 800, 0)},
			{raw: at(101, 5, 0), value: times(101, 800, 0), deltas: true},
			{raw: at(103, 13, 0), value: times(103, 808, 0), deltas: true},
		}},
		{"a time that leaps is not counted, nor is its way back", []step{
			{raw: at(100, 800, 50), value: times(100, 800, 50)},
			{raw: at(104, 806, 1e9), value: times(104, 806, 50), deltas: true},
			{raw: at(108, 812, 51), value: times(108, 812, 50), deltas: true},
			{raw: at(110, 818, 53), value: times(110, 818, 52), deltas: true},
		}},
		{"a time that could not be read counts from the last that could", []step{
			{raw: at(100, 800, 50), value: times(100, 800, 50)},
			{raw: at(104, 806, host.Odd), value: times(104, 806, 50), deltas: true},
			{raw: at(108, 812, 53), value: times(108, 812, 53), deltas: true},
			{raw: at(112, host.Odd, 54), value: times(112, 812, 54), deltas: true},
			{raw: at(113, 830, 54), value: times(113, 830, 54), deltas: true},
		}},
		{"a CPU brought online later does not bring its past with it", []step{
			{},
			{raw: at(500, 9000, 0), start: 1000, value: times(0, 0, 0)},
			{raw: at(504, 9006, 0), start: 1000, value: times(4, 6, 0), deltas: true},
		}},
		{"a CPU plugged in later counts from its birth", []step{
			{},
			{raw: at(1, 4, 0), start: 1000, value: times(1, 4, 0)},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
			var c cpuStream
			for i, s := range tc.steps {
				current := clock.next()
				if s.raw == nil {
					continue
				}
				c.advanceOne(current, *s.raw)
				assert.InDeltaSlice(t, s.value[:], c.value[:], 1e-9, "value in step %d", i)
				assert.InDelta(t, s.start, clock.seconds(c.start), 1e-6, "start in step %d", i)
				assert.Equal(t, s.deltas, c.delta != modeTimes{}, "delta in step %d", i)
			}
		})
	}
}

func TestTotalGoesOnWhenACPUGoesOffline(t *testing.T) {
	clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
	var c cpuStream
	c.advanceTotal(clock.next(), times(400, 4000, 10), 4)
	c.advanceTotal(clock.next(), times(410, 4030, 10), 4)
	assert.Equal(t, times(10, 30, 0), c.delta)
	c.advanceTotal(clock.next(), times(420, 3020, 10), 4) // The kernel dropped the idle time of one CPU.
	assert.Equal(t, times(10, 0, 0), c.delta)
	assert.Equal(t, times(420, 4030, 10), c.value)
	c.advanceTotal(clock.next(), times(425, 3045, 10), 4)
	assert.Equal(t, times(5, 25, 0), c.delta)
	assert.Equal(t, times(425, 4055, 10), c.value)
	c.advanceTotal(clock.next(), times(430, 4060, 10), 4) // It is back, and its idle time with it.
	assert.Equal(t, times(5, 0, 0), c.delta)
	assert.Equal(t, times(430, 4055, 10), c.value)
	c.advanceTotal(clock.next(), times(435, 4085, 10), 4)
	assert.Equal(t, times(5, 25, 0), c.delta)
	assert.InDelta(t, 0, clock.seconds(c.start), 1e-6)
}

// What can have passed is by when the times were seen last, whether or not that scrape was complete.
func TestATotalGoesByWhenItWasSeen(t *testing.T) {
	clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
	var c cpuStream
	c.advanceTotal(clock.next(), times(400, 4000, 10), 4)
	incompleteYet := clock.next()
	incompleteYet.previous, incompleteYet.elapsed = 0, 0
	c.advanceTotal(incompleteYet, times(435, 4005, 10), 1) // Three CPUs went offline just now.
	assert.Equal(t, times(35, 5, 0), c.delta)
	incompleteBefore := clock.next()
	incompleteBefore.elapsed *= 6
	c.advanceTotal(incompleteBefore, times(437, 4055, 10), 1)
	assert.Equal(t, times(2, 0, 0), c.delta, "one CPU is not idle for 50 s in 10 s")
	assert.Equal(t, times(437, 4005, 10), c.value)
}

// TestEachModeIsJudgedAlone gives the same history of times to two streams, of one CPU or of all: one as it is, and one with a mode in which the
// kernel errs at random: it leaps, falls, or can't be read. The other modes of both are the same. The mode in which it errs never falls, never grows
// by more than can have passed, and where the kernel did not err twice in a row it grows as it does in the other stream.
func TestEachModeIsJudgedAlone(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		cpus := 1
		advance := (*cpuStream).advanceOne
		if seed%2 == 1 {
			cpus = 1 + random.IntN(64)
			advance = func(c *cpuStream, s *scrapeContext, now modeTimes) { c.advanceTotal(s, now, cpus) }
		}
		clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
		var right, wrong cpuStream
		var now modeTimes
		for mode := range now {
			now[mode] = float64(random.IntN(1_000_000)) / 100
		}
		bad := random.IntN(len(now))
		offset := 0.0
		for step := range 50 {
			current := clock.next()
			left := 1000 * cpus // Ticks of 10 s.
			for mode := range now {
				ticks := random.IntN(left + 1)
				left -= ticks
				now[mode] += float64(ticks) / 100
			}
			read, clean := now, step > 0
			switch random.IntN(6) {
			case 0:
				offset, clean = float64(random.Uint64N(1<<41))/100, false
			case 1:
				offset, clean = -now[bad]*random.Float64(), false
			case 2:
				offset, clean = 0, false
			}
			if read[bad] = now[bad] + offset; random.IntN(8) == 0 {
				read[bad] = host.Odd
			}
			before := wrong
			advance(&right, current, now)
			advance(&wrong, current, read)
			for mode := range now {
				if mode != bad {
					require.InDelta(t, right.value[mode], wrong.value[mode], 1e-6, "seed %d step %d", seed, step)
					require.InDelta(t, right.delta[mode], wrong.delta[mode], 1e-6, "seed %d step %d", seed, step)
				}
			}
			if step == 0 {
				continue
			}
			require.GreaterOrEqual(t, wrong.value[bad], before.value[bad], "seed %d step %d", seed, step)
			require.GreaterOrEqual(t, wrong.delta[bad], 0.0)
			possible := 10*float64(cpus) + before.gap[bad] + heldBack
			require.LessOrEqual(t, wrong.delta[bad], possible+1e-6, "seed %d step %d", seed, step)
			if clean && before.seenAs[bad] == modeKnown && wrong.seenAs[bad] == modeKnown {
				require.InDelta(t, right.delta[bad], wrong.delta[bad], heldBack+1e-6, "seed %d step %d", seed, step)
			}
		}
	}
}
