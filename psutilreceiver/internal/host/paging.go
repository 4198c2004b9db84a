package host

// Swap is one swap area in bytes.
type Swap struct {
	Device     string // device or file
	Size, Used int64
}

// VMSample holds totals since boot of the virtual memory system, in the counts of /proc/vmstat. A field is -1 when the kernel
// does not report it.
type VMSample struct {
	Faults      int64 // pgfault: all page faults, major ones included
	MajorFaults int64 // pgmajfault: those that waited for storage
	SwappedIn   int64 // pswpin, in pages
	SwappedOut  int64 // pswpout, in pages
	OOMKills    int64 // oom_kill, since Linux 4.13
	ZswapIn     int64 // zswpin, in pages, of the compressed cache of swap
	ZswapOut    int64 // zswpout, in pages: moved into that cache
	PageSize    int64 // bytes a page
}

// noVM is the sample of a system that reports nothing.
var noVM = VMSample{Faults: absent, MajorFaults: absent, SwappedIn: absent, SwappedOut: absent, OOMKills: absent, ZswapIn: absent, ZswapOut: absent, PageSize: absent}
