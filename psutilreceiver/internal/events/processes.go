package events

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
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

	names map[int32]string // by the connector since the last look, of processes that it told of
	exits map[int32]exit   // by the connector since the last look
	forks map[int32]int32  // parents of processes that started since the last look, by the connector
}

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
	return &processSource{host: h, reader: read.New(h.Root()), notice: notice}
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
	}
	return nil
}

func (s *processSource) look(now time.Time, emit func(Event)) error {
	if !s.begun {
		if err := s.begin(now); err != nil {
			return err
		}
	}
	s.names, s.exits, s.forks = map[int32]string{}, map[int32]exit{}, map[int32]int32{}
	connectorErr := s.readConnector()
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

// readConnector remembers what the connector tells.
func (s *processSource) readConnector() error {
	if s.connector == nil {
		return nil
	}
	_, err := s.connector.read(func(m processMessage) {
		if m.pid != m.tgid || len(s.names)+len(s.exits)+len(s.forks) >= maxBetween {
			return // A thread.
		}
		switch m.what {
		case connectorFork:
			s.forks[m.pid] = m.parent
			if name, ok := s.names[m.parent]; ok {
				s.names[m.pid] = name
			}
		case connectorComm:
			s.names[m.pid] = m.comm
		case connectorExit:
			s.exits[m.pid] = exit{m.exitCode, m.parent}
		}
	})
	return err
}

// compare tells of what is different between two scans, and of what the connector has in between.
func (s *processSource) compare(now time.Time, before, after map[read.Key]seenProcess, emit func(Event)) {
	byPID := make(map[int32]bool, len(after))
	for _, k := range sortedKeys(before) {
		byPID[k.PID] = true
		if _, ok := after[k]; ok {
			continue
		}
		p := before[k]
		e, known := s.exits[k.PID]
		delete(s.exits, k.PID)
		emit(exitEvent(now, &p, e, known))
	}
	for _, k := range sortedKeys(after) {
		byPID[k.PID] = true
		if _, ok := before[k]; !ok {
			p := after[k]
			emit(startEvent(p.created, &p))
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(s.exits)) {
		parent, forked := s.forks[pid]
		if byPID[pid] || !forked {
			continue
		}
		p := seenProcess{pid: pid, parent: parent, name: s.names[pid], user: -1, system: -1}
		emit(startEvent(now, &p))
		emit(exitEvent(now, &p, s.exits[pid], true))
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
