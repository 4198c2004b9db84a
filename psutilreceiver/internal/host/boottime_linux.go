package host

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	// sameClock is how far the time of a caller may be from this kernel's clock and still be taken for a reading of it.
	sameClock = time.Minute
	// sameBoot is how far two answers of one boot may be apart and still be the same instant: a clock that is set by so little is the same clock.
	sameBoot = 10 * time.Millisecond
	// closeReads are close enough together: the instant is given to the millisecond.
	closeReads = 100 * time.Nanosecond
	maxReads   = 1000

	bootIDFile = "/proc/sys/kernel/random/boot_id"
)

// bootInstant is the instant of the boot by this kernel's clocks, to the millisecond. It is the same whenever it is read, as long as nobody sets
// the clock: both clocks run at the same rate, whatever adjusts it. It is kept with the ID of the boot, so that a reload has the same answer.
func bootInstant() (time.Time, error) {
	nanoseconds, err := narrowest(kernelClocks{})
	if err != nil {
		return time.Time{}, err
	}
	id, _ := readFile(rootfs.Root{}, bootIDFile, nil, maxFileSize) // Without an ID there is one boot.
	return knownBoot.of(string(id), time.Unix(0, nanoseconds).Round(time.Millisecond)), nil
}

var knownBoot bootMemory

// bootMemory keeps the instant of a boot for all receivers of this process.
type bootMemory struct {
	mu sync.Mutex
	id string
	at time.Time
}

// of returns the instant that is known of this boot, or this one if none is or if the clock has been set since.
func (b *bootMemory) of(id string, at time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() || b.id != id || at.Sub(b.at).Abs() > sameBoot {
		b.id, b.at = id, at
	}
	return b.at
}

// clocks are the wall clock and the time since boot, in nanoseconds.
type clocks interface {
	wall() (int64, error)
	sinceBoot() (int64, error)
}

type kernelClocks struct{}

func (kernelClocks) wall() (int64, error)      { return clock(unix.CLOCK_REALTIME, "wall clock") }
func (kernelClocks) sinceBoot() (int64, error) { return clock(unix.CLOCK_BOOTTIME, "time since boot") }

func clock(id int32, name string) (int64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0, fmt.Errorf("reading the %s: %w", name, err)
	}
	return t.Nano(), nil
}

// narrowest returns the difference of the two clocks. They can't be read at once, so one is read before and after the other, again and again: the
// difference is in the range of each such read, however long this process was interrupted in between.
func narrowest(c clocks) (int64, error) {
	var low, high int64
	for n := range maxReads {
		before, err := c.wall()
		if err != nil {
			return 0, err
		}
		up, err := c.sinceBoot()
		if err != nil {
			return 0, err
		}
		after, err := c.wall()
		if err != nil {
			return 0, err
		}
		l, h := before-up, after-up
		if n > 0 && max(low, l) <= min(high, h) {
			l, h = max(low, l), min(high, h)
		}
		// Else the first read, or the clock was set between two.
		low, high = l, h
		if high >= low && high-low <= int64(closeReads) {
			break
		}
	}
	return low + (high-low)/2, nil
}
