package process

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

// # CPU time of processes that no scrape saw
//
// When a process has been waited for, the kernel adds what it used, itself and by the children it had waited for, to its parent's cutime and
// cstime. A process that started and exited between two scrapes is seen only there; of one that was seen before it exited, so is the time after
// its last reading. The rest of what is there has been counted already, and is subtracted: for each process that has exited, its own time and
// its children's time, both as last read. This exited CPU time is subtracted from the increase of the nearest ancestor that is alive; what that
// increase does not include is subtracted from the increases of the others in the order of the scan, which begins with init, because orphans
// are handed to init or to a subreaper. What is left over is subtracted in the next scrape, and in that one only: the parent may have been read
// just before it waited for the child.
//
// For scrapes that see all processes at one instant this gives, per scrape and for user and system time alike,
//
//	sum of reaped time = max(0, sum of the increases of children's times - sum of exited CPU time)
//
// and so own time and reaped time together never exceed what was used, and are exactly what was used if every exited process was waited for:
// time in living processes and their children's times grows by nothing but use. What is lost is the time of children that were not waited
// for, because their parent ignores SIGCHLD or has exited with them. It is part of the unattributed time.

// cpuTimes is user and system time in µs.
type cpuTimes [2]uint64

func (a *cpuTimes) add(b cpuTimes) {
	a[0] += b[0]
	a[1] += b[1]
}

// computeReapedTime computes ReapedUser and ReapedSystem of every process alive. It runs after the processes' own deltas are known and before
// exited processes are removed.
func (t *Tracker) computeReapedTime() {
	var remaining cpuTimes // exited CPU time of this scrape that no increase has included yet
	for _, p := range t.previous {
		if p.lastScrape == t.scrape || !p.counted {
			continue
		}
		exited := cpuTimes{p.Total[read.CPUUser] + p.children.User, p.Total[read.CPUSystem] + p.children.System}
		if ancestor := t.nearestAncestor(p); ancestor != nil {
			ancestor.exitedCPU.add(exited)
		} else {
			remaining.add(exited)
		}
	}
	for _, p := range t.live {
		p.computeChildrenIncrease()
		for i, c := range [...]read.Counter{read.ReapedUser, read.ReapedSystem} {
			p.Delta[c] -= subtractUpTo(&p.exitedCPU[i], p.Delta[c])
		}
		remaining.add(p.exitedCPU)
		p.exitedCPU = cpuTimes{}
	}
	old := t.leftover
	for _, p := range t.live {
		for i, c := range [...]read.Counter{read.ReapedUser, read.ReapedSystem} {
			increase := p.Delta[c]
			increase -= subtractUpTo(&old[i], increase)
			increase -= subtractUpTo(&remaining[i], increase)
			p.Delta[c] = increase
			p.Total[c] += increase
		}
	}
	t.leftover = remaining
}

// subtractUpTo subtracts limit from amount, or all of amount if that is less, and returns what it has subtracted.
func subtractUpTo(amount *uint64, limit uint64) uint64 {
	subtracted := min(*amount, limit)
	*amount -= subtracted
	return subtracted
}

// computeChildrenIncrease sets the deltas of the reaped times to the whole increase of the children's times since the previous scrape.
func (p *Process) computeChildrenIncrease() {
	for _, x := range [...]struct {
		counter   read.Counter
		last, now *uint64
	}{{read.ReapedUser, &p.children.User, &p.Children.User}, {read.ReapedSystem, &p.children.System, &p.Children.System}} {
		p.Delta[x.counter] = 0
		field := x.counter.Field()
		if p.Have&field == 0 {
			continue
		}
		last := *x.last
		*x.last = max(last, *x.now)
		if p.everRead&field != 0 || p.newborn {
			p.Delta[x.counter] = *x.last - last
		}
	}
	p.everRead |= p.Have & read.FieldChildren
}

// nearestAncestor returns the nearest ancestor that is alive of a process that has exited, by the parents last seen.
func (t *Tracker) nearestAncestor(p *Process) *Process {
	for range maxAncestors {
		parent := t.parentOf(p)
		if parent == nil || parent == p {
			return nil
		}
		if parent.lastScrape == t.scrape {
			return parent
		}
		p = parent
	}
	return nil
}

// maxAncestors bounds the walk to an ancestor. Parents seen at different instants might form a ring.
const maxAncestors = 64

// parentOf returns the parent last seen of a process.
func (t *Tracker) parentOf(p *Process) *Process {
	parent := t.byPID[p.PPID]
	if parent == nil || parent.Start <= p.Start {
		return parent
	}
	// A process that began after its child is not the parent but the next one to have its pid.
	for _, q := range t.previous {
		if q.PID == p.PPID && q.Start <= p.Start {
			return q
		}
	}
	return nil
}
