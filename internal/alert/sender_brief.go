package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// seenOf tells for how long the sender of an alert was there, until its series were forgotten, and whether it has any now. A sender may have been
// forgotten since the alert fired, and have come back.
func (e *Engine) seenOf(holder *sender) (seen int64, sends bool) {
	of := func(s *sender) int64 {
		if s.resources > 0 {
			return e.running - s.since
		}
		return s.gone - s.since
	}
	now := e.current(holder)
	return max(of(holder), of(now)), now.resources > 0
}

// restoreHolder returns the sender of a stored alert, nil where it was not stored. One that is not known any more is made up for the alert alone.
func (e *Engine) restoreHolder(s *storedAlert) *sender {
	id := uint64(s.holder)
	if known := e.senders.byID[id]; known != nil || id == 0 {
		return known
	}
	return &sender{id: id, since: e.running - max(0, s.holderSeen), gone: e.running}
}

// briefKept is for how long a sender that was seen for a short time is missed, in nanoseconds beyond what the rule waits.
const briefKept = 24 * 3600 * second

// forgetBrief closes the alert of a rule about silence of a sender that was there for a short time and sends nothing at all any more, so that senders
// which are made up do not stand in the way for ever. It tells whether the group is to be forgotten.
func (e *Engine) forgetBrief(g *group, t int64) bool {
	a := g.alert
	if a == nil || a.holder == nil || g.rule.expects(g.id) || g.rule.Pinned() {
		return false
	}
	brief := int64(e.rules.Limits.KnownAfter) + 2*e.rules.MinStaleAfter
	seen, sends := e.seenOf(a.holder)
	if sends && seen > brief && seen-(e.running-e.ticked) <= brief {
		e.journal.mark(g.id) // Nobody shall take it for one that was there for a short time after a restart.
	}
	if sends || seen > brief || len(g.members) > 0 || g.lastSample == ladder.Unset || g.clock(e.running)-g.lastSample <= g.rule.silence+briefKept {
		return false
	}
	e.closeAlert(g, t, alertschema.ReasonStale)
	g.lastSample = ladder.Unset
	return true
}
