package readtest

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// CPUClock gives what a process used of the CPU, in µs, by its clock: the sum that the kernel also makes user and system time of.
func CPUClock(pid int32) (uint64, bool) {
	// A clock of a process is its pid, inverted, with three bits for which of its clocks (include/linux/posix-timers_types.h): CPUCLOCK_SCHED.
	const ofScheduler = 2
	var now unix.Timespec
	if err := unix.ClockGettime(^pid<<3|ofScheduler, &now); err != nil {
		return 0, false
	}
	return uint64(now.Nano()) / 1000, true
}

// Release gives the kernel's version.
func Release() (major, minor int) {
	var name unix.Utsname
	_ = unix.Uname(&name)
	_, _ = fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor)
	return major, minor
}

// MemoryErrorOf says by how many bytes the resident set that /proc gives may be off from the exact one, given the count of threads.
//
//   - Since 6.17 statm sums up what each CPU has not yet added (mm: get_mm_counter_sum in fs/proc/task_mmu.c): nothing.
//   - From 6.2 a count is a percpu_counter, read without what each CPU keeps to itself: less than a batch, max(32, 2 * CPUs) pages, for each CPU that is online.
//   - Before, each thread keeps to itself what it added until it has had 64 page faults (TASK_RSS_EVENTS_THRESH in mm/memory.c), of which one may add more than
//     one page where the kernel maps pages around it: fault_around_bytes is 64 KiB, 16 pages.
//
// The resident set is the sum of three counts: of anonymous memory, of files, and of shared memory.
func MemoryErrorOf() func(threads uint64) uint64 {
	const counts = 3
	page := uint64(os.Getpagesize())
	major, minor := Release()
	switch {
	case major > 6 || major == 6 && minor >= 17:
		return func(uint64) uint64 { return 0 }
	case major == 6 && minor >= 2:
		cpus := uint64(runtime.NumCPU())
		return func(uint64) uint64 { return counts * page * cpus * max(32, 2*cpus) }
	}
	return func(threads uint64) uint64 { return page * 64 * 16 * max(threads, 1) }
}
