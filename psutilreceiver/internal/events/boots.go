package events

import (
	"sync"
	"time"
)

// sameBoot is how far two readings of the time of one boot may be apart.
const sameBoot = time.Second

var announced struct {
	sync.Mutex
	boot time.Time
}

// announce reports whether a boot is another than the last one that was announced in this process: a reload of the configuration is no boot.
func announce(at time.Time) bool {
	announced.Lock()
	defer announced.Unlock()
	if at.Sub(announced.boot).Abs() < sameBoot {
		return false
	}
	announced.boot = at
	return true
}
