package host

// FileHandles is how many open files the kernel has.
type FileHandles struct {
	Allocated int64 // in use by the whole host
	Limit     int64 // above it only privileged processes can open files
}

// TaskLimits is how many tasks (threads) can exist at once.
type TaskLimits struct {
	Threads int64 // kernel.threads-max
	PIDs    int64 // kernel.pid_max: numbers for tasks, each of which takes one
}

// Limit is the number of tasks at which no more can be created: the lower of the two.
func (l TaskLimits) Limit() int64 { return min(l.Threads, l.PIDs) }
