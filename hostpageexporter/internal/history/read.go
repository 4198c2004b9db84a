package history

import (
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// MaxWidth and MaxCells bound what can be asked for: points of a series, and values in all.
const (
	MaxWidth = 4000
	MaxCells = 2_000_000
)

func nan() float64 { return math.NaN() }

// Query asks for the values of series in [From, To), at about Width points.
type Query struct {
	Selection
	From, To int64
	Width    int
}

// Plan says how a query is answered.
type Plan struct {
	Store    string
	From, To int64
	Tier     int
	// Step is the length of a bucket; 0: the samples as they are.
	Step int64
}

// Values are those of one series. Of samples as they are Min and Max are nil, but for distributions.
type Values struct {
	ID       uint32
	Kind     Kind
	Avg      []float64 // Of a distribution the p95.
	Min, Max []float64
}

// Reader takes the answer to a query, in this order; what it gets is valid during the call.
type Reader interface {
	Plan(Plan)
	// Group begins the series that share these times. The axis is -1 when they are buckets.
	Group(axis int, times []int64)
	Series(*Values)
}

// CellsError says that a query asks for too much.
type CellsError struct{ Series, Points int }

// Error says what to do.
func (e CellsError) Error() string {
	return fmt.Sprintf("%d series at up to %d points are more than %d values: ask for fewer series or a smaller width", e.Series, e.Points, MaxCells)
}

// reading is the work on one query.
type reading struct {
	s       *Store
	plan    Plan
	targets []target
	lines   map[*axis]timeline
	newest  int64
	reader  Reader

	buffer []byte
	it     chunkenc.Iterator
	values Values
	times  []int64
}

// Range answers a query. The store is held only to copy the blocks, series by series.
func (s *Store) Range(q Query, reader Reader) error {
	r := reading{s: s, reader: reader, lines: map[*axis]timeline{}}
	if err := r.prepare(q); err != nil {
		return err
	}
	reader.Plan(r.plan)
	if r.plan.Step == 0 {
		for len(r.targets) > 0 {
			n := 1
			for n < len(r.targets) && r.targets[n].axis == r.targets[0].axis {
				n++
			}
			r.samples(r.targets[:n])
			r.targets = r.targets[n:]
		}
		return nil
	}
	r.buckets()
	return nil
}

// prepare chooses tier and step, and copies the times.
func (r *reading) prepare(q Query) error {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	r.targets = s.resolve(q.Selection)
	r.plan = Plan{Store: s.name, From: q.From, To: q.To}
	if len(r.targets) == 0 || s.closed {
		r.targets = nil
		return nil
	}
	want := (q.To - q.From + int64(q.Width) - 1) / int64(q.Width)
	interval := int64(0)
	for _, t := range r.targets {
		if t.axis.interval > 0 && (interval == 0 || t.axis.interval < interval) {
			interval = t.axis.interval
		}
		r.newest = max(r.newest, t.axis.lastTime())
	}
	r.plan.Tier = s.chooseTier(q.From, want)
	points := q.Width
	if r.plan.Tier == 0 {
		most := 0
		for _, t := range r.targets {
			if _, known := r.lines[t.axis]; known {
				continue
			}
			first, last, some := t.axis.ordinals(q.From, q.To)
			if some {
				most = max(most, int(last-first)+1)
			}
			r.lines[t.axis] = t.axis.part(first, last, some)
		}
		if most <= q.Width+q.Width/4 {
			points = 2 * most // With gaps between them.
		} else {
			r.plan.Step = niceStep(max(want, interval), 1)
		}
	} else {
		r.plan.Step = niceStep(want, s.tiers[r.plan.Tier].every)
	}
	if cells := len(r.targets) * points; cells > MaxCells {
		return CellsError{len(r.targets), points}
	}
	return nil
}

// chooseTier returns the finest tier that reaches back to a time, or a coarser one that does and is fine enough.
func (s *Store) chooseTier(from, step int64) int {
	chosen := -1
	for i := range s.tiers {
		reaches := s.tiers[i].log.dropped <= from
		if chosen < 0 && (reaches || i == len(s.tiers)-1) || reaches && s.tiers[i].every <= step {
			chosen = i
		}
	}
	return chosen
}

// steps are lengths of buckets that people find natural, in milliseconds.
var steps = []int64{
	100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1800_000, 3600_000, 7200_000,
	10_800_000, 21_600_000, 43_200_000, 86_400_000,
}

// niceStep returns the length of a bucket: at least so long, and a multiple of every.
func niceStep(least, every int64) int64 {
	for _, ms := range steps {
		if us := ms * 1000; us >= least && us%every == 0 {
			return us
		}
	}
	unit := max(every, 86_400_000_000)
	if unit%every != 0 {
		unit = every
	}
	return (least + unit - 1) / unit * unit
}

// part copies the times of some scrapes, and of the two before: counters are read from there.
func (a *axis) part(first, last uint32, some bool) timeline {
	if !some {
		return timeline{base: first}
	}
	i, j := int(first-a.base), int(last-a.base)+1
	i = max(0, i-2)
	return timeline{base: a.base + uint32(i), times: slices.Clone(a.times[i:j])}
}

// point is one sample, or one point of a coarser tier, as it is read.
type point struct {
	time      int64
	ordinal   uint32
	weight    float64
	value     float64
	low, high float64
	lasts     int64 // How long it takes, of a point of a coarser tier.
	interval  int64 // Usual distance of the scrapes.
}

// copied is the blocks of a series, out of the store.
type copied struct {
	blocks   []blockCopy
	open     interval // Of a coarser tier: what has not been stored yet.
	kind     Kind
	interval int64
	line     timeline
}

// copy takes the blocks of a series out of the store; false if it is gone.
func (r *reading) copy(t target) (copied, bool) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byID[t.id]
	if x == nil {
		return copied{}, false
	}
	c := copied{kind: x.metric.kind, interval: x.axis.interval}
	r.buffer = r.buffer[:0]
	if r.plan.Tier == 0 {
		c.line = r.lines[t.axis]
		if n := len(c.line.times); n > 0 {
			c.blocks, r.buffer = x.fine.copyBlocks(&s.tiers[0].log, c.line.base, c.line.base+uint32(n)-1, r.buffer)
		}
		return c, true
	}
	tier := &s.tiers[r.plan.Tier]
	lowest := tier.base * tier.every
	first, last := tier.number(max(r.plan.From, lowest)), tier.number(max(r.plan.To, lowest))
	c.blocks, r.buffer = x.coarse[r.plan.Tier-1].copyBlocks(&tier.log, first, last, r.buffer)
	c.open = x.interval[r.plan.Tier-1]
	return c, true
}

// each calls f with the points of a series in the order of their times, those of the query and perhaps some around it.
func (r *reading) each(c *copied, f func(*point)) {
	if r.plan.Tier > 0 {
		r.eachCoarse(c, f)
		return
	}
	n := 1
	if c.kind == Distribution {
		n = width
	}
	p := point{interval: c.interval}
	raw, before, distance, known := 0.0, uint32(0), uint32(0), false
	for _, b := range c.blocks {
		known = known && !b.fresh
		r.it = b.decode(n, r.it, func(ordinal uint32, v [width]float64) {
			was, wasKnown, wasAt, wasApart := raw, known, before, distance
			if raw, known, before = v[0], true, ordinal; wasKnown {
				distance = ordinal - wasAt
			}
			if !c.line.has(ordinal) {
				return
			}
			p.time, p.ordinal, p.weight = c.line.time(ordinal), ordinal, 1
			p.value, p.low, p.high = v[0], v[0], v[0]
			switch c.kind {
			case Distribution:
				p.low, p.high = v[1], v[2]
			case Counter:
				if !wasKnown || v[0] < was || c.line.apart(wasAt, ordinal, wasApart) {
					return
				}
				p.weight = float64(p.time-c.line.time(wasAt)) / 1e6
				p.value = (v[0] - was) / p.weight
				p.low, p.high = p.value, p.value
			case Gauge:
			}
			f(&p)
		})
	}
}

func (r *reading) eachCoarse(c *copied, f func(*point)) {
	tier := &r.s.tiers[r.plan.Tier] // What is read of it does not change.
	p := point{interval: c.interval, lasts: tier.every, weight: 1}
	for _, b := range c.blocks {
		r.it = b.decode(width, r.it, func(number uint32, v [width]float64) {
			p.time, p.value, p.low, p.high = tier.start(number), v[0], v[1], v[2]
			f(&p)
		})
	}
	if v := &c.open; v.weight > 0 {
		p.time, p.value, p.low, p.high = tier.start(v.number), v.average(), v.min, v.max
		f(&p)
	}
}
