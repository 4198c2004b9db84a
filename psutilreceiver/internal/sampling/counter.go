package sampling

import "time"

// Counter turns the totals of one counter into rates. The zero value has seen no total.
type Counter struct {
	total float64
	at    time.Duration
	known bool
}

// Advance takes the next total, read at a monotonic time, and returns the change per second since the one before, and the
// seconds in between. Ok is false for a first total, after a reset, and when no time has passed.
func (c *Counter) Advance(total float64, at time.Duration) (rate, elapsed float64, ok bool) {
	was := *c
	if was.known && at <= was.at {
		return 0, 0, false
	}
	*c = Counter{total: total, at: at, known: true}
	if !was.known || total < was.total {
		return 0, 0, false
	}
	elapsed = (at - was.at).Seconds()
	return (total - was.total) / elapsed, elapsed, true
}

// Forget makes the next total a first one, because it will be that of another device.
func (c *Counter) Forget() { *c = Counter{} }
