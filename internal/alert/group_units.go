package alert

import (
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// A group has one unit. Series whose unit can't be converted to it stay apart, and are not looked at. Which unit a group has is not decided by who comes
// first: those that have been known for longer come before others, and of equals those that are more than twice as many.

// apart are the series of a group that stay apart.
type apart struct {
	series []*series
	// byUnit are they by the number of their unit.
	byUnit map[uint16]*apartUnit
}

type apartUnit struct {
	count int
	since int64 // When the first seen of their senders was first seen.
}

// fitsGroup tells whether values of a unit can be joined with those that the group has already. noticeMixedUnits has said that they can't.
func (e *Engine) fitsGroup(g *group, unit uint16, as rules.Role) bool {
	if as != rules.RoleValue || len(g.members) == 0 || g.members[0].Unit == unit || g.rule.scaleless() || g.rule.silence > 0 {
		return true
	}
	_, same := e.units.units[unit].Per(e.units.units[g.members[0].Unit])
	return same
}

// keepApart notes a series that does not fit its group, and changes the group's unit if the series has the better claim.
func (e *Engine) keepApart(g *group, s *series) {
	e.addApart(g, s)
	of := e.apart[g].byUnit[s.Unit]
	known, oldest := int64(e.rules.Limits.KnownAfter), since(e.oldestSender(g))
	if of.since+known <= oldest || of.count > 2*len(g.members) && of.since < oldest+known {
		e.changeUnit(g, s.Unit)
	}
}

func (e *Engine) addApart(g *group, s *series) {
	a := e.apart[g]
	if a == nil {
		a = &apart{byUnit: map[uint16]*apartUnit{}}
		e.apart[g] = a
	}
	a.series = append(a.series, s)
	of := a.byUnit[s.Unit]
	if of == nil {
		of = &apartUnit{since: math.MaxInt64}
		a.byUnit[s.Unit] = of
	}
	of.count++
	of.since = min(of.since, since(s.resource.sender))
	s.Marks |= markApart
	e.apartFrom[s] = append(e.apartFrom[s], g)
}

// changeUnit has the series of a unit, and those that can be converted to it, take the place of the group's members.
func (e *Engine) changeUnit(g *group, unit uint16) {
	before, all := g.members, e.apart[g].series
	delete(e.apart, g)
	g.members = nil
	for _, s := range before {
		s.groups = without(s.groups, g)
	}
	e.work += uint64(len(before) + len(all))
	for _, s := range all {
		e.noLongerApart(s, g)
		if _, same := e.units.units[s.Unit].Per(e.units.units[unit]); same {
			e.join(g, s, rules.RoleValue)
		} else {
			e.addApart(g, s)
		}
	}
	for _, s := range before {
		e.addApart(g, s)
	}
	g.lastRound = ladder.Unset // What was complete was so with other series.
}

func (e *Engine) noLongerApart(s *series, g *group) {
	if e.apartFrom[s] = without(e.apartFrom[s], g); len(e.apartFrom[s]) == 0 {
		delete(e.apartFrom, s)
		s.Marks &^= markApart
	}
}

func without(all []*group, g *group) []*group {
	return slices.DeleteFunc(all, func(other *group) bool { return other == g })
}

// forgetApart takes the series that are marked as forgotten out of those that stay apart.
func (e *Engine) forgetApart(s *series) {
	for _, g := range e.apartFrom[s] {
		a := e.apart[g]
		if of := a.byUnit[s.Unit]; of != nil {
			if of.count--; of.count == 0 {
				delete(a.byUnit, s.Unit)
			}
		}
		if h := g.rule.histories; h != nil {
			h.leaveHistory(&s.Series)
		}
		g.rule.bounds.forgetSeries(s)
		if len(a.byUnit) == 0 {
			delete(e.apart, g)
		}
	}
	delete(e.apartFrom, s)
}

// settleUnits gives groups that have lost all members those that stayed apart. Who has gone is no claim of a unit any more.
func (e *Engine) settleUnits() {
	for g, a := range e.apart {
		a.series = slices.DeleteFunc(a.series, func(s *series) bool { return s.marked(markForgotten) })
		for _, of := range a.byUnit {
			of.since = math.MaxInt64
		}
		for _, s := range a.series {
			if of := a.byUnit[s.Unit]; of != nil {
				of.since = min(of.since, since(s.resource.sender))
			}
		}
		if len(g.members) > 0 || len(a.series) == 0 {
			continue
		}
		best := a.series[0].Unit
		for unit, of := range a.byUnit {
			if b := a.byUnit[best]; of.count > b.count || of.count == b.count && unit < best {
				best = unit
			}
		}
		e.changeUnit(g, best)
	}
}
