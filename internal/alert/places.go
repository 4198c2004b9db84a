package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// places are the announced alerts of a rule, by level and by sender.
type places struct {
	total int
	// atLevel are they by level; 0 is of no meaning.
	atLevel []int
	// byLevel are the senders that have one of a level or above, by level.
	byLevel []shares
}

func newPlaces(levels int) places {
	p := places{atLevel: make([]int, levels+1), byLevel: make([]shares, levels+1)}
	for l := range p.byLevel {
		p.byLevel[l] = newShares()
	}
	return p
}

// add notes that so many more alerts of a sender are announced at a level.
func (p *places) add(s *sender, level, n int) {
	id := idOf(s)
	level = min(level, len(p.atLevel)-1)
	p.total += n
	p.atLevel[level] += n
	for l := range level + 1 {
		have := p.byLevel[l].have
		if have[id] += n; have[id] == 0 {
			delete(have, id)
		}
	}
	p.changed()
}

// changed notes that more may be free.
func (p *places) changed() {
	for l := range p.byLevel {
		p.byLevel[l].refusedFrom = ladder.Forever
	}
}

// atLeast counts those of a level or above.
func (p *places) atLeast(level int) int {
	n := 0
	for l := level; l < len(p.atLevel); l++ {
		n += p.atLevel[l]
	}
	return n
}

// setAnnounced records at which level the alert of a group is announced, 0 for none.
func (e *Engine) setAnnounced(g *group, level int) {
	a, p := g.alert, &g.rule.places
	if a.announced > 0 {
		p.add(a.holder, a.announced, -1)
	}
	if level > 0 {
		if a.announced == 0 {
			a.holder = e.oldestSender(g)
		}
		p.add(a.holder, level, 1)
	}
	a.announced = level
}

// restoreAnnounced counts an announced alert that was stored.
func (e *Engine) restoreAnnounced(g *group) {
	a := g.alert
	if a.announced == 0 {
		return
	}
	if a.holder == nil {
		a.holder = e.oldestSender(g)
	}
	g.rule.places.add(a.holder, a.announced, 1)
}

// placesOf is how many alerts of a rule may be announced at a time, and which limit says so.
func (e *Engine) placesOf(r *ruleState) (n int, limit string) {
	if r.Top > 0 && r.Top < e.rules.Limits.AlertsPerRule {
		return r.Top, "top"
	}
	return e.rules.Limits.AlertsPerRule, "limits::alerts_per_rule"
}

// full tells whether a fire of a level finds no place. Alerts of a lesser severity take no place from it, so that a warning never keeps a critical
// from being announced; a place for each level is the bound of all. Of limits::alerts_per_rule up to half are kept for senders that have been known
// for longer and have none.
func (e *Engine) full(g *group, level int) bool {
	r := g.rule
	n, _ := e.placesOf(r)
	p := &r.places
	if p.total >= n*len(r.levels) {
		return true
	}
	free := n - p.atLeast(level)
	if r.Top > 0 || free <= 0 {
		return free <= 0
	}
	of := &p.byLevel[min(level, len(p.byLevel)-1)]
	return !e.leaves(e.oldestSender(g), free, n/2, of)
}

// queues tells whether a fire has to wait although there may be a place for it: a rule with a top of its own decides at the next tick, when all that
// fired since the last can be compared, and where others wait for a place release finds out whose turn it is.
func (e *Engine) queues(c *change) bool {
	r := c.group.rule
	if c.transition != alertschema.TransitionFire || c.belated || r.Top == 0 && r.waiting == 0 {
		return false
	}
	if r.Top == 0 && !e.full(c.group, c.to) {
		e.placeFree = true
	}
	return true
}
