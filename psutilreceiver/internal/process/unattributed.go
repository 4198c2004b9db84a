package process

import (
	"math"
	"time"
)

// unattributed keeps the CPU time of the host that no process accounts for.
//
// The two sides are sampled by different clocks of the kernel and at different instants: the host's by ticks, the processes' in part exactly, and
// one after the other. So the difference may sink for a while. What processes have accounted for beyond the host's time is an excess, which is
// made good before anything more is added: no error accumulates. But ticks may also have missed what processes did use, as in a storm of forks
// or on a busy virtual machine, and that is never made good. So the excess is bounded, and forgotten with time; else it would hide as much of
// what nobody accounts for later. It adds no more than it was to the total, less than excessBound for each CPU in each excessHalfLife.
type unattributed struct {
	lastHost uint64
	known    bool
	pending  uint64        // accounted for since the host's time was known
	elapsed  time.Duration // in which it was
	excess   uint64        // µs
	total    uint64        // µs since the first scrape
}

const (
	// excessBound for each CPU is above the difference of the instants at which a scrape reads the host and its processes, plus some ticks.
	excessBound = 200 * time.Millisecond
	// excessHalfLife is long against the interval of scrapes, after which a difference of instants is made good.
	excessHalfLife = 2 * time.Minute
)

// add adds one scrape, and what processes have accounted for since the one before. The host's time is 0 if it is not known this time.
func (u *unattributed) add(context *ScrapeContext, attributed uint64) {
	if u.known {
		u.pending += attributed
		u.elapsed += max(context.Elapsed, 0)
	}
	host := context.HostCPU
	if host == 0 {
		return
	}
	if u.known {
		grown := host - min(u.lastHost, host)
		u.excess = u.remaining() + u.pending
		u.total += grown - min(u.excess, grown)
		u.excess -= min(u.excess, grown)
		u.excess = min(u.excess, uint64(float64(excessBound.Microseconds())*max(context.CPUs, 1)))
	}
	u.lastHost, u.known, u.pending, u.elapsed = host, true, 0, 0
}

// remaining returns what is left of the excess now.
func (u *unattributed) remaining() uint64 {
	if u.excess == 0 {
		return 0
	}
	return uint64(math.Round(float64(u.excess) * math.Exp2(-u.elapsed.Seconds()/excessHalfLife.Seconds())))
}
