package psutilreceiver

import (
	"sync"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// processPass is the one pass over the processes that the scrapers of an interval make at a time. It is the process scraper's; whichever scraper
// comes first makes it. A scraper that runs at another interval makes its own, or has the states counted by a source that can do so meanwhile.
type processPass struct {
	scraper *processScraper  // nil if it does not run at this interval
	now     func() time.Time // to measure how long it took
	lasted  time.Duration    // the pass that another scraper has made for the process scraper, until that runs
}

// shared tells whether there is a process scraper to share with.
func (p *processPass) shared() bool { return p != nil && p.scraper != nil }

// scan makes the pass for another scraper, and returns all processes by the kernel's letter of their state, nil if the system does not have states.
func (p *processPass) scan(t *scrapeContext) (*[128]int32, error) {
	began := p.now()
	boot := t.boot.AsTime()
	states, err := p.scraper.tracker.Scan(process.ScrapeContext{Now: t.now, Boot: boot, Present: p.scraper.host.Present(boot, t.now)})
	p.lasted = p.now().Sub(began)
	t.forOthers += p.lasted
	return states, err
}

// took returns how long the pass took if another scraper made it.
func (p *processPass) took() time.Duration {
	if p == nil {
		return 0
	}
	lasted := p.lasted
	p.lasted = 0
	return lasted
}

// stateCounter is what counts the states of processes for the scrapers of all intervals of a receiver, if its process scraper has such a source.
type stateCounter struct {
	mu     sync.Mutex
	source read.StateCounter // nil if there is none
}

// set offers a source, which may be one that can't count.
func (c *stateCounter) set(source read.Source) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.source, _ = source.(read.StateCounter)
}

// get returns the source, nil if there is none.
func (c *stateCounter) get() read.StateCounter {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.source
}
