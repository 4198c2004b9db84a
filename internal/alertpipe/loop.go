package alertpipe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// loop is the goroutine that lets time decide, keeps the state stored, and hands batches to sinks.
type loop struct {
	pipe   *Pipe
	woken  chan struct{}
	cancel context.CancelFunc
	quit   chan struct{}
	done   chan struct{}
	// failing is whether the last write failed; it is logged once.
	failing bool
	// awaited are closed after the next write. Guarded by pipe.mu.
	awaited []chan struct{}
}

func newLoop(p *Pipe) *loop {
	return &loop{pipe: p, woken: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
}

// wake makes the loop look at what there is to do.
func (l *loop) wake() {
	select {
	case l.woken <- struct{}{}:
	default: // It is about to look anyway.
	}
}

func (l *loop) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	beating := make(chan struct{})
	go l.beat(beating)
	go l.run(ctx, beating)
}

// beatInterval is how often the engine is told that it runs. Time between two beats that is much longer was lost.
const beatInterval = time.Second

// beat tells the engine that it runs: in a goroutine of its own, for a slow storage must not look like a process that stands still.
func (l *loop) beat(done chan<- struct{}) {
	defer close(done)
	ticker := time.NewTicker(beatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-l.quit:
			return
		case <-ticker.C:
			p := l.pipe
			p.mu.Lock()
			if p.engine != nil && !p.still {
				p.engine.Beat(p.set.Now(), beatInterval)
			}
			p.mu.Unlock()
		}
	}
}

// stop ends the goroutine and tells whether it did so in time.
func (l *loop) stop(ctx context.Context, limit time.Duration) bool {
	close(l.quit)
	defer l.cancel()
	return waitFor(ctx, l.done, limit)
}

// waitFor waits for a channel to close, and tells whether it did within the limit.
func waitFor(ctx context.Context, done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func (l *loop) run(ctx context.Context, beating <-chan struct{}) {
	defer close(l.done)
	defer func() { <-beating }()
	ticker := time.NewTicker(l.pipe.cfg.interval())
	defer ticker.Stop()
	for {
		select {
		case <-l.quit:
			return
		case <-l.woken:
			l.turn(ctx, false)
		case <-ticker.C:
			l.turn(ctx, true)
		}
	}
}

// turn does one round: what time decides if it is a tick, then store, then hand out. The state is stored before the batches that
// belong to it go out, so that a crash never forgets what a receiver was sent.
func (l *loop) turn(ctx context.Context, tick bool) {
	p := l.pipe
	p.mu.Lock()
	if p.engine == nil {
		p.mu.Unlock() // A write took so long that the pipe was closed meanwhile.
		return
	}
	if tick && !p.still {
		begin := p.set.Now()
		p.engine.Evaluate(begin)
		p.account.evaluated(p.set.Now().Sub(begin))
	}
	ops := p.engine.Snapshot(p.set.Now())
	batches := p.takeBatches()
	var state *stateOfAlerts
	notices := p.engine.TakeNotices()
	awaited := l.awaited
	l.awaited = nil
	if tick {
		state = p.takeState()
		p.account.report(p.engine.Stats(p.set.Now()))
	}
	p.mu.Unlock()

	for _, notice := range notices {
		p.set.Logger.Warn(notice)
	}
	if changes := changesOf(ops); tick || p.store.Concerns(changes[1:]) { // The time of the snapshot alone can wait for a tick.
		l.store(ctx, ops, changes)
	}
	for _, written := range awaited {
		close(written)
	}
	for _, b := range batches {
		b.sink.work <- b.events
	}
	p.offerState(state)
	if tick {
		l.reportStatus()
	}
}

// store writes a snapshot, or gives it back to the engine.
func (l *loop) store(ctx context.Context, ops []alert.Op, changes []statestore.Change) {
	p := l.pipe
	err := p.store.Write(ctx, changes)
	if err != nil {
		p.mu.Lock()
		if p.engine != nil {
			p.engine.Redo(ops)
			if errors.Is(err, statestore.ErrRecreated) {
				p.engine.RedoAll()
			}
		}
		p.mu.Unlock()
	}
	switch {
	case err != nil && !l.failing:
		p.set.Logger.Error("Storing the alert state failed; alerts are delivered all the same, and it is tried again", zap.Error(err))
	case err == nil && l.failing:
		p.set.Logger.Info("The alert state is stored again")
	}
	l.failing = err != nil
}

// batch is what one sink delivers next.
type batch struct {
	sink   *Sink
	events []event.Event
}

// takeBatches takes a batch for each idle sink. The caller holds p.mu.
func (p *Pipe) takeBatches() []batch {
	var batches []batch
	if len(p.sinks) == 0 {
		p.discard()
	}
	for _, s := range p.sinks {
		if !s.open || s.busy {
			continue
		}
		if events := p.next(s); len(events) > 0 {
			s.busy, s.busySince = true, p.set.Now()
			batches = append(batches, batch{s, events})
		} else if s.draining {
			s.setDrained()
		}
	}
	return batches
}

// discard lets go of the records, where no pipeline takes any. The caller holds p.mu.
func (p *Pipe) discard() {
	var seqs []uint64
	for _, ev := range p.engine.Peek(nil, p.engine.Pending()) {
		seqs = append(seqs, ev.Seq)
	}
	p.engine.Ack(seqs...)
}

// next returns the oldest events that the sink has not delivered.
func (p *Pipe) next(s *Sink) []event.Event {
	limit := batchSize
	if s.single > 0 {
		limit = 1
	}
	for look := limit; ; look += limit {
		seen := p.engine.Peek(s.events[:0], look)
		s.events = seen
		begin := 0
		for begin < len(seen) && seen[begin].Seq <= s.cursor {
			begin++
		}
		if fresh := seen[begin:]; len(fresh) >= limit || look >= p.engine.Pending() {
			return fresh[:min(limit, len(fresh))]
		}
	}
}

// deliveredBy records that a sink is done with events, and acknowledges those that every sink is done with. The caller holds p.mu.
func (p *Pipe) deliveredBy(s *Sink, events []event.Event) {
	var done []uint64
	for i := range events {
		seq := events[i].Seq
		s.cursor = seq
		if p.delivered[seq]++; p.delivered[seq] >= len(p.sinks) {
			delete(p.delivered, seq)
			done = append(done, seq)
		}
	}
	if p.engine != nil {
		p.engine.Ack(done...)
	}
}

var errStuck = errors.New("alert records can't be delivered")

// reportStatus makes the component's health show a sink that has delivered nothing for long though there is something.
func (l *loop) reportStatus() {
	p := l.pipe
	type report struct {
		sink  *Sink
		event *componentstatus.Event
	}
	var reports []report
	p.mu.Lock()
	now := p.set.Now()
	for _, s := range p.sinks {
		stuck := s.open && s.busy && now.Sub(s.busySince) > p.timeouts.stuck
		switch {
		case stuck && !s.stuck:
			err := fmt.Errorf("%w for %s, %d wait: %w", errStuck, p.timeouts.stuck, p.engine.Pending(), s.lastErr())
			reports = append(reports, report{s, componentstatus.NewRecoverableErrorEvent(err)})
		case !stuck && s.stuck && s.open:
			reports = append(reports, report{s, componentstatus.NewEvent(componentstatus.StatusOK)})
		}
		s.stuck = stuck
	}
	p.mu.Unlock()
	for _, r := range reports {
		componentstatus.ReportStatus(r.sink.host, r.event)
	}
}
