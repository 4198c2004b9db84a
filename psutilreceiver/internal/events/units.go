package events

import (
	"errors"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd"
)

const (
	// unitPatience is how long a look waits for systemd. A later answer is taken by the next look.
	unitPatience = 250 * time.Millisecond
	// maxFailed bounds the failed units that are remembered.
	maxFailed = 256
)

// unitSource tells of systemd's units that failed: of those that systemd's signals tell of, which may have been started again meanwhile, and of those that
// have failed at the look.
type unitSource struct {
	reader *systemd.Reader
	told   map[string]toldUnit // by name; nil before the first look

	answered bool // systemd has answered the last look
}

// toldUnit is which failure of a unit was told of last.
type toldUnit struct {
	failure string
	looks   int // that have not seen it
}

// maxToldLooks is for how many looks a unit is remembered that has not failed any more. What a signal tells of may be listed by the next look.
const maxToldLooks = 3

func newUnitSource(root string) *unitSource {
	return &unitSource{reader: systemd.NewReader(systemd.NewClient(root), systemd.Query{
		States: append([]string{"failed"}, systemd.RestartStates...), Limit: maxFailed, Units: true, Failure: true, ChangeTime: true, Restarts: true,
		Follow: true,
	})}
}

func (s *unitSource) look(now time.Time, emit func(Event)) error {
	found, err := s.reader.Read(unitPatience)
	s.answered = !errors.Is(err, systemd.ErrPending)
	if errors.Is(err, systemd.ErrPending) {
		return nil // The next look has the answer.
	}
	if found == nil {
		return err
	}
	first := s.told == nil
	if first {
		s.told = map[string]toldUnit{}
	}
	s.forget()
	for _, units := range [][]systemd.Unit{found.Failures, found.Units} {
		for i := range units {
			if u := &units[i]; u.Failed() && s.isNew(u) && !first {
				emit(failedEvent(now, u))
			}
		}
	}
	for range found.Lost {
		emit(Event{Kind: UnitFailed, Time: now, Severity: Error, Text: "A unit has failed; there were too many to remember which"})
	}
	return nil
}

// isNew tells whether a failure has not been told of, and remembers it.
func (s *unitSource) isNew(u *systemd.Unit) bool {
	key := u.FailureKey()
	before := s.told[u.Name].failure
	s.told[u.Name] = toldUnit{failure: key}
	return before != key
}

// forget forgets units that have not failed for some looks.
func (s *unitSource) forget() {
	for name, t := range s.told {
		if t.looks++; t.looks > maxToldLooks {
			delete(s.told, name)
		} else {
			s.told[name] = t
		}
	}
}

func failedEvent(now time.Time, u *systemd.Unit) Event {
	at := u.Changed
	if at.IsZero() || at.After(now) {
		at = now
	}
	var f fields
	f.text("systemd.unit.name", u.Name)
	f.text("systemd.unit.sub_state", u.SubState)
	f.text("systemd.service.result", u.Result)
	f.number("systemd.service.restarts", u.Restarts)
	f.text("systemd.unit.invocation_id", u.Invocation)
	text := "Unit " + u.Name + " has failed"
	if u.Result != "" {
		text += ": " + u.Result
	}
	if u.Recovers() {
		text += "; systemd starts it again"
	}
	const exited = 1 // CLD_EXITED of waitid(2)
	switch {
	case u.ExitKind == exited:
		f.number("process.exit.code", u.ExitCode)
	case u.ExitKind > exited:
		f.text("process.exit.signal", signalName(u.ExitCode))
	}
	return Event{Kind: UnitFailed, Time: at, Severity: Error, Text: text, Fields: f}
}

func (s *unitSource) close() error { return s.reader.Close() }
