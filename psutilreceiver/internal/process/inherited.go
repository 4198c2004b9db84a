package process

import (
	"cmp"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// # I/O of children that were waited for
//
// When a process has been waited for, the kernel adds its I/O, and what it had inherited itself in this way, to its parent's (wait_task_zombie),
// and /proc/PID/io prints the sum: it has no value of its own for children, as stat has cutime. What was counted while the child was seen would
// be counted again. So all the I/O of a process that has exited, as last read, is discounted from the increase of the ancestor that inherited
// it. What the child moved after its last reading cannot be distinguished from the ancestor's own, and stays with the ancestor: nothing is lost.
//
// A child that nobody waited for, such as one of a parent that ignores SIGCHLD, leaves nothing. The evidence of an inheritance is cminflt in
// the ancestor's stat, which grows on the same occasion by the child's minflt and cminflt. I/O is discounted if this growth covers the child's
// faults, and the increase of every I/O counter the child's I/O; else it is tried again in the next scrape, and in that one only: the ancestor
// may have been read just before it waited for the child.
//
// The ancestor is the parent, if that is alive. If it has exited, too, the child's I/O may have come to the parent's ancestor along with the
// parent's, or, as an orphan's, to init or a subreaper. All of these are ancestors, and the I/O is discounted from the nearest one whose
// increase is large enough: a guess, which may choose the wrong one of them, but only one.

// ioCounters is the number of counters from /proc/PID/io, of which DiskReadBytes is the first.
const ioCounters = 4

const ioFields = read.FieldDiskIO | read.FieldLogicalIO

// ioAmount is what a parent inherits from a child that it waits for.
type ioAmount struct {
	faults uint64             // minor faults: the child's stat minflt (10) + cminflt (11)
	io     [ioCounters]uint64 // bytes
}

// exitedChildIO is the I/O of a process that has exited, which no increase has been seen to include yet.
type exitedChildIO struct {
	amount    ioAmount
	ancestor  *Process // the nearest ancestor alive when the exit was found; nil if none is known
	uncertain bool     // ancestor is not the parent, or has exited since: another ancestor may have inherited
	retried   bool     // found by the scrape before
}

// discountInheritedIO removes from I/O deltas what has been counted in children. It runs after the processes' own deltas are known and before
// exited processes are removed.
func (t *Tracker) discountInheritedIO() {
	for i := range t.exitedIO {
		if e := &t.exitedIO[i]; e.ancestor != nil && e.ancestor.lastScrape != t.scrape {
			e.ancestor, e.uncertain = t.nearestAncestor(e.ancestor), true
		}
	}
	for _, p := range t.previous {
		if p.lastScrape == t.scrape || !p.counted || p.everRead&read.FieldChildrenFaults == 0 {
			continue
		}
		e := exitedChildIO{
			amount:   ioAmount{faults: p.Total[read.MinorFaults] + p.children.Faults, io: p.rawIO()},
			ancestor: t.nearestAncestor(p),
		}
		e.uncertain = e.ancestor == nil || e.ancestor.PID != p.PPID
		if e.amount.faults > 0 && e.amount.io != [ioCounters]uint64{} {
			t.exitedIO = append(t.exitedIO, e)
		}
	}
	if len(t.exitedIO) > 0 {
		t.discountExitedIO()
	}
	for _, p := range t.live {
		// The growth is that since I/O was last read, as the delta is.
		if p.Have&ioFields != 0 {
			p.children.Faults = max(p.children.Faults, p.Children.Faults)
		}
	}
}

// discountExitedIO begins with the exited children of which the ancestor is certain, and of these with those of most faults: the growth that
// the faults of another would leave over may be that of its time after the last reading.
func (t *Tracker) discountExitedIO() {
	slices.SortStableFunc(t.exitedIO, func(a, b exitedChildIO) int {
		if a.uncertain != b.uncertain {
			if b.uncertain {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.amount.faults, a.amount.faults)
	})
	t.exitedIO = slices.DeleteFunc(t.exitedIO, func(e exitedChildIO) bool { return t.discount(&e) || e.retried })
	for i := range t.exitedIO {
		t.exitedIO[i].retried = true
	}
	if len(t.exitedIO) == 0 {
		t.exitedIO = nil
	}
}

// discount removes the I/O of an exited child from the increase of the nearest ancestor that can have inherited it. Where none can, it is
// removed from all that might have together: another child's I/O was discounted from the wrong one. If that is not enough either, it removes
// nothing and reports false.
func (t *Tracker) discount(e *exitedChildIO) bool {
	var buffer [maxAncestors]*Process
	ancestors := t.possibleAncestors(e, buffer[:0])
	for i := range ancestors {
		if e.amount.discountFrom(ancestors[i : i+1]) {
			return true
		}
	}
	return e.amount.discountFrom(ancestors)
}

// discountFrom removes an amount from the increases of some processes, if together they can have inherited it.
func (a ioAmount) discountFrom(processes []*Process) bool {
	rest := a
	for _, p := range processes {
		limit := p.maxInherited()
		rest.subtractUpTo(&limit)
	}
	if rest != (ioAmount{}) {
		return false
	}
	for _, p := range processes {
		limit := p.maxInherited()
		p.discountIO(a.subtractUpTo(&limit))
	}
	return true
}

// possibleAncestors appends the processes that may have inherited from a child, the nearest first.
func (t *Tracker) possibleAncestors(e *exitedChildIO, ancestors []*Process) []*Process {
	p := e.ancestor
	if p == nil {
		p = t.initProcess()
	}
	for p != nil && len(ancestors) < maxAncestors {
		ancestors = append(ancestors, p)
		if !e.uncertain {
			break
		}
		p = t.nearestAncestor(p)
	}
	return ancestors
}

// initProcess returns the process to which orphans are handed, nil if it is not seen.
func (t *Tracker) initProcess() *Process {
	if p := t.byPID[1]; p != nil && p.lastScrape == t.scrape {
		return p
	}
	return nil
}

// subtractUpTo subtracts limit, or as much of it as there is, and returns what it has subtracted.
func (a *ioAmount) subtractUpTo(limit *ioAmount) (subtracted ioAmount) {
	subtracted.faults = subtractUpTo(&a.faults, limit.faults)
	for i := range a.io {
		subtracted.io[i] = subtractUpTo(&a.io[i], limit.io[i])
	}
	return subtracted
}

// maxInherited returns the most that the process may have inherited since the previous scrape, without what was recognized as such already.
func (p *Process) maxInherited() (most ioAmount) {
	if p.Have&ioFields == 0 || p.Children.Faults <= p.children.Faults {
		return most
	}
	most.faults = p.Children.Faults - p.children.Faults
	copy(most.io[:], p.Delta[read.DiskReadBytes:])
	return most
}

// discountIO removes what the process inherited from its delta and its total.
func (p *Process) discountIO(inherited ioAmount) {
	p.children.Faults += inherited.faults
	if inherited.io == [ioCounters]uint64{} {
		return
	}
	if p.discounted == nil {
		p.discounted = new([ioCounters]uint64)
	}
	for i, bytes := range inherited.io {
		c := read.DiskReadBytes + read.Counter(i)
		p.Delta[c] -= bytes
		p.Total[c] -= bytes
		p.discounted[i] += bytes
	}
}

// ownIO returns the part of a value of /proc/PID/io that is not known to be that of a child that was counted itself.
func (p *Process) ownIO(c read.Counter, raw uint64) uint64 {
	switch {
	case p.discounted != nil:
		return raw - min(raw, p.discounted[c-read.DiskReadBytes])
	case p.inherited != nil:
		return raw + p.inherited[c-read.DiskReadBytes]
	}
	return raw
}

// rawIO returns what was last read of /proc/PID/io.
func (p *Process) rawIO() (raw [ioCounters]uint64) {
	copy(raw[:], p.Total[read.DiskReadBytes:])
	if p.discounted != nil {
		for i := range raw {
			raw[i] += p.discounted[i]
		}
	}
	return raw
}
