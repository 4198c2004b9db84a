package history

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// What is compared: the time up to a moment, and the time before that.
const (
	changesAfter  = time.Minute
	changesBefore = 10 * time.Minute
	maxChanges    = 20
	// changesBatch is how many series are read at once.
	changesBatch = 400
)

// Changes is what moved around a moment.
type Changes struct {
	At        int64
	Before    [2]int64
	After     [2]int64
	Series    []SeriesChange
	Processes []ProcessChange
	Table     int64 // Time of the process table of the moment, 0 if there is none.
}

// SeriesChange is how a series moved. Score is by how many of its usual steps.
type SeriesChange struct {
	ID                   uint32
	Score, Before, After float64
}

// ProcessChange is how a process moved. NaN: it was in no table of that time.
type ProcessChange struct {
	Process
	CPUBefore, CPUAfter, MemoryBefore, MemoryAfter float64
}

// Changes compares the minute up to a moment with the ten before, and ranks what moved most.
func (s *Store) Changes(at int64) Changes {
	border := at - changesAfter.Microseconds()
	c := Changes{At: at, Before: [2]int64{border - changesBefore.Microseconds(), border}, After: [2]int64{border, at}}
	s.mu.Lock()
	ids := make([]uint32, 0, len(s.byID))
	for id, x := range s.byID {
		if x.time >= border {
			ids = append(ids, id)
		}
	}
	s.mu.Unlock()
	slices.Sort(ids)
	for batch := range slices.Chunk(ids, changesBatch) {
		r := changeReader{border: border}
		// The series are few, so it cannot be too much.
		_ = s.Range(Query{Selection{IDs: batch}, c.Before[0], at, MaxWidth}, &r)
		c.Series = append(c.Series, r.found...)
	}
	slices.SortStableFunc(c.Series, func(a, b SeriesChange) int { return cmp.Compare(b.Score, a.Score) })
	c.Series = slices.Clip(c.Series[:min(len(c.Series), maxChanges)])
	c.Processes = s.processChanges(&c)
	c.Table = s.Table(at).Time
	return c
}

// changeReader compares the values of each series before and after a border.
type changeReader struct {
	border int64
	times  []int64
	found  []SeriesChange
}

// Plan is of no interest.
func (*changeReader) Plan(Plan) {}

// Group takes the times of the series that follow.
func (r *changeReader) Group(_ int, times []int64) { r.times = append(r.times[:0], times...) }

// Series compares.
func (r *changeReader) Series(v *Values) {
	var before, after moments
	for i, x := range v.Avg {
		if math.IsNaN(x) {
			continue
		}
		if r.times[i] < r.border {
			before.add(x)
		} else {
			after.add(x)
		}
	}
	if before.n < 3 || after.n == 0 {
		return
	}
	// A series that never moved has no usual step: then two hundredths of its size count as one.
	step := max(before.deviation(), 0.02*max(math.Abs(before.mean), math.Abs(after.mean)))
	if step == 0 {
		return
	}
	score := math.Abs(after.mean-before.mean) / step
	if score >= 1 {
		r.found = append(r.found, SeriesChange{v.ID, score, before.mean, after.mean})
	}
}

// moments are the mean and the spread of some values.
type moments struct {
	n       float64
	mean, m float64
}

func (m *moments) add(v float64) {
	m.n++
	d := v - m.mean
	m.mean += d / m.n
	m.m += d * (v - m.mean)
}

func (m *moments) deviation() float64 { return math.Sqrt(m.m / m.n) }

// processChanges compares the process tables before and after.
func (s *Store) processChanges(c *Changes) []ProcessChange {
	type sums struct {
		who         Process
		cpu, memory [2]float64
		seen        [2]int
	}
	all := map[[2]int64]*sums{}
	var tables [2]int
	for _, t := range s.tablesIn(c.Before[0], c.At) {
		side := 0
		if t.Time >= c.After[0] {
			side = 1
		}
		tables[side]++
		for i := range t.Rows {
			r := &t.Rows[i]
			key := [2]int64{r.Pid, r.Created}
			x := all[key]
			if x == nil {
				x = &sums{}
				all[key] = x
			}
			x.who = r.Process
			x.seen[side]++
			x.memory[side] += r.Memory
			if !math.IsNaN(r.CPU) {
				x.cpu[side] += r.CPU
			}
		}
	}
	var out []ProcessChange
	for _, x := range all {
		p := ProcessChange{Process: x.who, CPUBefore: nan(), CPUAfter: nan(), MemoryBefore: nan(), MemoryAfter: nan()}
		if x.seen[0] > 0 {
			p.CPUBefore, p.MemoryBefore = x.cpu[0]/float64(tables[0]), x.memory[0]/float64(x.seen[0])
		}
		if x.seen[1] > 0 {
			p.CPUAfter, p.MemoryAfter = x.cpu[1]/float64(tables[1]), x.memory[1]/float64(x.seen[1])
		}
		out = append(out, p)
	}
	move := func(p *ProcessChange) float64 {
		zero := func(v float64) float64 {
			if math.IsNaN(v) {
				return 0
			}
			return v
		}
		return math.Abs(zero(p.CPUAfter) - zero(p.CPUBefore))
	}
	slices.SortFunc(out, func(a, b ProcessChange) int {
		return cmp.Or(cmp.Compare(move(&b), move(&a)), cmp.Compare(a.Pid, b.Pid))
	})
	return out[:min(len(out), maxChanges)]
}

// tablesIn returns the tables in [from, to), of the finest tier that reaches back to from, else of the coarsest.
func (s *Store) tablesIn(from, to int64) []Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tables
	for i := range t.tiers {
		tier := &t.tiers[i]
		if i < len(t.tiers)-1 && tier.log.dropped >= from {
			continue
		}
		var out []Table
		for _, r := range tier.list[tier.upTo(from-1):tier.upTo(to-1)] {
			table := decodeTable(tier.log.block(r.ref), &t.ids)
			table.Time = r.time
			out = append(out, table)
		}
		return out
	}
	return nil
}
