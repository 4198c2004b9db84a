package host

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Clock gives the state of the kernel's clock, from adjtimex(2). Below a root it is the same: a kernel has one such clock for all its containers.
// ErrUnsupported where the kernel has no such call.
func (h *Host) Clock() (Clock, error) {
	var tx unix.Timex // Without modes nothing is set.
	state, err := unix.Adjtimex(&tx)
	if err != nil {
		if errors.Is(err, unix.ENOSYS) {
			return Clock{}, ErrUnsupported
		}
		return Clock{}, fmt.Errorf("reading the clock: %w", os.NewSyscallError("adjtimex", err))
	}
	return clockOf(state, &tx), nil
}

// clockOf gives the units of what adjtimex(2) answers: the offset is in nanoseconds or microseconds, as the daemon chose, the errors always in
// microseconds, and the frequency in 2^-16 parts per million.
func clockOf(state int, tx *unix.Timex) Clock {
	const micro, nano = 1e6, 1e9
	c := Clock{
		Offset:         float64(tx.Offset) / micro,
		Synchronized:   state != unix.TIME_ERROR && tx.Status&unix.STA_UNSYNC == 0,
		MaxError:       float64(tx.Maxerror) / micro,
		EstimatedError: float64(tx.Esterror) / micro,
		Frequency:      float64(tx.Freq) / (1 << 16),
	}
	if tx.Status&unix.STA_NANO != 0 {
		c.Offset = float64(tx.Offset) / nano
	}
	for _, v := range [...]*float64{&c.MaxError, &c.EstimatedError} {
		if *v < 0 {
			*v = Odd
		}
	}
	return c
}
