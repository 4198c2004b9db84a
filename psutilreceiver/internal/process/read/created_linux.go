package read

import (
	"math"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const nanosecondsPerTick = uint64(time.Second / proctext.TicksPerSecond)

// Created returns when the process started, given when the host did: starttime counts from boot, to the hundredth of a second.
func (k Key) Created(boot time.Time) time.Time {
	return boot.Add(time.Duration(min(k.Start, math.MaxInt64/nanosecondsPerTick) * nanosecondsPerTick))
}
