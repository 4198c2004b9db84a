package host

import "time"

// ClockOffset is what the wall clock is ahead of this kernel's time since boot, suspended time included. It changes when the clock is set, and not
// by what keeps a clock right at its rate.
func ClockOffset() (time.Duration, error) {
	n, err := narrowest(kernelClocks{})
	return time.Duration(n), err
}
