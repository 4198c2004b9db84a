package process

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// Options say what a [Tracker] reads and shows.
type Options struct {
	// Fields are read of every process that the filter includes, beside what the ranking needs. Where FieldMemory is one of them, shown processes
	// have the exact resident memory, and groups and the ranking the approximate one that costs nothing; with FieldShared all have the exact one.
	Fields     read.Fields
	Details    read.Fields     // levels read of shown processes only, because they are expensive, such as FieldProportional; groups have none
	MaxDetails int             // for how many processes details are read in one scrape, in turn; the others keep their last values. 0: all
	Attributes read.Attributes // read of shown processes; a filter or grouping adds what it needs
	Filter     Filter
	Top        Top
	GroupBy    []GroupKey // shows groups in place of processes
	Window     int        // scrapes over which WindowUtilization is computed. 0: it is not
}

// A ScrapeContext is what the caller knows at the time of a scrape. The tracker has no clock.
type ScrapeContext struct {
	Now     time.Time
	Boot    time.Time     // the time that the start of processes counts from: see [read.Key.Created]
	Present time.Time     // now in the clock of Boot, from which Now differs by what the wall clock was set since
	Elapsed time.Duration // monotonic time since the previous scrape; zero or less gives no utilization
	CPUs    float64       // CPUs available; zero gives no utilization
	// HostCPU is the time the host's CPUs ran anything since boot, in µs: user + nice + system of <root>/proc/stat, without guest, which
	// user includes already, and without irq and softirq, which belong to no process. Zero gives no unattributed time.
	HostCPU uint64
}

// A Snapshot is what a scrape found. It belongs to the tracker and is valid until the next scrape.
type Snapshot struct {
	Shown    []*Process // in the order of the scan: by pid on Linux. Empty if processes are grouped
	Groups   []*Group   // the groups shown, in the order in which they appeared. A group whose last member has gone is shown once more
	Other    *Group     // everything that is neither shown nor excluded
	Excluded *Group     // everything that the filter excludes; of it only the fields that cost nothing

	Seen int // processes alive

	LostEnds uint64 // processes that have ended since the scrape before of which the source knows nothing

	// Unattributed is the CPU time since the first scrape that the host used and neither a living process nor a parent's children's time
	// accounts for, in µs, if HasUnattributed. It never falls, and is exact to what [unattributed] says.
	Unattributed    uint64
	HasUnattributed bool

	ReadErrors *read.Errors
}

// A Tracker follows the processes of one host from scrape to scrape. One goroutine uses it at a time.
type Tracker struct {
	source  read.Source
	options Options
	fields  read.Fields
	filter  *filter
	groups  *grouping

	context    ScrapeContext
	scrape     uint64 // number of the scrape
	scrapes    uint64 // scrapes that succeeded
	lastTime   time.Time
	sinceFirst time.Duration // time since the first scrape
	firstTime  time.Time
	// newestStart: what starts before it is not newborn. It is the latest start that the first scrape saw, or one that could not read some.
	newestStart uint64
	latestStart uint64 // that any scrape saw

	byPID          map[int32]*Process
	live, previous []*Process // of this scrape and the one before, in the order of the scan
	leftover       cpuTimes   // exited CPU time that no increase of the scrape before included
	exitedIO       []exitedChildIO
	ends           ends
	unattributed   unattributed
	window         cpuWindow
	ranking        ranking
	ahead          bool  // the processes have been read, for a scrape that is yet to come
	scanError      error // of the last scan
	states         [128]int32
	haveStates     bool
	detailCursor   int32       // pid of the last process whose details were read
	sample         read.Sample // of the process that is read after the scan
	other          Group
	excluded       Group
	snapshot       Snapshot
	visit          func(*read.Sample)
}

// NewTracker returns a tracker of what source reads. The error names the option that has a wrong value.
func NewTracker(source read.Source, options Options) (*Tracker, error) {
	errs := []error{options.Top.validate()} // all of them are told at once
	if options.Filter.MinAge < 0 {
		errs = append(errs, fmt.Errorf("min_age is %v: must not be negative", options.Filter.MinAge))
	}
	if options.Window < 0 || options.Window > MaxWindow {
		errs = append(errs, fmt.Errorf("cpu_window is %d: must be from 0 (none) to %d scrapes", options.Window, MaxWindow))
	}
	if counters := options.Details &^ read.LevelFields; counters != 0 {
		errs = append(errs, fmt.Errorf("details have the fields %#x of counters: must be levels", uint32(counters)))
	}
	f, filterErr := newFilter(options.Filter)
	groups, groupsErr := newGrouping(options.GroupBy)
	if err := errors.Join(append(errs, filterErr, groupsErr)...); err != nil {
		return nil, err
	}
	// What accounts for exited children and what identifies a kernel thread costs nothing where it is available.
	fields := options.Fields | options.Top.needs() | read.FieldCPU | read.FieldChildren
	t := &Tracker{
		source: source, options: options, filter: f, groups: groups, byPID: map[int32]*Process{},
		fields: fields &^ options.Details,
		window: newCPUWindow(options.Window),
	}
	t.visit = t.observe
	t.ends = newEnds(t)
	return t, nil
}

// Scan is the part of a scrape that reads the processes. The Scrape at the same time, of which it has to know the clocks only, goes on from
// there. What it returns is valid until the next scan: all processes by the kernel's letter of their state, nil if the source does not read
// states.
func (t *Tracker) Scan(context ScrapeContext) (*[128]int32, error) {
	t.abandonScan() // If no Scrape came after the last one.
	t.context = context
	t.scrape++
	if t.firstTime.IsZero() {
		t.firstTime = context.Now
	}
	t.sinceFirst = context.Now.Sub(t.firstTime)
	t.states, t.haveStates = [128]int32{}, false
	t.ahead = true
	if t.scanError = t.source.Scan(t.visit); t.scanError != nil {
		t.abandonScan()
		return nil, t.scanError
	}
	if !t.haveStates {
		return nil, nil
	}
	return &t.states, nil
}

// Scrape reads the processes and returns what there is to show. If the list of processes cannot be read to its end it returns an error, and
// the next scrape continues from the last one that succeeded.
func (t *Tracker) Scrape(context ScrapeContext) (*Snapshot, error) {
	if !t.ahead || !context.Now.Equal(t.context.Now) {
		_, _ = t.Scan(context)
	}
	t.context, t.ahead = context, false
	if t.scanError != nil {
		return nil, t.scanError
	}
	if t.scrapes == 0 {
		t.lastTime = context.Now
		t.other.Since, t.excluded.Since = context.Now, context.Now
	}
	for _, p := range t.live {
		t.computeDeltas(p)
	}
	t.updateNewestStart()
	t.beginGroups()
	if t.ends.source != nil {
		t.accountEnds()
	} else {
		t.computeReapedTime()
		t.discountInheritedIO()
	}
	attributed := t.ends.cpu
	t.window.advance(t.scrapes, &t.context)
	for _, p := range t.live {
		t.window.update(t.scrapes, p)
		attributed += p.Delta.CPU() + p.Delta[read.ReapedUser] + p.Delta[read.ReapedSystem]
	}
	t.unattributed.add(&context, attributed)
	t.classify()
	t.readExactMemory()
	t.readDetails()
	t.removeExited()
	t.scrapes++
	t.lastTime = context.Now
	return t.fillSnapshot(), nil
}

// updateNewestStart determines from which start on a process that the next scrapes see first is newborn. One that was listed but could not be
// read, perhaps for lack of descriptors, is forgotten like one that has exited; when it can be read again, it must not count from its birth a
// second time.
func (t *Tracker) updateNewestStart() {
	for _, p := range t.live {
		t.latestStart = max(t.latestStart, p.Start)
	}
	errors := t.source.ReadErrors()
	switch {
	case t.scrapes == 0:
		t.newestStart = t.latestStart
	case errors.Failed[read.FileStat]+errors.Malformed[read.FileStat] > 0:
		t.newestStart = t.latestStart + 1
	}
}

// abandonScan gives up a scan that broke off. What it saw for the first time is followed nevertheless.
func (t *Tracker) abandonScan() {
	for _, p := range t.live {
		if p.firstScrape == t.scrape {
			t.previous = append(t.previous, p)
		}
	}
	t.live = t.live[:0]
}

// removeExited removes the processes that this scrape did not see.
func (t *Tracker) removeExited() {
	for _, p := range t.previous {
		if p.lastScrape != t.scrape && t.byPID[p.PID] == p {
			delete(t.byPID, p.PID)
		}
	}
	clear(t.previous)
	t.previous, t.live = t.live, t.previous[:0]
}

// fillSnapshot returns what the scrape found.
func (t *Tracker) fillSnapshot() *Snapshot {
	s := &t.snapshot
	s.Other, s.Excluded = &t.other, &t.excluded
	s.Seen, s.LostEnds = len(t.previous), t.ends.lost
	s.Unattributed, s.HasUnattributed = t.unattributed.total, t.unattributed.known
	s.ReadErrors = t.source.ReadErrors()
	return s
}

// Close releases what the source keeps open.
func (t *Tracker) Close() error { return t.source.Close() }
