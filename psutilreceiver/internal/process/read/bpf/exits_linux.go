//go:build amd64 || arm64

package bpf

import (
	"errors"
	"unsafe"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// maxEnds bounds what is kept of ends until they are asked for: of processes that a scan has seen, which are lost beyond it, and of others, which are summed
// up without a name.
const maxEnds = 16 << 10

// ends has what has ended since it was asked for last.
type ends struct {
	seen       []*end // processes that a scan has seen, each by itself
	unseen     map[endKey]*end
	byAncestor map[int32][]*end
	lost       uint64 // ends of processes that a scan has seen, beyond maxEnds: what they used before is counted already, and how much that is nobody knows
}

// An end is that of a process that a scan has seen, or those of several that have their key in common.
type end struct {
	read.Exit
	seen bool   // by a scan
	key  endKey // if not
}

// endKey is what is told of processes that no scan has seen.
type endKey struct {
	ancestor int32
	user     uint32
	cgroup   uint64
	name     [16]int8
}

func newEnds() ends { return ends{unseen: make(map[endKey]*end), byAncestor: make(map[int32][]*end)} }

// add accounts for the end of a process, of which p is what is kept of it, nil if no scan has seen it.
func (e *ends) add(record *programsEnded, p *process) {
	pid, parent := int32(record.Pid), int32(record.Parent)
	if orphans := e.byAncestor[pid]; len(orphans) > 0 {
		delete(e.byAncestor, pid)
		for _, orphan := range orphans {
			e.hand(orphan, parent)
		}
	}
	totals := record.totals(p)
	if p != nil && len(e.seen) >= maxEnds {
		e.lost++
		return
	}
	if p != nil {
		x := &end{seen: true, Exit: read.Exit{
			Key: read.Key{PID: pid, Start: record.Start / nanosecondsPerTick}, Processes: 1, Ancestor: parent,
			UID: record.User, CgroupID: record.Cgroup, Totals: totals, Comm: record.name(),
		}}
		e.seen = append(e.seen, x)
		e.byAncestor[parent] = append(e.byAncestor[parent], x)
		return
	}
	key := endKey{ancestor: parent, user: record.User, cgroup: record.Cgroup, name: record.Comm}
	x := e.unseen[key]
	if x == nil && len(e.unseen) >= maxEnds {
		key = endKey{}
		x = e.unseen[key]
	}
	if x == nil {
		x = &end{key: key, Exit: read.Exit{Ancestor: key.ancestor, UID: key.user, CgroupID: key.cgroup}}
		if key != (endKey{}) {
			x.Comm = record.name()
			e.byAncestor[parent] = append(e.byAncestor[parent], x)
		}
		e.unseen[key] = x
	}
	x.Processes++
	x.addTotals(&totals)
}

// hand gives what had a process that has ended as ancestor to its parent.
func (e *ends) hand(x *end, parent int32) {
	x.Ancestor = parent
	if !x.seen {
		delete(e.unseen, x.key)
		x.key.ancestor = parent
		if same := e.unseen[x.key]; same != nil {
			same.Processes += x.Processes
			same.addTotals(&x.Totals)
			return
		}
		e.unseen[x.key] = x
	}
	e.byAncestor[parent] = append(e.byAncestor[parent], x)
}

func (x *end) addTotals(totals *read.Totals) {
	for c, v := range totals {
		x.Totals[c] += v
	}
}

// totals returns what the process used in its life, by itself.
func (e *programsEnded) totals(p *process) read.Totals {
	var before process
	if p != nil {
		before = *p
	}
	times := e.Times.split(before.times)
	totals := read.Totals{
		read.CPUUser: times.user / nanosecondsPerMicrosecond, read.CPUSystem: times.system / nanosecondsPerMicrosecond,
		read.MinorFaults: e.MinorFaults, read.MajorFaults: e.MajorFaults,
		read.VoluntarySwitches: e.Voluntary, read.InvoluntarySwitches: e.Involuntary,
	}
	for i, bytes := range e.Io {
		totals[read.DiskReadBytes+read.Counter(i)] = max(bytes+before.past[i], before.io[i])
	}
	return totals
}

func (e *programsEnded) name() string { return string(text(e.Comm[:], len(e.Comm))) }

// decodeEnd returns the record of an end, nil if it can't be one.
func decodeEnd(raw []byte) *programsEnded {
	if len(raw) < int(unsafe.Sizeof(programsEnded{})) {
		return nil
	}
	e := new(programsEnded)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(e)), unsafe.Sizeof(*e)), raw)
	return e
}

// follow accounts for ends as they are told, until the ring is closed.
func (r *Reader) follow(p *programs) {
	defer close(p.flushed)
	var record ringbuf.Record
	for {
		err := p.ring.ReadInto(&record)
		switch {
		case err == nil:
			if e := decodeEnd(record.RawSample); e != nil {
				r.processEnded(e)
			}
		case errors.Is(err, ringbuf.ErrFlushed):
			p.flushed <- struct{}{}
		default: // Closed. Of any other error nothing is known here that would help; no end is told any more.
			return
		}
	}
}

func (r *Reader) processEnded(e *programsEnded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, found := r.missed.found[programsName{Start: e.Start, Pid: uint64(e.Pid)}]; found {
		return
	}
	r.missed.learn(e)
	r.account(e)
}

// account accounts for an end.
func (r *Reader) account(e *programsEnded) {
	p := r.processes[int32(e.Pid)]
	switch {
	case p != nil && p.start == e.Start:
		delete(r.processes, int32(e.Pid))
	case r.scan == 0 || e.Start <= r.began:
		return // It began before the first scan, which did not see it: what it used is not new.
	default:
		p = nil
	}
	r.ended.add(e, p)
}

// Exits visits first the processes that a scan has seen, then others.
func (r *Reader) Exits(visit func(*read.Exit)) (lost uint64) {
	p := r.programs
	if p == nil {
		return 0
	}
	if err := p.ring.Flush(); err == nil {
		<-p.flushed
	}
	r.mu.Lock()
	ended := r.ended
	if len(ended.seen)+len(ended.unseen) > 0 {
		r.ended = newEnds()
	} else {
		ended = ends{} // The maps are filled again meanwhile.
	}
	r.mu.Unlock()
	for _, x := range ended.seen {
		visit(&x.Exit)
	}
	for _, x := range ended.unseen {
		visit(&x.Exit)
	}
	var sum uint64
	if err := p.lost.Get(&sum); err != nil {
		return ended.lost
	}
	lost = sum - p.told + ended.lost
	p.told = sum
	return lost
}
