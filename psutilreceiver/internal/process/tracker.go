package process

import (
	"fmt"
	"time"
	"unique"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// Options say what a [Tracker] reads and shows.
type Options struct {
	Fields     read.Fields     // figures wanted of every process that counts, beside what the ranking needs
	Details    read.Fields     // levels wanted of shown processes only, because they are dear, such as FieldProportional; groups have none
	MaxDetails int             // for how many processes details are read in one scrape, in turn; the others keep theirs. 0: all
	Attributes read.Attributes // attributes wanted of shown processes; a filter or grouping adds what it needs
	Filter     Filter
	Top        Top
	GroupBy    []GroupKey // shows groups in place of processes
	Window     int        // scrapes over which WindowUtilization is taken. 0: it is not
}

// A Tick is what the caller knows at the time of a scrape. The tracker has no clock.
type Tick struct {
	Now     time.Time
	Boot    time.Time     // the time that the start of processes counts from: see [Key.Created]
	Present time.Time     // now in the clock of Boot, from which Now differs by what the wall clock was set since
	Elapsed time.Duration // monotonic time since the previous scrape; zero or less gives no utilization
	CPUs    float64       // CPUs available; zero gives no utilization
	// HostCPU is the time the host's CPUs ran anything since boot, in µs: user + nice + system of <root>/proc/stat, without guest, which
	// user holds already, and without irq and softirq, which are no process's. Zero gives no unattributed time.
	HostCPU uint64
}

// A Process is one process as a scrape found it. It lives until the scrape after its last.
type Process struct {
	read.Vitals
	identity unique.Handle[read.Identity] // shared: hosts run many processes that differ in their numbers alone
	comm     string

	Total read.Totals // what the process used in its life. Counters that the kernel lets fall stay as high as they were
	Delta Deltas      // what of it is new since the previous scrape: all for a process born since, nothing for one first seen otherwise

	// CPUUtilization is the share of the CPUs available that the process used since the previous scrape, from 0 to 1, if HasUtilization:
	// from its second scrape on.
	CPUUtilization float64
	HasUtilization bool

	// WindowUtilization is the same in user mode and in kernel mode over the last scrapes, as many as [Options] say or as have seen the
	// process, if HasWindow.
	WindowUtilization [2]float64
	HasWindow         bool

	window     []cpuTimes // CPU time used, at the scrapes of the window
	windowFrom uint64     // first scrape in it

	reading  read.Totals         // as this scrape read them
	known    read.Fields         // the figures that were held at least once
	children read.Children       // as read before: Faults when I/O was read before
	switches [2]uint64           // context switches as read before: of all other counters that is Total, of I/O with disowned
	disowned *[ioCounters]uint64 // I/O inherited from children that was counted in them; nil if none is
	debt     cpuTimes
	stamp    uint64 // of the last scrape that saw the process
	first    uint64 // of the first scrape that saw it
	settled  bool   // a scrape that succeeded saw it
	newborn  bool   // born since the scrape before, at the time of its first
	recheck  bool   // its identity is to be read again: a young process may yet become another program, or another user
	verdict  verdict
	excluded bool
	shown    bool
	ranked   uint8 // bit i: the i-th rank key brought the process in
	group    *Group
}

// Base returns what the process had used by the previous scrape: where a consumer of deltas starts the series of a process newly shown.
func (p *Process) Base() read.Totals { return before(&p.Total, &p.Delta) }

// Identity returns what is known of the process beyond its numbers.
func (p *Process) Identity() read.Identity { return p.identity.Value() }

// IdentityHandle returns the same for a comparison.
func (p *Process) IdentityHandle() unique.Handle[read.Identity] { return p.identity }

type verdict uint8

const (
	undecided verdict = iota
	kept
	dropped
)

// A Snapshot is what a scrape found. It is the tracker's and valid until the next scrape.
type Snapshot struct {
	Shown    []*Process // in the order of the scan: by pid on Linux. Empty if processes are grouped
	Groups   []*Group   // the groups shown, in the order in which they came up. A group whose last member has gone is shown once more
	Other    *Group     // all that is neither shown nor excluded
	Excluded *Group     // all that the filter excludes; of its figures only those that cost nothing

	Seen int // processes alive

	// Unattributed is the CPU time since the first scrape that the host used and neither a living process nor a parent's children's time
	// accounts for, in µs, if HasUnattributed. It never falls.
	Unattributed    uint64
	HasUnattributed bool

	Tally *read.Tally
}

// A Tracker follows the processes of one host from scrape to scrape. One goroutine uses it at a time.
type Tracker struct {
	source  read.Source
	options Options
	fields  read.Fields
	filter  *filter
	groups  *grouping

	tick     Tick
	stamp    uint64 // number of the scrape
	scrapes  uint64 // scrapes that succeeded
	lastTime time.Time
	newest   uint64 // what starts before it is not newborn: the latest start that the first scrape saw, or one that lost sight of some
	latest   uint64 // the latest start that any scrape saw

	byPID          map[int32]*Process
	live, previous []*Process // of this scrape and the one before, in the order of the scan
	carried        cpuTimes
	ioDebts        []ioDebt // that no scrape has seen paid yet; nil if there are none
	unattributed   unattributed
	window         cpuWindow
	ranking        ranking
	detailCursor   int32
	snapshot       Snapshot
	sample         read.Sample // of the process in hand when the scan is over
	other          Group
	excluded       Group
	visit          func(*read.Sample)
}

// NewTracker returns a tracker of what source reads. The error names the option that has a wrong value.
func NewTracker(source read.Source, options Options) (*Tracker, error) {
	if err := options.Top.validate(); err != nil {
		return nil, err
	}
	if options.Filter.MinAge < 0 {
		return nil, fmt.Errorf("min_age is %v: must not be negative", options.Filter.MinAge)
	}
	if options.Window < 0 || options.Window > MaxWindow {
		return nil, fmt.Errorf("cpu_window is %d: must be from 0 (none) to %d scrapes", options.Window, MaxWindow)
	}
	f, err := newFilter(options.Filter)
	if err != nil {
		return nil, err
	}
	groups, err := newGrouping(options.GroupBy)
	if err != nil {
		return nil, err
	}
	t := &Tracker{
		source: source, options: options, filter: f, groups: groups, byPID: map[int32]*Process{},
		// What accounts for exited children and tells a kernel thread costs nothing where it is to be had.
		fields: options.Fields | options.Top.needs() | read.FieldCPU | read.FieldChildren,
		window: newCPUWindow(options.Window),
	}
	t.fields &^= t.options.Details
	if dear := options.Details &^ read.LevelFields; dear != 0 {
		return nil, fmt.Errorf("details have the fields %#x of counters: must be levels", uint32(dear))
	}
	t.visit = t.see
	return t, nil
}

// Scrape reads the processes and returns what there is to show. If the list of processes cannot be read to its end it returns an error, and
// the next scrape goes on from the last that succeeded.
func (t *Tracker) Scrape(tick Tick) (*Snapshot, error) {
	t.tick = tick
	t.stamp++
	if err := t.source.Scan(t.visit); err != nil {
		t.undo()
		return nil, err
	}
	if t.scrapes == 0 {
		t.lastTime = tick.Now
		t.other.Since, t.excluded.Since = tick.Now, tick.Now
	}
	var attributed uint64
	t.window.advance(t.scrapes, &t.tick)
	for _, p := range t.live {
		t.settle(p)
		t.window.settle(t.scrapes, p)
		attributed += p.Delta.CPU()
	}
	t.noteStarts()
	t.settleReaped()
	t.settleInherited()
	for _, p := range t.live {
		attributed += p.Delta[read.ReapedUser] + p.Delta[read.ReapedSystem]
	}
	t.unattributed.settle(tick.HostCPU, attributed)
	t.assign()
	t.readDetails()
	t.forget()
	t.scrapes++
	t.lastTime = tick.Now
	return t.report(), nil
}

// noteStarts notes from which start on a process that the next scrapes see first is newborn. One that was listed but could not be read, for
// want of descriptors perhaps, is forgotten like one that is gone; when it is back, it must not count from its birth a second time.
func (t *Tracker) noteStarts() {
	for _, p := range t.live {
		t.latest = max(t.latest, p.Start)
	}
	tally := t.source.Tally()
	switch {
	case t.scrapes == 0:
		t.newest = t.latest
	case tally.Failed[read.FileStat]+tally.Garbage[read.FileStat] > 0:
		t.newest = t.latest + 1
	}
}

// Close gives back what the source holds open.
func (t *Tracker) Close() error { return t.source.Close() }
