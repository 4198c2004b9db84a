package alertpipe

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
)

// actions takes what people do about the alerts of a pipe.
type actions struct{ pipe *Pipe }

var _ alertaction.Taker = actions{}

// Silence puts a silence in force.
func (a actions) Silence(s alertaction.Silence) error {
	return a.do(func(e *alert.Engine, now time.Time) error { return e.PutSilence(s, now) })
}

// EndSilence ends a silence.
func (a actions) EndSilence(id, by string) error {
	return a.do(func(e *alert.Engine, now time.Time) error { return e.EndSilence(id, by, now) })
}

// Acknowledge acknowledges an alert.
func (a actions) Acknowledge(ack alertaction.Acknowledgement) error {
	return a.do(func(e *alert.Engine, now time.Time) error { return e.Acknowledge(ack, now) })
}

// Silences returns the silences of people.
func (a actions) Silences() []alertaction.Silence {
	p := a.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine == nil {
		return nil
	}
	return p.engine.Silences(p.set.Now())
}

// do acts on the engine, and returns when that was written, or could not be for as long as a write may take: the loop goes on trying.
func (a actions) do(act func(*alert.Engine, time.Time) error) error {
	p := a.pipe
	written := make(chan struct{})
	p.mu.Lock()
	if p.engine == nil || p.still {
		p.mu.Unlock()
		return alertaction.ErrNotRunning
	}
	if err := act(p.engine, p.set.Now()); err != nil {
		p.mu.Unlock()
		return err
	}
	p.loop.awaited = append(p.loop.awaited, written)
	p.loop.wake()
	p.mu.Unlock()
	timer := time.NewTimer(p.timeouts.write)
	defer timer.Stop()
	select {
	case <-written:
	case <-p.loop.done:
	case <-timer.C:
	}
	return nil
}
