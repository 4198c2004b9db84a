//go:build amd64 || arm64

package bpf

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// Reader is a [read.ExitSource] by programs in the kernel. A scan that meets no new process allocates nothing.
type Reader struct {
	proc       *read.Reader // for what is read once of a process, and for what the programs do not count
	programs   *programs    // nil once closed
	pageSize   uint64
	wholePaths bool        // see seesWholePaths
	written    []byte      // by the iterator in the last scan
	sample     read.Sample // the one that is visited
	asked      read.Fields // since the last scan began

	mu        sync.Mutex // for what follows, which the goroutine that is told of ends uses, too
	processes map[int32]*process
	scanned   []*process    // by the last scan, in its order
	scan      uint64        // number of the scan
	began     uint64        // when the first scan did, ns since boot
	at        time.Duration // when this scan began, since boot
	counted   []byte        // written by the iterator when states were counted last
	forgot    time.Duration // when processes that are not there any more were forgotten last
	ended     ends
	missed    missed
}

// process is what is kept of a process from scan to scan.
type process struct {
	start     uint64        // ns since boot
	scan      uint64        // in which it was seen last
	seen      time.Duration // when that was, since boot
	times     cpuTimes
	name      string             // of a kernel thread with a long one: /proc shows it whole or cut, as the kernel's version and the kind of thread have it
	io        [ioCounters]uint64 // its own
	past      [ioCounters]uint64 // of its account at first sight, what is not of the threads alive: taken to be its own
	inherited [ioCounters]uint64 // of children that it waited for since
	groups    uint64             // of the last scan, see the record
	identity  uint64             // groups when they were last read from /proc; 0 before
}

// keptFor is for how long a process is kept that is not there any more and of whose end nothing was told yet.
const keptFor = time.Minute

// New loads the programs into the kernel. proc reads the same host. The error says what the kernel refused.
func New(proc *read.Reader) (*Reader, error) {
	r := &Reader{
		proc: proc, pageSize: uint64(os.Getpagesize()), wholePaths: seesWholePaths(),
		written: make([]byte, 0, 2*chunk), processes: make(map[int32]*process), ended: newEnds(), missed: newMissed(),
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

var (
	_ read.ExitSource   = (*Reader)(nil)
	_ read.StateCounter = (*Reader)(nil)
)

func (r *Reader) open() error {
	if r.programs != nil {
		return nil
	}
	loaded, err := load()
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.programs = loaded
	r.mu.Unlock()
	go r.follow(loaded)
	return nil
}

// Scan visits every process of the host, by pid, with all fields but those of smaps_rollup. One whose sums could not be made in the kernel is visited with those of
// its stat.
func (r *Reader) Scan(visit func(*read.Sample)) error {
	if err := errors.Join(r.proc.BeginScan(), r.open()); err != nil {
		return err
	}
	if err := r.take(); err != nil {
		return err
	}
	rest := r.written
	record, _ := nextRecord(rest)
	if record == nil || record.Pid != 1 {
		// Kernels of some sandboxes hide process 1 from programs. It is the ancestor of all orphans.
		r.proc.Visit(1, visit)
	}
	for _, p := range r.scanned {
		record, rest = nextRecord(rest)
		if record.Special&(incomplete|leaderEnded) != 0 {
			r.visitByProc(record, p, visit)
			continue
		}
		record.fill(&r.sample, p.times, &p.io, r.pageSize)
		if record.Size == longRecord {
			if p.name == "" {
				r.proc.Visit(int32(record.Pid), func(s *read.Sample) { p.name = s.Comm() })
			}
			if p.name != "" {
				r.sample.SetComm(p.name)
			}
		}
		visit(&r.sample)
	}
	return nil
}

// visitByProc takes from /proc what the record does not have: all, or where the first thread has ended what the others have of memory, descriptors and state.
func (r *Reader) visitByProc(record *programsProcess, p *process, visit func(*read.Sample)) {
	r.proc.Visit(int32(record.Pid), func(s *read.Sample) {
		if record.Special&incomplete == 0 && s.Start == record.Start/nanosecondsPerTick {
			record.fillTotals(s, p.times, &p.io)
		}
		visit(s)
	})
}

// take runs the iterator, and brings what is kept of each process up to date. Meanwhile no end is accounted for: a process that is in the scan must
// be known as such when its end is.
func (r *Reader) take() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	began, err := sinceBoot()
	if err != nil {
		return err
	}
	// What nobody asked for in the scan before is not counted in this one.
	if r.scan > 0 {
		if err := r.programs.countDescriptors(r.asked&read.FieldDescriptors != 0); err != nil {
			return err
		}
	}
	r.asked = 0
	if r.written, err = r.programs.dump(r.written[:0]); err != nil {
		r.at = 0 // What was written is no scan, also for whoever counts states.
		return err
	}
	if r.scan == 0 {
		r.began = began
	}
	r.scan++
	r.at = time.Duration(began)
	r.scanned = r.scanned[:0]
	record, rest := nextRecord(r.written)
	for record != nil {
		r.scanned = append(r.scanned, r.update(record))
		record, rest = nextRecord(rest)
	}
	if err := r.findMissed(began); err != nil {
		return err
	}
	if now := time.Duration(began); now-r.forgot > keptFor/4 {
		r.forgot = now
		for pid, p := range r.processes {
			if now-p.seen > keptFor {
				delete(r.processes, pid)
			}
		}
	}
	return nil
}

// update brings what is kept of a process up to date.
func (r *Reader) update(record *programsProcess) *process {
	pid := int32(record.Pid)
	p := r.processes[pid]
	if p == nil || p.start != record.Start {
		p = &process{start: record.Start}
		if record.Start <= r.programs.loaded {
			for i := range p.past {
				p.past[i] = record.EndedIo[i] - min(record.ThreadsIo[i], record.EndedIo[i])
			}
		}
		r.processes[pid] = p
	}
	p.scan, p.seen = r.scan, r.at
	p.groups = record.Groups ^ record.Cgroup // The address of a structure may be used again.
	if record.Special&incomplete != 0 {
		return p
	}
	p.times = record.Times.split(p.times)
	for i := range p.io {
		// A thread that has just ended may be counted among those that have ended before it is in the account.
		known := record.ThreadsIo[i] + p.past[i]
		p.inherited[i] = max(p.inherited[i], record.EndedIo[i]-min(known, record.EndedIo[i]))
		p.io[i] = max(p.io[i], record.Io[i]-min(p.inherited[i], record.Io[i]))
	}
	return p
}

// sameTime is how long after a scan its states are still those of the time that they are asked for.
const sameTime = 100 * time.Millisecond

// CountStates runs the iterator, unless a scan did so just now.
func (r *Reader) CountStates(letters *[128]int32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, err := sinceBoot()
	if err != nil {
		return err
	}
	written := r.written
	if r.scan == 0 || time.Duration(now)-r.at > sameTime {
		if r.programs == nil {
			return errClosed
		}
		if r.counted, err = r.programs.dump(r.counted[:0]); err != nil {
			return err
		}
		written = r.counted
	}
	*letters = [128]int32{}
	record, rest := nextRecord(written)
	if record == nil || record.Pid != 1 {
		letters['S']++ // See Scan.
	}
	for ; record != nil; record, rest = nextRecord(rest) {
		letters[stateLetter(record.State, record.ExitState)]++
	}
	return nil
}

var errClosed = errors.New("the programs are not loaded any more")

// Read reads from /proc what the programs do not give.
func (r *Reader) Read(s *read.Sample, fields read.Fields) {
	r.asked |= fields
	r.proc.Read(s, fields)
}

// Identify reads from /proc.
func (r *Reader) Identify(s *read.Sample, attributes read.Attributes, id *read.Identity) bool {
	present := r.proc.Identify(s, attributes, id)
	if attributes&read.AttributeCgroup != 0 && id.Have&read.AttributeCgroup != 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		// As of the scan: where the process has moved since, the next scan finds another, and it is read again.
		if p := r.processes[s.PID]; p != nil {
			p.identity = p.groups
		}
	}
	return present
}

// HasMoved compares the groups of the process in all hierarchies together with those that it had when they were read.
func (r *Reader) HasMoved(s *read.Sample, cgroup string) bool {
	r.mu.Lock()
	p := r.processes[s.PID]
	known := p != nil && p.identity != 0
	moved := known && p.identity != p.groups
	r.mu.Unlock()
	if known {
		return moved
	}
	return r.proc.HasMoved(s, cgroup)
}

// Owner returns the name of a user as [read.Identity] has it.
func (r *Reader) Owner(uid uint32) string { return r.proc.Owner(uid) }

// ReadErrors returns the errors of the reads from /proc since the last Scan began.
func (r *Reader) ReadErrors() *read.Errors { return r.proc.ReadErrors() }

// Close removes the programs from the kernel, and closes what is open of /proc. A later Scan begins again.
func (r *Reader) Close() error {
	r.mu.Lock()
	loaded := r.programs
	r.programs = nil
	r.mu.Unlock()
	var err error
	if loaded != nil {
		err = loaded.close() // Whoever is told of ends may wait for the lock.
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.processes)
	r.scanned, r.scan, r.ended, r.missed = nil, 0, newEnds(), newMissed()
	return errors.Join(err, r.proc.Close())
}
