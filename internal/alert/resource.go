package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// resource is the resource of one or more series; series that share it share the copy.
type resource struct {
	key     attr.Hash
	lineage attr.Hash // Of what identifies it.
	attrs   []attr.Attr
	refs    int
	sender  *sender // Nil of a stored alert.
	// next and previous are others of the same lineage: they are described otherwise.
	next, previous *resource
	// before is the key of the resource whose series this one has taken over, zero when it has none.
	before attr.Hash
}

// namedByRules are the resource attributes that rules name. They distinguish series, whatever the conventions say of them.
func namedByRules(set *rules.Set) map[string]struct{} {
	named := map[string]struct{}{}
	for _, r := range set.Rules {
		for _, key := range r.NamesResource() {
			named[key] = struct{}{}
		}
	}
	return named
}

// lineageOf returns the hash of what identifies the origin's resource to any rule. It stays when only the description changes.
func (e *Engine) lineageOf(o *attr.Origin) attr.Hash { return o.Lineage(e.seed, e.lineageAttrs) }

func (e *Engine) lineageAttrs(o *attr.Origin) []attr.Attr {
	var identifying []attr.Attr
	for _, a := range o.Resource {
		_, named := e.named[a.Key]
		if named || alertschema.Identifies(a.Key, o.Has) || rules.Refers(o, a.Key) {
			identifying = append(identifying, a)
		}
	}
	return identifying
}

// intern returns the engine's copy of the origin's resource.
func (e *Engine) intern(o *attr.Origin) *resource {
	_, key := o.Hashes(e.seed)
	lineage := e.lineageOf(o)
	first := e.resources[lineage]
	for res, n := first, 0; res != nil && n < maxDescriptions; res, n = res.next, n+1 {
		e.work++
		if res.key == key {
			res.refs++
			return res
		}
	}
	res := &resource{key: key, lineage: lineage, attrs: attr.Clone(o.Resource), refs: 1, next: first, sender: e.useSender(o.Resource)}
	if first != nil {
		first.previous = res
	}
	e.resources[lineage] = res
	e.hold(res.size())
	return res
}

// maxDescriptions is how many resources of one lineage are looked at, the newest ones. A sender that describes itself again with each batch has others,
// too, of which each series has a copy of its own.
const maxDescriptions = 16

// unref gives back a resource that a series had.
func (e *Engine) unref(res *resource) {
	if res.refs--; res.refs > 0 {
		return
	}
	e.hold(-res.size())
	e.leaveSender(res.sender)
	if res.next != nil {
		res.next.previous = res.previous
	}
	switch {
	case res.previous != nil:
		res.previous.next = res.next
	case res.next != nil:
		e.resources[res.lineage] = res.next
	default:
		delete(e.resources, res.lineage)
	}
}

// takeOver finds the series that a point goes on with whose key is new because the description of its resource has changed, an upgrade for
// instance: the series then has the new resource, and its samples and groups stay. It returns nil when there is none.
//
// Two that send at the same time under one identity are two series. So only a series that has an interval goes on, and one that comes back while
// its successor sends does not; a counter that may be another one does not either, for what lies between the two is no increase.
func (m *Matcher) takeOver(key attr.Hash, p *Point) *series {
	e := m.engine
	first := e.resources[e.lineageOf(m.origin)]
	if first == nil {
		return nil
	}
	_, own := m.origin.Hashes(e.seed)
	if first.key == own && first.next == nil {
		return nil
	}
	points := attr.HashSet(e.seed, p.Attributes)
	for res, n := first, 0; res != nil && n < maxDescriptions; res, n = res.next, n+1 {
		e.work++
		if res.key == own {
			continue
		}
		old := m.origin.HashOf(res.key).Join(e.units.hashes[m.unit]).Join(points)
		s := m.series[old]
		if s == nil || !e.goesOn(s, p) || res.before == own && p.Time-e.newestOf(s) < 3*s.Interval() {
			continue
		}
		delete(m.series, old)
		m.series[key] = s
		before := s.resource
		s.resource = e.intern(m.origin)
		before.sender.series--
		s.resource.sender.series++
		s.resource.before = before.key
		e.unref(before)
		return s
	}
	return nil
}

// goesOn tells whether a point may be the next of a series.
func (e *Engine) goesOn(s *series, p *Point) bool {
	interval, gap := s.Interval(), p.Time-e.newestOf(s)
	switch {
	case s.First == s.Newest(): // Its interval is not known, or only remembered.
		return false
	case interval == 0 || gap <= 0 || s.EndedAt() != window.Unset:
		return false
	case s.Kind != window.CumulativeCounter:
		return true
	case p.Start != 0:
		return p.Start <= s.Newest() // A counter that began later is another one.
	default:
		return gap >= interval/2 && p.Value >= s.Samples.At(s.Samples.Len()-1).Value
	}
}
