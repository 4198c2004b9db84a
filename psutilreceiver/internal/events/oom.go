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
// has not, or can't be read. Of the latter it gives the processes that ended by SIGKILL, where the kernel tells of ends, and else the largest that have gone
// since the last look.
type oomSource struct {
	host   *host.Host
	log    kernelLog // nil if it can't be read
	parser oomParser
	notice func(string, error)

	counter int64          // oom_kill of /proc/vmstat, -1 before it was read
	missing int64          // kills of the counter that no event is about yet
	kills   []groupKills   // in groups, that the counter has not had yet
	waiting []inferredKill // kills whose victim no look has found yet: a process that is being killed may live on for a moment

	processes *read.Reader // nil with the log, as groups is
	groups    *oomGroups
	ends      *killEnds      // nil with the log, or if they can't be heard of
	early     []sizedProcess // that ended by SIGKILL at the last look, and are no victims yet: the counter may have moved after it was read
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
	group    string // whose limit of memory it is under
	best     string // the path that says most of it
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
	// The counter of the host first, and the processes last: what it counts the groups have counted by then, and the victim has had the time to go.
	due, vmErr := s.count(told)
	groupErr := s.lookAtGroups()
	before := s.known
	gone, scanErr := s.scan()
	ended, endErr := s.takeEnds(before)
	if s.ends != nil && endErr == nil {
		gone = nil // What ended in another way was not killed.
	}
	s.infer(now, due, ended, gone, emit)
	return errors.Join(logErr, vmErr, groupErr, scanErr, endErr)
}

func (s *oomSource) begin() {
	s.begun = true
	log, err := openKernelLog(s.host.Root())
	if err == nil {
		s.log = log
		return
	}
	s.inferAlone()
	if s.ends = listenForKills(s.host.Root()); s.ends != nil {
		s.notice("Events of kills for lack of memory are made of the kernel's counters and of the ends of processes, for its log can't be read", err)
		return
	}
	s.notice("Events of kills for lack of memory are made of the kernel's counters, for its log can't be read: they name the largest process that has gone", err)
}

func (s *oomSource) takeEnds(before map[read.Key]sizedProcess) ([]sizedProcess, error) {
	if s.ends == nil {
		return nil, nil
	}
	return s.ends.take(before)
}

// inferAlone makes the source go by the counters alone.
func (s *oomSource) inferAlone() {
	s.begun, s.processes, s.groups = true, read.New(s.host.Root()), newOOMGroups(s.host)
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
		if p.KernelThread {
			return
		}
		sized := sizedProcess{pid: p.PID, name: p.Comm(), resident: int64(min(p.Levels[read.Resident], 1<<62))}
		var id read.Identity
		if sized.resident > 0 && s.processes.Identify(p, read.AttributeCgroup, &id) {
			sized.group, sized.best = cgroup.MemoryPath(id.CgroupText), id.Cgroup
		}
		now[p.Key] = sized
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
	slices.SortFunc(gone, largestFirst)
	return gone, nil
}

// count compares the kernel's counter with the kills that were told of, and returns how many others are due.
func (s *oomSource) count(told int64) (due int64, err error) {
	vm, err := s.host.VM()
	if err != nil && !host.IsOdd(err) || vm.OOMKills < 0 {
		return 0, err
	}
	before := s.counter
	s.counter = vm.OOMKills
	if before < 0 || vm.OOMKills < before {
		return 0, nil
	}
	late := s.missing
	s.missing = max(0, s.missing+vm.OOMKills-before-told)
	due = s.missing
	if s.log != nil {
		// The counter moves before the message is written, which the next look then finds.
		due = min(late, s.missing)
	}
	s.missing -= due
	return due, nil
}

// lookAtGroups finds the groups in which there were kills. Those that the host's counter did not have yet wait for the next look.
func (s *oomSource) lookAtGroups() error {
	if s.groups == nil {
		return nil
	}
	found, err := s.groups.look()
	s.kills = append(slices.DeleteFunc(s.kills, func(k groupKills) bool { return k.looks > 1 || k.kills == 0 }), found...)
	return err
}

// infer tells of kills of the counter: in which groups they were, and of whom.
func (s *oomSource) infer(now time.Time, due int64, ended, gone []sizedProcess, emit func(Event)) {
	again := len(s.waiting)
	kills := slices.Concat(s.waiting, inferKills(due, s.kills))
	for i := again; i < len(kills); i++ {
		kills[i].at = now
	}
	maxLooks := 1
	if s.ends != nil {
		maxLooks = maxEndLooks
	}
	for i := range s.kills {
		s.kills[i].looks++
	}
	s.waiting = nil
	all := slices.Concat(ended, s.early)
	slices.SortFunc(all, largestFirst)
	findEnded(kills, all)
	s.early = slices.DeleteFunc(ended, func(p sizedProcess) bool {
		return slices.ContainsFunc(kills, func(k inferredKill) bool { return k.victim != nil && k.victim.pid == p.pid })
	})
	findVictims(kills, gone)
	for i := range kills {
		if kills[i].victim == nil && kills[i].looks < maxLooks && s.log == nil {
			kills[i].looks++
			s.waiting = append(s.waiting, kills[i])
		} else {
			emit(kills[i].event(kills[i].at))
		}
	}
}

func (s *oomSource) close() error {
	var errs []error
	if s.log != nil {
		errs = append(errs, s.log.close())
	}
	if s.processes != nil {
		errs = append(errs, s.processes.Close(), s.groups.close())
	}
	if s.ends != nil {
		errs = append(errs, s.ends.close())
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
	f.group(k.group, k.group)
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

// inferredKill is a kill that a counter has.
type inferredKill struct {
	victim *sizedProcess // nil if no process has gone
	group  *groupKills   // nil if it is not known

	certain bool      // that it was the victim
	at      time.Time // when it was counted
	looks   int       // since then
}

// maxEndLooks is for how many looks a kill waits for its victim where the end of that is heard of: a large process on a busy host takes its time to end.
const maxEndLooks = 3

// inferKills are so many kills, those in groups first, which it takes away.
func inferKills(due int64, groups []groupKills) (kills []inferredKill) {
	for i := range groups {
		for groups[i].kills > 0 && int64(len(kills)) < due {
			groups[i].kills--
			group := groups[i]
			kills = append(kills, inferredKill{group: &group})
		}
	}
	for int64(len(kills)) < due {
		kills = append(kills, inferredKill{})
	}
	return kills
}

// leastVictim is the memory, in bytes, that a process must have had to be taken for the victim of a kill of which nothing else is known. One that grew and
// was killed between two looks was never seen, and a small one that has gone meanwhile is not it.
const leastVictim = 16 << 20

// findVictims finds the victims of kills among the processes that have gone, the largest first: of a kill in a group one that was in it, and of
// another one the largest that is left, if it is large.
func findVictims(kills []inferredKill, gone []sizedProcess) {
	taken := make([]bool, len(gone))
	for _, inGroup := range []bool{true, false} {
		for i := range kills {
			k := &kills[i]
			if k.victim != nil || (k.group != nil) != inGroup {
				continue
			}
			for j := range gone {
				if !taken[j] && (!inGroup && gone[j].resident >= leastVictim || inGroup && cgroup.IsIn(gone[j].group, k.group.path)) {
					taken[j], k.victim = true, &gone[j]
					break
				}
			}
		}
	}
}

func (k *inferredKill) event(now time.Time) Event {
	var f fields
	text := "The kernel killed a process for lack of memory"
	var group, best string
	if k.group != nil {
		group, best = k.group.path, k.group.path
	}
	if victim := k.victim; victim != nil {
		f.number(keyPID, int64(victim.pid))
		f.text(keyExecutable, victim.name)
		f.number("process.memory.usage", victim.resident)
		if k.certain {
			text = fmt.Sprintf("The kernel killed %s (process %d) for lack of memory", victim.name, victim.pid)
		} else {
			text += fmt.Sprintf(", by its size %s (process %d)", victim.name, victim.pid)
		}
		group, best = cmp.Or(victim.group, group), cmp.Or(victim.best, best)
	}
	f.group(group, best)
	if k.group != nil {
		if k.group.reached && k.group.limit >= 0 {
			f.text("system.oom_kill.constraint", "cgroup")
			f.text("system.oom_kill.cgroup", k.group.path)
			f.number("system.oom_kill.limit", k.group.limit)
			text += " within the limit of " + k.group.path
		} else {
			text += " in " + k.group.path
		}
	}
	source := "inferred"
	if k.certain {
		source = "process_ends"
	}
	f.text(keyKillSource, source)
	return Event{Kind: OOMKill, Time: now, Severity: Error, Text: text, Fields: f}
}

// group adds the group of a process, and what a path of it, which may be that in another hierarchy, says of it.
func (f *fields) group(path, best string) {
	f.text("process.linux.cgroup", path)
	f.text("systemd.unit.name", cmp.Or(cgroup.Unit(path), cgroup.Unit(best)))
	f.text("container.id", cmp.Or(cgroup.ContainerID(path), cgroup.ContainerID(best)))
}
