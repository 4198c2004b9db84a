package process

import "time"

// startAt returns the start of a process that began at an offset from the tick.
func startAt(tick Tick, offset time.Duration) uint64 {
	return uint64(tick.Now.Add(offset).Sub(tick.Boot)) / uint64(10*time.Millisecond)
}
