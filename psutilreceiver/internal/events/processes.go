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
// last seen, and by the kernel's process connector, which has how they exited, and those that lived between two looks.
type processSource struct {
	host      *host.Host
	reader    *read.Reader
	notice    func(string, error)
	connector *connector // nil if it can't be used
	begun     bool
	boot      time.Time
	known     map[read.Key]seenProcess // nil before the first scan

	told told // since the last look, by the connector
	mu   sync.Mutex
	next told  // what comes, under the lock
	err  error // of the connector, under the lock
}

// told is what the connector told of.
type told struct {
	names map[int32]string // of processes that became another program, or named themselves
	exits map[int32]exit
	forks map[int32]int32 // parents of processes that started
}

func newTold() told { return told{map[int32]string{}, map[int32]exit{}, map[int32]int32{}} }

// seenProcess is a process as it was when it was seen last.
type seenProcess struct {
	pid, parent  int32
	name         string
	created      time.Time
	user, system float64 // CPU time in seconds
}

// exit is how a process ended.
type exit struct {
	code   uint32 // as waitid(2) has it in a status
	parent int32
}

// maxBetween bounds the processes that are remembered of those that lived between two looks. Others are not told of.
const maxBetween = 1 << 16

func newProcessSource(h *host.Host, notice func(string, error)) *processSource {
	return &processSource{host: h, reader: read.New(h.Root()), notice: notice, told: newTold(), next: newTold()}
}

func (s *processSource) begin(now time.Time) error {
	boot, err := s.host.BootTime(now)
	if err != nil {
		return err
	}
	s.begun, s.boot = true, boot
	if s.connector, err = openConnector(s.host.Root()); err != nil {
		s.connector = nil
		s.notice("Events of processes are made of what is seen at each look, for the kernel's process connector can't be used: "+
			"they have no exit code, and none is about a process that lived between two looks", err)
		return nil
	}
	s.connector.listen(s.hear, s.fail)
	return nil
}

func (s *processSource) look(now time.Time, emit func(Event)) error {
	if !s.begun {
		if err := s.begin(now); err != nil {
			return err
		}
	}
	s.mu.Lock()
	connectorErr := s.err
	s.told, s.next, s.err = s.next, newTold(), nil
	s.mu.Unlock()
	list := make(map[read.Key]seenProcess, len(s.known))
	err := s.reader.Scan(func(p *read.Sample) {
		// A zombie has exited, and waits for its parent to notice.
		if !p.KernelThread && p.State != 'Z' && p.State != 'X' {
			list[p.Key] = s.seen(p)
		}
	})
	if err != nil {
		return errors.Join(connectorErr, err)
	}
	before := s.known
	s.known = list
	if before != nil {
		s.compare(now, before, list, emit)
	}
	return connectorErr
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
	if m.pid != m.tgid {
		return // A thread.
	}
	if m.what == connectorExec {
		m.comm = commOf(s.host.Root(), m.pid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next.names)+len(s.next.exits)+len(s.next.forks) >= maxBetween {
		return
	}
	switch m.what {
	case connectorFork:
		s.next.forks[m.pid] = m.parent
		delete(s.next.names, m.pid) // Of a process that had the number before.
	case connectorComm, connectorExec:
		if m.comm != "" {
			s.next.names[m.pid] = m.comm
		}
	case connectorExit:
		s.next.exits[m.pid] = exit{m.exitCode, m.parent}
	}
}

func (s *processSource) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// compare tells of what is different between two scans, and of what the connector has in between.
func (s *processSource) compare(now time.Time, before, after map[read.Key]seenProcess, emit func(Event)) {
	names := make(map[int32]string, len(after))
	for _, k := range sortedKeys(before) {
		names[k.PID] = before[k].name
		if _, ok := after[k]; ok {
			continue
		}
		p := before[k]
		e, known := s.told.exits[k.PID]
		delete(s.told.exits, k.PID)
		emit(exitEvent(now, &p, e, known))
	}
	for _, k := range sortedKeys(after) {
		names[k.PID] = after[k].name
		if _, ok := before[k]; !ok {
			p := after[k]
			emit(startEvent(p.created, &p))
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(s.told.exits)) {
		parent, forked := s.told.forks[pid]
		if _, seen := names[pid]; seen || !forked {
			continue
		}
		// A process that became no other program has its parent's name.
		p := seenProcess{pid: pid, parent: parent, name: cmp.Or(s.told.names[pid], s.told.names[parent], names[parent]), user: -1, system: -1}
		emit(startEvent(now, &p))
		emit(exitEvent(now, &p, s.told.exits[pid], true))
	}
}

func sortedKeys(m map[read.Key]seenProcess) []read.Key {
	return slices.SortedFunc(maps.Keys(m), func(a, b read.Key) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
}

func (s *processSource) close() error {
	if s.connector != nil {
		return errors.Join(s.connector.close(), s.reader.Close())
	}
	return s.reader.Close()
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

// exitEvent is the exit of a process, with how it ended if that is known.
func exitEvent(now time.Time, p *seenProcess, e exit, known bool) Event {
	f := processFields(p)
	if p.user >= 0 {
		f = append(f, Field{"process.exit.cpu.user", p.user}, Field{"process.exit.cpu.system", p.system})
	}
	event := Event{Kind: ProcessExit, Time: now, Text: fmt.Sprintf("Process %d exited: %s", p.pid, p.name)}
	const signals, dumped = 0x7f, 0x80 // Of a status of wait(2).
	switch signal := int64(e.code & signals); {
	case !known:
	case signal != 0:
		f.text("process.exit.signal", signalName(signal))
		f = append(f, Field{"process.exit.core_dumped", e.code&dumped != 0})
		event.Text += ", killed by " + signalName(signal)
		if isFault(signal) {
			event.Severity = Error
		}
	default:
		code := int64(e.code >> 8 & 0xff)
		f.number("process.exit.code", code)
		event.Text += fmt.Sprintf(", with code %d", code)
		if code != 0 {
			event.Severity = Warning
		}
	}
	event.Fields = f
	return event
}
