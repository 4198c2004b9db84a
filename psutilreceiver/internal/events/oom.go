package events

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// oomSource tells of processes that the kernel killed for lack of memory: of those that its log names, and of those that its counter has and the log
// has not, or can't be read. Of the latter it gives the largest processes that have gone since the last look.
type oomSource struct {
	host   *host.Host
	log    kernelLog // nil if it can't be read
	parser oomParser
	notice func(string, error)

	counter int64 // oom_kill of /proc/vmstat, -1 before it was read
	missing int64 // kills of the counter that no event is about yet

	processes *read.Reader // nil with the log
	known     map[read.Key]sizedProcess
	begun     bool
}

// kernelLog is the kernel's log from now on.
type kernelLog interface {
	// next gives the next record, ok false if there is none now. Lost records are passed over.
	next() (record []byte, ok bool, err error)
	// written is when a record of a time since boot was written, given that it is now.
	written(sinceBoot time.Duration, now time.Time) time.Time
	close() error
}

// sizedProcess is what is remembered of a process that may be killed.
type sizedProcess struct {
	pid      int32
	name     string
	resident int64
}

func newOOMSource(h *host.Host, notice func(string, error)) *oomSource {
	s := &oomSource{host: h, notice: notice, counter: -1}
	s.parser.reset()
	return s
}

func (s *oomSource) look(now time.Time, emit func(Event)) error {
	if !s.begun {
		s.begin()
	}
	told, logErr := s.readLog(now, emit)
	gone, scanErr := s.scan()
	return errors.Join(logErr, scanErr, s.count(now, told, gone, emit))
}

func (s *oomSource) begin() {
	s.begun = true
	log, err := openKernelLog(s.host.Root())
	if err == nil {
		s.log = log
		return
	}
	s.processes = read.New(s.host.Root())
	s.notice("Events of kills for lack of memory are made of the kernel's counter, for its log can't be read: they name the largest process that has gone, and no group", err)
}

// readLog tells of the kills in the log, and returns how many there were.
func (s *oomSource) readLog(now time.Time, emit func(Event)) (told int64, err error) {
	const most = 100_000 // A log that is written faster than it is read ends no look.
	for range most {
		if s.log == nil {
			break
		}
		record, ok, err := s.log.next()
		if err != nil {
			return told, fmt.Errorf("reading the kernel's log: %w", err)
		}
		if !ok {
			break
		}
		if k, ok := s.parser.record(record); ok {
			told++
			emit(killEvent(&k, s.log.written(k.sinceBoot, now)))
		}
	}
	return told, nil
}

// scan remembers the processes, and returns those that have gone, the largest first.
func (s *oomSource) scan() (gone []sizedProcess, err error) {
	if s.processes == nil {
		return nil, nil
	}
	now := make(map[read.Key]sizedProcess, len(s.known))
	err = s.processes.Scan(func(p *read.Sample) {
		if !p.KernelThread {
			now[p.Key] = sizedProcess{p.PID, p.Comm(), int64(min(p.Levels[read.Resident], 1<<62))}
		}
	})
	if err != nil {
		return nil, err
	}
	for k, p := range s.known {
		// A process that is being killed lives on without its memory until its parent has waited for it.
		if alive, ok := now[k]; !ok || alive.resident == 0 && p.resident > 0 {
			gone = append(gone, p)
		}
	}
	s.known = now
	slices.SortFunc(gone, func(a, b sizedProcess) int {
		return cmp.Or(cmp.Compare(b.resident, a.resident), cmp.Compare(a.pid, b.pid))
	})
	return gone, nil
}

// count compares the kernel's counter with the kills that were told of.
func (s *oomSource) count(now time.Time, told int64, gone []sizedProcess, emit func(Event)) error {
	vm, err := s.host.VM()
	if err != nil && !host.IsOdd(err) || vm.OOMKills < 0 {
		return err
	}
	before := s.counter
	s.counter = vm.OOMKills
	if before < 0 || vm.OOMKills < before {
		return nil
	}
	late := s.missing
	s.missing = max(0, s.missing+vm.OOMKills-before-told)
	due := s.missing
	if s.log != nil {
		// The counter moves before the message is written, which the next look then finds.
		due = min(late, s.missing)
	}
	s.missing -= due
	for i := range due {
		var victim *sizedProcess
		if i < int64(len(gone)) {
			victim = &gone[i]
		}
		emit(inferredKill(now, victim))
	}
	return nil
}

func (s *oomSource) close() error {
	var errs []error
	if s.log != nil {
		errs = append(errs, s.log.close())
	}
	if s.processes != nil {
		errs = append(errs, s.processes.Close())
	}
	return errors.Join(errs...)
}

const (
	keyPID        = "process.pid"
	keyExecutable = "process.executable.name"
	keyKillSource = "system.oom_kill.source"
)

func killEvent(k *killed, at time.Time) Event {
	var f fields
	f.number(keyPID, k.pid)
	f.text(keyExecutable, k.name)
	f.number("process.memory.usage", k.resident)
	f.number("process.memory.virtual", k.virtual)
	f.number("process.user.id", k.uid)
	if k.adjusted {
		f = append(f, Field{"process.linux.oom_score_adj", k.adjustment})
	}
	f.text("process.linux.cgroup", k.group)
	f.text("systemd.unit.name", cgroup.Unit(k.group))
	f.text("container.id", cgroup.ContainerID(k.group))
	f.text("system.oom_kill.constraint", k.constraint)
	f.text("system.oom_kill.cgroup", k.limited)
	f.number("system.oom_kill.limit", k.limit)
	f.text(keyKillSource, "kernel_log")
	text := fmt.Sprintf("The kernel killed %s (process %d) for lack of memory", k.name, k.pid)
	if k.limited != "" {
		text += " within the limit of " + k.limited
	}
	return Event{Kind: OOMKill, Time: at, Severity: Error, Text: text, Fields: f}
}

// inferredKill is a kill that the counter has. The victim is nil if no process has gone.
func inferredKill(now time.Time, victim *sizedProcess) Event {
	var f fields
	text := "The kernel killed a process for lack of memory"
	if victim != nil {
		f.number(keyPID, int64(victim.pid))
		f.text(keyExecutable, victim.name)
		f.number("process.memory.usage", victim.resident)
		text += fmt.Sprintf(", by its size %s (process %d)", victim.name, victim.pid)
	}
	f.text(keyKillSource, "inferred")
	return Event{Kind: OOMKill, Time: now, Severity: Error, Text: text, Fields: f}
}
