package process

import (
	"time"
	"unique"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// A Process is one process as a scrape found it. It is valid until the scrape after the last one that found it.
type Process struct {
	read.ProcessState
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

	reading    read.Totals         // as this scrape read them
	everRead   read.Fields         // the fields that were read at least once
	children   read.Children       // as the scrape before read them; Faults when I/O was last read
	switches   [2]uint64           // context switches as read before. Of other counters that is Total, of I/O with discounted
	discounted *[ioCounters]uint64 // I/O inherited from children that was counted in them; nil if none is
	inherited  *[ioCounters]uint64 // I/O of children that ended unseen; nil if none is. Only where the source tells of ends
	exitedCPU  cpuTimes            // of descendants that exited since the scrape before, already counted in them

	exact       exactMemory
	cgroupAt    time.Duration // when its cgroup was read last, since the first scrape
	cgroupID    uint64        // number of that cgroup
	lastScrape  uint64        // number of the last scrape that saw the process
	firstScrape uint64        // number of the first scrape that saw it
	counted     bool          // a scrape that succeeded saw it
	newborn     bool          // born since the scrape before, at the time of its first
	reidentify  bool          // its identity is to be read again: a young process may yet become another program, or another user

	filterResult filterResult
	excluded     bool
	ended        bool // its final totals are in
	shown        bool
	rankedBy     uint8 // bit i: the i-th rank key selected the process
	group        *Group
}

// Base returns what the process had used by the previous scrape: where a consumer of deltas starts the series of a process newly shown.
func (p *Process) Base() read.Totals { return before(&p.Total, &p.Delta) }

// Identity returns what is known of the process beyond its numbers.
func (p *Process) Identity() read.Identity { return p.identity.Value() }

// IdentityHandle returns the same for a comparison.
func (p *Process) IdentityHandle() unique.Handle[read.Identity] { return p.identity }

func (p *Process) setIdentity(id read.Identity) { p.identity = unique.Make(id) }

// forgetIdentity makes the tracker read the identity again, and decide again what follows from it.
func (p *Process) forgetIdentity() {
	p.identity, p.filterResult, p.group = unidentified, filterUndecided, nil
}

var unidentified = unique.Make(read.Identity{})

// filterResult is what the filter has decided about a process. It stays until the process becomes another program or another user.
type filterResult uint8

const (
	filterUndecided filterResult = iota // not applied yet, or the attributes that it needs could not be read yet
	filterIncluded
	filterExcluded
)
