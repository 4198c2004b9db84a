package events

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// told is what the kernel told of processes, by their numbers.
type told struct {
	names   map[int32]string // of processes that became another program, or named themselves
	exits   map[int32]exit
	forks   map[int32]fork
	threads map[int32]int32 // the processes of threads that exited
	used    map[int32]*usage
	tasks   []taskRecord // of threads whose process is not known yet
}

func newTold() told {
	return told{map[int32]string{}, map[int32]exit{}, map[int32]fork{}, map[int32]int32{}, map[int32]*usage{}, nil}
}

// fork is the start of a process.
type fork struct {
	parent      int32
	monotonicNS uint64
	looks       int // that have not seen the process
}

// exit is how a process ended.
type exit struct {
	code        uint32 // as waitid(2) has it in a status
	parent      int32
	monotonicNS uint64
}

// usage is what the threads of a process that have exited have used.
type usage struct {
	user, system  time.Duration
	read, written int64 // bytes; -1 if they are not counted

	whole             bool // the first thread is among them; what follows is known
	name              string
	parent            int32
	uid               int64
	code              uint32
	started           time.Time
	lived             time.Duration
	resident, virtual int64 // bytes; 0 if they are not known
}

// end is the end of a process.
type end struct {
	at    time.Time
	known bool // the code
	code  uint32
	used  *usage // nil if it is not known
}

// maxBetween bounds the processes and threads that are remembered of those that lived between two looks. Others are not told of.
const maxBetween = 1 << 16

func (t *told) isFull() bool {
	return len(t.names)+len(t.exits)+len(t.forks)+len(t.threads)+len(t.used)+len(t.tasks) >= maxBetween
}

// message remembers what the connector tells.
func (t *told) message(m *processMessage) {
	switch {
	case t.isFull():
	case m.pid != m.tgid:
		if m.what == connectorExit {
			t.threads[m.pid] = m.tgid
		}
	case m.what == connectorFork:
		t.forks[m.pid] = fork{parent: m.parent, monotonicNS: m.monotonicNS}
		delete(t.names, m.pid) // Of a process that had the number before.
	case m.what == connectorExit:
		t.exits[m.pid] = exit{m.exitCode, m.parent, m.monotonicNS}
	case m.comm != "":
		t.names[m.pid] = m.comm
	}
}

// end remembers what the statistics tell.
func (t *told) end(r *taskRecord) {
	switch {
	case t.isFull():
	case r.tgid > 0:
		t.use(r.tgid, r)
	default:
		t.tasks = append(t.tasks, *r)
	}
}

// use adds what a thread has used to its process.
func (t *told) use(process int32, r *taskRecord) {
	u := t.used[process]
	if u == nil {
		u = &usage{}
		t.used[process] = u
	}
	u.user, u.system = u.user+r.user, u.system+r.system
	if r.read < 0 || u.read < 0 {
		u.read, u.written = -1, -1
	} else {
		u.read, u.written = u.read+r.read, u.written+r.written
	}
	// Threads share their memory; the last of them knows the most.
	u.resident, u.virtual, u.lived = max(u.resident, r.resident), max(u.virtual, r.virtual), max(u.lived, r.lived)
	if r.pid == process {
		u.whole, u.name, u.parent, u.uid, u.code, u.started = true, r.name, r.parent, r.uid, r.exitCode, r.started
	}
}

// add takes over what was told later.
func (t *told) add(later *told) {
	maps.Copy(t.names, later.names)
	maps.Copy(t.exits, later.exits)
	maps.Copy(t.forks, later.forks)
	maps.Copy(t.threads, later.threads)
	for pid, u := range later.used {
		if before := t.used[pid]; before != nil {
			u.add(before)
		}
		t.used[pid] = u
	}
	for i := range later.tasks {
		r := &later.tasks[i]
		process, ok := t.threads[r.pid]
		if !ok {
			process = r.pid
		}
		t.use(process, r)
	}
	clear(t.threads)
}

// add adds what threads have used that exited before.
func (u *usage) add(before *usage) {
	u.user, u.system = u.user+before.user, u.system+before.system
	if u.read < 0 || before.read < 0 {
		u.read, u.written = -1, -1
	} else {
		u.read, u.written = u.read+before.read, u.written+before.written
	}
	u.resident, u.virtual, u.lived = max(u.resident, before.resident), max(u.virtual, before.virtual), max(u.lived, before.lived)
	if !u.whole && before.whole {
		u.whole, u.name, u.parent, u.uid, u.code, u.started = true, before.name, before.parent, before.uid, before.code, before.started
	}
}

// ended are the processes whose end was told.
func (t *told) ended() []int32 {
	pids := slices.Collect(maps.Keys(t.exits))
	for pid, u := range t.used {
		if _, ok := t.exits[pid]; !ok && u.whole {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// kthreadd is the number of the kernel's thread that all other threads of it are children of.
const kthreadd = 2

// unseen is a process that lived between two looks, and when it started. It reports false of what is none: a thread of the kernel, or one that
// started before.
func (t *told) unseen(pid int32, names map[int32]string, clock func(uint64) time.Time) (p seenProcess, started time.Time, ok bool) {
	f, forked := t.forks[pid]
	u := t.used[pid]
	if u == nil || !u.whole {
		u = &usage{}
	}
	if !forked && !u.whole {
		return p, started, false
	}
	parent := cmp.Or(f.parent, u.parent)
	if parent == kthreadd && u.virtual == 0 {
		return p, started, false
	}
	// A process that became no other program has its parent's name.
	name := cmp.Or(u.name, t.names[pid], t.names[parent], names[parent])
	started = u.started
	p = seenProcess{pid: pid, parent: parent, name: name, user: -1, system: -1}
	if forked {
		started = clock(f.monotonicNS)
		p.created = started
	}
	return p, started, true
}

// takeEnd returns how a process ended, and forgets it.
func (t *told) takeEnd(pid int32, clock func(uint64) time.Time) end {
	x, known := t.exits[pid]
	e := end{at: clock(x.monotonicNS), known: known, code: x.code, used: t.used[pid]}
	if !known && e.used != nil && e.used.whole {
		e.known, e.code = true, e.used.code
	}
	delete(t.exits, pid)
	delete(t.used, pid)
	delete(t.forks, pid)
	delete(t.names, pid)
	return e
}

// forget keeps what the next look may need: what is about processes that a scan has, and about those that started after it.
func (t *told) forget(list map[read.Key]seenProcess) {
	living := make(map[int32]bool, len(list))
	for k := range list {
		living[k.PID] = true
	}
	const looks = 2 // The scan of the second has a process that started after that of the first.
	for pid, f := range t.forks {
		if f.looks++; living[pid] || f.looks >= looks {
			delete(t.forks, pid)
		} else {
			t.forks[pid] = f
		}
	}
	maps.DeleteFunc(t.exits, func(pid int32, _ exit) bool { return !living[pid] })
	isGone := func(pid int32) bool { _, waits := t.forks[pid]; return !waits && !living[pid] }
	maps.DeleteFunc(t.used, func(pid int32, _ *usage) bool { return isGone(pid) })
	maps.DeleteFunc(t.names, func(pid int32, _ string) bool { return living[pid] || isGone(pid) })
}
