package notifyexporter

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

// worker tells what is due on one channel. No channel waits for another.
type worker struct {
	n      *notifier
	route  *route
	sender sender
	wake   chan struct{} // Something may be due. Holds one.
	delay  time.Duration // Of the next attempt, after one that failed.
	retry  int64         // When that is, 0 when the last attempt did not fail.
}

// shutdownGrace is for how long a message that is being sent may go on when the exporter ends: a server that has taken it gets it again otherwise.
const shutdownGrace = 3 * time.Second

// waitError is an error of a server that says when to come again.
type waitError struct {
	err   error
	delay time.Duration
}

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// run is the loop of the worker. It ends with ctx; what is being sent then goes on until sending ends.
func (w *worker) run(ctx, sending context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		for ctx.Err() == nil {
			now := w.n.now()
			next := w.step(sending)
			if wait := time.Duration(next - now.UnixNano()); wait > 0 {
				timer.Reset(wait)
				break
			}
		}
	}
}

// step tells what is due, at most one message, and returns when to look again.
func (w *worker) step(ctx context.Context) (next int64) {
	now := w.n.now().UnixNano()
	b, next := w.next(ctx, now)
	if b == nil {
		return next
	}
	m := w.n.compose(ctx, w.route, b, now)
	err := w.send(ctx, m)
	if consumererror.IsPermanent(err) {
		short := *m
		short.Plain = true
		first := err
		if err = w.send(ctx, &short); err == nil {
			m.shortened = first
		}
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return now + int64(time.Hour) // Shutting down.
	}
	return w.after(ctx, b, m, err)
}

func (w *worker) send(ctx context.Context, m *message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	_, err := w.sender.send(ctx, m)
	return err
}

// sendTimeout bounds an attempt to send a message, over what each type bounds itself.
const sendTimeout = 2 * time.Minute

// next returns what is due.
func (w *worker) next(ctx context.Context, now int64) (*batch, int64) {
	w.n.mu.Lock()
	defer w.n.mu.Unlock()
	w.n.heedClock()
	next := w.n.table.tick(now)
	w.n.table.handOver(w.route, now)
	b, due := w.n.table.due(w.route, now)
	news := len(w.n.table.touched) > 0
	w.n.save(ctx)
	if news { // Else workers would wake each other for ever.
		w.n.wakeAll(w)
	}
	if w.retry > now {
		return nil, min(next, w.retry)
	}
	return b, min(next, due)
}

// after notes how it went.
func (w *worker) after(ctx context.Context, b *batch, m *message, err error) (next int64) {
	now := w.n.now().UnixNano()
	w.n.mu.Lock()
	defer w.n.mu.Unlock()
	w.n.heedClock()
	w.n.telemetry.NotifyMessages.Add(ctx, 1, metric.WithAttributes(attribute.String("channel", w.route.name), attribute.String("outcome", w.outcome(m, err))))
	switch {
	case err == nil:
		w.delay, w.retry = 0, 0
		w.n.table.done(w.route, b, m.threadOf, now)
		w.route.lost = nil // It is in the message.
		w.shortened(m)
	case consumererror.IsPermanent(err):
		w.delay, w.retry = 0, 0
		w.refused(b, m, err, now)
	default:
		w.retry = now + int64(w.backOff(err))
	}
	w.n.observe(w.route, err, now)
	w.n.table.handOver(w.route, now)
	w.n.save(ctx)
	w.n.wakeAll(w)
	return max(w.retry, now)
}

// refused gives a message up that the server takes in no form. It is logged when the channel begins to refuse, and seen in health.
func (w *worker) refused(b *batch, m *message, err error, now int64) {
	rt := w.route
	if !rt.refusedForGood {
		w.n.logger.Error("A message is refused, also in its short form, and not sent again on this channel; further ones are only counted until one is taken",
			zap.String("channel", rt.name), zap.Int("alerts", len(b.items)), zap.String("title", m.Title), zap.String("fallback", rt.fallback), zap.Error(err))
	}
	if rt.fallback == "" {
		rt.lost, rt.lostAt = append(rt.lost, m.Title), now
		rt.lost = rt.lost[max(0, len(rt.lost)-maxLost):]
	}
	w.n.table.refused(rt, b)
}

// shortened logs, when that begins, that a server takes only the short form of messages.
func (w *worker) shortened(m *message) {
	if m.shortened != nil && !w.route.shortened {
		w.n.logger.Warn("A message was refused and then taken in its short form; this is logged again when one was taken as it is",
			zap.String("channel", w.route.name), zap.String("title", m.Title), zap.Error(m.shortened))
	}
	w.route.shortened = m.shortened != nil
}

func (w *worker) outcome(m *message, err error) string {
	switch {
	case err == nil && m.shortened != nil:
		return "shortened"
	case err == nil:
		return "accepted"
	case consumererror.IsPermanent(err) && w.route.fallback == "":
		return "lost"
	case consumererror.IsPermanent(err):
		return "refused"
	default:
		return "retry"
	}
}

// backOff is how long to wait before the next attempt.
func (w *worker) backOff(err error) time.Duration {
	cfg := w.n.cfg.RetryConfig
	longest := cfg.MaxInterval
	if longest <= 0 {
		longest = time.Minute
	}
	if w.delay == 0 {
		w.delay = max(cfg.InitialInterval, 10*time.Millisecond)
	} else {
		w.delay = min(time.Duration(float64(w.delay)*max(cfg.Multiplier, 1)), longest)
	}
	delay := time.Duration(float64(w.delay) * (1 + cfg.RandomizationFactor*(rand.Float64()-0.5))) //nolint:gosec // It spreads attempts.
	if wait, ok := errors.AsType[*waitError](err); ok {
		delay = max(delay, wait.delay)
	}
	return delay
}

func (w *worker) notify() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
