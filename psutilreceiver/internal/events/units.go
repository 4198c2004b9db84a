package events

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd"
)

const (
	// unitPatience is how long a look waits for systemd. A later answer is taken by the next look.
	unitPatience = 250 * time.Millisecond
	// maxFailed bounds the failed units that are remembered.
	maxFailed = 256
)

// unitSource tells of systemd's units that failed.
type unitSource struct {
	reader *systemd.Reader
	presence[string, systemd.Unit]
}

func newUnitSource(root string) *unitSource {
	return &unitSource{reader: systemd.NewReader(systemd.NewClient(root), systemd.Query{
		States: []string{"failed"}, Limit: maxFailed, Units: true, Failure: true, ChangeTime: true, Restarts: true,
	})}
}

func (s *unitSource) look(now time.Time, emit func(Event)) error {
	found, err := s.reader.Read(unitPatience)
	if errors.Is(err, systemd.ErrPending) {
		return nil // The next look has the answer.
	}
	if found == nil {
		return err
	}
	list := make(map[string]systemd.Unit, len(found.Units))
	for _, u := range found.Units {
		if u.ActiveState == "failed" {
			// A unit that was started again meanwhile, and failed again, failed at another time.
			list[fmt.Sprintf("%s %d", u.Name, u.Changed.UnixMicro())] = u
		}
	}
	came, _ := s.update(list)
	for i := range came {
		emit(failedEvent(now, &came[i]))
	}
	return nil
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
