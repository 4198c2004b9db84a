package events

import (
	"fmt"
	"time"
)

const (
	// minStep is the least that a clock must have been set by. What keeps a clock right changes its rate by 500 parts in a million at most, which
	// is less than this in 15 minutes.
	minStep = 500 * time.Millisecond
)

// clockSource tells of a wall clock that was set: what it is ahead of the time since boot has changed.
type clockSource struct {
	offset func() (time.Duration, error)
	known  time.Duration
	begun  bool
}

func (s *clockSource) look(now time.Time, emit func(Event)) error {
	offset, err := s.offset()
	if err != nil {
		return err
	}
	step := offset - s.known
	s.known = offset // What is gained little by little is none.
	if begun := s.begun; !begun {
		s.begun = true
		return nil
	}
	if step.Abs() < minStep {
		return nil
	}
	direction := "forward"
	if step < 0 {
		direction = "back"
	}
	emit(Event{
		Kind: ClockStepped, Time: now, Severity: Warning,
		Text:   fmt.Sprintf("The clock was set %s by %v", direction, step.Abs().Round(time.Millisecond)),
		Fields: []Field{{"system.clock.step", step.Seconds()}},
	})
	return nil
}

func (s *clockSource) close() error { return nil }

// timeLayout is ISO 8601 to the hundredth of a second, as times of processes are written.
const timeLayout = "2006-01-02T15:04:05.00Z"
