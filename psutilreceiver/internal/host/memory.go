package host

// Memory is the host's memory in bytes. A field is -1 when the kernel does not report it. On Linux the fields are those of
// /proc/meminfo that proc(5) describes under the same names.
type Memory struct {
	Total, Free, Buffers, Cached int64
	// Available is what new programs can take without swapping: MemAvailable, or, on kernels before 3.14, free, buffers,
	// page cache and reclaimable slab less shared memory.
	Available int64

	Shared, Active, Inactive           int64 // Shmem, Active, Inactive
	Dirty, Writeback                   int64
	Committed, CommitLimit             int64 // Committed_AS, CommitLimit
	SlabReclaimable, SlabUnreclaimable int64 // SReclaimable, SUnreclaim

	HugePagesTotal, HugePagesFree, HugePagesReserved, HugePagesSurplus int64 // in pages
	HugePageSize                                                       int64
}

// noMemory is the sample of a system that reports nothing.
var noMemory = Memory{
	Total: absent, Free: absent, Buffers: absent, Cached: absent, Available: absent,
	Shared: absent, Active: absent, Inactive: absent, Dirty: absent, Writeback: absent,
	Committed: absent, CommitLimit: absent, SlabReclaimable: absent, SlabUnreclaimable: absent,
	HugePagesTotal: absent, HugePagesFree: absent, HugePagesReserved: absent, HugePagesSurplus: absent, HugePageSize: absent,
}

// MemoryStates is a division of the memory into parts that do not overlap and sum to its total, in bytes.
type MemoryStates struct {
	Used    int64 // what the kernel could not give away without swapping: total less available
	Free    int64 // unused
	Buffers int64 // reclaimable, of block devices
	Cached  int64 // the rest of what is reclaimable: page cache and slab
}

// States divides the memory. Reported free memory may exceed the available part, of which the kernel keeps a reserve back; what
// lies above it counts as used, so that the parts sum.
func (m *Memory) States() MemoryStates {
	available := min(max(m.Available, 0), m.Total)
	s := MemoryStates{Used: m.Total - available}
	s.Free = min(max(m.Free, 0), available)
	s.Buffers = min(max(m.Buffers, 0), available-s.Free)
	s.Cached = available - s.Free - s.Buffers
	return s
}
