package read

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// heldFiles keeps files of processes open from scan to scan: reading one again from its beginning is one system call where opening, reading
// and closing it are three, of which opening is the dearest. A file stays that of its process: once that is gone, reading answers ESRCH, even
// when its pid belongs to another by then.
//
// Only procfs promises that, so files of other filesystems are not held. Each costs a descriptor and some 5 KiB of kernel memory, so the
// number that all readers hold together is bounded; what does not fit is opened each time.
type heldFiles struct {
	limit int // of what all readers hold
	files map[heldKey]heldFile
	scan  uint32
}

type heldKey struct {
	pid  int32
	file File
}

type heldFile struct {
	fd   int32
	scan uint32 // in which it was last read
}

const (
	// maxHeldFiles is enough for stat and io of 8,000 processes.
	maxHeldFiles = 16 << 10
	// heldShare is the part of the descriptors allowed to this process that held files may take.
	heldShare = 4
)

// heldByAll counts the files that all readers of this process hold: they share its descriptors.
var heldByAll atomic.Int64

// heldLimit is how many files may be held: a share of the descriptors that this process is allowed.
func heldLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur/heldShare, maxHeldFiles))
}

// begin closes what the last scan did not read: its process has gone, or its figures are no longer wanted.
func (h *heldFiles) begin() {
	for key, f := range h.files {
		if f.scan != h.scan {
			h.drop(key)
		}
	}
	h.scan++
}

// holds tells whether a kind of file is worth holding: those that are read of each process in each scan.
func (h *heldFiles) holds(f File) bool { return f == FileStat || f == FileIO || f == FileStatm }

// get returns the descriptor of a file that is held.
func (h *heldFiles) get(key heldKey) (fd int, ok bool) {
	f, ok := h.files[key]
	if ok && f.scan != h.scan {
		f.scan = h.scan
		h.files[key] = f
	}
	return int(f.fd), ok
}

// put takes a file over, and reports false when there is no room for it.
func (h *heldFiles) put(key heldKey, fd int) bool {
	if heldByAll.Add(1) > int64(h.limit) {
		heldByAll.Add(-1)
		return false
	}
	if h.files == nil {
		h.files = make(map[heldKey]heldFile)
	}
	h.files[key] = heldFile{fd: int32(fd), scan: h.scan}
	return true
}

// drop closes a file.
func (h *heldFiles) drop(key heldKey) {
	if f, ok := h.files[key]; ok {
		_ = unix.Close(int(f.fd))
		delete(h.files, key)
		heldByAll.Add(-1)
	}
}

func (h *heldFiles) close() {
	for key := range h.files {
		h.drop(key)
	}
}
