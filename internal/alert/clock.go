package alert

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// clock tells the time that counts from the time that passes. Running time goes on while the engine runs: neither steps of the wall
// clock nor the time in which the process or the machine stood still are in it. It begins as wall time and is comparable with itself alone.
type clock struct {
	wall    int64 // What the caller said last.
	running int64
	offset  int64 // What running time is beyond wall time, but for small steps back that wall time is still to make up for.
	// monotonic reads the clock that nobody sets, in nanoseconds. Without a reading wall time stands in for it.
	monotonic func(time.Time) (reading int64, ok bool)
	last      int64 // Its newest reading.
	read      bool  // There was one.
	beat      int64 // The caller has promised to call as often as this; 0 for no promise.
	losses    []loss
}

// loss is time that does not count, and the running time at which it was lost.
type loss struct{ at, span int64 }

const (
	// stepTolerance is by how much wall and monotonic time may part within one call before that is a step.
	stepTolerance = second / 2
	// maxLosses bounds the remembered losses.
	maxLosses = 32
)

func newClock(now time.Time) clock {
	c := clock{wall: now.UnixNano(), running: now.UnixNano()}
	c.monotonic = func(t time.Time) (int64, bool) {
		if t == t.Round(0) || now == now.Round(0) { //nolint:staticcheck // Only == tells whether there is a monotonic reading.
			return 0, false
		}
		return int64(t.Sub(now)), true
	}
	c.last, c.read = c.monotonic(now)
	return c
}

// advance takes what time it is. It returns by how much the wall clock was set, 0 if it was not, and how much time was lost
// in which nothing ran.
func (c *clock) advance(now time.Time) (step, still int64) {
	wall := now.UnixNano()
	moved := wall - c.wall
	elapsed := moved
	reading, ok := c.monotonic(now)
	if known := ok && c.read; known {
		elapsed = reading - c.last
		if c.beat > 0 && elapsed > 2*c.beat {
			still = elapsed - c.beat
		}
	} else if moved < -maxAhead {
		elapsed = 1 // Nobody knows how long it took.
	}
	c.last, c.read = reading, ok
	before := c.running
	switch step = moved - elapsed; {
	case step > stepTolerance:
		owed := min(step, max(0, before-c.wall-c.offset)) // It makes up for a small step back.
		c.lose(step-owed, before)
	case step < -maxAhead:
		c.offset -= step
	case step < -stepTolerance: // Running time waits until the wall clock is where it was.
	default:
		step = 0
	}
	c.lose(still, before)
	c.wall = wall
	c.running = max(c.running, wall+c.offset)
	if (step > 0 || still > 0) && c.running == before {
		c.running++ // So that what comes now is after the loss.
	}
	return step, still
}

func (c *clock) lose(span, at int64) {
	if span <= 0 {
		return
	}
	c.offset -= span
	if len(c.losses) >= maxLosses {
		c.losses = append(c.losses[:0], c.losses[1:]...)
	}
	c.losses = append(c.losses, loss{at, span})
}

// lostSince is how much time was lost since a running time.
func (c *clock) lostSince(t int64) int64 {
	lost := int64(0)
	for i := len(c.losses) - 1; i >= 0 && c.losses[i].at >= t; i-- {
		lost += c.losses[i].span
	}
	return lost
}

// Beat tells that the engine is alive, and that it is called again within the given time. Time by which a call is later was lost:
// the process or the machine stood still, and that is nobody's silence. Only a monotonic clock can tell, so times without its reading lose none.
func (e *Engine) Beat(now time.Time, within time.Duration) {
	e.clock.beat = int64(within)
	e.setNow(now)
}

// setNow records what time the caller says it is.
func (e *Engine) setNow(now time.Time) {
	step, still := e.clock.advance(now)
	e.now, e.running = e.clock.wall, e.clock.running
	if step > 0 || still > 0 {
		e.timeLost(step, still)
	}
	if step < -maxAhead {
		e.notice("the clock was set back by %s: alerts are moved by as much, and windows begin again", rules.FormatDuration(rounded(-step)))
		e.clockSetBack(-step)
	}
}

// lossNoticeEvery is how often lost time is worth a warning, and lossNoticeFrom from which span on, in nanoseconds.
const (
	lossNoticeEvery = 600 * second
	lossNoticeFrom  = 5 * second
)

// timeLost has stored again what is reckoned by wall time.
func (e *Engine) timeLost(step, still int64) {
	e.rememberLoss(max(0, step) + still)
	for _, g := range e.alerts {
		if a := g.alert; a.silent || step > 0 && a.announcedAt > 0 {
			a.announcedAt += max(0, step)
			e.journal.mark(g.id)
		}
	}
	if max(step, still) < lossNoticeFrom || e.lossSaid != ladder.Unset && e.running-e.lossSaid < lossNoticeEvery {
		return
	}
	e.lossSaid = e.running
	if step > 0 {
		e.notice("the clock was set forward by %s, or the machine slept: that time counts towards no alert", rules.FormatDuration(rounded(step)))
		return
	}
	e.notice("the Collector stood still for %s: that time counts towards no alert", rules.FormatDuration(rounded(still)))
}

func rounded(span int64) time.Duration { return time.Duration(span).Round(time.Second) }

// clockSetBack moves what bears times of a future that is no longer to come by as much as the clock was moved: all that comes
// from now on would be late otherwise. What others send by clocks of their own is not in the future, and stays.
func (e *Engine) clockSetBack(by int64) {
	future := e.now + min(by, maxAhead)/2
	e.lost = nil
	e.historiesSetBack()
	e.storm.opened, e.storm.next = ladder.Unset, ladder.Unset
	for _, r := range e.states {
		for _, g := range r.order {
			g.clockSetBack(future, by)
			if g.alert != nil {
				e.journal.mark(g.id)
			}
		}
	}
	for _, m := range e.matchers {
		m.clockSetBack(future, by)
		for _, f := range m.statistics {
			f.clockSetBack(future, by)
		}
	}
	e.forgetSeries()
}

func (m *Matcher) clockSetBack(future, by int64) {
	for key, t := range m.seenOnce {
		m.seenOnce[key] = min(t, m.engine.now)
	}
	for key, s := range m.series {
		switch {
		case max(s.Newest(), s.EndedAt()) <= future:
		case m.engine.retention(s) > 0:
			m.forget(key, s) // Windows begin again with the samples that come now.
		default:
			s.Shift(-by)
		}
	}
}

func (g *group) clockSetBack(future, by int64) {
	a := g.alert
	if a != nil {
		a.announcedAt = max(0, a.announcedAt-by)
	}
	if g.lastEvent <= future {
		if a != nil && g.lastEvent == ladder.Unset && a.decided > future { // The rest of what is from before a restart is by running time.
			a.decided -= by
		}
		return
	}
	for i := range g.pending {
		g.pending[i] -= by
	}
	times := []*int64{&g.lastRound, &g.lastEval, &g.lastEvent, &g.lastSample}
	if g.inputs != nil {
		times = append(times, &g.inputs.complete)
	}
	if a != nil {
		a.interval = g.interval()
		a.restored = a.Level > 0
		a.Shift(-by)
		a.flap.Shift(-by)
		times = append(times, &a.presentUntil, &a.decided, &a.ended)
	}
	for _, t := range times {
		if *t != ladder.Unset && *t != ladder.Forever {
			*t -= by
		}
	}
}
