package alert

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// setNow records what time the caller says it is.
func (e *Engine) setNow(now time.Time) {
	ahead := e.now - now.UnixNano()
	e.now = now.UnixNano()
	if ahead > maxAhead {
		e.notice("the clock was set back by %s: alerts stay as they are, and their rules begin again with the samples that come now",
			rules.FormatDuration(time.Duration(ahead)))
		e.clockSetBack()
	}
}

// clockSetBack forgets what bears times of a future that is no longer to come, as a restart would: all that comes from now
// on would be late otherwise. Alerts stay.
func (e *Engine) clockSetBack() {
	e.started = min(e.started, e.now)
	e.historiesSetBack()
	e.storm.opened, e.storm.next = ladder.Unset, ladder.Unset
	for _, m := range e.matchers {
		m.clockSetBack()
		for _, f := range m.statistics {
			f.clockSetBack()
		}
	}
	for _, r := range e.states {
		r.lastMatch = min(r.lastMatch, e.now)
		for _, g := range r.order {
			g.clockSetBack(e.now)
			if g.alert != nil {
				e.journal.mark(g.id)
			}
		}
	}
}

func (m *Matcher) clockSetBack() {
	now := m.engine.now
	for key, s := range m.series {
		s.seenAt = min(s.seenAt, now)
		if max(s.Newest(), s.EndedAt()) > now+maxAhead {
			m.forget(key, s)
		}
	}
}

func (g *group) clockSetBack(now int64) {
	future := g.lastEvent > now+maxAhead
	g.lastEval, g.lastSample, g.lastArrival = ladder.Unset, min(g.lastSample, now), min(g.lastArrival, now)
	if g.inputs != nil {
		g.inputs.complete = min(g.inputs.complete, now)
	}
	if future {
		g.pending, g.lastRound, g.lastEvent = nil, ladder.Unset, ladder.Unset
	}
	a := g.alert
	if a == nil {
		return
	}
	a.notAfter(now)
	a.decided = min(a.decided, now)
	if future && g.rule.silence == 0 {
		g.lastEvent, a.presentUntil = now, now+window.MaxLookback // As after a restart it counts as just seen.
		a.restored = a.Level > 0 && g.rule.Retention > 0
	}
}
