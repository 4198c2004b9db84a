package psutilreceiver

import (
	"runtime/debug"
	"sync"
	"time"
)

// startupTime is how long after the start of a receiver the memory that only starting needed is given back: by then each scraper with a
// collection_interval of that time or less has run, and whoever starts beside it.
const startupTime = 10 * time.Second

// startupMemory gives back once what starting a Collector took, however many receivers start: half of what is then resident is code of packages' initializers,
// of the configuration and of components that are not used, and heap of all of these.
type startupMemory struct {
	mu      sync.Mutex
	timer   *time.Timer
	release func()
}

var startup = startupMemory{release: releaseStartupMemory}

// begin has the memory given back a while after the start that is last.
func (s *startupMemory) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(startupTime, s.release)
}

// end is for a process that stops before.
func (s *startupMemory) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
}

// releaseStartupMemory costs one collection of garbage, and afterwards a page fault for each 64 KiB of code that runs again, some hundred in all.
func releaseStartupMemory() {
	debug.FreeOSMemory()
	unmapUnusedCode()
}
