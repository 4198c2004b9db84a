package history

import "math"

// tables is the process tables of a host.
type tables struct {
	tiers []tableTier
	ids   identities[Process]

	host     int // The resource whose processes are kept; -1: none yet.
	open     Table
	numbers  []*identity[Process] // Of the rows of open.
	previous map[processKey]totals
	current  map[processKey]totals
	before   int64 // Time of the table before open.
	cpus     int64
	// The total of the CPU time of no process, and when it was said, in the open table and the one before.
	unattributed [2]struct {
		time  int64
		total float64
	}
	// summed is when a table last said what the other processes took. One without that is of a receiver that shows a few.
	summed int64
}

type processKey struct {
	pid, created int64
	group        string
}

// totals are what a process has taken since it began. NaN where it is not known.
type totals struct{ cpu, children, read, write float64 }

// tableTier is the tables of one resolution.
type tableTier struct {
	TableTier
	log  blockLog
	list []tableRef // In order of time.
	// In a coarser tier one table of each interval is kept, the one with the most CPU.
	best     []byte
	bestBusy float64
	bestTime int64
}

type tableRef struct {
	time int64
	ref
}

func newTables(cfg []TableTier, p *pool) tables {
	t := tables{host: -1, previous: map[processKey]totals{}, current: map[processKey]totals{}}
	t.ids = newIdentities[Process]()
	for _, c := range cfg {
		t.tiers = append(t.tiers, tableTier{TableTier: c, log: blockLog{pool: p}})
	}
	return t
}

// size is how many bytes of the heap the tables take, about.
func (t *tables) size() int {
	return t.ids.heap + (len(t.previous)+len(t.current))*96 + cap(t.open.Rows)*240
}

func (t *tables) forget() {
	for i := range t.tiers {
		t.tiers[i].list, t.tiers[i].log, t.tiers[i].best = nil, blockLog{pool: t.tiers[i].log.pool}, nil
	}
	t.open = Table{}
}

// ProcessSample is what a scrape says of a process, or of a group.
type ProcessSample struct {
	Process
	// Group is its name, and Count how many are in it; of a single process Group is empty.
	Group string
	Count int64
	// Time and Start are nanoseconds since the epoch.
	Time, Start int64
	// Totals since Start, NaN where they are not known: seconds and bytes.
	CPU, Children, Read, Write float64
	// Delta: the totals are what came since the last scrape.
	Delta bool
	// Utilization is the share of all CPUs since the last scrape, NaN where it is not known.
	Utilization float64
	// Levels, NaN where they are not known.
	Memory, Threads float64
}

// CPUs sets how many CPUs the host has.
func (w *Writer) CPUs(n int64) { w.s.tables.cpus = n }

// Unattributed takes the total of the CPU seconds that belong to no process, at the time of a table in nanoseconds.
func (w *Writer) Unattributed(at int64, total float64) {
	t := &w.s.tables
	if !w.table(at / 1000) {
		return
	}
	u := &t.unattributed
	if u[1].time != t.open.Time {
		u[0] = u[1]
	}
	u[1].time, u[1].total = t.open.Time, total
	if u[0].time == t.before && t.before != 0 && total >= u[0].total {
		t.open.Unattributed = (total - u[0].total) * 1e6 / float64(t.open.Time-t.before)
	}
}

// table makes the open table that of a time; false if it is too late for that.
func (w *Writer) table(at int64) bool {
	t := &w.s.tables
	if w.s.closed || at < t.open.Time || at > w.now+maxAhead.Microseconds() || at < w.now-t.tiers[0].Keep.Microseconds() {
		return false
	}
	if at > t.open.Time {
		w.s.finishTable()
		t.open = Table{Time: at, Unattributed: math.NaN()}
		t.numbers = t.numbers[:0]
	}
	return true
}

// Process takes a process or a group into the table of its time. Only one host's are kept, that of the first; false for those of others,
// and for what is too late.
func (w *Writer) Process(resource int, p *ProcessSample) bool {
	t := &w.s.tables
	if t.host < 0 {
		t.host = resource
	}
	if t.host != resource || !w.table(p.Time/1000) {
		w.dropped.Time++
		return false
	}
	w.brought.Tables = true
	if len(t.open.Rows) >= 4*maxRows {
		t.open.Omitted++
		return true
	}
	u := t.usage(p)
	if p.Group != "" {
		if len(t.open.Groups) < maxGroups {
			t.open.Groups = append(t.open.Groups, Group{Name: cut(p.Group, maxProcessText), Count: p.Count, Usage: u})
		}
		return true
	}
	t.ids.limit = int(w.s.cfg.MaxMemory / 8)
	who := p.Process
	for _, text := range []*string{&who.Name, &who.User, &who.Unit, &who.Container} {
		*text = clean(*text, maxProcessText)
	}
	who.ControlGroup = clean(who.ControlGroup, maxGroupText)
	if who.CommandLine = clean(who.CommandLine, maxCommandLine); !w.s.cfg.CommandLines {
		who.CommandLine = ""
	}
	id := t.ids.of(&who)
	if id == nil {
		t.open.Omitted++
		return true
	}
	id.seen[0] = t.open.Time
	t.open.Rows = append(t.open.Rows, Row{Process: id.who, Usage: u})
	t.numbers = append(t.numbers, id)
	return true
}

// usage divides what a process took since the last table by the time since then.
func (t *tables) usage(p *ProcessSample) Usage {
	key := processKey{pid: p.Pid, created: p.Created, group: p.Group}
	now := totals{p.CPU, p.Children, p.Read, p.Write}
	t.current[key] = now
	nan := math.NaN()
	u := Usage{CPU: nan, Children: nan, Memory: p.Memory, Read: nan, Write: nan, Threads: p.Threads}
	if t.before == 0 {
		return u
	}
	seconds := float64(t.open.Time-t.before) / 1e6
	was, known := t.previous[key]
	if p.Delta {
		was, known = totals{}, true
	}
	if !known && p.Start/1000 >= t.before {
		known = true // It began since: all of its totals are of this time.
	}
	if !known {
		u.CPU = p.Utilization * float64(t.cpus)
		if t.cpus == 0 {
			u.CPU = nan
		}
		return u
	}
	per := func(now, before float64) float64 {
		if now < before || math.IsNaN(now) {
			return nan
		}
		if math.IsNaN(before) {
			before = 0 // A total that is absent while it is 0.
		}
		return (now - before) / seconds
	}
	u.CPU, u.Read, u.Write = per(now.cpu, was.cpu), per(now.read, was.read), per(now.write, was.write)
	if u.Children = per(now.children, was.children); math.IsNaN(now.children) && !math.IsNaN(now.cpu) {
		u.Children = 0
	}
	return u
}

// finishTable stores the open table.
func (s *Store) finishTable() {
	t := &s.tables
	if t.open.Time == 0 {
		return
	}
	if !t.shown() {
		clear(t.current)
		return
	}
	if t.summarizes() {
		t.summed = t.open.Time
	}
	t.open.CPUs = t.cpus
	t.shorten(&t.open, maxRows)
	s.storeTable(&t.tiers[0], t.encode(&t.open), t.open.Time)
	for i := 1; i < len(t.tiers); i++ {
		s.storeBest(&t.tiers[i], t.open.Time, t.open.Busy(), func() []byte { return t.encodeFew(t.tiers[i].Top) })
	}
	t.before = t.open.Time
	t.previous, t.current = t.current, t.previous
	clear(t.current)
}

// shorten leaves out rows of a table.
func (t *tables) shorten(table *Table, top int) {
	if len(table.Rows) <= top {
		return
	}
	rows, numbers := []Row(nil), []*identity[Process](nil)
	for _, i := range table.first(top) {
		rows, numbers = append(rows, table.Rows[i]), append(numbers, t.numbers[i])
	}
	table.Omitted += len(table.Rows) - len(rows)
	table.Rows, t.numbers = rows, numbers
}

func (t *tables) encode(table *Table) []byte {
	numbers := make([]uint32, len(t.numbers))
	for i, id := range t.numbers {
		numbers[i] = id.number
	}
	return encodeTable(table, numbers)
}

// storeTable appends a table to a tier.
func (s *Store) storeTable(tier *tableTier, block []byte, at int64) {
	if len(block) > segmentSize/2 {
		return // Cannot be: rows and text are bounded.
	}
	if !tier.log.fits(len(block)) {
		s.enforce(segmentSize)
	}
	before := cap(tier.list)
	tier.list = append(tier.list, tableRef{time: at, ref: tier.log.append(block, at)})
	s.heap += (cap(tier.list) - before) * tableRefSize
}

const tableRefSize = 24

// storeBest keeps a table for a coarser tier if it is the busiest of its interval, and stores that of the interval before.
func (s *Store) storeBest(tier *tableTier, at int64, busy float64, encode func() []byte) {
	every := tier.Every.Microseconds()
	if tier.best != nil && tier.bestTime/every != at/every {
		s.storeTable(tier, tier.best, tier.bestTime)
		tier.best = nil
	}
	if tier.best == nil || busy > tier.bestBusy {
		tier.best, tier.bestBusy, tier.bestTime = encode(), busy, at
	}
}

// encodeFew encodes the first rows of the open table for a coarser tier.
func (t *tables) encodeFew(top int) []byte {
	few, numbers := t.open, t.numbers
	t.shorten(&few, top)
	block := t.encode(&few)
	for _, id := range t.numbers {
		id.seen[1] = t.open.Time
	}
	t.numbers = numbers
	return block
}

// trimTables forgets references to tables that are gone.
func trimTables(tiers []tableTier) {
	for i := range tiers {
		tier := &tiers[i]
		n := 0
		for n < len(tier.list) && tier.list[n].segment < tier.log.first {
			n++
		}
		if n > 0 {
			tier.list = append(tier.list[:0], tier.list[n:]...)
		}
	}
}

// expireTables drops tables that are too old, and those who are in none any more.
func expireTables[P described](tiers []tableTier, ids *identities[P], now int64) {
	oldest := [2]int64{now, now}
	for i := range tiers {
		tiers[i].log.expire(now - tiers[i].Keep.Microseconds() - margin)
	}
	trimTables(tiers)
	for i := range tiers {
		if i < len(oldest) && len(tiers[i].list) > 0 {
			oldest[i] = tiers[i].list[0].time
		}
	}
	// What waits to be stored still refers to its rows.
	oldest[0] = min(oldest[0], now-2*sweepEvery.Microseconds())
	ids.expire(oldest)
}
