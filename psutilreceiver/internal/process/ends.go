package process

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// # Ends that the kernel tells of
//
// A [read.ExitSource] gives the final totals of every process that has ended. So nothing has to be found in a parent's children's times and
// I/O, and neither reaped.go nor inherited.go has anything to do.
//
// What a process used after its last reading goes where the process belonged last: to its group, or to the excluded ones. Without groups it
// goes to the ancestor, as what children used that no scrape saw: CPU time to ReapedUser and ReapedSystem, bytes to the counters of I/O. For
// that an ancestor has no counter, and where there is no ancestor that is included, it is part of the remainder.
//
// What processes used that no scan saw goes to the group that their name, owner and cgroup say, or without groups to the ancestor in the same
// way. A group that has no other members is shown with what they used.
//
// The kernel tells of an end somewhat late. So a process that a scan does not have any more is kept until its end is told, for some scrapes.

// ends is what a tracker knows of the ends of processes.
type ends struct {
	source  read.ExitSource // nil where the source does not tell of ends
	visit   func(*read.Exit)
	awaited map[read.Key]awaited
	fields  read.Fields // of counters that the source has ever given of a process
	cpu     uint64      // accounted for in this scrape, without what ancestors have, in µs
	created int         // groups for ends in this scrape
	lost    uint64      // ends of this scrape of which nothing is known
	names   endNames
}

// awaited is a process that has vanished and whose end was not told yet.
type awaited struct {
	process *Process
	since   uint64        // scrapes that had succeeded when it vanished
	at      time.Duration // when it did, since the first scrape
}

const (
	// awaitedFor is for how many scrapes, and awaitedTime for how long, an end is awaited at least. The kernel tells of it within some milliseconds, unless it
	// was lost; one that it does not tell of is found within ten seconds.
	awaitedFor  = 5
	awaitedTime = 15 * time.Second
	// maxGroupsOfEnds bounds how many groups unseen processes can make in one scrape: their names are chosen by whoever starts them.
	maxGroupsOfEnds = 100
)

// countedAtEnd are the fields of the counters that an end has.
const countedAtEnd = read.FieldCPU | read.FieldFaults | ioFields | read.FieldSwitches

func newEnds(t *Tracker) ends {
	source, ok := t.source.(read.ExitSource)
	if !ok {
		return ends{}
	}
	return ends{source: source, visit: t.accountEnd, awaited: map[read.Key]awaited{}, names: newEndNames()}
}

// accountEnds accounts for everything that has ended since the scrape before. It runs after the processes' own deltas are known, when groups
// have begun, and before processes that have gone are removed.
func (t *Tracker) accountEnds() {
	e := &t.ends
	e.cpu, e.created = 0, 0
	for _, p := range t.live {
		e.fields |= p.Have & countedAtEnd
		p.ended = false
	}
	for _, p := range t.previous {
		if p.lastScrape == t.scrape || p.ended {
			continue
		}
		e.awaited[p.Key] = awaited{p, t.scrapes, t.sinceFirst}
		if p.group != nil {
			p.group.awaited++
		}
	}
	e.lost = e.source.Exits(e.visit)
	for key, a := range e.awaited {
		if t.scrapes-a.since >= awaitedFor && t.sinceFirst-a.at >= awaitedTime {
			t.release(key)
		}
	}
}

// release takes a process out of those whose end is awaited. It returns nil if it is none of them.
func (t *Tracker) release(key read.Key) *Process {
	p := t.ends.awaited[key].process
	if p == nil {
		return nil
	}
	delete(t.ends.awaited, key)
	if p.group != nil {
		p.group.awaited--
	}
	return p
}

// resume returns the process of that key if it had vanished and not ended: a scan missed it.
func (t *Tracker) resume(key read.Key) *Process {
	p := t.release(key)
	if p == nil {
		return nil
	}
	p.group = nil // It may be removed by now.
	t.byPID[key.PID] = p
	t.previous = append(t.previous, p)
	return p
}

// accountEnd accounts for one end, or for several that no scan saw.
func (t *Tracker) accountEnd(x *read.Exit) {
	if x.Key == (read.Key{}) {
		// What ended before the first scrape is nobody's growth.
		if t.scrapes > 0 {
			t.accountUnseen(x)
		}
		return
	}
	if p := t.byPID[x.PID]; p != nil && p.Key == x.Key && p.lastScrape == t.scrape {
		t.finish(p, &x.Totals)
		return
	}
	// One that is not awaited any more has been counted in part, nobody knows which.
	if p := t.release(x.Key); p != nil {
		t.accountFollowed(p, x)
	}
}

// finish adds what a process used after this scan has read it.
func (t *Tracker) finish(p *Process, final *read.Totals) {
	if p.ended {
		return
	}
	p.ended = true
	earlier, rated := p.Delta, p.HasUtilization
	t.computeFinalDelta(p, final)
	p.Delta.add(&earlier)
	if rated {
		p.CPUUtilization, p.HasUtilization = t.utilization(&p.Delta)
	} else {
		p.CPUUtilization, p.HasUtilization = 0, false
	}
}

// accountFollowed accounts for what a process used after its last reading, in an earlier scrape.
func (t *Tracker) accountFollowed(p *Process, x *read.Exit) {
	t.computeFinalDelta(p, &x.Totals)
	switch {
	case p.Delta == Deltas{}:
	case p.excluded:
		t.addEnd(&t.excluded, &p.Delta)
	case len(t.groups.keys) == 0:
		t.addToAncestor(x.Ancestor, &p.Delta, func() *Group { return &t.other })
	default:
		if p.group == nil {
			id := p.Identity()
			p.group = t.groups.of(&id, t.lastTime, t.scrape)
		}
		t.addEnd(p.group, &p.Delta)
	}
}

// computeFinalDelta computes what a process used between its last reading and its end.
func (t *Tracker) computeFinalDelta(p *Process, final *read.Totals) {
	p.reading = *final
	have := p.Have
	p.Have = t.ends.fields
	t.computeDeltas(p)
	p.Have = have
	if t.scrapes == 0 {
		p.Delta = Deltas{}
	}
}

// accountUnseen accounts for what processes used that no scan saw.
func (t *Tracker) accountUnseen(x *read.Exit) {
	delta := Deltas(x.Totals)
	for c := range read.NumCounters {
		if c.Field()&t.ends.fields == 0 {
			delta[c] = 0
		}
	}
	switch {
	case delta == Deltas{}:
	case len(t.groups.keys) == 0:
		t.addToAncestor(x.Ancestor, &delta, func() *Group {
			if id := t.identityOfEnd(x); x.Comm != "" && !t.includesEnd(x, &id) {
				return &t.excluded
			}
			return &t.other
		})
	default:
		t.addEnd(t.groupOfEnd(x), &delta)
	}
}

// groupOfEnd returns the group of processes that no scan saw.
func (t *Tracker) groupOfEnd(x *read.Exit) *Group {
	if x.Comm == "" {
		return &t.other
	}
	id := t.identityOfEnd(x)
	if !t.includesEnd(x, &id) {
		return &t.excluded
	}
	if g := t.groups.find(&id); g != nil {
		return g
	}
	if t.ends.created >= maxGroupsOfEnds {
		return &t.other
	}
	t.ends.created++
	return t.groups.of(&id, t.lastTime, t.scrape)
}

// addToAncestor gives the ancestor what it has counters for, and the group of the rest everything else.
func (t *Tracker) addToAncestor(ancestor int32, delta *Deltas, rest func() *Group) {
	if p := t.ancestor(ancestor); p != nil && !p.excluded {
		p.inherit(delta)
	}
	if *delta != (Deltas{}) {
		t.addEnd(rest(), delta)
	}
}

// ancestor returns the process of that pid if this scan saw it.
func (t *Tracker) ancestor(pid int32) *Process {
	if p := t.byPID[pid]; p != nil && p.lastScrape == t.scrape {
		return p
	}
	return nil
}

// inherit takes over from a delta what the process has counters for.
func (p *Process) inherit(delta *Deltas) {
	for _, c := range [...]struct{ own, of read.Counter }{{read.CPUUser, read.ReapedUser}, {read.CPUSystem, read.ReapedSystem}} {
		p.take(c.of, &delta[c.own])
	}
	for i := range ioCounters {
		c := read.DiskReadBytes + read.Counter(i)
		bytes := p.take(c, &delta[c])
		if bytes == 0 {
			continue
		}
		if p.inherited == nil {
			p.inherited = new([ioCounters]uint64)
		}
		p.inherited[i] += bytes
	}
}

// take adds an amount to a counter of the process, if it has the counter, and returns what it has added.
func (p *Process) take(c read.Counter, amount *uint64) uint64 {
	if p.Have&c.Field() == 0 {
		return 0
	}
	taken := *amount
	p.Delta[c] += taken
	p.Total[c] += taken
	*amount = 0
	return taken
}

// addEnd adds what has ended to a group.
func (t *Tracker) addEnd(g *Group, delta *Deltas) {
	g.add(delta, &read.Levels{}, t.ends.fields)
	g.ended = true
	t.ends.cpu += delta.CPU()
}
