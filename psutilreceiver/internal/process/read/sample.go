package read

// Fields is a set of figures of a process: those that are wanted, or those that a [Sample] holds.
type Fields uint32

// The figures that can be asked for. On Linux all up to FieldChildren come with the one read of /proc/PID/stat and cost nothing more;
// each of the others costs the file that is named.
const (
	FieldCPU          Fields = 1 << iota // CPUUser, CPUSystem
	FieldMemory                          // Resident, Virtual
	FieldFaults                          // MinorFaults, MajorFaults
	FieldThreads                         // Threads
	FieldScheduling                      // State, Nice
	FieldChildren                        // Sample.Children
	FieldShared                          // Shared, and exact Resident: statm
	FieldDiskIO                          // DiskReadBytes, DiskWriteBytes: io
	FieldLogicalIO                       // LogicalReadBytes, LogicalWriteBytes: io
	FieldSwap                            // Swap: status
	FieldSwitches                        // VoluntarySwitches, InvoluntarySwitches: the status of every thread
	FieldDescriptors                     // Descriptors: fd
	FieldProportional                    // Proportional, Unique: smaps_rollup, which holds the process's memory map while it is read
)

// LevelFields are the fields of levels alone.
const LevelFields = FieldMemory | FieldThreads | FieldShared | FieldSwap | FieldDescriptors | FieldProportional

// A Counter names a figure of a process that only grows. Values are indexes into [Totals].
type Counter uint8

// The counters. Files are those of /proc/PID, numbers the fields of stat in proc(5).
const (
	CPUUser             Counter = iota // time in user mode, µs: stat utime (14)
	CPUSystem                          // time in kernel mode, µs: stat stime (15)
	ReapedUser                         // user time of exited descendants that no scrape counted, µs: derived from stat cutime (16)
	ReapedSystem                       // system time of the same, µs: derived from stat cstime (17)
	MinorFaults                        // faults served without I/O: stat minflt (10)
	MajorFaults                        // faults that had to load a page: stat majflt (12)
	DiskReadBytes                      // bytes fetched from storage: io read_bytes, of which inherited.go leaves out what was a child's
	DiskWriteBytes                     // bytes sent to storage: io write_bytes, likewise
	LogicalReadBytes                   // bytes that read(2) and its like returned, of files, pipes, sockets: io rchar, likewise
	LogicalWriteBytes                  // bytes passed to write(2) and its like: io wchar, likewise
	VoluntarySwitches                  // context switches while waiting, of the threads alive: task/*/status voluntary_ctxt_switches
	InvoluntarySwitches                // context switches by preemption: task/*/status nonvoluntary_ctxt_switches
	NumCounters
)

// counterField says which field must be held for a counter to have a meaning.
var counterField = [NumCounters]Fields{
	CPUUser: FieldCPU, CPUSystem: FieldCPU,
	ReapedUser: FieldChildren, ReapedSystem: FieldChildren,
	MinorFaults: FieldFaults, MajorFaults: FieldFaults,
	DiskReadBytes: FieldDiskIO, DiskWriteBytes: FieldDiskIO,
	LogicalReadBytes: FieldLogicalIO, LogicalWriteBytes: FieldLogicalIO,
	VoluntarySwitches: FieldSwitches, InvoluntarySwitches: FieldSwitches,
}

// Field returns the field that must be held for the counter to have a meaning.
func (c Counter) Field() Fields { return counterField[c] }

// Totals holds one value for each [Counter]. Times are in microseconds: fine enough for every source, and a sum over a large host takes
// half a million years of CPU time to overflow, where nanoseconds would last a year on a thousand busy CPUs. What they grew by between two
// scrapes has a type of its own in package process.
type Totals [NumCounters]uint64

// CPU returns the time the process itself ran, user and system, in microseconds.
func (t *Totals) CPU() uint64 { return t[CPUUser] + t[CPUSystem] }

// A Level names a figure of a process that rises and falls. Values are indexes into [Levels].
type Level uint8

// The levels. Files are those of /proc/PID, numbers the fields of stat in proc(5).
const (
	Resident     Level = iota // resident set in bytes: stat rss (24), or statm resident if that is read
	Virtual                   // address space in bytes: stat vsize (23)
	Threads                   // threads: stat num_threads (20)
	Shared                    // resident pages backed by files or shared memory, in bytes: statm shared
	Swap                      // anonymous memory swapped out, in bytes: status VmSwap
	Descriptors               // open file descriptors (on Windows handles): fd
	Proportional              // resident set with each page divided by its users (PSS), in bytes: smaps_rollup Pss
	Unique                    // resident set that no other process maps (USS), in bytes: smaps_rollup Private_Clean + Private_Dirty
	NumLevels
)

// levelField says the same of a level.
var levelField = [NumLevels]Fields{
	Resident: FieldMemory, Virtual: FieldMemory, Threads: FieldThreads, Shared: FieldShared, Swap: FieldSwap,
	Descriptors: FieldDescriptors, Proportional: FieldProportional, Unique: FieldProportional,
}

// Field returns the field that must be held for the level to have a meaning.
func (l Level) Field() Fields { return levelField[l] }

// Levels holds one value for each [Level].
type Levels [NumLevels]uint64

// Children holds what the children that a process has waited for, and theirs in turn, had used up.
type Children struct {
	User   uint64 // µs: stat cutime (16)
	System uint64 // µs: stat cstime (17)
	Faults uint64 // faults served without I/O: stat cminflt (11)
}

// A Key identifies a process for as long as the host is up: pids are used again, a pid with its start is not.
type Key struct {
	PID int32
	// Start is when the process started, on the scale of its source: on Linux clock ticks since boot (stat starttime (22)), elsewhere
	// milliseconds since the epoch. [Key.Created] turns it into a time.
	Start uint64
}

// commSize is enough for every comm: 15 bytes for a process, 63 for the decorated name of a kernel worker.
const commSize = 64

// Vitals is what of a [Sample] is kept from one scrape to the next as it was read.
type Vitals struct {
	Key
	PPID         int32  // parent: stat ppid (4); 0 where the parent is outside of the pid namespace
	UID          uint32 // effective user: status Uid; held if HasUID
	Nice         int32  // nice value: stat nice (19)
	Have         Fields // the figures that could be read; what is not held has no meaning
	HasUID       bool
	KernelThread bool // a thread of the kernel, without executable and command line: stat flags (9) has PF_KTHREAD
	State        byte // the kernel's letter: R, S, D, Z, T, t, I, X: stat state (3)
	Levels       Levels
	Children     Children
}

// Uninterruptible tells whether the process waits for something that no signal ends, usually a device: D in stat state (3).
func (v *Vitals) Uninterruptible() bool { return v.State == 'D' }

// A Sample is what one scrape reads of one process, and all that a reader on another basis would have to give.
// A source uses the same sample for one process after another.
type Sample struct {
	Vitals
	Totals Totals // ReapedUser and ReapedSystem are not the source's but the tracker's: 0 here
	commLen  uint8
	comm     [commSize]byte
}

// Comm returns the kernel's name of the process: stat comm (2). It allocates.
func (s *Sample) Comm() string { return string(s.comm[:s.commLen]) }

// SetComm sets the kernel's name of the process, cut to the 64 bytes that are kept.
func (s *Sample) SetComm(name string) { s.commLen = uint8(copy(s.comm[:], name)) }

// HasComm tells whether the kernel's name of the process is the given one, without allocating.
func (s *Sample) HasComm(name string) bool { return string(s.comm[:s.commLen]) == name }
