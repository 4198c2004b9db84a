package harness

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// ProcessCount knows between which bounds the number of processes was since it began to look. Other tests start and end processes meanwhile.
type ProcessCount struct {
	mu        sync.Mutex
	low, high float64
}

// WatchProcesses counts the processes of this host, ten times a second until the test ends.
func WatchProcesses(t *testing.T) *ProcessCount {
	t.Helper()
	now := processesNow(t)
	c := &ProcessCount{low: now, high: now}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				c.add(processesNow(t))
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	return c
}

func (c *ProcessCount) add(n float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.low, c.high = min(c.low, n), max(c.high, n)
}

// Holds is an error unless a number of processes lies between the bounds, give or take what lived for a moment only.
func (c *ProcessCount) Holds(n float64) error {
	const moment = 20
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < c.low-moment || n > c.high+moment {
		return fmt.Errorf("%v processes, /proc has shown %v to %v", n, c.low, c.high)
	}
	return nil
}

func processesNow(t *testing.T) float64 {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Error(err)
	}
	return float64(len(dirs))
}
