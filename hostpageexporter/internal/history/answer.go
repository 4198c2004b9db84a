package history

import (
	"math"
)

// samples answers with the samples as they are, of series of one axis.
func (r *reading) samples(targets []target) {
	line := r.lines[targets[0].axis]
	index := make([]int, len(line.times)) // Where in the answer the sample of a scrape stands.
	r.times = r.times[:0]
	for i, shifted := range line.times {
		t := shifted >> 1
		if t < r.plan.From {
			index[i] = -1
			continue
		}
		if shifted&1 != 0 && len(r.times) > 0 {
			r.times = append(r.times, r.times[len(r.times)-1]+(t-r.times[len(r.times)-1])/2)
		}
		index[i] = len(r.times)
		r.times = append(r.times, t)
	}
	if len(r.times) == 0 {
		return
	}
	r.reader.Group(targets[0].axis.id, r.times)
	for _, t := range targets {
		c, ok := r.copy(t)
		if !ok {
			continue
		}
		v := r.reset(t, c.kind, len(r.times))
		r.each(&c, func(p *point) {
			if i := index[p.ordinal-line.base]; i >= 0 {
				v.Avg[i], v.Min[i], v.Max[i] = p.value, p.low, p.high
			}
		})
		if c.kind == Distribution {
			r.reader.Series(v)
		} else {
			r.reader.Series(&Values{ID: v.ID, Kind: v.Kind, Avg: v.Avg})
		}
	}
}

// reset makes room for the values of a series: nothing but gaps.
func (r *reading) reset(t target, kind Kind, n int) *Values {
	v := &r.values
	v.ID, v.Kind = t.id, kind
	for _, list := range []*[]float64{&v.Avg, &v.Min, &v.Max} {
		if cap(*list) < n {
			*list = make([]float64, n)
		}
		*list = (*list)[:n]
		for i := range *list {
			(*list)[i] = nan()
		}
	}
	return v
}

// buckets answers with buckets, all series of one length.
func (r *reading) buckets() {
	if len(r.targets) == 0 {
		return
	}
	step := r.plan.Step
	first, last := floorDiv(r.plan.From, step), floorDiv(min(r.plan.To-1, r.newest), step)
	r.times = r.times[:0]
	for b := first; b <= last; b++ {
		r.times = append(r.times, b*step)
	}
	if len(r.times) == 0 {
		return
	}
	r.reader.Group(-1, r.times)
	for _, t := range r.targets {
		c, ok := r.copy(t)
		if !ok {
			continue
		}
		v := r.reset(t, c.kind, len(r.times))
		r.fill(v, &c, first)
		r.reader.Series(v)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// fill puts the points of a series into buckets. A bucket between two points that are no gap apart takes the value of one of these.
func (r *reading) fill(v *Values, c *copied, first int64) {
	var sum interval
	at, newest := int64(-1), int64(0)
	largest := nan()
	store := func() {
		if sum.weight > 0 && at >= 0 && at < int64(len(v.Avg)) {
			v.Avg[at], v.Min[at], v.Max[at] = sum.average(), sum.min, sum.max
			if c.kind == Distribution {
				v.Avg[at] = largest
			}
		}
	}
	r.each(c, func(p *point) {
		if p.time >= r.plan.To || r.plan.Tier == 0 && p.time < r.plan.From {
			return
		}
		bucket := floorDiv(p.time, r.plan.Step) - first
		if bucket != at {
			store()
			gap := int64(gapFactor * float64(p.interval))
			if at >= 0 && bucket > at+1 && p.time-newest <= max(gap, p.lasts) {
				between(v, at, bucket, c.kind, p)
			}
			at, sum, largest = bucket, interval{}, nan()
		}
		newest = p.time
		sum.add(p.weight, p.value, p.low, p.high)
		if math.IsNaN(largest) || p.value > largest {
			largest = p.value
		}
	})
	store()
}

// between fills the buckets between two points: of a counter, whose value is of the time before it, with the later one.
func between(v *Values, from, to int64, kind Kind, later *point) {
	for b := max(from+1, 0); b < min(to, int64(len(v.Avg))); b++ {
		switch {
		case kind == Counter:
			v.Avg[b], v.Min[b], v.Max[b] = later.value, later.low, later.high
		case from >= 0:
			v.Avg[b], v.Min[b], v.Max[b] = v.Avg[from], v.Min[from], v.Max[from]
		}
	}
}
