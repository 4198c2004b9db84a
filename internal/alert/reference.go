package alert

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// references is what the rules that look at alerts of other rules need. It is nil when there are none.
type references struct {
	// rank is the place of each rule in the order of evaluation, by its index.
	rank []int
	// firing are, by reference, the equal attributes of the alerts that fire. They are gathered when they are first asked for in a pass: the
	// rules that a rule refers to are evaluated before it, so they do not change any more then.
	firing map[*rules.Reference]map[string]struct{}
}

func newReferences(set *rules.Set) *references {
	if !slices.ContainsFunc(set.Rules, func(r *rules.Rule) bool { return r.And != nil || r.Unless != nil }) {
		return nil
	}
	f := &references{rank: make([]int, len(set.Rules)), firing: map[*rules.Reference]map[string]struct{}{}}
	for rank, i := range set.Order {
		f.rank[i] = rank
	}
	return f
}

// beginPass forgets which alerts fire, because they are evaluated next, and puts groups in the order of their rules.
func (f *references) beginPass(touched []*group) {
	if f == nil {
		return
	}
	clear(f.firing)
	slices.SortStableFunc(touched, func(a, b *group) int { return f.rank[a.rule.Index] - f.rank[b.rule.Index] })
}

// queueReferenced has the alerts that rules refer to evaluated, too: what only time decides of them must be decided before it is asked for.
func (e *Engine) queueReferenced() {
	if e.references == nil {
		return
	}
	for _, g := range e.alerts {
		if g.rule.referenced {
			e.queueGroup(g)
		}
	}
}

// equalKey is the values of attributes as one text. It is not known where one of them is missing.
func equalKey(keys []rules.EqualKey, group []attr.Located, resource []attr.Attr) (key string, known bool) {
	if len(keys) == 0 {
		return "", true
	}
	var e attr.Encoder
	for _, k := range keys {
		v, ok := k.ValueOf(group, resource)
		if !ok {
			return "", false
		}
		e.Text(v.AsString())
	}
	return string(e.Bytes), true
}

// fires tells whether an alert that the reference means fires, announced or not, for the group.
func (e *Engine) fires(f *rules.Reference, g *group) bool {
	firing, gathered := e.references.firing[f]
	if !gathered {
		firing = e.firingOf(f)
		e.references.firing[f] = firing
	}
	if len(firing) == 0 {
		return false
	}
	key, known := equalKey(f.Equal, g.rule.names.Expand(g.key), g.resourceAttrs())
	if !known {
		return false
	}
	_, found := firing[key]
	return found
}

func (e *Engine) firingOf(f *rules.Reference) map[string]struct{} {
	out := map[string]struct{}{}
	for _, g := range e.alerts {
		level := g.alert.Level
		if f.Flapping && g.alert.flap.Latched {
			level = max(level, g.alert.announced)
		}
		if r := g.rule; r.Index != f.Rule || level == 0 || r.Levels[level-1].Severity < f.Severity {
			continue
		}
		if key, known := equalKey(f.Equal, g.rule.names.Expand(g.key), g.resourceAttrs()); known {
			out[key] = struct{}{}
		}
	}
	return out
}

// inhibited tells whether an alert of the rule that unless names holds back those of the group.
func (e *Engine) inhibited(g *group) bool {
	return g.rule.Unless != nil && e.fires(g.rule.Unless, g)
}

// outsideHours tells whether the rule's alerts are not announced at this time of the week. It goes by wall time, because it is about when people are
// told: what a sample of 17:59 decides at 18:01 can wait.
func (e *Engine) outsideHours(g *group) bool {
	return g.rule.Active != nil && !g.rule.Active.Holds(e.now)
}

// lacksOther tells whether the rule fires only beside another and that one does not fire.
func (e *Engine) lacksOther(g *group) bool {
	return g.rule.And != nil && !e.fires(g.rule.And, g)
}

// noticeOthers has the groups of a rule evaluated at the next tick when alerts of the rule that it fires beside have changed since the last:
// none of its own samples may come for long.
func (e *Engine) noticeOthers(r *ruleState) {
	if r.And == nil {
		return
	}
	other := e.states[r.And.Rule].levelChanges
	r.recheck, r.othersSeen = other != r.othersSeen, other
}

// awaitReturn keeps an alert that is held back from being forgotten: a host that is down sends nothing, and its alerts are not over. Once nothing
// holds it back any more its values have the time of no_data::after to come.
func (e *Engine) awaitReturn(g *group) bool {
	if g.alert == nil || g.alert.Level == 0 || !e.inhibited(g) {
		return false
	}
	g.lastArrival = max(g.lastArrival, e.running-max(0, g.staleAfter()-g.rule.NoDataAfterOf(g.interval())))
	return true
}

// endBesideOther moves the alert of a rule whose values have stopped when the other rule no longer fires: then it has nothing to fire beside,
// whatever the values are.
func (e *Engine) endBesideOther(g *group, t int64) {
	a := g.alert
	if a == nil {
		return
	}
	a.exemplar = nil
	if a.presentUntil != ladder.Unset && a.presentUntil != ladder.Forever {
		a.Shift(max(0, g.policyFrom()-a.presentUntil))
	}
	a.presentUntil = ladder.Forever // From here on time counts, as healthy.
	if e.step(g, t, ladder.Reading{Healthy: true}, alertschema.ReasonOnlyIf); a.Level == 0 {
		a.noData = false
	}
}
