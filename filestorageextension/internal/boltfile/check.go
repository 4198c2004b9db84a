package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Sizes and marks of the format, after bbolt's internal/common: a page begins with its number, what it is, how many elements it has, and by how
// many pages it is longer than one.
const (
	headerSize  = 16
	elementSize = 16
	bucketSize  = 16

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	bucketEntry = 0x01 // A flag of an element of a leaf.

	maxDepth = 64
)

// ErrDamaged is what Check finds of a file that bbolt can't work with.
var ErrDamaged = errors.New("damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// checker walks the pages of one file.
type checker struct {
	file io.ReaderAt
	meta meta
	seen []uint64 // A bit for each page that belongs to something.
}

// Check reads a whole file and tells whether bbolt can work with it: every page that it would visit is where it should be, is what it should be,
// and belongs to one place; and keys are in order. What values say is not looked at. An empty file is fine, and so is none. The error is
// ErrDamaged, or that of reading.
func Check(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	unlock, free := tryLock(f)
	if !free {
		return nil // Somebody works with it. To open it fails, or waits.
	}
	defer unlock()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return check(f, info.Size())
}

func check(f io.ReaderAt, size int64) error {
	if size == 0 {
		return nil
	}
	m, err := readMeta(f, size)
	if err != nil {
		return err
	}
	if pages := uint64(size / m.pageSize); m.pages > pages {
		return damaged("it ends after %d pages of %d", pages, m.pages)
	}
	c := &checker{file: f, meta: m, seen: make([]uint64, m.pages/64+1)}
	for id := range uint64(2) {
		c.seen[0] |= 1 << id
	}
	if _, err := c.tree(m.root, nil, nil, 0); err != nil {
		return err
	}
	return c.freelist()
}

// page is the beginning of one page, and how long it is.
type page struct {
	id     uint64
	flags  uint16
	count  int
	offset int64 // In the file.
	size   int64
	data   []byte // The first page of it.
}

// claim reads a page that belongs to one place, and to no other.
func (c *checker) claim(id uint64) (*page, error) {
	if id < 2 || id >= c.meta.pages {
		return nil, damaged("there is no page %d", id)
	}
	p := &page{id: id, offset: int64(id) * c.meta.pageSize, data: make([]byte, c.meta.pageSize)}
	if _, err := c.file.ReadAt(p.data, p.offset); err != nil {
		return nil, readError(err)
	}
	overflow := uint64(native.Uint32(p.data[12:]))
	p.flags, p.count, p.size = native.Uint16(p.data[8:]), int(native.Uint16(p.data[10:])), int64(overflow+1)*c.meta.pageSize
	if self := native.Uint64(p.data); self != id {
		return nil, damaged("page %d says that it is page %d", id, self)
	}
	if id+overflow >= c.meta.pages {
		return nil, damaged("page %d goes on after the end", id)
	}
	for i := id; i <= id+overflow; i++ {
		if c.isSeen(i) {
			return nil, damaged("page %d belongs to two places", i)
		}
		c.seen[i/64] |= 1 << (i % 64)
	}
	return p, nil
}

func (c *checker) isSeen(id uint64) bool { return c.seen[id/64]>>(id%64)&1 == 1 }

// bytes returns a part of a page.
func (c *checker) bytes(p *page, from, size int64) ([]byte, error) {
	if from < 0 || size < 0 || from+size > p.size {
		return nil, damaged("an element of page %d lies outside it", p.id)
	}
	if from+size <= int64(len(p.data)) {
		return p.data[from : from+size], nil
	}
	part := make([]byte, size)
	if _, err := c.file.ReadAt(part, p.offset+from); err != nil {
		return nil, readError(err)
	}
	return part, nil
}

// tree checks a tree of pages whose keys are at least low and less than high, where these are not nil. It returns the last key.
func (c *checker) tree(id uint64, low, high []byte, depth int) (last []byte, err error) {
	if depth > maxDepth {
		return nil, damaged("the tree at page %d is too deep", id)
	}
	p, err := c.claim(id)
	if err != nil {
		return nil, err
	}
	if p.flags != branchPage && p.flags != leafPage || p.flags == branchPage && p.count == 0 {
		return nil, damaged("page %d is of no known type (%#x)", id, p.flags)
	}
	last = low
	for i := range p.count {
		at := int64(headerSize + i*elementSize)
		element, err := c.bytes(p, at, elementSize)
		if err != nil {
			return nil, err
		}
		e := readElement(p.flags, element)
		key, err := c.bytes(p, at+e.position, e.keySize)
		if err != nil {
			return nil, err
		}
		key = bytes.Clone(key)
		if cmp := bytes.Compare(key, last); (i > 0 || low != nil) && (cmp < 0 || cmp == 0 && i > 0) || high != nil && bytes.Compare(key, high) >= 0 {
			return nil, damaged("the keys of page %d are out of order", id)
		}
		last = key
		if p.flags == leafPage {
			if err := c.value(p, at+e.position+e.keySize, &e, depth); err != nil {
				return nil, err
			}
			continue
		}
		next, err := c.keyAfter(p, i, high)
		if err != nil {
			return nil, err
		}
		if last, err = c.tree(e.child, key, next, depth+1); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// keyAfter returns the key of the element of a branch after the i-th, or high after the last.
func (c *checker) keyAfter(p *page, i int, high []byte) ([]byte, error) {
	if i+1 >= p.count {
		return high, nil
	}
	at := int64(headerSize + (i+1)*elementSize)
	element, err := c.bytes(p, at, elementSize)
	if err != nil {
		return nil, err
	}
	e := readElement(p.flags, element)
	key, err := c.bytes(p, at+e.position, e.keySize)
	return bytes.Clone(key), err
}

// value checks that a value lies in its page, and, of a bucket, what is in the bucket.
func (c *checker) value(p *page, at int64, e *element, depth int) error {
	if at+e.valueSize > p.size {
		return damaged("a value of page %d lies outside it", p.id)
	}
	if e.flags&bucketEntry == 0 {
		return nil
	}
	if e.valueSize < bucketSize {
		return damaged("a bucket of page %d is too short", p.id)
	}
	bucket, err := c.bytes(p, at, bucketSize)
	if err != nil {
		return err
	}
	if root := native.Uint64(bucket); root != 0 {
		_, err := c.tree(root, nil, nil, depth+1)
		return err
	}
	inline, err := c.bytes(p, at+bucketSize, e.valueSize-bucketSize)
	if err != nil {
		return err
	}
	return checkInline(p, inline)
}

// checkInline checks a bucket that is so small that its only page lies in the value.
func checkInline(p *page, inline []byte) error {
	wrong := damaged("a bucket within page %d is broken", p.id)
	if len(inline) < headerSize || native.Uint16(inline[8:]) != leafPage {
		return wrong
	}
	count := int(native.Uint16(inline[10:]))
	if headerSize+count*elementSize > len(inline) {
		return wrong
	}
	var last []byte
	for i := range count {
		at := headerSize + i*elementSize
		e := readElement(leafPage, inline[at:at+elementSize])
		begin := int64(at) + e.position
		if begin+e.keySize+e.valueSize > int64(len(inline)) || e.flags&bucketEntry != 0 {
			return wrong
		}
		key := inline[begin : begin+e.keySize]
		if i > 0 && bytes.Compare(key, last) <= 0 {
			return wrong
		}
		last = key
	}
	return nil
}

// freelist checks the list of free pages, where the file has one.
func (c *checker) freelist() error {
	if c.meta.freelist == noFreelist {
		return nil
	}
	p, err := c.claim(c.meta.freelist)
	if err != nil {
		return err
	}
	if p.flags != freelistPage {
		return damaged("page %d is no list of free pages", p.id)
	}
	count, at := int64(p.count), int64(headerSize)
	if count == 0xffff { // The count is too large for its place, and stands in front of the list.
		first, err := c.bytes(p, at, 8)
		if err != nil {
			return err
		}
		if count, at = int64(native.Uint64(first)), at+8; count < 0 || count > p.size/8 {
			return damaged("the list of free pages is longer than its page")
		}
	}
	list, err := c.bytes(p, at, count*8)
	if err != nil {
		return err
	}
	for ; len(list) > 0; list = list[8:] {
		id := native.Uint64(list)
		if id < 2 || id >= c.meta.pages || c.isSeen(id) {
			return damaged("page %d is free and is none", id)
		}
		c.seen[id/64] |= 1 << (id % 64)
	}
	return nil
}

// element is one entry of a page. Its position counts from where the entry stands.
type element struct {
	flags                        uint32
	position, keySize, valueSize int64
	child                        uint64 // Of a branch.
}

func readElement(pageType uint16, b []byte) element {
	if pageType == branchPage {
		return element{position: int64(native.Uint32(b)), keySize: int64(native.Uint32(b[4:])), child: native.Uint64(b[8:])}
	}
	return element{
		flags: native.Uint32(b), position: int64(native.Uint32(b[4:])), keySize: int64(native.Uint32(b[8:])), valueSize: int64(native.Uint32(b[12:])),
	}
}

// native is the byte order of the files, which are not meant to move between machines.
var native = binary.NativeEndian

func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it ends early")
	}
	return err
}
