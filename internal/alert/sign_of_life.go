package alert

import (
	"cmp"
	"fmt"
	"strings"
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
		if e.heardFirsts++; s == nil && e.heardFirsts <= e.rules.Limits.Series {
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
	if _, known := e.notOverdue[g]; known {
		return
	}
	e.work += uint64(1 + len(g.members))
	t := g.clock(e.running)
	quiet := g.overdueFrom()
	if g.rule.silence > 0 {
		quiet = min(quiet, g.lastSample+g.rule.silence/2)
	}
	if g.lastEvent != ladder.Unset && t <= quiet {
		if e.notOverdue == nil {
			e.notOverdue = map[*group]struct{}{}
		}
		e.notOverdue[g] = struct{}{}
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

// skews are the hosts whose points are out of time. Times are running time.
type skews struct {
	newest map[string]int64 // When such a point last came, by host.
	unsaid []skew           // Of hosts that were not named yet, the first that came.
	more   int              // How many further ones.
	saidAt int64
}

// skew is by how much the points of a host are ahead.
type skew struct {
	host  string
	ahead int64
}

const (
	// maxSkews bounds the hosts that are distinguished, and maxSkewsNamed those that one message names.
	maxSkews      = 1000
	maxSkewsNamed = 5
	// skewForgottenAfter is for how long a host's points must be in time before it is worth another warning, in nanoseconds.
	skewForgottenAfter = 3600 * second
)

// noticeSkew notes a host whose points are so far ahead of the clock, or behind it, that they can't be used. The next tick says so.
func (e *Engine) noticeSkew(o *attr.Origin, ahead int64) {
	k := &e.skews
	_, name := rules.Sender(o.Resource)
	host := alertschema.CutText(name, maxQuoted)
	if _, noted := k.newest[host]; noted {
		k.newest[host] = e.running
		return
	}
	if len(k.newest) >= maxSkews {
		return
	}
	if k.newest == nil {
		k.newest = map[string]int64{}
	}
	k.newest[host] = e.running
	if len(k.unsaid) < maxSkewsNamed {
		k.unsaid = append(k.unsaid, skew{host, ahead})
	} else {
		k.more++
	}
}

// reportSkews warns of the hosts that were noted, in one message and once an hour, and forgets those whose points are in time again.
func (e *Engine) reportSkews() {
	k := &e.skews
	if len(k.unsaid) > 0 && (k.saidAt == 0 || e.running-k.saidAt >= saidAgainAfter) {
		e.notice("%s", e.skewText(k))
		k.unsaid, k.more, k.saidAt = nil, 0, e.running
	}
	for host, at := range k.newest {
		if e.running-at > skewForgottenAfter {
			delete(k.newest, host)
		}
	}
}

func (e *Engine) skewText(k *skews) string {
	first := k.unsaid[0]
	name := "a sender without host.name"
	if first.host != "" {
		name = "host " + first.host
	}
	text := fmt.Sprintf("%s sends points that are %s ahead of this Collector's clock: one of the two clocks is wrong, and no rule can use the points",
		name, rules.FormatDuration(rounded(first.ahead)))
	if first.ahead <= 0 {
		text = fmt.Sprintf("%s sends points that are %s behind this Collector's clock, more than limits::max_sample_age, %s: one of the two clocks is "+
			"wrong, or the points were long on their way, and no rule can use them",
			name, rules.FormatDuration(rounded(-first.ahead)), rules.FormatDuration(time.Duration(e.rules.MaxSampleAge)))
	}
	if len(k.unsaid) > 1 {
		var others []string
		for _, other := range k.unsaid[1:] {
			others = append(others, cmp.Or(other.host, "one without host.name"))
		}
		text += fmt.Sprintf("; points of %d more are out of time, such as those of %s", len(others)+k.more, strings.Join(others, ", "))
	}
	return text
}

// tooManySilent tells whether a rule about silence has no room for one more group: such groups outlive their series.
func (e *Engine) tooManySilent(r *ruleState, key string) bool {
	return r.silence > 0 && len(r.order) >= e.rules.Limits.Series && r.groups[alertschema.AlertID(r.Name, key)] == nil
}
