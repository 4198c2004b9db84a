package read

// A Key identifies a process for as long as the host is up: pids are used again, a pid with its start is not.
type Key struct {
	PID int32
	// Start is when the process started, on the scale of its source: on Linux clock ticks since boot (stat starttime (22)), elsewhere
	// milliseconds since the epoch. [Key.Created] turns it into a time.
	Start uint64
}

// Children has what the children that a process has waited for used in their lives, and the children that these had waited for, and so on.
type Children struct {
	User   uint64 // µs: stat cutime (16)
	System uint64 // µs: stat cstime (17)
	Faults uint64 // faults served without I/O: stat cminflt (11)
}

// ProcessState is the part of a [Sample] that stays valid until the next scrape.
type ProcessState struct {
	Key
	PPID         int32  // parent: stat ppid (4); -1 where it could not be read, 0 where the parent is outside of the pid namespace
	UID          uint32 // effective user: status Uid; valid if HasUID
	Nice         int32  // nice value: stat nice (19)
	Have         Fields // the fields that could be read; only these are valid
	HasUID       bool
	KernelThread bool // a thread of the kernel, without executable and command line: stat flags (9) has PF_KTHREAD
	// LiveThread stands for the first thread of a process where that has exited and others have not: the kernel then shows the process as a
	// zombie without memory and files. 0 while the first thread lives.
	LiveThread int32
	CgroupID   uint64 // of the group in the unified hierarchy, its inode number; 0 where the source does not give it
	State      byte   // the kernel's letter: R, S, D, Z, T, t, I, X: stat state (3)
	Levels     Levels
	Children   Children
}

// Uninterruptible tells whether the process waits for something that no signal ends, usually a device: D in stat state (3).
func (p *ProcessState) Uninterruptible() bool { return p.State == 'D' }

// A Sample is what one scrape reads of one process. A source uses the same sample for one process after another.
type Sample struct {
	ProcessState
	Totals  Totals // without ReapedUser and ReapedSystem, which package process computes: 0 here
	commLen uint8
	comm    [commSize]byte
}
