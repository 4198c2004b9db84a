//go:build unix

package history

import "golang.org/x/sys/unix"

// mapMemory returns zeroed memory outside Go's heap: the garbage collector neither scans it nor waits for twice as much.
func mapMemory(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n)
	}
	return b
}

func unmapMemory(b []byte) {
	_ = unix.Munmap(b) // Fails for memory of the heap, which needs no unmapping.
}
