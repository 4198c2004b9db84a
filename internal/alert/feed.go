package alert

import (
	"fmt"
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// Stream describes the metric whose points follow.
type Stream struct {
	// Unit is the metric's UCUM unit.
	Unit string
	// Kind tells how points follow each other.
	Kind window.StreamKind
}

// Point is one number data point. Times are nanoseconds since the epoch.
type Point struct {
	Attributes []attr.Attr
	// Start is the start time of a sum, 0 when not known.
	Start int64
	// Time is the point's time.
	Time  int64
	Value float64
	// NoValue is OTLP's flag that no value was recorded: the series ends here until a value comes.
	NoValue bool
	// Exemplar is the trace context of the newest exemplar, or nil. The engine keeps the pointer.
	Exemplar *window.Exemplar
}

// Matcher takes the points of one metric name on behalf of the rules that ask for it.
type Matcher struct {
	engine    *Engine
	statistic window.Statistic
	inputs    []*ruleInput
	series    map[attr.Hash]*series
	seenOnce  map[attr.Hash]int64 // Times of samples of forgotten series that had no other.
	left      map[attr.Hash]*leftSeries
	// statistics take the points of the metric that describe many values, one matcher for each statistic that rules ask for.
	statistics []*Matcher

	// Set by Select.
	active []*ruleInput
	origin *attr.Origin
	stream Stream
	unit   uint16 // The number of the stream's unit.
	base   attr.Hash
}

// Matcher returns the matcher of a metric name, or nil when no rule asks for it: then none of the metric's points
// needs a look.
func (e *Engine) Matcher(metric string) *Matcher { return e.matchers[metric] }

// Select prepares for the number data points of one metric of one origin. It returns false when no rule wants any of them.
func (m *Matcher) Select(o *attr.Origin, s Stream) bool {
	for _, f := range m.statistics {
		for _, w := range f.inputs {
			if w.Statistic.Kind != window.StatisticNone && w.from(o) {
				m.engine.ruleError(w.rule, errorNumbers, func() string {
					return fmt.Sprintf("metric %s has number data points: leave out %q, which is for histograms and summaries", w.Metric, w.Key+"statistic")
				})
			}
		}
	}
	return m.activate(o, s)
}

// activate finds the rules that want points of the origin.
func (m *Matcher) activate(o *attr.Origin, s Stream) bool {
	m.active = m.active[:0]
	if m.unit == 0 || m.stream.Unit != s.Unit {
		m.unit = m.engine.unitNumber(s.Unit)
	}
	for _, w := range m.inputs {
		if !w.offered {
			m.engine.observePlaces(w, o)
		}
		if w.from(o) && m.engine.unitFits(w, m.unit, o) {
			m.active = append(m.active, w)
		}
	}
	m.origin, m.stream = o, s
	if len(m.active) == 0 {
		return false
	}
	m.base, _ = o.Hashes(m.engine.seed)
	m.base = m.base.Join(m.engine.units.hashes[m.unit]) // Values of different units are different series.
	return true
}

// Wants tells whether any rule wants a point with these attributes; what it does not want needs not be read any further.
func (m *Matcher) Wants(attrs attr.Source) bool {
	for _, w := range m.active {
		if w.Selector.MatchesSource(attrs) {
			return true
		}
	}
	return false
}

// Observe takes one point. A point that no rule matches costs a few comparisons and no allocation.
func (m *Matcher) Observe(p *Point) {
	for _, w := range m.active {
		if w.Selector.MatchesPoint(p.Attributes) {
			m.Take(p)
			return
		}
	}
}

// Take takes a point that Wants has found wanted.
func (m *Matcher) Take(p *Point) {
	e := m.engine
	key := m.base.Join(attr.HashSet(e.seed, p.Attributes))
	s := m.series[key]
	switch {
	case p.Time > e.now+maxAhead:
		e.stats.ignored[ignoredFuture]++
		m.outOfTime(s, p)
		return
	case p.Time < e.now-e.rules.MaxSampleAge:
		e.stats.ignored[ignoredLate]++
		m.outOfTime(s, p)
		return
	case s == nil:
		if s = m.takeOver(key, p); s != nil {
			break
		}
		if !e.roomForSeries(m.origin) {
			e.stats.ignored[ignoredLimit]++
			e.exceeded[LimitSeries].total++
			e.countUnwatched(m, key)
			return
		}
		if m.left[key] == nil && !e.roomInMemory(m.origin) { // What an engine before has left of it is held already.
			e.stats.ignored[ignoredLimit]++
			e.Exceeded(LimitMemory, m.origin)
			return
		}
		s = m.newSeries(key, p)
	}
	s.Kind = m.stream.Kind
	e.accept(s, p)
}

// maxAhead is how far a point's time may be ahead of the clock.
const maxAhead = 60 * second

// accept takes a point of a series. One that comes after a gap waits until the round is complete, for what fills the gap may
// stand behind it.
func (e *Engine) accept(s *series, p *Point) {
	delay := s.marked(markDelayed | markUnordered)
	newest := s.Newest()
	silent := p.Time - newest
	if newest == window.Unset || 2*silent > 3*s.Interval() {
		delay = true
	}
	for _, g := range s.groups {
		g.rule.lastMatch = e.running
		delay = delay || silent >= g.rule.patience
	}
	if delay {
		e.delay(s, p)
		return
	}
	e.file(s, p)
}

// file puts a point under its series and records which groups it concerns.
func (e *Engine) file(s *series, p *Point) {
	switch {
	case p.NoValue, math.IsNaN(p.Value):
		if !p.NoValue {
			e.stats.ignored[ignoredNaN]++
		}
		if p.Time <= s.Newest() || p.Time <= s.EndedAt() {
			return
		}
		s.End(p.Time)
		s.seenAt = e.running
		e.touch(s, p.Time, p.NoValue)
	case p.Time > s.Newest():
		if s.Append(p.Time, p.Value, p.Start, e.samplesLimit(s)) && len(s.groups) > 0 {
			e.stats.ignored[ignoredLimit]++
			e.countCut(s)
		}
		if s.First == p.Time && s.Kind != window.Gauge && p.Start != 0 {
			e.recordBirth(s, p)
		}
		s.seenAt = e.running
		if p.Exemplar != nil {
			s.SetExemplar(p.Time, p.Exemplar)
		}
		e.touch(s, p.Time, false)
	default:
		e.acceptLate(s, p)
	}
}

// recordBirth remembers the start of a stream, where a window of one of its rules may reach back to it.
func (e *Engine) recordBirth(s *series, p *Point) {
	if span := e.retention(s); span > 0 && (s.Kind == window.DeltaCounter || p.Time-p.Start <= span+max(window.DefaultLookback, s.Lookback(0))) {
		s.RecordBirth(p.Start)
	}
}

// acceptLate files a point that is older than the newest one: it counts in the windows it lies in, but what was
// decided stays decided. What has not been decided yet is decided with it.
func (e *Engine) acceptLate(s *series, p *Point) {
	undecided := false
	for _, g := range s.groups {
		undecided = undecided || p.Time > g.decided()
		e.heard(g, s)
	}
	switch {
	case p.Time == s.Newest():
		e.stats.ignored[ignoredDuplicate]++
	case !undecided && s.Newest()-p.Time >= e.retention(s):
		e.stats.ignored[ignoredLate]++
	case s.Samples.Len() >= e.samplesLimit(s):
		e.stats.ignored[ignoredLimit]++
	case !s.InsertLate(p.Time, p.Value, p.Start):
		e.stats.ignored[ignoredDuplicate]++
	case undecided:
		s.Marks |= markUnordered
		if p.Exemplar != nil {
			s.SetExemplar(p.Time, p.Exemplar)
		}
		e.touch(s, p.Time, false)
	}
}

func (e *Engine) touch(s *series, t int64, marker bool) {
	if s.marked(markInput) {
		e.queueInput(s)
	}
	s.Marks |= markQueued
	fresh := s.First == t
	for _, g := range s.groups {
		g.arrive(t, e.running, marker)
		if fresh && g.lastRound == t && len(g.members) > 1 {
			g.wait(t) // A batch that was split on the way: the round was decided without the part that has this new series.
		}
		e.queueGroup(g)
	}
}

func (e *Engine) queueGroup(g *group) {
	if !g.queued {
		g.queued = true
		e.touched = append(e.touched, g)
	}
}

// queueInput queues the groups that may wait for an input that has come.
func (e *Engine) queueInput(s *series) {
	if !s.marked(markQueued) {
		e.touchedInputs = append(e.touchedInputs, s)
	}
	for _, x := range e.inputRefs[s] {
		if len(x.group.pending) > 0 {
			e.queueGroup(x.group)
		}
	}
}

// newSeries begins a series and finds the groups that it belongs to.
func (m *Matcher) newSeries(key attr.Hash, p *Point) *series {
	e := m.engine
	s := &series{Series: window.NewSeries(), resource: e.intern(m.origin)}
	s.Unit = m.unit
	s.resource.sender.series++
	e.hold(seriesSize)
	for _, w := range m.active {
		if !w.Selector.MatchesPoint(p.Attributes) {
			continue
		}
		if !w.matched {
			e.observeGroup(w, m.origin, p.Attributes)
		}
		key := w.rule.GroupKey(w.Target, m.origin, p.Attributes)
		if e.tooManySilent(w.rule, key) {
			e.exceeded[LimitSeries].total++
			e.countUnwatched(m, m.base)
			continue
		}
		g := e.groupOf(w.rule, key)
		if e.fitsGroup(g, m.unit, w.Role) {
			e.join(g, s, w.Role)
		} else {
			e.keepApart(g, s)
		}
		if w.Role == rules.RoleValue {
			w.rule.bounds.noteSeries(w.rule, s, m.origin, p.Attributes)
		}
		e.rememberSeries(w, s, m.origin, p.Attributes)
	}
	s.groups = slices.Clip(s.groups)
	if !m.goOn(key, s) {
		m.recallInterval(key, s, p.Time)
	}
	m.series[key] = s
	e.seriesCount++
	return s
}
