//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package boltfile

import (
	"os"
	"syscall"
)

// locks tells whether tryLock can tell.
const locks = true

// tryLock takes the lock that bbolt takes on its files; false when somebody else has it.
func tryLock(f *os.File) (unlock func(), free bool) {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, false
	}
	return func() { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, true
}
