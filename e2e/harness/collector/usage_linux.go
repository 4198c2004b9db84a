package collector

import (
	"os"
	"syscall"
)

// peakMemory is the highest resident memory of a process that has ended, in bytes.
func peakMemory(state *os.ProcessState) float64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return float64(usage.Maxrss) * 1024
}
