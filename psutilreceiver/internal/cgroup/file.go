package cgroup

import (
	"slices"
	"strings"
)

// A Controller is a hierarchy of version 1, or that of version 2.
type Controller uint8

// The controllers that are read.
const (
	Unified Controller = iota // version 2
	CPU
	CPUAcct
	Memory
	Blkio
	PIDsController
	NumControllers
)

// A File is one that each group of a hierarchy may have.
type File struct {
	Name       string
	Controller Controller
	Gives      []Value // the values that are read from it; none for I/O
	IO         bool    // it has what was read and written by device
	Instead    bool    // it is read where the file before it is not there
	// Parse adds what the text says to a sample, and reports false if a value that should be there is not, or can't be.
	Parse func(text []byte, s *Sample) (whole bool)
	// Beside version 2 a hierarchy without controllers has the pressure and times of each group: true if those of version 1 go first.
	yields bool
}

// Files are all that can be read, those of version 2 first.
var Files = []File{
	{Name: "cpu.stat", Controller: Unified, Gives: []Value{CPUUser, CPUSystem, Periods, ThrottledPeriods, ThrottledTime}, Parse: parseCPUStat, yields: true},
	{Name: "cpu.max", Controller: Unified, Gives: []Value{CPULimit}, Parse: parseCPUMax},
	{Name: "memory.current", Controller: Unified, Gives: []Value{MemoryUsage}, Parse: number(MemoryUsage)},
	{Name: "memory.stat", Controller: Unified, Gives: []Value{MemoryInactiveFile, MemoryRSS, FaultsMinor, FaultsMajor}, Parse: parseMemoryStat},
	{Name: "memory.max", Controller: Unified, Gives: []Value{MemoryLimit}, Parse: number(MemoryLimit)},
	{Name: "memory.high", Controller: Unified, Gives: []Value{MemoryHigh}, Parse: number(MemoryHigh)},
	{Name: "memory.swap.current", Controller: Unified, Gives: []Value{SwapUsage}, Parse: number(SwapUsage)},
	{Name: "memory.swap.max", Controller: Unified, Gives: []Value{SwapLimit}, Parse: number(SwapLimit)},
	{Name: "memory.events", Controller: Unified, Gives: []Value{EventHigh, EventMax, EventOOM, EventOOMKill}, Parse: parseMemoryEvents},
	{Name: "io.stat", Controller: Unified, IO: true, Parse: parseIOStat},
	{Name: "pids.current", Controller: Unified, Gives: []Value{PIDs}, Parse: number(PIDs)},
	{Name: "pids.max", Controller: Unified, Gives: []Value{PIDLimit}, Parse: number(PIDLimit)},
	{Name: "cpu.pressure", Controller: Unified, Gives: pressureOf(ResourceCPU), Parse: pressure(ResourceCPU)},
	{Name: "memory.pressure", Controller: Unified, Gives: pressureOf(ResourceMemory), Parse: pressure(ResourceMemory)},
	{Name: "io.pressure", Controller: Unified, Gives: pressureOf(ResourceIO), Parse: pressure(ResourceIO)},

	{Name: "cpuacct.stat", Controller: CPUAcct, Gives: []Value{CPUUser, CPUSystem}, Parse: parseCPUAcct},
	{Name: "cpu.stat", Controller: CPU, Gives: []Value{Periods, ThrottledPeriods, ThrottledTime}, Parse: parseCPUStat1},
	{Name: "cpu.cfs_period_us", Controller: CPU, Gives: []Value{CPULimit}, Parse: parsePeriod},
	{Name: "cpu.cfs_quota_us", Controller: CPU, Gives: []Value{CPULimit}, Parse: parseQuota}, // After the period, which it divides by.
	{Name: "memory.usage_in_bytes", Controller: Memory, Gives: []Value{MemoryUsage}, Parse: number(MemoryUsage)},
	{
		Name: "memory.stat", Controller: Memory, Parse: parseMemoryStat1,
		Gives: []Value{MemoryInactiveFile, MemoryRSS, FaultsMinor, FaultsMajor, MemoryLimit, SwapUsage, SwapLimit},
	},
	{Name: "memory.limit_in_bytes", Controller: Memory, Gives: []Value{MemoryLimit}, Parse: parseLimit1},
	{Name: "memory.failcnt", Controller: Memory, Gives: []Value{EventMax}, Parse: number(EventMax)},
	{Name: "memory.oom_control", Controller: Memory, Gives: []Value{EventOOMKill}, Parse: parseOOMControl},
	{Name: "blkio.throttle.io_service_bytes_recursive", Controller: Blkio, IO: true, Parse: blkio(true)},
	{Name: "blkio.throttle.io_service_bytes", Controller: Blkio, IO: true, Parse: blkio(true), Instead: true}, // Before Linux 4.17.
	{Name: "blkio.throttle.io_serviced_recursive", Controller: Blkio, IO: true, Parse: blkio(false)},
	{Name: "blkio.throttle.io_serviced", Controller: Blkio, IO: true, Parse: blkio(false), Instead: true},
	// What the scheduler of a disk counts, be there a limit or not.
	{Name: "blkio.bfq.io_service_bytes_recursive", Controller: Blkio, IO: true, Parse: blkio(true)},
	{Name: "blkio.bfq.io_serviced_recursive", Controller: Blkio, IO: true, Parse: blkio(false)},
	{Name: "blkio.io_service_bytes_recursive", Controller: Blkio, IO: true, Parse: blkio(true)}, // CFQ, before Linux 5.0.
	{Name: "blkio.io_serviced_recursive", Controller: Blkio, IO: true, Parse: blkio(false)},
	{Name: "pids.current", Controller: PIDsController, Gives: []Value{PIDs}, Parse: number(PIDs)},
	{Name: "pids.max", Controller: PIDsController, Gives: []Value{PIDLimit}, Parse: number(PIDLimit)},
}

// Wanted is what is to be read.
type Wanted struct {
	Values [NumValues]bool
	IO     bool
}

// Reads are the files that have to be read of each group for what is wanted, where there are these hierarchies. Controllers are those of version 2,
// the text of cgroup.controllers: beside version 1 it may have few or none.
func (w *Wanted) Reads(there [NumControllers]bool, controllers string) []File {
	var files []File
	for _, f := range Files {
		hybrid := f.yields && there[CPUAcct]
		if !there[f.Controller] || hybrid || f.Controller == Unified && !f.isIn(controllers) {
			continue
		}
		wanted := f.IO && w.IO
		for _, v := range f.Gives {
			wanted = wanted || w.Values[v]
		}
		if wanted {
			files = append(files, f)
		}
	}
	return files
}

// isIn tells whether the controllers of version 2 are those of the file. Times and pressure need none.
func (f *File) isIn(controllers string) bool {
	name, what, _ := strings.Cut(f.Name, ".")
	return what == "pressure" || f.yields || slices.Contains(strings.Fields(controllers), name)
}
