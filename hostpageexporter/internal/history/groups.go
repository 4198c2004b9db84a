package history

import (
	"encoding/binary"
	"math"
	"slices"
)

// ControlGroup is who a control group is: a container, a service, or another one.
type ControlGroup struct {
	Path, Container, ContainerID, Image, Runtime, Unit, Pod, Namespace, PodContainer string
}

func (g ControlGroup) textSize() int {
	return len(g.Path) + len(g.Container) + len(g.ContainerID) + len(g.Image) + len(g.Runtime) + len(g.Unit) + len(g.Pod) + len(g.Namespace) + len(g.PodContainer)
}

// GroupUsage is what a control group took at a moment. What is not known, or not limited, is NaN.
type GroupUsage struct {
	CPU         float64 // CPUs.
	CPULimit    float64 // CPUs.
	Periods     float64 // Of its limit, in which it ran, a second.
	Throttled   float64 // Share of the periods in which it was throttled.
	Memory      float64 // Bytes, without the page cache that is reclaimed first.
	MemoryLimit float64
	Read        float64 // Bytes a second.
	Write       float64
	OOMKills    float64 // Since it began.
}

// GroupRow is a control group in a table.
type GroupRow struct {
	ControlGroup
	GroupUsage
}

// GroupTable is the control groups of a moment.
type GroupTable struct {
	// Time is when, 0 if there is no table. Previous and Next are the times of those beside it, 0 if there is none.
	Time, Previous, Next int64
	Tier                 int
	Rows                 []GroupRow
	Omitted              int
}

// GroupSample is what a scrape says of a control group.
type GroupSample struct {
	ControlGroup
	// Time and Start are nanoseconds since the epoch.
	Time, Start int64
	// Totals since Start, NaN where they are not known: seconds, periods and bytes.
	CPU, Periods, ThrottledPeriods, Read, Write, OOMKills float64
	// Delta: the totals are what came since the last scrape.
	Delta bool
	// Levels, NaN where they are not known.
	Usage, CPULimit, Memory, MemoryLimit float64
}

const (
	// maxGroupText bounds each text of a control group.
	maxGroupText = 256
	// maxGroupRows bounds the rows that are taken of a scrape, maxKeptGroups those that are kept of it once the next has come.
	maxGroupRows  = 2000
	maxKeptGroups = 500
	// otherGroup is the path of what the receiver does not show.
	otherGroup = "other"
)

// groupTables is the tables of the control groups of a host.
type groupTables struct {
	tiers    []tableTier
	ids      identities[ControlGroup]
	host     int
	open     GroupTable
	numbers  []*identity[ControlGroup] // Of the rows of open.
	rows     map[uint32]int            // Of open, by number.
	previous map[uint32]groupTotals    // By number, of the table before.
	current  map[uint32]groupTotals
	before   int64 // Time of the table before open.
}

type groupTotals struct{ cpu, periods, throttled, read, write, kills float64 }

func newGroupTables(cfg []TableTier, p *pool) groupTables {
	t := groupTables{
		host: -1, ids: newIdentities[ControlGroup](), rows: map[uint32]int{}, previous: map[uint32]groupTotals{}, current: map[uint32]groupTotals{},
	}
	for _, c := range cfg {
		t.tiers = append(t.tiers, tableTier{TableTier: c, log: blockLog{pool: p}})
	}
	return t
}

// size is how many bytes of the heap the tables take, about.
func (t *groupTables) size() int {
	return t.ids.heap + (len(t.previous)+len(t.current))*96 + cap(t.open.Rows)*250
}

func (t *groupTables) forget() {
	for i := range t.tiers {
		t.tiers[i].list, t.tiers[i].log, t.tiers[i].best = nil, blockLog{pool: t.tiers[i].log.pool}, nil
	}
	t.open = GroupTable{}
}

// ControlGroup takes a control group into the table of its time. Only one host's are kept, that of the processes or of the first; false for those
// of others, and for what is too late.
func (w *Writer) ControlGroup(resource int, p *GroupSample) bool {
	t, at := &w.s.groups, p.Time/1000
	if t.host < 0 {
		t.host = resource
	}
	if h := w.s.tables.host; h >= 0 {
		t.host = h
	}
	if w.s.closed || t.host != resource || at < t.open.Time || at > w.now+maxAhead.Microseconds() || at < w.now-t.tiers[0].Keep.Microseconds() {
		w.dropped.Time++
		return false
	}
	if at > t.open.Time {
		w.s.finishGroups()
		t.open, t.numbers = GroupTable{Time: at}, t.numbers[:0]
	}
	w.brought.Tables = true
	who := p.ControlGroup
	for _, text := range []*string{
		&who.Path, &who.Container, &who.ContainerID, &who.Image, &who.Runtime, &who.Unit, &who.Pod, &who.Namespace, &who.PodContainer,
	} {
		*text = clean(*text, maxGroupText)
	}
	t.ids.limit = int(w.s.cfg.MaxMemory / 16)
	id := t.ids.of(&who)
	if id == nil || len(t.open.Rows) >= maxGroupRows && who.Path != otherGroup {
		t.open.Omitted++
		return true
	}
	id.seen[0] = at
	row := GroupRow{id.who, t.usage(p, id.number)}
	if i, known := t.rows[id.number]; known {
		t.open.Rows[i] = row // The same group of the same time again.
		return true
	}
	t.rows[id.number] = len(t.open.Rows)
	t.open.Rows, t.numbers = append(t.open.Rows, row), append(t.numbers, id)
	return true
}

// usage divides what a group took since the last table by the time since then.
func (t *groupTables) usage(p *GroupSample, number uint32) GroupUsage {
	now := groupTotals{p.CPU, p.Periods, p.ThrottledPeriods, p.Read, p.Write, p.OOMKills}
	nan := math.NaN()
	u := GroupUsage{CPU: p.Usage, CPULimit: p.CPULimit, Periods: nan, Throttled: nan, Memory: p.Memory, MemoryLimit: p.MemoryLimit, Read: nan, Write: nan, OOMKills: p.OOMKills}
	was, known := t.previous[number]
	switch {
	case p.Delta:
		now.kills = orZero(p.OOMKills) + orZero(was.kills)
		u.OOMKills, was, known = now.kills, groupTotals{}, true
	case !known && t.before != 0 && p.Start/1000 >= t.before:
		known = true // It began since: all of its totals are of this time.
	}
	t.current[number] = now
	if !known || t.before == 0 {
		return u
	}
	since := func(now, before float64) float64 {
		if now -= orZero(before); now < 0 {
			return nan
		}
		return now
	}
	seconds := float64(t.open.Time-t.before) / 1e6
	if cpu := since(now.cpu, was.cpu); !math.IsNaN(cpu) {
		u.CPU = cpu / seconds
	}
	u.Read, u.Write = since(now.read, was.read)/seconds, since(now.write, was.write)/seconds
	periods := since(now.periods, was.periods)
	if u.Periods = periods / seconds; periods > 0 {
		u.Throttled = min(since(now.throttled, was.throttled)/periods, 1)
	} else if periods == 0 {
		u.Throttled = 0
	}
	return u
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// finishGroups stores the open table.
func (s *Store) finishGroups() {
	t := &s.groups
	if t.open.Time == 0 {
		return
	}
	s.storeTable(&t.tiers[0], t.encode(maxKeptGroups, 0), t.open.Time)
	for i := 1; i < len(t.tiers); i++ {
		s.storeBest(&t.tiers[i], t.open.Time, t.open.busy(), func() []byte { return t.encode(t.tiers[i].Top, 1) })
	}
	t.before = t.open.Time
	t.previous, t.current = t.current, t.previous
	clear(t.current)
	clear(t.rows)
}

// busy is the CPU that the rows of a table took.
func (t *GroupTable) busy() (sum float64) {
	for i := range t.Rows {
		sum += orZero(t.Rows[i].CPU)
	}
	return sum
}

// encode writes the open table for a tier, with as many rows as that has.
func (t *groupTables) encode(top, tier int) []byte {
	rows := t.open.Rows
	first := firstRows(len(rows), top,
		func(i int) float64 {
			if rows[i].Path == otherGroup {
				return math.Inf(1)
			}
			return orLeast(rows[i].CPU)
		},
		func(i int) float64 { return orLeast(rows[i].Memory) },
		func(i int) float64 { return orLeast(rows[i].Read) + orLeast(rows[i].Write) })
	b := make([]byte, 0, 64+len(first)*24)
	b = binary.AppendUvarint(b, uint64(t.open.Omitted+len(rows)-len(first)))
	b = binary.AppendUvarint(b, uint64(len(first)))
	for _, i := range first {
		t.numbers[i].seen[tier] = t.open.Time
		b = binary.AppendUvarint(b, uint64(t.numbers[i].number))
		u := &rows[i].GroupUsage
		for _, v := range u.stored() {
			b = putNumber(b, *v.value, v.unit)
		}
	}
	return b
}

type storedValue struct {
	value *float64
	unit  float64
}

// stored are the values of a stored row, with the unit in which each is stored.
func (u *GroupUsage) stored() [9]storedValue {
	return [9]storedValue{
		{&u.CPU, cpuUnit},
		{&u.CPULimit, cpuUnit},
		{&u.Throttled, cpuUnit},
		{&u.Memory, 1},
		{&u.MemoryLimit, 1},
		{&u.Read, 1},
		{&u.Write, 1},
		{&u.OOMKills, 1},
		{&u.Periods, cpuUnit},
	}
}

// decode is the inverse of encode.
func (t *groupTables) decode(b []byte) GroupTable {
	r := tableReader{b}
	out := GroupTable{Omitted: int(r.integer())}
	for range r.integer() {
		id := t.ids.byNumber[uint32(r.integer())]
		var row GroupRow
		for _, v := range row.stored() {
			*v.value = r.number(v.unit)
		}
		if id != nil {
			row.ControlGroup = id.who
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

// HasControlGroups tells whether there is a table of control groups.
func (s *Store) HasControlGroups() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hasGroups()
}

func (s *Store) hasGroups() bool { return s.groups.open.Time != 0 || haveTables(s.groups.tiers) }

// ControlGroups returns the newest table of control groups at or before a time.
func (s *Store) ControlGroups(at int64) GroupTable {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.groups
	var out GroupTable
	if t.open.Time != 0 && at >= t.open.Time {
		out = t.open
		out.Rows = slices.Clone(out.Rows)
	} else if block, found, tier := tableUpTo(t.tiers, at); block != nil {
		out = t.decode(block)
		out.Time, out.Tier = found, tier
	}
	out.Previous, out.Next = beside(t.tiers, out.Time)
	if out.Next == 0 && out.Time < t.open.Time {
		out.Next = t.open.Time
	}
	return out
}
