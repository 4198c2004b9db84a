//go:build !linux

package host

import (
	"context"
	"runtime"

	"github.com/shirou/gopsutil/v3/cpu"
)

// SeparateSoftInterrupts has no effect: soft interrupts are not counted apart.
func (h *Host) SeparateSoftInterrupts() {}

// CPU gives the times of all CPUs. ErrUnsupported on macOS in a build without cgo. On Windows the CPUs of the collector's
// processor group are listed, which are 64 at most; the total covers all.
func (h *Host) CPU() (*CPUSample, error) {
	ctx := context.Background()
	total, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return nil, portable("reading the CPU times", err)
	}
	each, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return nil, portable("reading the CPU times", err)
	}
	if len(total) == 0 {
		return nil, ErrUnsupported
	}
	sample := &CPUSample{Total: timesOf(absent, &total[0]), PerCPU: make([]CPUTimes, 0, len(each))}
	for i := range each {
		sample.PerCPU = append(sample.PerCPU, timesOf(i, &each[i]))
	}
	sample.Count = len(sample.PerCPU)
	return sample, nil
}

// timesOf takes the modes that the system knows.
func timesOf(number int, t *cpu.TimesStat) CPUTimes {
	c := CPUTimes{
		Number: number, User: t.User, System: t.System, Idle: t.Idle,
		Nice: absent, IOWait: absent, Interrupt: absent, Steal: absent,
	}
	switch runtime.GOOS {
	case "windows":
		// System includes interrupts, which Windows reports for single CPUs only.
		if number >= 0 {
			c.Interrupt = t.Irq
			c.System = max(t.System-t.Irq, 0)
		}
	case "darwin":
		c.Nice = t.Nice
	case "solaris", "illumos", "aix":
		c.IOWait = t.Iowait
	default:
		c.Nice, c.Interrupt = t.Nice, t.Irq
	}
	return c
}

// Kernel is ErrUnsupported: gopsutil has no such totals.
func (h *Host) Kernel() (*KernelSample, error) { return nil, ErrUnsupported }

// PhysicalCPUs counts the cores. On Windows this is a WMI query, so that the answer is kept.
func (h *Host) PhysicalCPUs() (int, error) {
	if h.cores > 0 {
		return h.cores, nil
	}
	n, err := cpu.CountsWithContext(context.Background(), false)
	if err != nil {
		return 0, portable("counting the cores", err)
	}
	if n <= 0 {
		return 0, ErrUnsupported
	}
	h.cores = n
	return n, nil
}

// CPUFrequencies is ErrUnsupported: what gopsutil gives is the nominal clock, and not of each CPU.
func (h *Host) CPUFrequencies() ([]CPUFrequency, error) { return nil, ErrUnsupported }
