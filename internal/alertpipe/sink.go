package alertpipe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
)

// Sink is where records go out to one logs pipeline, or to all pipelines of a connector.
type Sink struct {
	node
	next consumer.Logs

	work     chan []event.Event // A batch to deliver; there is room for the one that may be under way.
	stopping chan struct{}      // Closed when the sink stops: retry quickly from then on.
	cancel   context.CancelFunc
	done     chan struct{} // Closed when the goroutine has ended.
	drained  chan struct{} // Closed when nothing is left to deliver.
	allSaid  sync.Once
	warnedAt time.Time // Of the last failure that was logged.

	// Guarded by Pipe.mu.
	open, draining bool
	busy           bool      // A batch is under way.
	busySince      time.Time // Since when nothing was delivered of it.
	stuck          bool      // The status says that it is stuck.
	cursor         uint64    // The last event that is delivered.
	single         int       // How many events go one by one, because a batch of them was refused.
	failure        error     // Why the last attempt failed, nil when it did not.
	events         []event.Event
}

func newSink(p *Pipe, next consumer.Logs) *Sink {
	return &Sink{
		node: node{pipe: p}, next: next, work: make(chan []event.Event, 1),
		stopping: make(chan struct{}), done: make(chan struct{}), drained: make(chan struct{}),
	}
}

// Start starts the sink, and the pipe with its first node. What is behind the sink must be running.
func (s *Sink) Start(ctx context.Context, host component.Host) error {
	if err := s.start(ctx, host); err != nil {
		return err
	}
	runCtx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.pipe.mu.Lock()
	s.open = true
	s.pipe.mu.Unlock()
	go s.run(runCtx)
	s.pipe.loop.wake()
	return nil
}

// Shutdown freezes the pipe and delivers what is left, for as long as ctx and a few seconds allow. Without Start it does nothing.
func (s *Sink) Shutdown(ctx context.Context) error {
	s.stop(ctx, s.drain)
	return nil
}

func (s *Sink) drain(ctx context.Context) {
	p := s.pipe
	p.mu.Lock()
	s.draining = true
	p.mu.Unlock()
	close(s.stopping)
	p.loop.wake()
	waitFor(ctx, s.drained, p.timeouts.drain)
	p.mu.Lock()
	s.open = false
	p.mu.Unlock()
	s.cancel()
	// A consumer that ignores its context is left behind; what it does from now on counts no more.
	waitFor(ctx, s.done, p.timeouts.firstRetry)
}

func (s *Sink) setDrained() { s.allSaid.Do(func() { close(s.drained) }) }

func (s *Sink) run(ctx context.Context) {
	defer close(s.done)
	if s.pipe.cfg.Output.Rules {
		s.sayRules(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case events := <-s.work:
			s.deliver(ctx, events)
		}
	}
}

// deliver gives a batch to the consumer until it is accepted, refused permanently, or the sink stops.
func (s *Sink) deliver(ctx context.Context, events []event.Event) {
	p := s.pipe
	pause := p.timeouts.firstRetry
	for {
		err := s.attempt(ctx, events)
		if s.finish(err, events) {
			p.loop.wake()
			return
		}
		p.account.attempted(outcomeRetry)
		s.warn(err)
		if !s.pause(ctx, pause) {
			return
		}
		pause = min(2*pause, p.timeouts.maxRetry)
	}
}

// attempt makes one delivery. The records are made again each time, because whoever gets them may change them.
func (s *Sink) attempt(ctx context.Context, events []event.Event) error {
	return s.give(ctx, makeLogs(events))
}

// give gives records to the consumer. One that panics has failed.
func (s *Sink) give(ctx context.Context, logs plog.Logs) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the consumer panicked: %v", r)
		}
	}()
	alertorigin.Mark(logs, s.pipe.set.Now())
	return s.next.ConsumeLogs(ctx, logs)
}

// finish records how an attempt went, and tells whether the batch is done with.
func (s *Sink) finish(err error, events []event.Event) bool {
	p := s.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	s.failure = err
	if !s.open {
		return true // Too late: the events count as not delivered.
	}
	switch {
	case err == nil:
		p.account.attempted(outcomeAccepted)
		s.single = max(0, s.single-1)
	case !consumererror.IsPermanent(err):
		return false
	case len(events) > 1:
		// One record may have spoilt the batch for the rest.
		p.account.attempted(outcomeRefused)
		s.single, s.busy = len(events), false
		return true
	default:
		p.account.attempted(outcomeRefused)
		p.set.Logger.Error("An alert record was refused permanently and is lost",
			zap.String("log.record.uid", events[0].UID), zap.String("body", events[0].Body), zap.Error(err))
		s.single = max(0, s.single-1)
	}
	p.deliveredBy(s, events)
	s.busy = false
	return true
}

// warnPeriod is how often a delivery that fails again and again is logged.
const warnPeriod = time.Minute

func (s *Sink) warn(err error) {
	now := s.pipe.set.Now()
	if !s.warnedAt.IsZero() && now.Sub(s.warnedAt) < warnPeriod {
		return
	}
	s.warnedAt = now
	s.pipe.set.Logger.Warn("Alert records can't be delivered; they are kept and tried again", zap.Error(err))
}

// pause waits before the next attempt, and tells whether there shall be one.
func (s *Sink) pause(ctx context.Context, d time.Duration) bool {
	stopping := s.stopping
	select {
	case <-stopping:
		stopping, d = nil, min(d, s.pipe.timeouts.firstRetry)
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stopping:
		return true
	case <-ctx.Done():
		return false
	}
}

var errNoAnswer = errors.New("the next component does not answer")

// lastErr is why nothing is delivered.
func (s *Sink) lastErr() error {
	if s.failure != nil {
		return s.failure
	}
	return errNoAnswer
}
