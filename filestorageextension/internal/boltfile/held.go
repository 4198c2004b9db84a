package boltfile

import "os"

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
