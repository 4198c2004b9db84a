package alert

import (
	"math"
	"slices"
	"strings"
)

// Origin is where data points come from: one resource and scope. An adapter fills one and reuses it; the engine
// keeps copies of what it needs.
type Origin struct {
	// Resource holds the resource's attributes.
	Resource []Attr
	// IdentifyingKeys are the keys of Resource that identify it, where OTLP entity references tell; else empty.
	IdentifyingKeys []string
	// ScopeName, ScopeVersion and Scope describe the instrumentation scope.
	ScopeName, ScopeVersion string
	Scope                   []Attr

	key, resourceKey seriesKey
	hashed           bool
}

// Reset empties the origin for reuse. It must be called before the fields change.
func (o *Origin) Reset() {
	o.Resource, o.IdentifyingKeys, o.Scope = o.Resource[:0], o.IdentifyingKeys[:0], o.Scope[:0]
	o.ScopeName, o.ScopeVersion, o.hashed = "", "", false
}

// Stream describes the metric whose points follow.
type Stream struct {
	// Unit is the metric's UCUM unit.
	Unit string
	// Kind tells how points follow each other.
	Kind StreamKind
}

// Point is one number data point. Times are nanoseconds since the epoch.
type Point struct {
	Attributes []Attr
	// Start is the start time of a sum, 0 when not known.
	Start int64
	// Time is the point's time.
	Time  int64
	Value float64
	// NoValue is OTLP's flag that no value was recorded: the series ends here until a value comes.
	NoValue bool
	// Exemplar is the trace context of the newest exemplar, or nil. The engine keeps the pointer.
	Exemplar *Exemplar
}

// Matcher takes the points of one metric name on behalf of the rules that ask for it.
type Matcher struct {
	engine *Engine
	rules  []*ruleState
	series map[seriesKey]*series

	// Set by Select.
	active []*ruleState
	origin *Origin
	stream Stream
	base   seriesKey
}

// Matcher returns the matcher of a metric name, or nil when no rule asks for it: then none of the metric's points
// needs a look.
func (e *Engine) Matcher(metric string) *Matcher { return e.matchers[metric] }

// Select prepares for the points of one metric of one origin. It returns false when no rule wants any of them.
func (m *Matcher) Select(o *Origin, s Stream) bool {
	m.active = m.active[:0]
	for _, r := range m.rules {
		if allMatch(r.sel.resource, o.Resource) && allMatch(r.sel.scope, o.Scope) && m.engine.unitFits(r, s.Unit) {
			m.active = append(m.active, r)
		}
	}
	if len(m.active) == 0 {
		return false
	}
	m.origin, m.stream = o, s
	m.base = m.engine.originKey(o)
	return true
}

// Unsupported reports that the metric of the origin has points that are not numbers, such as a histogram. Every rule
// that wants them says so once.
func (m *Matcher) Unsupported(o *Origin, kind string) {
	for _, r := range m.rules {
		if allMatch(r.sel.resource, o.Resource) && allMatch(r.sel.scope, o.Scope) {
			m.engine.ruleError(r, "metric "+r.metric+" is a "+kind+": rules need number data points")
		}
	}
}

func (e *Engine) originKey(o *Origin) seriesKey {
	if !o.hashed {
		o.resourceKey = attrSetHash(e.seed, o.Resource)
		scope := attrSetHash(e.seed, o.Scope)
		name := [2]Attr{{"name", StringValue(o.ScopeName)}, {"version", StringValue(o.ScopeVersion)}}
		o.key = o.resourceKey.join(attrSetHash(e.seed, name[:])).join(scope)
		o.hashed = true
	}
	return o.key
}

// Observe takes one point. A point that no rule matches costs a few comparisons and no allocation.
func (m *Matcher) Observe(p *Point) {
	wanted := false
	for _, r := range m.active {
		if wanted = allMatch(r.sel.point, p.Attributes); wanted {
			break
		}
	}
	if !wanted {
		return
	}
	e := m.engine
	key := m.base.join(attrSetHash(e.seed, p.Attributes))
	s := m.series[key]
	switch {
	case p.Time > e.now+maxAhead:
		e.stats.ignored[ignoredFuture]++
		return
	case p.Time < e.now-e.rules.maxSampleAge:
		e.stats.ignored[ignoredLate]++
		return
	case s == nil:
		if e.seriesCount >= e.rules.limits.Series {
			e.stats.ignored[ignoredLimit]++
			return
		}
		s = m.newSeries(key, p)
	}
	s.kind = m.stream.Kind
	e.accept(s, p)
}

// maxAhead is how far a point's time may be ahead of the clock.
const maxAhead = 60 * second

// accept files a point under its series and takes down which groups it concerns.
func (e *Engine) accept(s *series, p *Point) {
	for _, g := range s.groups {
		g.rule.lastMatch = e.now
	}
	switch {
	case p.NoValue, math.IsNaN(p.Value):
		if !p.NoValue {
			e.stats.ignored[ignoredNaN]++
		}
		if p.Time <= s.newest() || p.Time <= s.staleAt() {
			return
		}
		s.extras().staleAt, s.seenAt = p.Time, e.now
		e.touch(s, p.Time, true)
	case p.Time > s.newest():
		if last := s.newest(); last != unset {
			s.noteInterval(p.Time - last)
		} else {
			s.firstT = p.Time
		}
		if s.samples.len() >= e.rules.limits.SamplesPerSeries {
			s.samples.dropFront(1)
			e.stats.ignored[ignoredLimit]++
		}
		s.samples.insert(sample{p.Time, p.Value})
		s.noteStart(p.Start)
		s.seenAt = e.now
		if s.rare != nil && s.rare.staleAt <= p.Time {
			s.rare.staleAt = unset
		}
		if p.Exemplar != nil {
			s.extras().exemplar = p.Exemplar
		}
		e.touch(s, p.Time, false)
	default:
		e.acceptLate(s, p)
	}
}

// acceptLate files a point that is older than the newest one: it counts in the windows it lies in, but what was
// decided stays decided.
func (e *Engine) acceptLate(s *series, p *Point) {
	switch {
	case p.Time == s.newest():
		e.stats.ignored[ignoredDuplicate]++
	case s.newest()-p.Time >= s.retention():
		e.stats.ignored[ignoredLate]++
	case s.samples.len() >= e.rules.limits.SamplesPerSeries:
		e.stats.ignored[ignoredLimit]++
	case !s.samples.insert(sample{p.Time, p.Value}):
		e.stats.ignored[ignoredDuplicate]++
	default:
		s.noteStart(p.Start)
	}
}

func (e *Engine) touch(s *series, t int64, marker bool) {
	s.queued = true
	for _, g := range s.groups {
		g.note(t, e.now, marker)
		if !g.queued {
			g.queued = true
			e.touched = append(e.touched, g)
		}
	}
}

// newSeries begins a series and finds the groups that it belongs to.
func (m *Matcher) newSeries(key seriesKey, p *Point) *series {
	e := m.engine
	s := &series{firstT: unset, resource: e.intern(m.origin)}
	for _, r := range m.active {
		if !allMatch(r.sel.point, p.Attributes) {
			continue
		}
		g := e.groupOf(r, r.groupKey(m.origin, p.Attributes))
		g.members = append(g.members, s)
		s.groups = append(s.groups, g)
	}
	s.groups = slices.Clip(s.groups)
	m.series[key] = s
	e.seriesCount++
	return s
}

// intern returns the engine's copy of the origin's resource.
func (e *Engine) intern(o *Origin) *resource {
	res := e.resources[o.resourceKey]
	if res == nil {
		res = &resource{key: o.resourceKey, attrs: cloneAttrs(o.Resource)}
		e.resources[o.resourceKey] = res
	}
	res.refs++
	return res
}

// groupKey returns the key of the group that a point belongs to.
func (r *rule) groupKey(o *Origin, point []Attr) string {
	var attrs []groupAttr
	switch {
	case r.absent != nil && len(r.groupBy) == 0:
		return r.pinnedKey()
	case r.groupGiven:
		sets := [...][]Attr{fromPoint: point, fromResource: o.Resource, fromScope: o.Scope}
		for _, f := range r.groupBy {
			if v, ok := lookup(sets[f.source], f.key); ok {
				attrs = append(attrs, groupAttr{f.source, Attr{f.key, v}})
			}
		}
		return encodeGroup(attrs)
	}
	if r.groupAgg == groupWorst {
		for _, a := range point {
			if !r.sel.pins(a.Key) {
				attrs = append(attrs, groupAttr{fromPoint, a})
			}
		}
	}
	for _, a := range o.Resource {
		if len(o.IdentifyingKeys) > 0 {
			if !slices.Contains(o.IdentifyingKeys, a.Key) {
				continue
			}
		} else if !identifiesResource(a.Key, r.metric) {
			continue
		}
		attrs = append(attrs, groupAttr{fromResource, a})
	}
	return encodeGroup(attrs)
}

// pinnedKey is the group key of an absent rule: what its selector says the missing series looks like.
func (r *rule) pinnedKey() string {
	var attrs []groupAttr
	for source, ms := range [...][]matcher{fromPoint: r.sel.point, fromResource: r.sel.resource, fromScope: r.sel.scope} {
		for _, m := range ms {
			if m.op == opExact {
				attrs = append(attrs, groupAttr{attrSource(source), Attr{m.key, StringValue(strings.Clone(m.text))}})
			}
		}
	}
	return encodeGroup(attrs)
}
