package alert

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// outOfTime takes a point that is too old or too new to be used. It is a sign of life of its source all the same.
func (m *Matcher) outOfTime(s *series, p *Point) {
	e := m.engine
	e.noticeSkew(m.origin, p.Time-e.now)
	for _, w := range m.active {
		if w.Role != rules.RoleValue || !w.Selector.MatchesPoint(p.Attributes) {
			continue
		}
		w.rule.lastMatch = e.running
		if s == nil {
			e.heardFirst(w.rule, w.rule.GroupKey(w.Target, m.origin, p.Attributes))
		}
	}
	if s == nil {
		return
	}
	s.seenAt = e.running
	for _, g := range s.groups {
		e.heard(g, s)
	}
}

// heardFirst takes a sign of life of a series of which no sample could be used yet. Of a rule about silence it is the first.
func (e *Engine) heardFirst(r *ruleState, key string) {
	g := r.groups[alertschema.AlertID(r.Name, key)]
	if g == nil {
		if r.silence == 0 || len(r.order) >= e.rules.Limits.Series {
			return
		}
		g = e.groupOf(r, key)
	}
	e.heard(g, nil)
}

// heard takes a sign of life for a group whose samples are overdue: as far as silence goes, it is a sample of now.
func (e *Engine) heard(g *group, s *series) {
	t := g.clock(e.running)
	quiet := g.overdueFrom()
	if g.rule.silence > 0 {
		quiet = min(quiet, g.lastSample+g.rule.silence/2)
	}
	if g.lastEvent != ladder.Unset && t <= quiet {
		return
	}
	g.lastEvent, g.lastArrival = t, e.running
	if s != nil {
		s.seenAt = e.running
		s.Heard(t)
	}
	if g.rule.silence > 0 {
		g.lastSample = max(g.lastSample, t)
		if t > g.decided() {
			g.wait(t)
			e.queueGroup(g)
		}
	}
}

// skews are the hosts whose points are out of time, by name, with the running time of the newest such point.
type skews map[string]int64

const (
	// maxSkews bounds the hosts that are named.
	maxSkews = 20
	// moreHosts stands for the others.
	moreHosts = "\x00more"
	// skewForgottenAfter is for how long a host's points must be in time before it is worth another warning, in nanoseconds.
	skewForgottenAfter = 3600 * second
)

// noticeSkew warns once of a host whose points are so far ahead of the clock, or behind it, that they can't be used.
func (e *Engine) noticeSkew(o *attr.Origin, ahead int64) {
	host := rules.HostOf(o.Resource)
	if e.skews == nil {
		e.skews = skews{}
	}
	if _, said := e.skews[host]; !said && len(e.skews) >= maxSkews {
		host = moreHosts
	}
	_, said := e.skews[host]
	e.skews[host] = e.running
	if said {
		return
	}
	if host == moreHosts {
		e.notice("points of more than %d hosts are out of time: the clock of this Collector may be wrong", maxSkews)
		return
	}
	name := "a sender without host.name"
	if host != "" {
		name = "host " + host
	}
	if ahead > 0 {
		e.notice("%s sends points that are %s ahead of this Collector's clock: one of the two clocks is wrong, and no rule can use the points",
			name, rules.FormatDuration(rounded(ahead)))
		return
	}
	e.notice("%s sends points that are %s behind this Collector's clock, more than limits::max_sample_age, %s: one of the two clocks is wrong, "+
		"or the points were long on their way, and no rule can use them",
		name, rules.FormatDuration(rounded(-ahead)), rules.FormatDuration(time.Duration(e.rules.MaxSampleAge)))
}

// forgetSkews forgets the hosts whose points are in time again.
func (e *Engine) forgetSkews() {
	for host, at := range e.skews {
		if e.running-at > skewForgottenAfter {
			delete(e.skews, host)
		}
	}
}
