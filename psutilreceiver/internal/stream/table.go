package stream

// minShrink is the number of streams below which a table is left as large as it
// has grown.
const minShrink = 4096

// table holds the state of every stream. A scraper emits its streams in nearly
// the same order each time, so the states lie in one slice and each remembers
// which one was looked up after it: as a rule a look-up is one comparison with a
// neighbour, and the index is needed only where the order has changed.
//
// The index is open addressing over the numbers of the slots, because a map
// would take more memory than the states themselves. Single entries are never removed:
// streams leave in one pass after a scrape, and then it is filled again.
type table struct {
	index   []uint32 // slots by their identity's place, 0: none; its length is a power of two
	slots   []slot   // the first is no stream but the start of the order
	free    []uint32
	last    uint32 // slot of the last look-up
	seen    int    // streams in the scrape at hand
	tracked int    // streams that there is a state of
}

type slot struct {
	series series
	id     identity
	next   uint32 // slot that was looked up after this one
	// scrape is the number of the last scrape that contained the stream, 0 of a slot that is free. That it wraps does no harm: it is
	// compared with the number at hand, and a stream that a complete scrape lacks is dropped at once.
	scrape uint32
}

func newTable() table {
	return table{index: make([]uint32, 64), slots: make([]slot, 1)}
}

func (t *table) len() int { return t.tracked }

// begin opens a scrape.
func (t *table) begin() { t.last, t.seen = 0, 0 }

// lookUp returns the state of a stream, and whether there was one. The pointer
// is good until the next look-up.
func (t *table) lookUp(id identity, scrape uint32) (*series, bool) {
	at := t.slots[t.last].next
	known := t.holds(at, id)
	if !known {
		if at, known = t.find(id); !known {
			at = t.add(id)
		}
		t.slots[t.last].next = at
	}
	t.last = at
	t.mark(at, scrape)
	return &t.slots[at].series, known
}

// touch notes that the scrape contained a stream, if it is a known one.
func (t *table) touch(id identity, scrape uint32) {
	if at, known := t.find(id); known {
		t.mark(at, scrape)
	}
}

func (t *table) mark(at, scrape uint32) {
	if s := &t.slots[at]; s.scrape != scrape {
		s.scrape = scrape
		t.seen++
	}
}

func (t *table) holds(at uint32, id identity) bool {
	return at != 0 && t.slots[at].id == id
}

// find returns the slot of a stream.
func (t *table) find(id identity) (at uint32, known bool) {
	mask := uint64(len(t.index) - 1)
	for place := id.a & mask; ; place = (place + 1) & mask {
		switch at := t.index[place]; {
		case at == 0:
			return 0, false
		case t.slots[at].id == id:
			return at, true
		}
	}
}

// add adds a stream that is not there.
func (t *table) add(id identity) uint32 {
	t.tracked++
	var at uint32
	if n := len(t.free); n > 0 {
		at = t.free[n-1]
		t.free = t.free[:n-1]
		t.slots[at].id = id
	} else {
		at = uint32(len(t.slots))
		t.slots = append(t.slots, slot{id: id})
	}
	if t.tracked > len(t.index)/4*3 {
		t.index = make([]uint32, 2*len(t.index))
		t.reindex()
	} else {
		t.place(at)
	}
	return at
}

func (t *table) place(at uint32) {
	mask := uint64(len(t.index) - 1)
	place := t.slots[at].id.a & mask
	for t.index[place] != 0 {
		place = (place + 1) & mask
	}
	t.index[place] = at
}

// reindex fills the index, which is empty.
func (t *table) reindex() {
	for at := range t.slots {
		if t.slots[at].id != (identity{}) {
			t.place(uint32(at))
		}
	}
}

// evict drops the streams that the scrape at hand did not contain.
func (t *table) evict(scrape uint32) {
	if t.seen == t.tracked {
		return
	}
	for at := 1; at < len(t.slots); at++ {
		s := &t.slots[at]
		if s.id != (identity{}) && s.scrape != scrape {
			*s = slot{}
			t.free = append(t.free, uint32(at))
			t.tracked--
		}
	}
	t.shrink()
	clear(t.index)
	t.reindex()
}

// shrink copies the slots into a smaller slice once a burst of streams is gone: a slice gives no memory back.
func (t *table) shrink() {
	if len(t.slots) <= minShrink || t.tracked > len(t.slots)/4 {
		return
	}
	slots := make([]slot, 1, t.tracked+1)
	for _, s := range t.slots {
		if s.id != (identity{}) {
			s.next = 0
			slots = append(slots, s)
		}
	}
	size := len(newTable().index)
	for t.tracked > size/4*3 {
		size *= 2
	}
	*t = table{index: make([]uint32, size), slots: slots, seen: t.seen, tracked: t.tracked}
}
