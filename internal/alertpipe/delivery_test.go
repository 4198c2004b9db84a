package alertpipe

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

func TestRecordsArriveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		r.start()
		for _, v := range []float64{50, 90, 99, 90, 10} {
			r.feed(v)
		}
		assert.Equal(t, []string{"fire", "escalate", "deescalate", "resolve"}, r.out[0].got())
		r.shutdown()
	})
}

// A consumer that fails for a while gets every record once it recovers, in order and once.
func TestConsumerFailsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		r.start()
		r.out[0].set(func(context.Context, plog.Logs) error { return errBusy })
		r.feed(90)
		r.feed(99)
		assert.Empty(t, r.out[0].got())
		advance(20 * time.Second)
		tries := r.out[0].tries()
		assert.Greater(t, tries, 2, "it is tried again")
		assert.Less(t, tries, 8, "at growing distances")
		r.out[0].set(nil)
		advance(time.Minute)
		assert.Equal(t, []string{"fire", "escalate"}, r.out[0].got())
		assert.Zero(t, r.pending())
		r.shutdown()
	})
}

// One record that the consumer refuses permanently costs neither the others of its batch nor those that follow.
func TestConsumerRefusesOneRecordForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(cfg *Config) {
			cfg.Rules = []rules.RuleConfig{ladder("good"), ladder("bad"), ladder("fine")}
		}, 1)
		r.start()
		r.out[0].set(func(_ context.Context, ld plog.Logs) error {
			for _, rl := range ld.ResourceLogs().All() {
				for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
					if lr.Body().Str() == "bad is 90" {
						return consumererror.NewPermanent(errBusy)
					}
				}
			}
			return nil
		})
		r.feed(90)
		var bodies []string
		for _, rec := range r.out[0].all() {
			bodies = append(bodies, rec.Body)
		}
		assert.Equal(t, []string{"good is 90", "fine is 90"}, bodies)
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("refused permanently").Len())
		assert.Zero(t, r.pending())
		r.feed(99)
		assert.Len(t, r.out[0].all(), 5)
		r.shutdown()
	})
}

func TestConsumerPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		r.start()
		r.out[0].set(func(context.Context, plog.Logs) error { panic("index out of range") })
		r.feed(90)
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("can't be delivered").Len())
		r.out[0].set(nil)
		advance(time.Minute)
		assert.Equal(t, []string{"fire"}, r.out[0].got())
		r.shutdown()
	})
}

// A consumer that blocks holds up neither the metrics nor another sink. The health shows it, and its end.
func TestConsumerBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 2)
		r.start()
		free := make(chan struct{})
		r.out[0].set(func(context.Context, plog.Logs) error {
			<-free
			return nil
		})
		for _, v := range []float64{90, 99, 10, 90} {
			r.feed(v)
		}
		assert.Empty(t, r.out[0].got())
		assert.Equal(t, []string{"fire", "escalate", "resolve", "fire"}, r.out[1].got())
		assert.Empty(t, r.host.seen())
		for range 8 {
			r.feed(90)
			advance(14 * time.Second)
		}
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, r.host.seen())
		require.ErrorContains(t, r.host.last(), "alert records can't be delivered for 1m0s, 4 wait: the next component does not answer")
		close(free)
		advance(30 * time.Second)
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, r.host.seen())
		assert.Equal(t, []string{"fire", "escalate", "resolve", "fire"}, r.out[0].got())
		r.shutdown()
	})
}

// A consumer that ignores its context cannot hold up the shutdown for long, and what it takes afterwards does not count.
func TestShutdownLeavesABlockedConsumerBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStorage{}
		r := newRig(t, withStorage, 1)
		r.host.storage = store
		r.start()
		free := make(chan struct{})
		r.out[0].set(func(context.Context, plog.Logs) error {
			<-free
			return nil
		})
		r.feed(90)
		begin := time.Now()
		r.shutdown()
		assert.LessOrEqual(t, time.Since(begin), 10*time.Second)
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("could not be delivered before the shutdown").Len())
		assert.Zero(t, store.clients())
		close(free)
		synctest.Wait()
		r.out[0].set(nil)
		r.create()
		r.start()
		synctest.Wait()
		got := r.out[0].all()
		require.Len(t, got, 2, "it came late, and again after the restart")
		assert.Equal(t, got[0], got[1])
		r.shutdown()
	})
}

// The records of a full outbox that gave way are announced when there is room: no fire is lost.
func TestFullOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(cfg *Config) { cfg.Limits.Outbox = 5 }, 1)
		r.start()
		r.out[0].set(func(context.Context, plog.Logs) error { return errBusy })
		instances := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
		for _, instance := range instances {
			advance(time.Second)
			r.inputs[0].Consume(gauge(90, instance))
			synctest.Wait()
		}
		assert.LessOrEqual(t, r.pending(), 6)
		r.out[0].set(nil)
		for range 10 {
			for _, instance := range instances {
				r.inputs[0].Consume(gauge(90, instance))
			}
			advance(15 * time.Second)
		}
		uids := map[string]int{}
		reports := 0
		for _, rec := range r.out[0].all() {
			if rec.Event == "alert.suppressed" {
				reports++
				continue
			}
			assert.Equal(t, "fire", rec.Transition)
			uids[rec.UID]++
		}
		assert.Equal(t, 1, reports, "that records gave way is said once")
		assert.Len(t, uids, len(instances))
		assert.Len(t, r.out[0].all(), len(instances)+reports)
		r.shutdown()
	})
}

// Several inputs that show the same point, and several sinks: one transition, and each sink gets it once.
func TestSeveralInputsAndSinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 2)
		r.inputs = append(r.inputs, r.pipe.NewInput())
		r.start()
		for _, v := range []float64{50, 90, 99, 10} {
			advance(time.Second)
			md := gauge(v, "a")
			r.inputs[0].Consume(md)
			r.inputs[1].Consume(md)
			synctest.Wait()
		}
		for _, out := range r.out {
			assert.Equal(t, []string{"fire", "escalate", "resolve"}, out.got())
		}
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("Several logs pipelines").Len())
		r.shutdown()
	})
}

// A sink that stops delivers what is left before its Shutdown returns: what is behind it stops right afterwards.
func TestShutdownDeliversWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		r.start()
		r.out[0].set(func(context.Context, plog.Logs) error {
			<-time.After(1500 * time.Millisecond)
			return nil
		})
		for _, v := range []float64{90, 99} {
			advance(time.Millisecond)
			r.inputs[0].Consume(gauge(v, "a"))
			synctest.Wait()
		}
		assert.Empty(t, r.out[0].got())
		r.shutdown()
		assert.Equal(t, []string{"fire", "escalate"}, r.out[0].got())
		assert.Zero(t, r.logs.FilterMessageSnippet("could not be delivered").Len())
	})
}

// Once a node has stopped, neither metrics nor time decide anything, however long the others take.
func TestFrozenPipeDecidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(cfg *Config) {
			cfg.Rules = append(cfg.Rules, rules.RuleConfig{
				Name: "gone", Metric: "m", Absent: &rules.AbsentConfig{For: time.Minute}, Severity: "critical",
			})
		}, 2)
		r.start()
		r.feed(50)
		require.NoError(t, r.sinks[0].Shutdown(context.Background()))
		r.feed(99)
		advance(10 * time.Minute)
		assert.Empty(t, r.out[1].got())
		r.shutdown()
	})
}
