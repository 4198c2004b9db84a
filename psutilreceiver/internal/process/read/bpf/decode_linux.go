//go:build amd64 || arm64

package bpf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// What the programs say in the member special of a record: the enumeration of that name in processes.bpf.c.
const (
	incomplete = 1 << iota
	hasMemory
	hasDescriptors
	exactMemory
	hasLogicalIO
	hasDiskIO
	leaderEnded
)

// The order of I/O in a record is that of the counters from read.DiskReadBytes on, and that of memory the kernel's.
const (
	ioCounters  = 4
	filePages   = 0
	anonPages   = 1
	swapEntries = 2
	shmemPages  = 3
)

const (
	longRecord  = uint32(unsafe.Sizeof(programsProcess{}))
	shortRecord = longRecord - uint32(unsafe.Sizeof(programsProcess{}.FullName))
)

// nextRecord returns the record at the beginning of what the iterator has written, and what follows it. It returns nil at the end, and where what there is
// can't be a record.
func nextRecord(written []byte) (record *programsProcess, rest []byte) {
	if len(written) < int(shortRecord) {
		return nil, nil
	}
	size := binary.NativeEndian.Uint32(written) // The first member.
	if size != shortRecord && (size != longRecord || len(written) < int(longRecord)) {
		return nil, nil
	}
	rest = written[size:]
	if cap(written) < int(longRecord) { // A short one at the end of its memory, beyond which no pointer may reach.
		written = append(make([]byte, 0, longRecord), written...)
	}
	return (*programsProcess)(unsafe.Pointer(unsafe.SliceData(written))), rest
}

// name returns the kernel's name of a process.
func (p *programsProcess) name() []byte {
	if p.Size == longRecord && p.FullName[0] != 0 {
		return text(p.Comm[:1], len(p.Comm)+len(p.FullName))
	}
	return text(p.Comm[:], len(p.Comm))
}

// text returns the bytes from the first of an array of C on, until the first zero or the size.
func text(array []int8, size int) []byte {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(array))), size)
	b, _, _ = bytes.Cut(b, []byte{0})
	return b
}

// The kernel's task states: include/linux/sched.h.
const (
	taskReport    = 0x7f // those that /proc tells of
	uninterrupted = 0x02
	noLoad        = 0x400
	lockWait      = 0x1000 // of kernels with CONFIG_PREEMPT_RT
	frozen        = 0x8000
)

// stateLetters are the letters of /proc/PID/stat in the order of the bits of the state.
const stateLetters = "RSDTtXZPI"

// stateLetter returns the letter of /proc/PID/stat for a state, as the kernel chooses it (task_state_index of include/linux/sched.h).
func stateLetter(state, exitState uint32) byte {
	report := (state | exitState) & taskReport
	switch {
	case state&(uninterrupted|noLoad) == uninterrupted|noLoad:
		return 'I'
	case state&(lockWait|frozen) != 0:
		report = uninterrupted
	}
	return stateLetters[bits.Len32(report)]
}

// cpuTimes is user and system time in ns.
type cpuTimes struct{ user, system uint64 }

// split divides the time that a process ran into user and system time by what ticks have hit, as the kernel does it for /proc (cputime_adjust of
// kernel/sched/cputime.c). given is what was given before, by the kernel or here: neither falls.
func (t *programsTimes) split(given cpuTimes) cpuTimes {
	// What /proc has shown since is not to fall either, as far as both can hold.
	if user, system := max(given.user, t.GivenUser), max(given.system, t.GivenSystem); user+system <= t.Ran {
		given = cpuTimes{user, system}
	}
	if given.user+given.system >= t.Ran {
		return given
	}
	var system uint64
	switch {
	case t.System == 0:
	case t.User == 0:
		system = t.Ran
	default:
		system = t.Ran
		if sum, carry := bits.Add64(t.User, t.System, 0); carry == 0 {
			high, low := bits.Mul64(t.System, t.Ran)
			if high < sum {
				system, _ = bits.Div64(high, low, sum)
				system = min(system, t.Ran)
			}
		}
	}
	system = max(system, given.system)
	user := t.Ran - min(system, t.Ran)
	if user < given.user {
		user = given.user
		system = t.Ran - min(user, t.Ran)
	}
	return cpuTimes{max(user, given.user), max(system, given.system)}
}

const (
	nanosecondsPerTick        = 1_000_000_000 / proctext.TicksPerSecond
	nanosecondsPerMicrosecond = 1000
	kernelThread              = 0x00200000 // PF_KTHREAD of include/linux/sched.h
	niceZero                  = 120        // the static priority of a nice value of 0
	recordFields              = read.FieldCPU | read.FieldFaults | read.FieldThreads | read.FieldScheduling | read.FieldNice | read.FieldChildren | read.FieldVirtual |
		read.FieldMemory | read.FieldSwitches | read.FieldSignals
)

// fill makes a sample of a record. times and io are what of it is the process's own.
func (p *programsProcess) fill(s *read.Sample, times cpuTimes, io *[ioCounters]uint64, pageSize uint64) {
	s.ProcessState = read.ProcessState{
		Key:  read.Key{PID: int32(p.Pid), Start: p.Start / nanosecondsPerTick},
		PPID: int32(p.Parent), UID: p.User, HasUID: true,
		Nice: int32(p.Priority) - niceZero, KernelThread: p.Flags&kernelThread != 0,
		CgroupID: p.Cgroup, State: stateLetter(p.State, p.ExitState), Have: recordFields,
		Children: read.Children{
			User: p.ChildrenUser / nanosecondsPerMicrosecond, System: p.ChildrenSystem / nanosecondsPerMicrosecond, Faults: p.ChildrenMinorFaults,
		},
	}
	s.SetCommBytes(p.name())
	p.fillTotals(s, times, io)
	p.fillLevels(s, pageSize)
}

func (p *programsProcess) fillLevels(s *read.Sample, pageSize uint64) {
	s.Levels[read.Threads] = uint64(p.Threads)
	s.Levels[read.SignalsPending] = uint64(bits.OnesCount64(p.Pending) + bits.OnesCount64(p.SharedPending))
	if p.Special&hasMemory != 0 {
		// Each count may be below zero for a moment, as threads and CPUs add to them.
		bytes := func(pages int) uint64 { return uint64(max(int64(p.Memory[pages]), 0)) * pageSize }
		s.Levels[read.Virtual] = p.Virtual * pageSize
		s.Levels[read.Shared] = bytes(filePages) + bytes(shmemPages)
		s.Levels[read.Resident] = s.Levels[read.Shared] + bytes(anonPages)
		s.Levels[read.Swap] = bytes(swapEntries)
		s.Have |= read.FieldSwap
	}
	if p.Special&(hasMemory|exactMemory) != hasMemory {
		s.Have |= read.FieldShared
	}
	if p.Special&hasDescriptors != 0 {
		s.Levels[read.Descriptors] = uint64(p.Descriptors)
		s.Have |= read.FieldDescriptors
	}
}

func (p *programsProcess) fillTotals(s *read.Sample, times cpuTimes, io *[ioCounters]uint64) {
	s.Totals = read.Totals{
		read.CPUUser: times.user / nanosecondsPerMicrosecond, read.CPUSystem: times.system / nanosecondsPerMicrosecond,
		read.MinorFaults: p.MinorFaults, read.MajorFaults: p.MajorFaults,
		read.VoluntarySwitches: p.Voluntary, read.InvoluntarySwitches: p.Involuntary,
	}
	copy(s.Totals[read.DiskReadBytes:], io[:])
	if p.Special&hasDiskIO != 0 {
		s.Have |= read.FieldDiskIO
	}
	if p.Special&hasLogicalIO != 0 {
		s.Have |= read.FieldLogicalIO
	}
}
