package history

import "github.com/prometheus/prometheus/tsdb/chunkenc"

const (
	// blockSamples and blockBytes close a block.
	blockSamples = 120
	blockBytes   = 960
	// width is how many values a point has where it has a minimum and a maximum.
	width = 3
	// freshBit in the length of a reference: the first sample of the block has nothing to be subtracted from.
	freshBit = 1 << 15
)

// column is the samples of a series in one tier: closed blocks in the log of the tier, and one that is open, on the heap.
type column struct {
	closed []ref
	open   *chunkenc.XORChunk
	app    chunkenc.Appender
	count  int
	first  uint32
	last   uint32
	newest int64
	fresh  bool
}

// put appends the values of one point under an ordinal that is larger than those before, and returns by how many bytes the heap grew.
func (c *column) put(log *blockLog, ordinal uint32, t int64, values ...float64) int {
	grown := 0
	if c.count > 0 && (c.count >= blockSamples*len(values) || len(c.open.Bytes()) > blockBytes) {
		grown += c.close(log)
	}
	before := c.heap()
	if c.open == nil {
		c.open = chunkenc.NewXORChunk()
	}
	if c.count == 0 {
		c.app, _ = c.open.Appender() // Of an empty block it has nothing to fail at.
		c.first = ordinal
	}
	for i, v := range values {
		c.app.Append(0, int64(ordinal)*int64(len(values))+int64(i), v)
	}
	c.count += len(values)
	c.last, c.newest = ordinal, t
	return grown + c.heap() - before
}

// heap is the size of the open block.
func (c *column) heap() int {
	if c.open == nil {
		return 0
	}
	return cap(c.open.Bytes())
}

// close moves the open block to the log, and keeps its buffer.
func (c *column) close(log *blockLog) int {
	if c.count == 0 {
		return 0
	}
	c.closed = log.trim(c.closed)
	before := cap(c.closed)
	b := c.open.Bytes()
	r := log.append(b, c.newest)
	r.first, r.last = c.first, c.last
	if c.fresh {
		r.length |= freshBit
	}
	c.closed = append(c.closed, r)
	clear(b[:2])
	c.open.Reset(b[:2])
	c.count, c.fresh = 0, false
	return (cap(c.closed) - before) * refSize
}

// release closes the open block and gives its buffer back: the series has ended.
func (c *column) release(log *blockLog) int {
	grown := c.close(log) - c.heap()
	c.open, c.app = nil, nil
	return grown
}

// cut ends the open block, so that the next sample is not subtracted from the last one.
func (c *column) cut(log *blockLog) int {
	grown := c.close(log)
	c.fresh = true
	return grown
}

// restarted tells whether the next sample has nothing to be subtracted from.
func (c *column) restarted() bool { return c.fresh && c.count == 0 }

// blockCopy is a block outside the log, to be decoded without a lock.
type blockCopy struct {
	data  []byte
	fresh bool
}

// copyBlocks copies the blocks that have ordinals from first to last, and the one before them: counters need a sample before the first.
func (c *column) copyBlocks(log *blockLog, first, last uint32, dst []byte) ([]blockCopy, []byte) {
	var out []blockCopy
	take := func(data []byte, fresh bool) {
		at := len(dst)
		dst = append(dst, data...)
		out = append(out, blockCopy{data: dst[at:len(dst):len(dst)], fresh: fresh})
	}
	for i, r := range c.closed {
		fresh := r.length&freshBit != 0
		r.length &^= freshBit
		before := i+1 < len(c.closed) && c.closed[i+1].first > first || i+1 == len(c.closed) && (c.count == 0 || c.first > first)
		if r.first > last || r.last < first && !before {
			continue
		}
		if b := log.block(r); b != nil {
			take(b, fresh)
		}
	}
	if c.count > 0 && c.first <= last {
		take(c.open.Bytes(), c.fresh)
	}
	return out, dst
}

// decode calls f with each point of a block: its ordinal and values. n is the number of values of a point.
func (b blockCopy) decode(n int, it chunkenc.Iterator, f func(ordinal uint32, values [width]float64)) chunkenc.Iterator {
	var chunk chunkenc.XORChunk
	chunk.Reset(b.data)
	it = chunk.Iterator(it)
	var values [width]float64
	i := 0
	for it.Next() != chunkenc.ValNone {
		t, v := it.At()
		values[i] = v
		if i++; i == n {
			f(uint32(t/int64(n)), values)
			i = 0
		}
	}
	return it
}
