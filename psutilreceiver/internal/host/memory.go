package host

import "math"

// Memory is the host's memory in bytes. A field is -1 when the kernel does not report it, and Odd when what it
// reports can't be. On Linux the fields are those of
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

	HardwareCorrupted       int64
	Anonymous, Mapped       int64 // AnonPages, Mapped
	KernelStack, PageTables int64
	PerCPU                  int64 // Percpu
	// Zswap is the memory that the compressed cache of swap takes, and Zswapped what it holds, both since Linux 5.19.
	Zswap, Zswapped int64

	HugePagesTotal, HugePagesFree, HugePagesReserved, HugePagesSurplus int64 // in pages
	HugePageSize                                                       int64
}

// noMemory is the sample of a system that reports nothing.
var noMemory = Memory{
	Total: absent, Free: absent, Buffers: absent, Cached: absent, Available: absent,
	Shared: absent, Active: absent, Inactive: absent, Dirty: absent, Writeback: absent,
	Committed: absent, CommitLimit: absent, SlabReclaimable: absent, SlabUnreclaimable: absent,
	HardwareCorrupted: absent, Anonymous: absent, Mapped: absent, KernelStack: absent, PageTables: absent, PerCPU: absent,
	Zswap: absent, Zswapped: absent,
	HugePagesTotal: absent, HugePagesFree: absent, HugePagesReserved: absent, HugePagesSurplus: absent, HugePageSize: absent,
}

// MemoryStates is a division of the memory into parts that do not overlap and sum to its total, in bytes. A part is negative where a value that it
// is made of is not known.
type MemoryStates struct {
	Used    int64 // what the kernel could not give away without swapping: total less available and free huge pages
	Free    int64 // unused, free huge pages included
	Buffers int64 // reclaimable, of block devices
	Cached  int64 // the rest of what is reclaimable: page cache and slab
}

// States divides the memory. Reported free memory may exceed the available part, of which the kernel keeps a reserve back; what
// lies above it counts as used, so that the parts sum.
func (m *Memory) States() MemoryStates {
	huge := m.freeHugePages()
	if m.Available == Odd {
		return MemoryStates{Used: Odd, Free: sumOfKnown(m.Free, huge), Buffers: m.Buffers, Cached: Odd}
	}
	available := max(m.Available, 0)
	s := MemoryStates{Used: Odd, Free: Odd, Buffers: Odd, Cached: Odd}
	if m.Total > 0 {
		available = min(available, m.Total)
		if huge >= 0 {
			huge = min(huge, m.Total-available)
			s.Used = m.Total - available - huge
		}
	}
	if m.Free == Odd {
		s.Buffers = min(m.Buffers, available)
		return s
	}
	free := min(max(m.Free, 0), available)
	s.Free = sumOfKnown(free, huge)
	if m.Buffers != Odd {
		s.Buffers = min(max(m.Buffers, 0), available-free)
		s.Cached = available - free - s.Buffers
	}
	return s
}

// freeHugePages is the memory that is set aside for huge pages and not used by any, in bytes: nothing that the kernel calls free or available, but
// nobody has it. Odd where it can't be told.
func (m *Memory) freeHugePages() int64 {
	switch pages, size := m.HugePagesFree, m.HugePageSize; {
	case pages == Odd, size == Odd, pages > 0 && size > 0 && pages > math.MaxInt64/size:
		return Odd
	default:
		return max(pages, 0) * max(size, 0)
	}
}

func sumOfKnown(a, b int64) int64 {
	if a < 0 || b < 0 {
		return Odd
	}
	return a + b
}
