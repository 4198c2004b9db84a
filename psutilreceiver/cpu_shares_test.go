package psutilreceiver

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// unevenHost is a host whose CPUs come and go, whose reads are late, of which some CPUs count nothing for a while and then all at once, and of which
// a number can't be read now and then.
type unevenHost struct {
	hotplugHost
	clock scrapeContext
	late  float64
}

// next lets time pass and reads. The sample's time is up to two seconds before the read.
func (h *unevenHost) next(plug bool) *host.CPUSample {
	seconds := []float64{1, 5, 15, 60}[h.random.IntN(4)]
	for i := range h.cpus {
		h.cpus[i].lazy = h.cpus[i].online && h.cpus[i].sinceOnline > 4 && h.random.IntN(12) == 0
		h.cpus[i].fixed = !plug
	}
	late := min(2*h.random.Float64(), h.late+seconds-0.5)
	if h.random.IntN(2) == 0 {
		late = 0
	}
	h.step(seconds)
	h.clock.elapsed = time.Duration((seconds + h.late - late) * float64(time.Second))
	h.clock.now, h.clock.previous = h.clock.now.Add(h.clock.elapsed), h.clock.time
	h.clock.time = pcommon.NewTimestampFromTime(h.clock.now)
	h.late = late
	return h.sample()
}

func newUnevenHost(seed uint64) *unevenHost {
	return &unevenHost{hotplugHost: *newHotplugHost(rand.New(rand.NewPCG(seed, 11))), clock: scrapeContext{now: time.Unix(1_700_000_000, 0), boot: 1}}
}

// spoil makes a number odd now and then.
func (h *unevenHost) spoil(t *host.CPUTimes) {
	switch h.random.IntN(10) {
	case 0:
		t.User = host.Odd
	case 1:
		t.Idle = host.Odd
	case 2:
		t.Steal = host.Odd
	}
}

// TestSharesAreTrueOrLeftOut: for any history of reads the shares of a CPU and of all are what the CPUs did in between, or are left out. Without
// odd numbers, with the same CPUs, few are.
func TestSharesAreTrueOrLeftOut(t *testing.T) {
	var told, leftOut [2]int // with the same CPUs and no odd number, else
	for seed := range uint64(400) {
		h := newUnevenHost(seed)
		plug, odd := seed%2 == 0, seed%4 > 1
		kind := 1
		if !plug && !odd {
			kind = 0
		}
		var total cpuStream
		var growth cpuGrowth
		each := make(map[int]*cpuStream)
		var before []modelCPU
		for n := range 60 {
			s := h.next(plug)
			if odd {
				h.spoil(&s.Total)
				h.spoil(&s.PerCPU[h.random.IntN(len(s.PerCPU))])
			}
			said := total.value
			growth.advance(&total, &h.clock, s)
			for mode, v := range modesOf(&s.Total) {
				require.Equal(t, stateOf(v), total.seenAs[mode], "seed %d step %d: mode %d is told when it is read", seed, n, mode)
				require.GreaterOrEqual(t, total.value[mode], said[mode], "seed %d step %d: mode %d falls", seed, n, mode)
			}
			var user, whole float64
			for i := range before {
				user += h.cpus[i].user - before[i].user
				whole += h.cpus[i].user - before[i].user + h.cpus[i].idle - before[i].idle
			}
			check := func(c *cpuStream, user, whole, ticks float64, what string) {
				if !c.shares.known {
					leftOut[kind]++
					return
				}
				if slices.Contains(c.shares.odd[:], oddForGood) {
					return // Of the elapsed time, which is not that between the reads.
				}
				told[kind]++
				tick := ticks * tickLength / c.shares.whole
				require.InDelta(t, user/whole, c.shares.of(0), tick, "seed %d step %d %s: busy", seed, n, what)
				require.InDelta(t, 1-user/whole, c.shares.of(idleMode), tick, "seed %d step %d %s: idle", seed, n, what)
			}
			if n > 0 {
				check(&total, user, whole, 4, "all")
			}
			for i := range s.PerCPU {
				number := s.PerCPU[i].Number
				c := each[number]
				if c == nil {
					c = &cpuStream{}
					each[number] = c
				}
				c.advanceOne(&h.clock, modesOf(&s.PerCPU[i]))
				if n > 0 {
					a, b := before[number], h.cpus[number]
					check(c, b.user-a.user, b.user-a.user+b.idle-a.idle, 4, "one")
				}
			}
			before = append(before[:0], h.cpus...)
		}
	}
	require.Greater(t, told[0], 4*leftOut[0])
	require.Greater(t, 2*told[1], leftOut[1])
}

// TestTheTotalGrowsByWhatTheCPUsDid: also where reads are late or uneven. In a step in which no CPU comes or goes it is exact to the tick, over all
// steps the busy time is, too.
func TestTheTotalGrowsByWhatTheCPUsDid(t *testing.T) {
	for seed := range uint64(400) {
		h := newUnevenHost(seed)
		plug := seed%2 == 0
		var c cpuStream
		var g cpuGrowth
		g.advance(&c, &h.clock, h.sample())
		start, first := c.value, append([]modelCPU{}, h.cpus...)
		var user float64
		for n := range 60 {
			before, told := append([]modelCPU{}, h.cpus...), c.value
			g.advance(&c, &h.clock, h.next(plug))
			settled := true
			var idle float64
			for i := range h.cpus {
				idle += h.cpus[i].idle - before[i].idle
				settled = settled && h.cpus[i].online == before[i].online && (!h.cpus[i].online || h.cpus[i].sinceOnline > settledAfter)
			}
			if settled {
				require.InDelta(t, idle, c.value[idleMode]-told[idleMode], 2*tickLength, "seed %d step %d: idle", seed, n)
			}
		}
		for i := range h.cpus {
			user += h.cpus[i].user - first[i].user
		}
		require.InDelta(t, user, c.value[0]-start[0], 2*tickLength, "seed %d", seed)
	}
}

// TestSharesWhereTheSumIsOfOtherCPUs: as in a container whose total is the host's. The CPUs tell.
func TestSharesWhereTheSumIsOfOtherCPUs(t *testing.T) {
	clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
	var c cpuStream
	var g cpuGrowth
	for n := range 5 {
		f := float64(n)
		g.advance(&c, clock.next(), &host.CPUSample{
			Total: timesOf(-1, times(1000+70*f, 5000+10*f, 0)), PerCPU: []host.CPUTimes{timesOf(0, times(100+4*f, 500+6*f, 0)), timesOf(1, times(100+2*f, 500+8*f, 0))},
		})
		if n > 0 && assert.True(t, c.shares.known) {
			assert.InDelta(t, 0.3, c.shares.of(0), 1e-9)
			assert.InDelta(t, 0.7, c.shares.of(idleMode), 1e-9)
		}
	}
}

// TestSharesOfACPU has one history for each kind of what can't be told.
func TestSharesOfACPU(t *testing.T) {
	at := func(user, idle, iowait, steal float64) modeTimes {
		m := times(user, idle, iowait)
		m[6] = steal
		return m
	}
	const unknown = -1
	for _, tc := range []struct {
		name string
		next []modeTimes
		user []float64 // share at each; unknown if it is left out
	}{
		{"as ever", []modeTimes{at(104, 806, 50, 0)}, []float64{0.4}},
		{"idle is odd once", []modeTimes{at(104, host.Odd, 50, 0), at(108, 812, 50, 0), at(112, 818, 50, 0)}, []float64{unknown, unknown, 0.4}},
		{"idle falls far", []modeTimes{at(104, 1, 50, 0), at(108, 7, 50, 0)}, []float64{unknown, 0.4}},
		{"iowait falls a little", []modeTimes{at(104, 806, 49, 0), at(108, 810, 51, 0)}, []float64{unknown, 0.4}},
		{"iowait falls by a tick", []modeTimes{at(104, 806, 49.99, 0)}, []float64{0.4}},
		{"idle begins again near where it was", []modeTimes{at(104, 806, 50, 0), at(105, 806.5, 50, 0)}, []float64{0.4, unknown}},
		{"steal leaps", []modeTimes{at(104, 806, 50, 1e9), at(108, 812, 50, 1e9)}, []float64{unknown, 0.4}},
		{"all leap a little", []modeTimes{at(110, 810, 50, 0), at(114, 816, 50, 0)}, []float64{unknown, 0.4}},
		{
			"steal stays odd",
			[]modeTimes{at(104, 806, 50, host.Odd), at(108, 812, 50, host.Odd), at(112, 818, 50, host.Odd), at(116, 820, 50, host.Odd)},
			[]float64{unknown, unknown, 0.4, 0.4},
		},
		{"idle stays odd", []modeTimes{at(104, host.Odd, 50, 0), at(108, host.Odd, 50, 0), at(112, host.Odd, 50, 0)}, []float64{unknown, unknown, 0.4}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, all := range []bool{false, true} {
				clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
				var c cpuStream
				var g cpuGrowth
				read := func(m modeTimes) {
					if all {
						g.advance(&c, clock.next(), &host.CPUSample{Total: timesOf(-1, m), PerCPU: []host.CPUTimes{timesOf(0, m)}})
					} else {
						c.advanceOne(clock.next(), m)
					}
				}
				read(at(100, 800, 50, 0))
				for i, m := range tc.next {
					read(m)
					if tc.user[i] == unknown {
						assert.False(t, c.shares.known, "read %d, all: %t", i, all)
					} else if assert.True(t, c.shares.known, "read %d, all: %t", i, all) {
						assert.InDelta(t, tc.user[i], c.shares.of(0), 1e-9, "read %d, all: %t", i, all)
					}
				}
			}
		})
	}
}
