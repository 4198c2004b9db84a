package host

// CPUTimes is the time that a CPU has spent in each mode since boot, in seconds; -1 for a mode that the system does not know, Odd for one that could not be read. On
// Linux it is a line of /proc/stat, which counts in ticks of 1/100 s, and all modes are known.
type CPUTimes struct {
	Number    int     // logical CPU number; -1 for all CPUs together
	User      float64 // user mode, guests included
	Nice      float64 // user mode at low priority, guests included
	System    float64 // kernel mode
	Idle      float64
	IOWait    float64 // idle while a task waits for I/O; approximate, and may step back (proc(5))
	Interrupt float64 // hard and soft interrupts; hard ones alone where Separate is set
	Steal     float64 // taken by the hypervisor for other guests

	SoftInterrupt float64 // soft interrupts, if Separate is set
	Separate      bool    // Host.SeparateSoftInterrupts was called, and the system counts them
}

// CPUSample is one look at the CPUs.
type CPUSample struct {
	Total CPUTimes
	// PerCPU has the CPUs that are online, by rising number. A CPU that goes offline is missing until it is back.
	PerCPU []CPUTimes
	// Count is the number of CPUs that are online; Odd where it can't be told, because a CPU's line could not be read.
	Count int
}

const statFile = "proc/stat"

// KernelSample holds totals since boot, and counts of the moment, that Linux keeps in /proc/stat. A field is -1 when the kernel
// does not report it.
type KernelSample struct {
	ContextSwitches int64 // ctxt
	Interrupts      int64 // intr, first number
	SoftInterrupts  int64 // softirq, first number
	Forks           int64 // processes: forks and clones
	TasksRunning    int64 // procs_running: threads, not processes
	TasksBlocked    int64 // procs_blocked: threads waiting for I/O
}

// noKernel is the sample of a system that reports nothing.
var noKernel = KernelSample{
	ContextSwitches: absent, Interrupts: absent, SoftInterrupts: absent, Forks: absent, TasksRunning: absent, TasksBlocked: absent,
}

// CPUFrequency is the clock of one CPU in Hz; -1 where it is not known.
type CPUFrequency struct {
	Number            int
	Current, Min, Max int64
}
