package host

// Resource is one that tasks can be stalled for, in pressure stall information (PSI).
type Resource int

// The resources that Linux tracks.
const (
	ResourceCPU    Resource = iota
	ResourceMemory          // stalled by reclaim, refaults and swapping
	ResourceIO
	ResourceIRQ // CPU time lost to interrupts, since Linux 6.1 with CONFIG_IRQ_TIME_ACCOUNTING
)

// String is the resource's name, which is also that of its file in /proc/pressure.
func (r Resource) String() string {
	return [...]string{ResourceCPU: "cpu", ResourceMemory: "memory", ResourceIO: "io", ResourceIRQ: "irq"}[r]
}

// Stall is the time that tasks lost for lack of a resource.
type Stall struct {
	Reported             bool    // false when the kernel has no such line; the values are then zero
	Avg10, Avg60, Avg300 float64 // share of the last 10, 60 and 300 seconds, 0 to 1
	Total                float64 // since boot, in seconds
}

// Pressure is the stall information of one resource.
type Pressure struct {
	Some Stall // at least one task was stalled; IRQ has none
	// Full: all tasks that were not idle were stalled at once. For CPU the kernel has it since 5.13, and always zero, as it is
	// not defined for a whole host: some task is always running when others wait for a CPU.
	Full Stall
}
