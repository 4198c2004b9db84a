package process

import (
	"cmp"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// # I/O of children that were waited for
//
// When a process has been waited for, the kernel adds its I/O, and what it had taken over itself in this way, to its parent's (wait_task_zombie),
// and /proc/PID/io prints the sum: it has no figure of its own for children, as stat has cutime. What was counted while the child was seen would
// be counted again. So a process that is gone leaves a debt, all of its I/O as last read, which is taken off the increase of the heir that
// inherited it. What the child moved after its last reading cannot be told from the heir's own, and stays with the heir: nothing is lost.
//
// A child that nobody waited for, as of a parent that ignores SIGCHLD, leaves nothing. The witness that there was an inheritance is cminflt of
// the heir's stat, which grows on the same occasion by the child's minflt and cminflt. A debt is paid if the growth covers the child's faults,
// and the increase of every figure its I/O; else it waits for the next scrape, and for that alone: the heir may have been read just before it
// waited for the child.
//
// The heir is the parent, if that is alive. If it is gone, too, the child may have come to the parent's heir along with it, or as an orphan to
// init or a subreaper. These are ancestors all, and the debt is taken of the nearest that has something to pay it with: a guess, which may lay
// it on the wrong one of them, but on one alone.

// ioCounters is the number of counters from /proc/PID/io, of which DiskReadBytes is the first.
const ioCounters = 4

const ioFields = read.FieldDiskIO | read.FieldLogicalIO

// inheritance is what a parent takes over from a child that it waits for.
type inheritance struct {
	faults uint64             // minor faults: the child's stat minflt (10) + cminflt (11)
	io     [ioCounters]uint64 // bytes
}

// ioDebt is the I/O of a process that is gone.
type ioDebt struct {
	owed    inheritance
	heir    *Process // the nearest ancestor alive when the debt was found; nil if none is known
	orphan  bool     // that is not the parent, or not alive any more
	carried bool     // found by the scrape before
}

// settleInherited takes off I/O deltas what has been counted in children. It runs after the processes' own deltas are known and before the dead
// are forgotten.
func (t *Tracker) settleInherited() {
	for i := range t.ioDebts {
		if d := &t.ioDebts[i]; d.heir != nil && d.heir.stamp != t.stamp {
			d.heir, d.orphan = t.survivor(d.heir), true
		}
	}
	for _, p := range t.previous {
		if p.stamp == t.stamp || !p.settled || p.known&read.FieldChildren == 0 {
			continue
		}
		d := ioDebt{owed: inheritance{faults: p.Total[read.MinorFaults] + p.children.Faults, io: p.rawIO()}, heir: t.survivor(p)}
		d.orphan = d.heir == nil || d.heir.PID != p.PPID
		if d.owed.faults > 0 && d.owed.io != [ioCounters]uint64{} {
			t.ioDebts = append(t.ioDebts, d)
		}
	}
	if len(t.ioDebts) > 0 {
		t.payIO()
	}
	for _, p := range t.live {
		// The growth is that since I/O was read before, as the delta is.
		if p.Have&ioFields != 0 {
			p.children.Faults = max(p.children.Faults, p.Children.Faults)
		}
	}
}

// payIO begins with the debts of which the heir is certain, and of these with the largest: what growth the faults of another would leave over
// may be that of its last stretch.
func (t *Tracker) payIO() {
	slices.SortStableFunc(t.ioDebts, func(a, b ioDebt) int {
		if a.orphan != b.orphan {
			if b.orphan {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.owed.faults, a.owed.faults)
	})
	t.ioDebts = slices.DeleteFunc(t.ioDebts, func(d ioDebt) bool { return t.pay(d) || d.carried })
	for i := range t.ioDebts {
		t.ioDebts[i].carried = true
	}
	if len(t.ioDebts) == 0 {
		t.ioDebts = nil
	}
}

// pay takes the debt off the increase of the nearest heir who can have inherited it. Where none can, what may be an orphan's is taken of all
// together: another's debt was laid on the wrong one. If that is not enough, either, it takes nothing and reports false.
func (t *Tracker) pay(d ioDebt) bool {
	var buffer [maxAncestors]*Process
	heirs := t.heirs(&d, buffer[:0])
	for i := range heirs {
		if d.owed.takenOf(heirs[i : i+1]) {
			return true
		}
	}
	return d.owed.takenOf(heirs)
}

// takenOf takes an inheritance off the increases of some heirs, if together they can have inherited it.
func (a inheritance) takenOf(heirs []*Process) bool {
	rest := a
	for _, heir := range heirs {
		room := heir.inherited()
		rest.less(&room)
	}
	if rest != (inheritance{}) {
		return false
	}
	for _, heir := range heirs {
		room := heir.inherited()
		heir.disown(a.less(&room))
	}
	return true
}

// heirs appends who may have inherited, the nearest first.
func (t *Tracker) heirs(d *ioDebt, heirs []*Process) []*Process {
	heir := d.heir
	if heir == nil {
		heir = t.survivingInit()
	}
	for heir != nil && len(heirs) < maxAncestors {
		heirs = append(heirs, heir)
		if !d.orphan {
			break
		}
		heir = t.survivor(heir)
	}
	return heirs
}

// survivingInit returns the process to which orphans are handed, nil if it is not seen.
func (t *Tracker) survivingInit() *Process {
	if p := t.byPID[1]; p != nil && p.stamp == t.stamp {
		return p
	}
	return nil
}

// less takes as much off as there is room for and returns it.
func (a *inheritance) less(room *inheritance) (paid inheritance) {
	paid.faults = pay(&a.faults, room.faults)
	for i := range a.io {
		paid.io[i] = pay(&a.io[i], room.io[i])
	}
	return paid
}

// inherited returns the most that the process may have inherited since the previous scrape, without what was recognized as such already.
func (p *Process) inherited() (most inheritance) {
	if p.Have&ioFields == 0 || p.Children.Faults <= p.children.Faults {
		return most
	}
	most.faults = p.Children.Faults - p.children.Faults
	copy(most.io[:], p.Delta[read.DiskReadBytes:])
	return most
}

// disown takes off what the process inherited.
func (p *Process) disown(paid inheritance) {
	p.children.Faults += paid.faults
	if paid.io == [ioCounters]uint64{} {
		return
	}
	if p.disowned == nil {
		p.disowned = new([ioCounters]uint64)
	}
	for i, bytes := range paid.io {
		c := read.DiskReadBytes + read.Counter(i)
		p.Delta[c] -= bytes
		p.Total[c] -= bytes
		p.disowned[i] += bytes
	}
}

// ownIO returns what of a figure of /proc/PID/io is not known to be a child's.
func (p *Process) ownIO(c read.Counter, raw uint64) uint64 {
	if p.disowned == nil {
		return raw
	}
	return raw - min(raw, p.disowned[c-read.DiskReadBytes])
}

// rawIO returns what was last read of /proc/PID/io.
func (p *Process) rawIO() (raw [ioCounters]uint64) {
	copy(raw[:], p.Total[read.DiskReadBytes:])
	if p.disowned != nil {
		for i := range raw {
			raw[i] += p.disowned[i]
		}
	}
	return raw
}
