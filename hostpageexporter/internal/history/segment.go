package history

// segmentSize is the unit in which memory is taken and given back. It bounds the size of a block, too.
const segmentSize = 64 << 10

// slabSegments is how many segments are mapped at once.
const slabSegments = 16

// pool hands out segments of memory outside Go's heap.
type pool struct {
	slabs [][]byte
	free  [][]byte
	used  int // Segments handed out.
}

func (p *pool) take() []byte {
	if len(p.free) == 0 {
		slab := mapMemory(segmentSize * slabSegments)
		p.slabs = append(p.slabs, slab)
		for i := range slabSegments {
			p.free = append(p.free, slab[i*segmentSize:(i+1)*segmentSize:(i+1)*segmentSize])
		}
	}
	b := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	p.used++
	return b
}

func (p *pool) giveBack(b []byte) {
	p.free = append(p.free, b)
	p.used--
}

func (p *pool) close() {
	for _, slab := range p.slabs {
		unmapMemory(slab)
	}
	*p = pool{}
}

// segment is a piece of a log that is filled from the front and dropped as a whole.
type segment struct {
	data   []byte
	filled int
	newest int64 // Time of the newest sample in it.
}

// blockLog is a log of blocks: blocks are appended at its end, and dropped at its front.
type blockLog struct {
	pool     *pool
	first    uint32 // Number of the oldest segment.
	segments []segment
	// dropped is the time up to which blocks are gone. What is newer is complete.
	dropped int64
}

// ref is where a block lies, and which ordinals (or times of their own) its owner finds in it.
type ref struct {
	segment     uint32
	offset      uint16
	length      uint16
	first, last uint32
}

// fits tells whether a block can be appended without another segment.
func (l *blockLog) fits(n int) bool {
	return len(l.segments) > 0 && l.segments[len(l.segments)-1].filled+n <= segmentSize
}

// append copies a block to the end; newest is the time of its newest sample. Blocks are smaller than a segment.
func (l *blockLog) append(block []byte, newest int64) ref {
	if !l.fits(len(block)) {
		l.segments = append(l.segments, segment{data: l.pool.take()})
	}
	s := &l.segments[len(l.segments)-1]
	at := s.filled
	s.filled += copy(s.data[at:], block)
	s.newest = max(s.newest, newest)
	return ref{segment: l.first + uint32(len(l.segments)-1), offset: uint16(at), length: uint16(len(block))}
}

// block returns a block, or nil when it has been dropped. It is valid until the next change of the log.
func (l *blockLog) block(r ref) []byte {
	if r.segment < l.first {
		return nil
	}
	s := &l.segments[r.segment-l.first]
	return s.data[r.offset : int(r.offset)+int(r.length)]
}

// oldest returns the time of the newest sample in the oldest segment; false when there is none.
func (l *blockLog) oldest() (int64, bool) {
	if len(l.segments) == 0 {
		return 0, false
	}
	return l.segments[0].newest, true
}

// dropOldest drops the oldest segment.
func (l *blockLog) dropOldest() {
	s := l.segments[0]
	l.pool.giveBack(s.data)
	l.dropped = max(l.dropped, s.newest)
	l.segments[0] = segment{}
	l.segments = l.segments[1:]
	l.first++
}

// expire drops segments of which everything is older than a time.
func (l *blockLog) expire(before int64) {
	for len(l.segments) > 1 && l.segments[0].newest < before {
		l.dropOldest()
	}
}

// trim removes the references to dropped blocks from the front of a list.
func (l *blockLog) trim(refs []ref) []ref {
	n := 0
	for n < len(refs) && refs[n].segment < l.first {
		n++
	}
	if n == 0 {
		return refs
	}
	return append(refs[:0], refs[n:]...)
}
