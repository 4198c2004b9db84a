package process

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

// cpuWindow has what is needed for the utilization of each process over the last scrapes: how much CPU time was available. How much of it
// each process used is in [Process].
type cpuWindow struct {
	scrapes   int      // that the window spans; 0: there is none
	available []uint64 // CPU time available since the first scrape, µs, at the last scrapes+1 scrapes, in a ring
}

// MaxWindow bounds [Options.Window]: each scrape of it takes 16 bytes of every process.
const MaxWindow = 1000

func newCPUWindow(scrapes int) cpuWindow {
	if scrapes == 0 {
		return cpuWindow{}
	}
	return cpuWindow{scrapes: scrapes, available: make([]uint64, scrapes+1)}
}

// slot returns the index in the ring of the scrape of that number.
func (w *cpuWindow) slot(scrape uint64) uint64 { return scrape % uint64(w.scrapes+1) }

// advance begins the scrape of that number.
func (w *cpuWindow) advance(scrape uint64, context *ScrapeContext) {
	if w.scrapes == 0 {
		return
	}
	var before uint64
	if scrape > 0 {
		before = w.available[w.slot(scrape-1)]
	}
	w.available[w.slot(scrape)] = before + uint64(max(float64(context.Elapsed.Microseconds())*context.CPUs, 0))
}

// update sets the process's utilization over the window, or over the part of it in which the process was seen. An excluded process has none.
func (w *cpuWindow) update(scrape uint64, p *Process) {
	p.HasWindow = false
	if w.scrapes == 0 || p.excluded {
		p.window = nil
		return
	}
	if p.window == nil {
		p.window, p.windowFrom = make([]cpuTimes, w.scrapes+1), scrape
	}
	now := cpuTimes{p.Total[read.CPUUser], p.Total[read.CPUSystem]}
	p.window[w.slot(scrape)] = now
	back := min(scrape-p.windowFrom, uint64(w.scrapes))
	then := w.slot(scrape - back)
	available := float64(w.available[w.slot(scrape)] - w.available[then])
	if available <= 0 {
		return
	}
	p.HasWindow = true
	for i := range now {
		p.WindowUtilization[i] = min(float64(now[i]-p.window[then][i])/available, 1)
	}
}
