package stream

// minShrink is the number of streams below which a table is left as large as it
// has grown.
const minShrink = 4096

// table holds the state of every stream. A scraper emits its streams in nearly
// the same order each time, so the states lie in one slice and each remembers
// which one was asked for after it: as a rule a look-up is one comparison with a
// neighbour, and the index is needed only where the order has changed.
type table struct {
	index map[identity]uint32
	slots []slot // the first is no stream but the start of the order
	free  []uint32
	last  uint32 // slot of the last look-up
	seen  int    // streams in the scrape at hand
}

type slot struct {
	series series
	id     identity
	next   uint32 // slot that was looked up after this one
	used   bool
}

func newTable() table {
	return table{index: make(map[identity]uint32), slots: make([]slot, 1)}
}

func (t *table) len() int { return len(t.index) }

// begin opens a scrape.
func (t *table) begin() { t.last, t.seen = 0, 0 }

// lookUp returns the state of a stream, and whether there was one. The pointer
// is good until the next look-up.
func (t *table) lookUp(id identity, scrape uint64) (*series, bool) {
	at := t.slots[t.last].next
	known := t.slots[at].used && t.slots[at].id == id
	if !known {
		if at, known = t.index[id]; !known {
			at = t.add(id)
		}
		t.slots[t.last].next = at
	}
	t.last = at
	t.mark(at, scrape)
	return &t.slots[at].series, known
}

// touch notes that the scrape contained a stream, if it is a known one.
func (t *table) touch(id identity, scrape uint64) {
	if at, known := t.index[id]; known {
		t.mark(at, scrape)
	}
}

func (t *table) mark(at uint32, scrape uint64) {
	if st := &t.slots[at].series; st.scrape != scrape {
		st.scrape = scrape
		t.seen++
	}
}

func (t *table) add(id identity) uint32 {
	if n := len(t.free); n > 0 {
		at := t.free[n-1]
		t.free = t.free[:n-1]
		t.slots[at].id, t.slots[at].used = id, true
		t.index[id] = at
		return at
	}
	at := uint32(len(t.slots))
	t.slots = append(t.slots, slot{id: id, used: true})
	t.index[id] = at
	return at
}

// evict drops the streams that the scrape at hand did not contain.
func (t *table) evict(scrape uint64) {
	if t.seen == t.len() {
		return
	}
	for at := range t.slots {
		s := &t.slots[at]
		if s.used && s.series.scrape != scrape {
			delete(t.index, s.id)
			*s = slot{}
			t.free = append(t.free, uint32(at))
		}
	}
	t.shrink()
}

// shrink makes the table anew once a burst of streams is gone: neither a map
// nor a slice gives memory back.
func (t *table) shrink() {
	if len(t.slots) <= minShrink || t.len() > len(t.slots)/4 {
		return
	}
	fresh := table{index: make(map[identity]uint32, t.len()), slots: make([]slot, 1, t.len()+1)}
	for _, s := range t.slots {
		if s.used {
			fresh.slots[fresh.add(s.id)].series = s.series
		}
	}
	*t = fresh
}
