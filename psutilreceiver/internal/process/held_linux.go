package process

import "golang.org/x/sys/unix"

// heldFiles keeps files of processes open from scan to scan: reading one again from its beginning is one system call where opening, reading
// and closing it are three, of which opening is the dearest. A file stays that of its process: once that is gone, reading answers ESRCH, even
// when its pid belongs to another by then.
//
// Only procfs promises that, so files of other filesystems are not held. Each costs a descriptor and some 5 KiB of kernel memory, so their number is bounded; what does not fit is opened each time.
type heldFiles struct {
	limit int
	files map[heldKey]heldFile
	scan  uint64
}

type heldKey struct {
	pid  int32
	file File
}

type heldFile struct {
	fd   int
	scan uint64 // in which it was last read
}

const (
	// maxHeldFiles is enough for stat and io of 8,000 processes.
	maxHeldFiles = 16 << 10
	// heldShare is the part of the descriptors allowed to this process that held files may take.
	heldShare = 4
)

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
			_ = unix.Close(f.fd)
			delete(h.files, key)
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
	return f.fd, ok
}

// put takes a file over, and reports false when there is no room for it.
func (h *heldFiles) put(key heldKey, fd int) bool {
	if len(h.files) >= h.limit {
		return false
	}
	if h.files == nil {
		h.files = make(map[heldKey]heldFile)
	}
	h.files[key] = heldFile{fd: fd, scan: h.scan}
	return true
}

// drop closes a file whose process has gone.
func (h *heldFiles) drop(key heldKey) {
	if f, ok := h.files[key]; ok {
		_ = unix.Close(f.fd)
		delete(h.files, key)
	}
}

func (h *heldFiles) close() {
	for _, f := range h.files {
		_ = unix.Close(f.fd)
	}
	clear(h.files)
}
