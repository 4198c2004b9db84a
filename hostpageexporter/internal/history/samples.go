package history

// SamplesQuery asks for the samples of series in [From, To], times in microseconds since the epoch.
type SamplesQuery struct {
	Selection
	From, To int64
	// Every is how far apart samples may be, in microseconds: a tier that is as fine as that answers.
	Every int64
	// Of is which value of an interval of a coarser tier answers for a gauge.
	Of Extreme
}

// Extreme is which value of an interval is asked for.
type Extreme uint8

// What an interval of a coarser tier can answer with.
const (
	Mean Extreme = iota
	Smallest
	Largest
)

// Samples are those of one series, in the order of their times. A counter has its totals; where these come from a coarser tier they begin
// at 0. A distribution has its p95. NaN stands where a series ended, or where scrapes are missing.
type Samples struct {
	ID     uint32
	Times  []int64
	Values []float64
}

func (x *Samples) add(t int64, v float64) {
	x.Times, x.Values = append(x.Times, t), append(x.Values, v)
}

// Samples calls f with the samples of each series of a query. What f gets is its own.
func (s *Store) Samples(q SamplesQuery, f func(Samples)) {
	r := reading{s: s, lines: map[*axis]timeline{}}
	ended := r.locate(q)
	for _, t := range r.targets {
		c, ok := r.copy(t)
		if !ok {
			continue
		}
		out := Samples{ID: t.id}
		if r.plan.Tier == 0 {
			r.totals(&c, &out)
		} else {
			r.coarseTotals(&c, q.Of, &out)
		}
		if at := ended[t.id]; at != 0 && at <= q.To && len(out.Times) > 0 {
			out.add(max(at, out.Times[len(out.Times)-1]+1000), nan())
		}
		f(out)
	}
}

// locate chooses the tier and copies the times. It returns when series ended, by their numbers.
func (r *reading) locate(q SamplesQuery) map[uint32]int64 {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := map[uint32]int64{}
	if s.closed {
		return ended
	}
	r.targets = s.resolve(q.Selection)
	r.plan = Plan{Store: s.name, From: q.From, To: q.To + 1, Tier: s.chooseTier(q.From, q.Every)}
	for _, t := range r.targets {
		if x := s.byID[t.id]; x.axis.lastOrdinal()-x.ordinal >= endedAfter {
			ended[t.id] = x.time + x.axis.interval
		}
		if _, known := r.lines[t.axis]; !known && r.plan.Tier == 0 {
			r.lines[t.axis] = t.axis.part(t.axis.ordinals(r.plan.From, r.plan.To))
		}
	}
	return ended
}

// totals reads the samples as they came.
func (r *reading) totals(c *copied, out *Samples) {
	n := 1
	if c.kind == Distribution {
		n = width
	}
	before, distance, known := uint32(0), uint32(0), false
	for _, b := range c.blocks {
		r.it = b.decode(n, r.it, func(ordinal uint32, v [width]float64) {
			if !c.line.has(ordinal) {
				return
			}
			t := c.line.time(ordinal)
			if known && t > r.plan.From && c.line.apart(before, ordinal, distance) {
				if at := c.line.time(before) + c.interval; at < t {
					out.add(at, nan())
				}
			}
			if known {
				distance = ordinal - before
			}
			before, known = ordinal, true
			if t >= r.plan.From {
				out.add(t, v[0])
			}
		})
	}
}

// coarseTotals reads the intervals of a coarser tier. The mean change of a counter is added up.
func (r *reading) coarseTotals(c *copied, of Extreme, out *Samples) {
	total, end := 0.0, int64(0)
	r.eachCoarse(c, func(p *point) {
		if end != 0 && p.time > end {
			if c.kind == Counter {
				out.add(end, total)
			}
			if p.time-end > p.lasts {
				out.add(end+p.lasts/2, nan())
			}
		}
		v := p.value
		switch {
		case c.kind == Counter:
			v = total
			total += p.value * float64(p.lasts) / 1e6
		case of == Smallest:
			v = p.low
		case of == Largest:
			v = p.high
		}
		out.add(p.time, v)
		end = p.time + p.lasts
	})
	if c.kind == Counter && end != 0 {
		out.add(end, total)
	}
}
