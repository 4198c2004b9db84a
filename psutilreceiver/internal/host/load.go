package host

// Load is the demand for the CPUs, and how many tasks there are. On Linux it is /proc/loadavg.
type Load struct {
	// Avg1, Avg5 and Avg15 are the exponentially damped averages over 1, 5 and 15 minutes of the tasks that run or are ready to run.
	// Linux counts those in uninterruptible sleep too; Windows has no such average, and gets the average length of the run queue.
	Avg1, Avg5, Avg15 float64

	Tasks int64 // threads of all processes and of the kernel; -1 when not reported
}
