package history

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Table returns the newest table at or before a time. The finest tier that reaches back to it answers.
func (s *Store) Table(at int64) Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tables
	if t.shown() && at >= t.open.Time {
		out := t.open
		out.Rows, out.Groups, out.CPUs = slices.Clone(out.Rows), slices.Clone(out.Groups), t.cpus
		t.neighbours(&out)
		return out
	}
	out := Table{Unattributed: math.NaN()}
	if block, found, tier := tableUpTo(t.tiers, at); block != nil {
		out = decodeTable(block, &t.ids)
		out.Time, out.Tier = found, tier
	}
	s.keptTable(at, &out)
	if out.Time != 0 {
		t.neighbours(&out)
	}
	return out
}

// NewestTable returns the time of the newest table, 0 if there is none.
func (s *Store) NewestTable() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tables
	if list := t.tiers[0].list; !t.shown() && len(list) > 0 {
		return list[len(list)-1].time
	}
	if t.shown() {
		return t.open.Time
	}
	return 0
}

// upTo is how many tables there are up to a time.
func (t *tableTier) upTo(at int64) int {
	n, found := slices.BinarySearchFunc(t.list, at, func(r tableRef, at int64) int { return cmp.Compare(r.time, at) })
	if found {
		n++
	}
	return n
}

// tableUpTo finds the newest stored table at or before a time, in the finest tier that reaches back to it; nil if there is none.
func tableUpTo(tiers []tableTier, at int64) (block []byte, found int64, tier int) {
	for i := range tiers {
		if n := tiers[i].upTo(at); n > 0 {
			r := tiers[i].list[n-1]
			return tiers[i].log.block(r.ref), r.time, i
		}
	}
	return nil, 0, 0
}

// haveTables tells whether any is stored, as after a restart.
func haveTables(tiers []tableTier) bool {
	return slices.ContainsFunc(tiers, func(t tableTier) bool { return len(t.list) > 0 })
}

// beside returns the times of the stored tables before and after a time, of the finest tiers that have them.
func beside(tiers []tableTier, at int64) (previous, next int64) {
	for i := range tiers {
		list := tiers[i].list
		if n := tiers[i].upTo(at - 1); n > 0 && list[n-1].time > previous {
			previous = list[n-1].time
		}
		if n := tiers[i].upTo(at); n < len(list) && (next == 0 || list[n].time < next) {
			next = list[n].time
		}
	}
	return previous, next
}

// neighbours sets the times of the tables beside one.
func (t *tables) neighbours(table *Table) {
	table.Previous, table.Next = beside(t.tiers, table.Time)
	if t.shown() && table.Next == 0 && table.Time < t.open.Time {
		table.Next = t.open.Time
	}
}

// shown tells whether the open table is one to be seen: of a receiver that sums up the others, if there is one.
func (t *tables) shown() bool {
	if t.open.Time == 0 || len(t.open.Rows)+len(t.open.Groups) == 0 {
		return false
	}
	return t.summarizes() || t.summed == 0 || t.summed <= t.open.Time-time.Minute.Microseconds()
}

// summarizes tells whether the open table says what the processes took that it does not list.
func (t *tables) summarizes() bool {
	return slices.ContainsFunc(t.open.Groups, func(g Group) bool { return g.Name == "other" })
}

// TableAfter returns the time of the oldest table after a time, 0 if there is none.
func (s *Store) TableAfter(at int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := Table{Time: at}
	s.tables.neighbours(&oldest)
	return oldest.Next
}
