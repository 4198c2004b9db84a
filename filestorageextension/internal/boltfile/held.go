package boltfile

import (
	"errors"
	"os"
)

// Held tells whether somebody, this process included, works with the file of a path. Where files have no locks of bbolt's kind it says yes.
func Held(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	unlock, free := tryLock(f)
	if free {
		unlock()
	}
	return !free || !locks
}

// CutShort tells whether a file that somebody works with is shorter than bbolt takes it to be: it ends before its pages do. A file that nobody has open
// may be about to be written, and is not cut short. Where files have no locks of bbolt's kind, none is.
func CutShort(path string) bool {
	if !locks {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	unlock, free := tryLock(f)
	if free {
		unlock()
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	m, err := readMeta(f, info.Size())
	if err != nil {
		return errors.Is(err, ErrDamaged)
	}
	return m.pages > uint64(info.Size()/m.pageSize)
}
