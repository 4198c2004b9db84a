package process

import (
	"slices"
	"strconv"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// fakeExitSource is a fakeSource that tells of ends.
type fakeExitSource struct {
	fakeSource
	exits []read.Exit // told by the next call of Exits
	lost  uint64
	told  func() // called by Exits first: what happens between the scan and the ends
}

func (f *fakeExitSource) Exits(visit func(*read.Exit)) uint64 {
	if f.told != nil {
		f.told()
	}
	exits, lost := f.exits, f.lost
	f.exits, f.lost = nil, 0
	for i := range exits {
		visit(&exits[i])
	}
	return lost
}

func (f *fakeExitSource) Owner(uid uint32) string {
	if uid == 0 {
		return "root"
	}
	return "user" + strconv.Itoa(int(uid))
}

// Cgroup knows one of a service that no scan sees a process of.
func (f *fakeExitSource) Cgroup(id uint64) string {
	if id == 77 {
		return "/system.slice/once.service"
	}
	return ""
}

var _ read.ExitSource = (*fakeExitSource)(nil)

// exitOf is the end of a process that a scan has seen.
func exitOf(p *fakeProcess) read.Exit {
	return read.Exit{Key: p.Key, Processes: 1, Ancestor: p.PPID, UID: p.UID, CgroupID: p.CgroupID, Comm: p.Comm(), Totals: p.Totals}
}

// unseen is the end of a process that no scan has seen.
func unseen(comm string, ancestor int32, cpu uint64) read.Exit {
	x := read.Exit{Processes: 1, Ancestor: ancestor, Comm: comm}
	x.Totals[read.CPUUser] = cpu
	return x
}

// endsWorld is a world whose kernel tells of ends: sometimes a scrape late, and of some not at all. Its scans miss a process now and then.
type endsWorld struct {
	*world
	source  *fakeExitSource
	renames bool
	seen    map[read.Key]bool
	known   map[read.Key]known // what the source has told of each process
	ended   []endOf            // not told yet
	parents map[int32]int32    // of processes that have ended, by pid: the parent at the end
	dropped uint64
	scans   int
	first   uint64 // clock of the first scan
}

type known struct {
	comm   string
	totals read.Totals
}

type endOf struct {
	fakeProcess
	late bool
}

func newEndsWorld(seed uint64, renames bool) *endsWorld {
	w := &endsWorld{
		world: newWorld(seed, true), source: &fakeExitSource{}, renames: renames,
		seen: map[read.Key]bool{}, known: map[read.Key]known{}, parents: map[int32]int32{},
	}
	w.source.told = w.tell
	return w
}

// live lets something happen: what happens in any world, a chain of processes that come and go, or one that changes its user or cgroup.
func (w *endsWorld) live() {
	w.clock++
	switch w.random.IntN(8) {
	case 0, 1:
		w.chain(w.any().PID, 1+w.random.IntN(4))
	case 2:
		if p := w.any(); p.PID != initPID {
			w.end(p)
		}
	case 3:
		if pid := int32(2 + w.random.IntN(14)); w.alive[pid] == nil {
			w.begin(pid, w.any().PID)
		}
	case 4:
		if p := w.any(); w.renames {
			name := w.program()
			p.SetComm(name)
			p.identity.Executable = name
		}
	default:
		w.work(w.any())
	}
}

func (w *endsWorld) begin(pid, parent int32) *fakeProcess {
	w.birth(pid, parent)
	p := w.alive[pid]
	p.UID, p.HasUID = uint32(w.random.IntN(3)), true
	p.identity.Owner = w.source.Owner(p.UID)
	p.CgroupID = uint64(10 + w.random.IntN(3))
	p.identity.Cgroup = "/" + strconv.Itoa(int(p.CgroupID))
	p.identity.CgroupText = "0::" + p.identity.Cgroup
	return p
}

// chain is a process that starts another, which starts another, like make, a shell and a compiler. They end in one order or the other.
func (w *endsWorld) chain(parent int32, length int) {
	var all []*fakeProcess
	for range length {
		pid := int32(100 + w.random.IntN(200))
		if w.alive[pid] != nil {
			continue
		}
		p := w.begin(pid, parent)
		w.work(p)
		all = append(all, p)
		parent = pid
	}
	if w.random.IntN(2) == 0 {
		slices.Reverse(all)
	}
	for _, p := range all[:w.random.IntN(len(all)+1)] {
		w.end(p)
	}
}

func (w *endsWorld) work(p *fakeProcess) {
	for c := range read.NumCounters {
		if c.Field()&countedAtEnd != 0 {
			p.Totals[c] += uint64(w.random.IntN(50))
		}
	}
	p.Levels[read.Resident] = uint64(w.random.IntN(1 << 20))
}

// end ends a process after some last work.
func (w *endsWorld) end(p *fakeProcess) {
	w.work(p)
	delete(w.alive, p.PID)
	w.parents[p.PID] = p.PPID
	for _, child := range w.alive {
		if child.PPID == p.PID {
			child.PPID = initPID
		}
	}
	w.ended = append(w.ended, endOf{*p, w.random.IntN(4) == 0})
}

// scan makes the list of the next scan, of which the source may break off.
func (w *endsWorld) scan() {
	w.source.processes = w.list()
	if w.scans > 0 {
		w.source.processes = slices.DeleteFunc(w.source.processes, func(fakeProcess) bool { return w.random.IntN(40) == 0 })
	}
	w.source.breakAfter = 0
	if n := len(w.source.processes); w.scans > 1 && n > 1 && w.random.IntN(15) == 0 {
		w.source.breakAfter = 1 + w.random.IntN(n-1)
	}
	for i, p := range w.source.processes {
		if w.source.breakAfter == 0 || i < w.source.breakAfter {
			w.seen[p.Key] = true
		}
		if w.source.breakAfter == 0 {
			w.known[p.Key] = known{p.Comm(), p.Totals}
		}
	}
	if w.scans == 0 {
		w.first = w.clock
	}
	w.scans++
}

// tell is what the kernel does between a scan and the ends that it tells of.
func (w *endsWorld) tell() {
	for range w.random.IntN(3) {
		w.live()
	}
	var later []endOf
	for _, p := range w.ended {
		switch {
		case p.late && w.scans > 1:
			p.late = false
			later = append(later, p)
			continue
		case w.random.IntN(30) == 0:
			w.source.lost++
			w.dropped++
			continue
		case !w.seen[p.Key] && p.Start <= w.first:
			continue // It started before the source began to look.
		}
		x := exitOf(&p.fakeProcess)
		x.Ancestor = w.ancestorOf(p.PPID)
		if !w.seen[p.Key] {
			x.Key = read.Key{}
		}
		w.source.exits = append(w.source.exits, x)
		w.known[p.Key] = known{x.Comm, x.Totals}
	}
	w.ended = later
}

func (w *endsWorld) ancestorOf(pid int32) int32 {
	for range 100 {
		if w.alive[pid] != nil {
			return pid
		}
		pid = w.parents[pid]
	}
	return 0
}

// used adds up what the source has told so far, by name.
func (w *endsWorld) used() map[string]read.Totals {
	sums := map[string]read.Totals{}
	for _, k := range w.known {
		for _, name := range []string{k.comm, ""} {
			sum := sums[name]
			advance(&sum, (*Deltas)(&k.totals))
			sums[name] = sum
		}
	}
	return sums
}
