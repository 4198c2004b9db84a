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

// waitError is an error of a server that says when to come again.
type waitError struct {
	err   error
	delay time.Duration
}

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// run is the loop of the worker.
func (w *worker) run(ctx context.Context) {
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
			next := w.step(ctx)
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
	sendCtx, cancel := context.WithTimeout(ctx, sendTimeout)
	_, err := w.sender.send(sendCtx, m)
	cancel()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return now + int64(time.Hour) // Shutting down.
	}
	return w.after(ctx, b, m, err)
}

// sendTimeout bounds an attempt to send a message, over what each type bounds itself.
const sendTimeout = 2 * time.Minute

// next returns what is due.
func (w *worker) next(ctx context.Context, now int64) (*batch, int64) {
	w.n.mu.Lock()
	defer w.n.mu.Unlock()
	next := w.n.table.tick(now)
	w.n.table.handOver(w.route, now)
	b, due := w.n.table.due(w.route, now)
	w.n.save(ctx)
	w.n.wakeAll(w)
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
	w.n.telemetry.NotifyMessages.Add(ctx, 1, metric.WithAttributes(attribute.String("channel", w.route.name), attribute.String("outcome", outcome(err))))
	switch {
	case err == nil:
		w.delay, w.retry = 0, 0
		w.n.table.done(w.route, b, m.threadOf, now)
	case consumererror.IsPermanent(err):
		w.delay, w.retry = 0, 0
		w.n.logger.Error("A message is refused and not sent again on this channel", zap.String("channel", w.route.name), zap.Int("alerts", len(b.items)),
			zap.String("title", m.Title), zap.Error(err))
		w.n.table.refused(w.route, b)
	default:
		w.retry = now + int64(w.backOff(err))
	}
	w.n.observe(w.route, err, now)
	w.n.table.handOver(w.route, now)
	w.n.save(ctx)
	w.n.wakeAll(w)
	return max(w.retry, now)
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "accepted"
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
	var wait *waitError
	if errors.As(err, &wait) {
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
