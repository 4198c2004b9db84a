package notifyexporter

import (
	"time"

	"go.uber.org/zap"
)

// leastClockStep is by how much the wall clock and the elapsed time may differ before the clock counts as set. Clocks are slewed by less.
const leastClockStep = int64(5 * time.Second)

// heedClock finds out whether the wall clock was set, and moves what is known by wall time with it: how long ago something was told, what waits since
// when, and when to try again. Otherwise a clock that is set back by an hour keeps messages back for an hour, and one that is set forward escalates
// what was told a minute ago. The time that a machine is suspended is such a step, too.
func (n *notifier) heedClock() {
	zero := n.now().UnixNano() - int64(n.elapsed())
	step := zero - n.wallAtZero
	n.wallAtZero = zero
	if step > -leastClockStep && step < leastClockStep {
		return
	}
	n.logger.Info("The clock was set, or the machine was suspended; what waits is counted by the time that passed", zap.Duration("step", time.Duration(step)))
	n.table.shift(step)
	for _, w := range n.workers {
		if w.retry != 0 {
			w.retry += step
		}
	}
	n.wakeAll(nil)
}

// shift adds a step of the clock to all wall times that are compared with the time now, but not to the end of a silence, which is a time that somebody
// said.
func (t *table) shift(step int64) {
	for id, e := range t.entries {
		e.eachWallTime(func(at *int64) { *at += step })
		t.touch(id)
	}
	for _, rt := range t.routes {
		for i := range rt.lastSent {
			rt.lastSent[i] += step
		}
		if rt.failingSince != 0 {
			rt.failingSince += step
		}
		if rt.lostAt != 0 {
			rt.lostAt += step
		}
	}
}

// noFuture sets wall times that are still to come to now. Nothing was told or received then: the clock was set back while nothing ran, or the storage
// was damaged.
func (t *table) noFuture(now int64) {
	for id, e := range t.entries {
		e.eachWallTime(func(at *int64) {
			if *at > now || *at < 0 {
				*at = now
				t.touch(id)
			}
		})
	}
}

// eachWallTime calls do for each wall time of an entry that is set.
func (e *entry) eachWallTime(do func(at *int64)) {
	each := func(times ...*int64) {
		for _, at := range times {
			if *at != 0 {
				do(at)
			}
		}
	}
	each(&e.Heard, &e.Silenced, &e.Last.Received)
	for _, tl := range e.Channels {
		for i := range tl.Pending {
			each(&tl.Pending[i].Received)
		}
		if tl.Told != nil {
			each(&tl.Told.First, &tl.Told.Last)
		}
	}
}
