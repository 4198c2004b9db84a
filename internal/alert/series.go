package alert

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// series is one data point stream with the groups that it belongs to.
type series struct {
	window.Series
	seenAt   int64 // Running time at which its source last gave a sign of life.
	resource *resource
	groups   []*group
}

// What the marks of a series say.
const (
	markQueued    uint8 = 1 << iota // Has a sample that was not there at the last Flush.
	markCut                         // Has fewer samples than its rules look back at, for a limit.
	markInput                       // Is an input of groups of which it is no member: Engine.inputRefs has them.
	markDelayed                     // Has points among Engine.delayed.
	markForgotten                   // Is to leave its groups.
	markApart                       // Stays apart from groups, for its unit.
	markUnordered                   // Its source does not keep the order of points, so that all of them wait for the end of their round.
)

func (s *series) marked(mark uint8) bool { return s.Marks&mark != 0 }

// inputRefsOf returns the groups of which the series is no member and that look at it all the same.
func (e *Engine) inputRefsOf(s *series) []inputRef {
	if !s.marked(markInput) {
		return nil
	}
	return e.inputRefs[s]
}

// staleAfter is how long every rule that looks at the series waits before it is forgotten.
func (e *Engine) staleAfter(s *series) int64 {
	wait := int64(0)
	for _, g := range s.groups {
		wait = max(wait, g.rule.StaleAfterOf(&s.Series))
	}
	for _, x := range e.inputRefsOf(s) {
		wait = max(wait, x.group.rule.StaleAfterOf(&s.Series))
	}
	return wait
}

// forgetSeries takes the series that are forgotten out of their groups: all of a group at once, for there may be many.
func (e *Engine) forgetSeries() {
	if len(e.forgotten) == 0 {
		return
	}
	for _, s := range e.forgotten {
		s.Marks |= markForgotten
	}
	looked := map[*[]*series]struct{}{}
	leave := func(from *[]*series) {
		if _, done := looked[from]; !done {
			looked[from] = struct{}{}
			e.work += uint64(len(*from))
			*from = slices.DeleteFunc(*from, func(s *series) bool { return s.marked(markForgotten) })
		}
	}
	for _, s := range e.forgotten {
		for _, g := range s.groups {
			if h := g.rule.histories; h != nil {
				h.leaveHistory(&s.Series)
			}
			leave(&g.members)
			g.rule.bounds.forgetSeries(s)
		}
		for _, x := range e.inputRefsOf(s) {
			leave(&x.group.inputs.series[x.role])
		}
		delete(e.inputRefs, s)
		if s.marked(markApart) {
			e.forgetApart(s)
		}
	}
	e.forgotten = nil
	e.settleUnits()
}

// retention is how far back the rules of the series look.
func (e *Engine) retention(s *series) int64 {
	var longest int64
	for _, g := range s.groups {
		longest = max(longest, g.rule.Retention)
	}
	for _, x := range e.inputRefsOf(s) {
		if x.role != rules.RoleCondition && x.role != rules.RoleThreshold { // Of these the newest sample counts alone.
			longest = max(longest, x.group.rule.Retention)
		}
	}
	return longest
}

// trim forgets the samples that no rule needs any more. A group that still waits to be evaluated at an earlier time
// needs what that time needs.
func (e *Engine) trim(s *series) {
	s.Marks &^= markQueued
	boundary := s.Newest()
	for _, g := range s.groups {
		if len(g.pending) > 0 && g.pending[0] < boundary {
			boundary = g.pending[0]
		}
	}
	for _, x := range e.inputRefsOf(s) {
		if p := x.group.pending; len(p) > 0 && p[0] < boundary {
			boundary = p[0]
		}
	}
	if boundary != ladder.Unset {
		s.Forget(boundary - e.retention(s))
		s.ForgetExemplars(boundary)
	}
}

// evictSeries forgets the series that have been silent for longer than every rule of theirs waits.
func (e *Engine) evictSeries() {
	e.samplesHeld = 0
	for _, m := range e.matchers {
		m.evict()
		for _, f := range m.statistics {
			f.evict()
		}
	}
	e.forgetSeries()
	e.memoryShort = e.memory() >= e.rules.Limits.Memory()
}

func (m *Matcher) evict() {
	e := m.engine
	samples := 0
	for key, s := range m.series {
		samples += s.Samples.Cap()
		if silent := e.running - s.seenAt; silent <= e.rules.MinStaleAfter || silent <= e.staleAfter(s) {
			continue
		}
		m.rememberOnce(key, s)
		m.forget(key, s)
	}
	e.samplesHeld += int64(samples) * sampleSize
}

// forget takes a series out. It leaves its groups with forgetSeries, which has to follow.
func (m *Matcher) forget(key attr.Hash, s *series) {
	e := m.engine
	delete(m.series, key)
	e.seriesCount--
	s.resource.sender.series--
	e.hold(-seriesSize)
	e.forgotten = append(e.forgotten, s)
	e.unref(s.resource)
}
