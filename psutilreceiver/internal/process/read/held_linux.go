package read

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"

const (
	// maxHeldFiles is enough for stat and io of 8,000 processes.
	maxHeldFiles = 16 << 10
	// heldShare: all readers together keep open one in so many of the descriptors that this process is allowed.
	heldShare = 4
)

// heldBudget bounds the files that all readers of this process keep open together, because they share its descriptors. Other files are opened
// each time.
var heldBudget heldfile.Budget

// isHeld tells whether a kind of file is worth keeping open: those that are read of each process in each scan.
func isHeld(f File) bool { return f == FileStat || f == FileIO || f == FileStatm }

// heldKey identifies a file of a process among those that are kept open.
func heldKey(pid int32, f File) uint64 { return uint64(pid)<<8 | uint64(f) }
