package process

import (
	"errors"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

const fakeStat = read.FieldCPU | read.FieldMemory | read.FieldFaults | read.FieldThreads | read.FieldScheduling | read.FieldChildren

// fakeSource gives the processes of a table. What a sample holds beyond a stat must be asked for by Read.
type fakeSource struct {
	processes  []fakeProcess
	breakAfter int // if positive, Scan fails after so many processes
	reads      map[int32]read.Fields
	identified map[int32]int
	sample     read.Sample
	errors     read.Errors
	asked      int // questions whether a process has moved
	unreadable int // processes whose stat cannot be read
}

type fakeProcess struct {
	read.Sample
	identity read.Identity
	gone     bool // by the time its identity is asked for
}

var errFake = errors.New("broken off")

func (f *fakeSource) Scan(visit func(*read.Sample)) error {
	f.errors = read.Errors{}
	f.errors.Failed[read.FileStat] = f.unreadable
	for i := range f.processes {
		if f.breakAfter > 0 && i == f.breakAfter {
			return errFake
		}
		f.sample = f.processes[i].Sample
		f.sample.Have &= fakeStat
		visit(&f.sample)
	}
	return nil
}

func (f *fakeSource) find(pid int32) *fakeProcess {
	i := slices.IndexFunc(f.processes, func(p fakeProcess) bool { return p.PID == pid })
	return &f.processes[i]
}

func (f *fakeSource) Read(s *read.Sample, want read.Fields) {
	if f.reads == nil {
		f.reads = map[int32]read.Fields{}
	}
	f.reads[s.PID] |= want &^ s.Have
	p := f.find(s.PID)
	for c := range read.NumCounters {
		if c.Field()&want&p.Have != 0 {
			s.Totals[c] = p.Totals[c]
		}
	}
	for l := range read.NumLevels {
		if l.Field()&want&p.Have != 0 {
			s.Levels[l] = p.Levels[l]
		}
	}
	s.Have |= want & p.Have
}

func (f *fakeSource) Identify(s *read.Sample, want read.Attributes, id *read.Identity) bool {
	if f.identified == nil {
		f.identified = map[int32]int{}
	}
	f.identified[s.PID]++
	p := f.find(s.PID)
	if p.gone {
		return false
	}
	have := id.Have
	*id = p.identity
	id.Have = have | want
	return true
}

func (f *fakeSource) HasMoved(s *read.Sample, cgroup string) bool {
	f.asked++
	return f.find(s.PID).identity.Cgroup != cgroup
}

func (f *fakeSource) ReadErrors() *read.Errors { return &f.errors }
func (f *fakeSource) Close() error             { return nil }

// proc makes a process with CPU time and memory; start is its pid's unless changed.
func proc(pid, ppid int32, name string, cpu uint64) fakeProcess {
	p := fakeProcess{identity: read.Identity{Executable: name, ExecutablePath: "/bin/" + name, Owner: "root", Cgroup: "/"}}
	p.Key, p.PPID, p.Have = read.Key{PID: pid, Start: uint64(pid)}, ppid, fakeStat
	p.SetComm(name)
	p.Totals[read.CPUUser] = cpu
	p.Levels[read.Threads] = 1
	return p
}

// second is the n-th scrape of one a second, on a host with two CPUs.
func second(n int) ScrapeContext {
	boot := time.Unix(1_700_000_000, 0)
	now := boot.Add(time.Hour + time.Duration(n)*time.Second)
	t := ScrapeContext{Now: now, Present: now, Boot: boot, CPUs: 2}
	if n > 0 {
		t.Elapsed = time.Second
	}
	return t
}
