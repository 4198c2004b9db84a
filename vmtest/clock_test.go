package vmtest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/kernel"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

const ratesConfig = `
receivers:
  psutil:
    collection_interval: 1s
    rates: {enabled: true, metrics: [system.cpu.context_switches]}
    scrapers: {cpu: {}, processes: {}, disk: {}, system: {}}
  psutil/delta:
    collection_interval: 1s
    temporality: delta
    scrapers: {network: {}, paging: {}}
`

// testClock sets the wall clock forward and back, by little and by much.
func testClock(t *testing.T, vm *machine.Machine) {
	t.Helper()
	c := startCollector(t, vm, ratesConfig+metricsTo("psutil, psutil/delta"))
	c.record(t)
	c.batches(t, 6)
	before, err := vm.Snapshot()
	require.NoError(t, err)
	const back = 6 * time.Second
	for _, step := range []time.Duration{time.Hour, -back, -24 * time.Hour, 24*time.Hour - time.Hour + back} {
		require.NoError(t, vm.MoveClock(step))
		if step == -back {
			time.Sleep(back)
		}
		c.batches(t, 8)
	}
	after, err := vm.Snapshot()
	require.NoError(t, err)
	truth := c.recording(t)
	ps := c.finish(t, points.Allowed{StepsBack: 1, SmallStepsBack: 1})

	assertUptime(t, ps, before.After.Boottime, after.Before.Boottime)
	noFault(t, "clock: rates by monotonic time", wrongRates(truth, ps))
}

// assertUptime holds that the uptime always grows, and by as much as the clock that nobody sets.
func assertUptime(t *testing.T, ps points.Points, from, to int64) {
	t.Helper()
	uptime := ps.Of("system.uptime")
	require.NotEmpty(t, uptime)
	grown := uptime[len(uptime)-1].Value - uptime[0].Value
	assert.InDelta(t, time.Duration(to-from).Seconds(), grown, 8, "growth of the uptime")
	for i := 1; i < len(uptime); i++ {
		assert.Greater(t, uptime[i].Value, uptime[i-1].Value, "uptime %v", uptime[i])
	}
}

// wrongRates compares rates with what the totals grew by a second of the clock that nobody sets. After a small step back the wall clock
// has said the same twice: either instant may be meant.
func wrongRates(truth kernel.Recording, ps points.Points) (wrong []string) {
	const tolerance = 0.03
	totals := ps.Of("system.cpu.context_switches")
	rates := byTime(ps.Of("system.cpu.context_switches.rate"))
	var last time.Duration
	for i, p := range totals {
		instants := truth.MonotonicAfter(last, p.Time)
		if len(instants) == 0 {
			last = 0
			continue
		}
		rate, ok := rates[p.Time]
		before := last
		last = instants[0]
		if i == 0 || before == 0 || !ok {
			continue
		}
		var problem string
		for _, now := range instants {
			actual := (p.Value - totals[i-1].Value) / (now - before).Seconds()
			if math.Abs(rate-actual) <= tolerance*actual+1 {
				problem, last = "", now
				break
			}
			problem = fmt.Sprintf("a rate of %.1f, true is %.1f in %v: %v", rate, actual, now-before, p)
		}
		if problem != "" {
			wrong = append(wrong, problem)
		}
	}
	return wrong
}

func byTime(ps points.Points) map[int64]float64 {
	m := make(map[int64]float64)
	for _, p := range ps {
		m[p.Time] = p.Value
	}
	return m
}

// testSuspend puts the machine to sleep.
func testSuspend(t *testing.T, vm *machine.Machine) {
	t.Helper()
	c := startCollector(t, vm, ratesConfig+metricsTo("psutil, psutil/delta"))
	c.batches(t, 6)
	const asleep = 12 * time.Second
	before, err := vm.Snapshot()
	require.NoError(t, err)
	require.NoError(t, vm.Suspend(asleep))
	after, err := vm.Snapshot()
	require.NoError(t, err)
	slept := (after.Before.Boottime - before.After.Boottime) - (after.Before.Monotonic - before.After.Monotonic)
	require.Greater(t, time.Duration(slept), asleep/2, "the machine slept")
	c.batches(t, 8)
	ps := c.finish(t, points.Allowed{})

	assertUptime(t, ps, before.After.Boottime, after.Before.Boottime)
	totals, times := totalsByTime(ps)
	for i := 1; i < len(times); i++ {
		grown := sum(totals[times[i]]) - sum(totals[times[i-1]])
		elapsed := time.Duration(times[i] - times[i-1])
		if elapsed > asleep/2 {
			t.Logf("across the sleep: %.2f CPU-seconds in %v", grown, elapsed)
			elapsed -= time.Duration(slept)
		}
		assert.LessOrEqual(t, grown, 2*elapsed.Seconds()+1, "CPU-seconds of two CPUs at %s", clockOf(times[i]))
	}
	noFault(t, "suspend: rates per second awake", wrongAwake(ps, time.Duration(slept)))
}

// wrongAwake compares rates with what the totals grew by in the time in which the machine was awake.
func wrongAwake(ps points.Points, slept time.Duration) (wrong []string) {
	totals := ps.Of("system.cpu.context_switches")
	rates := byTime(ps.Of("system.cpu.context_switches.rate"))
	for i := 1; i < len(totals); i++ {
		a, b := totals[i-1], totals[i]
		awake := time.Duration(b.Time - a.Time)
		if awake > slept {
			awake -= slept
		}
		actual := (b.Value - a.Value) / awake.Seconds()
		// One of the clocks is only as exact as the machine's own, which keeps it while it sleeps in seconds.
		if rate := rates[b.Time]; awake > 500*time.Millisecond && (rate < actual/3 || rate > actual*3) {
			wrong = append(wrong, fmt.Sprintf("a rate of %.1f, true is %.1f in %v awake: %v", rate, actual, awake, b))
		}
	}
	return wrong
}
