package history

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Dropped counts the samples that a write could not keep, by reason.
type Dropped struct {
	// Limit: the series are too many. Time: the sample is older than the last one of its series, in the future, or too old.
	Limit, Time int64
	// Invalid: the value is no number.
	Invalid int64
}

// Writer writes what one push brought. It holds the store: Commit must be called.
type Writer struct {
	s       *Store
	now     int64
	current []scrape
	pending []pendingSample
	dropped Dropped
	// Brought tells what the push changed.
	brought Brought
}

// Brought says what a push brought.
type Brought struct {
	Samples bool
	Tables  bool
}

// scrape is an axis of which the push has the newest scrape.
type scrape struct {
	time int64
	axis *axis
}

type pendingSample struct {
	metric   *metric
	resource int
	key      Key
	texts    []Attribute
	time     int64
	start    int64
	values   [width]float64
}

// maxAhead is how far the clock of a sender may be ahead.
const maxAhead = time.Minute

// Begin begins a write.
func (s *Store) Begin(now time.Time) *Writer {
	s.mu.Lock()
	w := &Writer{s: s, now: now.UnixMicro()}
	if w.now-s.swept >= sweepEvery.Microseconds() && !s.closed {
		s.sweep(w.now)
	}
	return w
}

// Commit ends a write, and says what it brought and what it could not keep.
func (w *Writer) Commit() (Brought, Dropped) {
	s := w.s
	defer s.mu.Unlock()
	if s.closed {
		return Brought{}, w.dropped
	}
	for i := range w.pending {
		w.adopt(&w.pending[i])
	}
	s.enforce(0)
	return w.brought, w.dropped
}

// Resource returns the number of a resource; false when there are too many. attributes is called when it is new.
func (w *Writer) Resource(key Key, attributes func() []Attribute) (int, bool) {
	s := w.s
	if i, ok := s.byResource[key]; ok {
		s.resources[i].seen = w.now
		return i, true
	}
	list := cleanList(attributes())
	if i := s.claimResource(list); i >= 0 {
		r := &s.resources[i]
		r.key, r.seen, r.loaded = key, w.now, false
		s.byResource[key] = i
		return i, true
	}
	i := len(s.resources)
	if i >= maxResources {
		unused := func(r resource) bool { return r.series == 0 && r.seen < w.now-sweepEvery.Microseconds() }
		if i = slices.IndexFunc(s.resources, unused); i < 0 {
			return 0, false
		}
		if !s.resources[i].loaded {
			delete(s.byResource, s.resources[i].key)
		}
		s.heap -= s.resources[i].size
	} else {
		s.resources = append(s.resources, resource{})
	}
	r := resource{key: key, seen: w.now}
	r.attributes = list
	for _, a := range r.attributes {
		r.size += len(a.Key) + len(a.Value) + 32
	}
	s.heap += r.size
	s.resources[i], s.byResource[key] = r, i
	return i, true
}

// Metric returns the metric of a name.
func (w *Writer) Metric(name, unit, description string, kind Kind) Metric {
	s := w.s
	name, unit = clean(name, maxValueText), clean(unit, maxValueText)
	if m := s.byName[metricName{name, unit, kind}]; m != nil {
		return Metric{m}
	}
	m := &metric{name: strings.Clone(name), unit: strings.Clone(unit), description: cut(description, maxMetricText), kind: kind}
	if s.closed || len(s.metrics) >= s.cfg.MaxSeries {
		return Metric{m} // Its series will be refused.
	}
	m.listed = true
	s.byName[metricName{m.name, m.unit, kind}] = m
	s.metrics = append(s.metrics, m)
	s.heap += m.size()
	return Metric{m}
}

// Metric is a handle on a metric.
type Metric struct{ m *metric }

// Sample is one data point.
type Sample struct {
	Key Key
	// Time and Start are nanoseconds since the epoch, as the sender has them; Start is 0 where it is not known.
	Time, Start int64
	// Values are the level or total; of a distribution its p95, minimum and maximum.
	Values [3]float64
	// Delta: the value of a counter is not its total but what came on top.
	Delta bool
}

// Put takes a sample. attributes is called when the series is new.
func (w *Writer) Put(resource int, m Metric, p Sample, attributes func() []Attribute) {
	s := w.s
	if s.closed {
		return
	}
	for _, v := range p.Values[:m.m.values()] {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			w.dropped.Invalid++
			return
		}
	}
	t := p.Time / 1000
	if t > w.now+maxAhead.Microseconds() || t < w.now-s.tiers[0].Keep.Microseconds() {
		w.dropped.Time++
		return
	}
	x := s.byKey[p.Key]
	if x == nil {
		w.pending = append(w.pending, pendingSample{
			metric: m.m, resource: resource, key: p.Key, texts: attributes(), time: t, start: p.Start, values: p.Values,
		})
		return
	}
	if p.Delta {
		p.Values[0] += x.raw
		p.Start = 0
	}
	if x.misplaced(t) {
		// The rest of the push may bring the scrape of its axis yet.
		w.pending = append(w.pending, pendingSample{
			metric: m.m, resource: resource, key: p.Key, texts: attributes(), time: t, start: p.Start, values: p.Values,
		})
		return
	}
	w.take(x, t, p.Start, p.Values)
}

// take gives a series its next sample.
func (w *Writer) take(x *series, t, start int64, values [width]float64) {
	switch last := x.axis.lastTime(); {
	case t < last, t == x.time:
		w.dropped.Time++
		return
	case t > last:
		w.s.heap += x.axis.advance(t)
		w.current = append(w.current, scrape{t, x.axis})
	case !w.has(x.axis):
		w.current = append(w.current, scrape{t, x.axis})
	}
	w.brought.Samples = true
	x.settled = x.time != 0
	if w.s.started == 0 {
		w.s.started = t
	}
	w.s.reserve()
	w.s.heap += w.s.observe(x, t, start, values)
}

func (w *Writer) has(a *axis) bool {
	for _, c := range w.current {
		if c.axis == a {
			return true
		}
	}
	return false
}

// reserve makes room for the segments that one sample can begin.
func (s *Store) reserve() {
	for i := range s.tiers {
		if !s.tiers[i].log.fits(2 * blockBytes) {
			s.enforce(segmentSize)
			return
		}
	}
}

// misplaced tells that a series has joined the axis of another scraper, which began in the same microsecond: scrapes have come there without it, and now
// it comes without them. Left there, it would have gaps at each of their scrapes, and they at each of its own. Its first sample is given up.
func (x *series) misplaced(t int64) bool {
	last := x.axis.lastTime()
	return !x.settled && x.time < last && last < t
}

// adopt begins a series. It joins the axis of the scrape that it came with, if that is known by now.
func (w *Writer) adopt(p *pendingSample) {
	s := w.s
	x := s.byKey[p.key]
	if x != nil && x.misplaced(p.time) {
		s.remove(x.id)
		x = nil
	}
	if x == nil {
		x = s.claim(p)
	}
	if x != nil {
		w.take(x, p.time, p.start, p.values)
		return
	}
	if !p.metric.listed || len(s.byID) >= s.cfg.MaxSeries && !s.evict(w.now) || int64(s.text) > s.cfg.MaxMemory/8 {
		s.refused++
		w.dropped.Limit++
		return
	}
	var on *axis
	for _, c := range w.current {
		if c.time == p.time {
			on = c.axis
		}
	}
	for _, a := range s.axes { // A scrape may come in parts.
		if on == nil && a.resource == p.resource && a.lastTime() == p.time {
			on = a
		}
	}
	if on == nil {
		if len(s.axes) >= maxAxes {
			s.refused++
			w.dropped.Limit++
			return
		}
		on = &axis{id: s.nextAxis, resource: p.resource}
		s.nextAxis++
		s.axes = append(s.axes, on)
		s.heap += axisSize
	}
	x = &series{
		id: s.nextID, key: p.key, metric: p.metric, resource: p.resource, axis: on,
		coarse: make([]column, len(s.tiers)-1), interval: make([]interval, len(s.tiers)-1),
	}
	x.last = [width]float64{math.NaN(), math.NaN(), math.NaN()}
	x.describe(p.texts)
	s.nextID++
	on.series++
	s.resources[x.resource].series++
	s.byKey[p.key], s.byID[x.id] = x, x
	p.metric.series = append(p.metric.series, x)
	s.heap += seriesSize + x.size
	s.text += x.size
	s.generation++
	w.take(x, p.time, p.start, p.values)
}

// evict makes room by forgetting series that have been silent, the longest ones first; false if none is.
func (s *Store) evict(now int64) bool {
	if now-s.noneQuiet < sweepEvery.Microseconds() {
		return false
	}
	var silent []*series
	for _, x := range s.byID {
		if x.time < now-silentAfter.Microseconds() {
			silent = append(silent, x)
		}
	}
	if len(silent) == 0 {
		s.noneQuiet = now
		return false
	}
	slices.SortFunc(silent, func(a, b *series) int { return cmp.Compare(a.time, b.time) })
	for _, x := range silent[:(len(silent)+3)/4] {
		s.remove(x.id)
	}
	return true
}
