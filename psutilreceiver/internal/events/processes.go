package events

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// processSource tells of processes that started and exited: by a scan of /proc at each look, which gives their names and their CPU times as they were
// last seen; by the kernel's process connector, which has when and how they exited, and those that lived between two looks; and by its task
// statistics, which have what they used until their end.
type processSource struct {
	host       *host.Host
	reader     *read.Reader
	notice     func(string, error)
	connector  *connector  // nil if it can't be used
	statistics *statistics // nil if they can't be used
	begun      bool
	boot       time.Time
	known      map[read.Key]seenProcess // nil before the first scan

	told told // what no event is about yet
	mu   sync.Mutex
	next told  // what comes, under the lock
	err  error // of what is heard, under the lock
}

// seenProcess is a process as it was when it was seen last.
type seenProcess struct {
	pid, parent  int32
	name         string
	created      time.Time
	user, system float64 // CPU time in seconds
}

func newProcessSource(h *host.Host, notice func(string, error)) *processSource {
	return &processSource{host: h, reader: read.New(h.Root()), notice: notice, told: newTold(), next: newTold()}
}

func (s *processSource) begin(now time.Time) error {
	boot, err := s.host.BootTime(now)
	if err != nil {
		return err
	}
	s.begun, s.boot = true, boot
	connector, connectorErr := openConnector(s.host.Root())
	if connectorErr == nil {
		s.connector = connector
		connectorErr = connector.listen(s.hear, s.fail)
	}
	statistics, statisticsErr := openStatistics(s.host.Root())
	if statisticsErr == nil {
		s.statistics = statistics
		statisticsErr = statistics.listen(s.hearEnd, s.fail)
	}
	switch {
	case connectorErr != nil && statisticsErr != nil:
		s.notice("Events of processes are made of what is seen at each look, for the kernel's process connector can't be used: "+
			"they have no exit code, and none is about a process that lived between two looks", connectorErr)
	case statisticsErr != nil:
		s.notice("Events of exits have CPU times as last seen, and no memory, for the kernel's task statistics can't be used", statisticsErr)
	}
	return nil
}

func (s *processSource) look(now time.Time, emit func(Event)) error {
	if !s.begun {
		if err := s.begin(now); err != nil {
			return err
		}
	}
	list := make(map[read.Key]seenProcess, len(s.known))
	err := s.reader.Scan(func(p *read.Sample) {
		// A zombie has exited, and waits for its parent to notice.
		if !p.KernelThread && p.State != 'Z' && p.State != 'X' {
			list[p.Key] = s.seen(p)
		}
	})
	// After the scan: of each process that it has missed the kernel has told by now.
	heardErr := s.takeHeard()
	if err != nil {
		return errors.Join(heardErr, err)
	}
	before := s.known
	s.known = list
	if before != nil {
		s.compare(now, before, list, emit)
	}
	s.told.forget(list)
	return heardErr
}

// takeHeard takes what was told until now. Its error is one that the goroutines had.
func (s *processSource) takeHeard() error {
	var errs []error
	if s.connector != nil {
		errs = append(errs, s.connector.drain(s.hear))
	}
	if s.statistics != nil {
		errs = append(errs, s.statistics.drain(s.hearEnd))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told.add(&s.next)
	s.next = newTold()
	errs, s.err = append(errs, s.err), nil
	return errors.Join(errs...)
}

func (s *processSource) seen(p *read.Sample) seenProcess {
	const micro = 1e6
	return seenProcess{
		pid: p.PID, parent: p.PPID, name: p.Comm(), created: p.Created(s.boot),
		user: float64(p.Totals[read.CPUUser]) / micro, system: float64(p.Totals[read.CPUSystem]) / micro,
	}
}

// hear remembers what the connector tells. It is called in another goroutine as it happens, for a name can be read as long as its process lives.
func (s *processSource) hear(m processMessage) {
	if m.what == connectorExec && m.pid == m.tgid {
		m.comm = commOf(s.host.Root(), m.pid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next.message(&m)
}

// hearEnd remembers what the statistics tell, as hear does.
func (s *processSource) hearEnd(r taskRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next.end(&r)
}

func (s *processSource) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// compare tells of what is different between two scans, and of what the kernel has told of in between.
func (s *processSource) compare(now time.Time, before, after map[read.Key]seenProcess, emit func(Event)) {
	clock := s.clock(now)
	names := make(map[int32]string, len(after))
	for _, k := range sortedKeys(before) {
		names[k.PID] = before[k].name
		if _, ok := after[k]; ok {
			continue
		}
		p := before[k]
		emit(exitEvent(&p, s.told.takeEnd(k.PID, clock)))
	}
	for _, k := range sortedKeys(after) {
		names[k.PID] = after[k].name
		if _, ok := before[k]; !ok {
			p := after[k]
			emit(startEvent(p.created, &p))
		}
	}
	for _, pid := range s.told.ended() {
		if _, seen := names[pid]; seen {
			continue
		}
		p, started, ok := s.told.unseen(pid, names, clock)
		end := s.told.takeEnd(pid, clock)
		if ok {
			emit(startEvent(started, &p))
			emit(exitEvent(&p, end))
		}
	}
}

// clock gives the time of day of a time of the kernel's monotonic clock, which is 0 if it is not known.
func (s *processSource) clock(now time.Time) func(uint64) time.Time {
	monotonic, err := monotonicClock()
	return func(ns uint64) time.Time {
		if ns == 0 || err != nil || ns > uint64(monotonic) {
			return now
		}
		return now.Add(time.Duration(ns) - monotonic)
	}
}

func sortedKeys(m map[read.Key]seenProcess) []read.Key {
	return slices.SortedFunc(maps.Keys(m), func(a, b read.Key) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
}

func (s *processSource) close() error {
	errs := []error{s.reader.Close()}
	if s.connector != nil {
		errs = append(errs, s.connector.close())
	}
	if s.statistics != nil {
		errs = append(errs, s.statistics.close())
	}
	return errors.Join(errs...)
}

// processFields are those that a start and an exit have.
func processFields(p *seenProcess) fields {
	var f fields
	f.number(keyPID, int64(p.pid))
	f.number("process.parent_pid", int64(p.parent))
	f.text(keyExecutable, p.name)
	if !p.created.IsZero() {
		f.text("process.creation.time", p.created.UTC().Format(timeLayout))
	}
	return f
}

func startEvent(at time.Time, p *seenProcess) Event {
	return Event{Kind: ProcessStart, Time: at, Text: fmt.Sprintf("Process %d started: %s", p.pid, p.name), Fields: processFields(p)}
}

// Where an exit is known from.
const (
	exitSeen       = "scan"
	exitHeard      = "process_connector"
	exitStatistics = "task_statistics"
)

// exitEvent is the exit of a process, with how it ended and what it used, as far as that is known.
func exitEvent(p *seenProcess, e end) Event {
	last := *p
	source := exitSeen
	if e.known {
		source = exitHeard
	}
	if e.used != nil && e.used.whole {
		source = exitStatistics
		last.name = cmp.Or(e.used.name, p.name)
		// Threads that exited before the statistics were asked for are in what was seen only.
		last.user, last.system = max(p.user, e.used.user.Seconds()), max(p.system, e.used.system.Seconds())
	}
	f := processFields(&last)
	if last.user >= 0 {
		f = append(f, Field{"process.exit.cpu.user", last.user}, Field{"process.exit.cpu.system", last.system})
	}
	if source == exitStatistics {
		f.used(e.used)
	}
	event := Event{Kind: ProcessExit, Time: e.at, Text: fmt.Sprintf("Process %d exited: %s", p.pid, last.name)}
	if e.known {
		event.Severity = f.status(e.code, &event.Text)
	}
	f.text("process.exit.source", source)
	event.Fields = f
	return event
}

// used adds what the process has used until its end.
func (f *fields) used(u *usage) {
	f.number("process.user.id", u.uid)
	*f = append(*f, Field{"process.exit.duration", u.lived.Seconds()})
	if u.resident > 0 {
		f.number("process.exit.memory.peak", u.resident)
	}
	if u.virtual > 0 {
		f.number("process.exit.memory.virtual.peak", u.virtual)
	}
	f.number("process.exit.disk.read", u.read)
	f.number("process.exit.disk.written", u.written)
}

// status adds how a process ended, and says it in a text. It returns how bad that is.
func (f *fields) status(status uint32, text *string) Severity {
	const signals, dumped = 0x7f, 0x80 // Of a status of wait(2).
	if signal := int64(status & signals); signal != 0 {
		f.text("process.exit.signal", signalName(signal))
		*f = append(*f, Field{"process.exit.core_dumped", status&dumped != 0})
		*text += ", killed by " + signalName(signal)
		if isFault(signal) {
			return Error
		}
		return Info
	}
	code := int64(status >> 8 & 0xff)
	f.number("process.exit.code", code)
	*text += fmt.Sprintf(", with code %d", code)
	if code != 0 {
		return Warning
	}
	return Info
}
