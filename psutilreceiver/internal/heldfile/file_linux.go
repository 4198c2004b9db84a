package heldfile

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A File is a file that may be kept open. The zero File is not open.
type File struct {
	next int32 // the descriptor + 1, so that 0 is none
}

// FileOf returns a File that keeps a descriptor open. It bypasses every [Budget].
func FileOf(fd int) File { return File{next: int32(fd) + 1} }

// IsOpen tells whether the file is kept open.
func (f *File) IsOpen() bool { return f.next != 0 }

// FD returns the descriptor of a file that is open.
func (f *File) FD() int { return int(f.next) - 1 }

// Close closes the file if it is open.
func (f *File) Close() {
	if f.IsOpen() {
		_ = unix.Close(f.FD()) // Nothing was written: there is nothing to report.
		f.next = 0
	}
}

// A Budget bounds how many files are kept open together by everything that uses it. The zero Budget has room for none, nor has a nil one. It
// may be used concurrently.
type Budget struct {
	limit, open atomic.Int64
}

// SetShare allows for one in share of the descriptors that this process may have open, up to most. Files that are open stay open.
func (b *Budget) SetShare(share, most uint64) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		b.SetLimit(0)
		return
	}
	b.SetLimit(int64(min(limit.Cur/share, most)))
}

// SetLimit allows for so many files. Files that are open stay open.
func (b *Budget) SetLimit(files int64) { b.limit.Store(files) }

// Limit returns how many files may be open.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// Open returns how many files are open.
func (b *Budget) Open() int64 { return b.open.Load() }

// HasRoom tells whether Keep would keep a file, unless another one is kept meanwhile.
func (b *Budget) HasRoom() bool { return b != nil && b.open.Load() < b.limit.Load() }

// Keep makes f keep a descriptor open, and reports false if there is no room for it: then it is still the caller's to close.
func (b *Budget) Keep(f *File, fd int) bool {
	if b == nil {
		return false
	}
	if b.open.Add(1) > b.limit.Load() {
		b.open.Add(-1)
		return false
	}
	*f = FileOf(fd)
	return true
}

// Close closes a file that Keep has taken, if it is open.
func (b *Budget) Close(f *File) {
	if f.IsOpen() {
		f.Close()
		b.open.Add(-1)
	}
}
