package process

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unattributedHost is a host of two CPUs whose time is counted by ticks, and processes that account for theirs.
type unattributedHost struct {
	u    unattributed
	host uint64 // µs
}

func newUnattributedHost() *unattributedHost {
	h := &unattributedHost{host: 1e9}
	h.scrape(0, 0, 0)
	return h
}

// scrape adds what the host counted and what processes account for, in seconds.
func (h *unattributedHost) scrape(elapsed time.Duration, host, attributed float64) float64 {
	h.host += uint64(host * 1e6)
	h.u.add(&ScrapeContext{Elapsed: elapsed, CPUs: 2, HostCPU: h.host}, uint64(attributed*1e6))
	return float64(h.u.total) / 1e6
}

// TestUnattributedTimeIsToldAfterTicksWereMissed: whatever the ticks missed in a storm, for however long it lasted, what processes do not account
// for afterwards is told, but for the bound at once and in full soon.
func TestUnattributedTimeIsToldAfterTicksWereMissed(t *testing.T) {
	const bound = 0.4 // 0.2 s for each of two CPUs
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		h := newUnattributedHost()
		interval := time.Duration(1+random.IntN(60)) * time.Second
		before := 0.0
		for range random.IntN(100) {
			used := 2 * interval.Seconds() * random.Float64()
			before = h.scrape(interval, used*random.Float64(), used)
		}
		lost := 1 + 2*random.Float64()
		told := h.scrape(interval, lost, 0) - before
		require.GreaterOrEqual(t, told, lost-bound-1e-5, "seed %d", seed)
		require.LessOrEqual(t, told, lost+1e-5, "seed %d", seed)

		// The same after a storm and ten minutes of rest.
		before = h.scrape(interval, 0, 5)
		for range int(10*time.Minute/interval) + 1 {
			before = h.scrape(interval, 0.01, 0.01)
		}
		told = h.scrape(interval, lost, 0) - before
		require.InDelta(t, lost, told, bound/16, "seed %d", seed)
	}
}

// TestUnattributedTimeDoesNotGrowByTheDifferenceOfInstants: what a scrape sees of processes early or late is not added up.
func TestUnattributedTimeDoesNotGrowByTheDifferenceOfInstants(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 2))
		h := newUnattributedHost()
		early, told := 0.0, 0.0
		const scrapes = 1000
		for range scrapes {
			used, next := 60*random.Float64(), 0.04*random.Float64() // seconds by which the processes are ahead
			told = h.scrape(time.Minute, used, max(used+next-early, 0))
			early = next
		}
		// A thousandth of one CPU.
		require.Less(t, told, scrapes*60*0.001, "seed %d", seed)
	}
}

func TestUnattributedTimeKeepsNoExcessOfAScrapeWithoutTheHostsTime(t *testing.T) {
	h := newUnattributedHost()
	h.u.add(&ScrapeContext{Elapsed: time.Second, CPUs: 2}, 5e6)
	assert.InDelta(t, 0, h.scrape(time.Second, 5, 0), 1e-6, "what was accounted for meanwhile counts in full")
	assert.InDelta(t, 1, h.scrape(time.Second, 1, 0), 1e-6)
}
