package boltfile

import (
	"hash/fnv"
	"io"
	"math"
)

const (
	magic   = 0xED0CDAED
	version = 2

	metaSize   = 64
	noFreelist = math.MaxUint64
	// Pages are from 1 KiB to 16 MiB: what bbolt looks for.
	minPageSize = 1 << 10
	maxPageSize = 1 << 24
)

// meta is what one of the two first pages says of the file.
type meta struct {
	pageSize              int64
	root, freelist, pages uint64
	transaction           uint64
}

// readMeta returns the newer of the two that are sound.
func readMeta(f io.ReaderAt, size int64) (meta, error) {
	first, ok := readMetaAt(f, 0)
	if ok {
		if second, sound := readMetaAt(f, first.pageSize); sound && second.transaction > first.transaction && second.pageSize == first.pageSize {
			return second, nil
		}
		return first, nil
	}
	for at := int64(minPageSize); at <= maxPageSize && at < size; at *= 2 {
		if second, sound := readMetaAt(f, at); sound && second.pageSize == at {
			return second, nil
		}
	}
	return meta{}, damaged("neither of its first two pages is what they should be")
}

// readMetaAt reads the page at an offset; false when it is not sound.
func readMetaAt(f io.ReaderAt, at int64) (meta, bool) {
	var b [headerSize + metaSize]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return meta{}, false
	}
	m := b[headerSize:]
	sum := fnv.New64a()
	_, _ = sum.Write(m[:metaSize-8])
	if native.Uint32(m) != magic || native.Uint32(m[4:]) != version || native.Uint64(m[metaSize-8:]) != sum.Sum64() {
		return meta{}, false
	}
	out := meta{
		pageSize: int64(native.Uint32(m[8:])), root: native.Uint64(m[16:]), freelist: native.Uint64(m[32:]), pages: native.Uint64(m[40:]),
		transaction: native.Uint64(m[48:]),
	}
	return out, out.pageSize >= minPageSize && out.pageSize <= maxPageSize
}
