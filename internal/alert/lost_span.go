package alert

import "github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"

// lostSpan is lost time in the event time of one group. What was sent meanwhile comes when the engine runs again, in any order and over many rounds,
// so the first sample that comes does not use it up.
type lostSpan struct {
	from, until int64 // Event time.
	span        int64 // How much of it was lost.
	at          int64 // Running time of the loss.
}

// lostSpanKept is for how long after a loss samples may come that were sent during it, in nanoseconds of running time.
const lostSpanKept = 60 * second

// rememberLoss notes a loss of now for every group that has samples.
func (e *Engine) rememberLoss(span int64) {
	for _, r := range e.states {
		for _, g := range r.order {
			if g.lastEvent == ladder.Unset {
				continue
			}
			from := g.clock(e.running)
			lost := lostSpan{from: from, until: from + span, span: span, at: e.running}
			if before, ok := e.lost[g]; ok && before.until > g.lastEvent {
				lost.from, lost.span = min(before.from, from), before.span+span
				lost.until = max(lost.until, before.until)
			}
			if e.lost == nil {
				e.lost = map[*group]lostSpan{}
			}
			e.lost[g] = lost
		}
	}
}

// lostBetween is how much of the time between the group's last sample and one of time t was lost.
func (e *Engine) lostBetween(g *group, t int64) int64 {
	lost := e.clock.lostSince(g.lastArrival)
	if of, ok := e.lost[g]; ok {
		lost = max(lost, min(of.span, min(t, of.until)-max(g.lastEvent, of.from)))
	}
	return lost
}

// forgetLosses forgets the losses of which nothing comes any more.
func (e *Engine) forgetLosses() {
	for g, of := range e.lost {
		if e.running-of.at > lostSpanKept {
			delete(e.lost, g)
		}
	}
	if len(e.lost) == 0 {
		e.lost = nil
	}
}
