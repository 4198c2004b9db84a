package read

import (
	"bytes"
	"math/bits"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// This file lists the statistics of a process and parses them from the kernel's text. A new statistic of a file that is read already is added
// in this file only.

// Fields is a set of fields. A field is one or more statistics of a process that are read together: the fields to read, or those that a
// [Sample] has.
type Fields uint32

// The fields. On Linux all up to FieldChildrenFaults come with the one read of /proc/PID/stat and cost nothing more; each of the others costs
// reading the file that is named.
const (
	FieldCPUUser        Fields = 1 << iota // CPUUser
	FieldCPUSystem                         // CPUSystem
	FieldMemory                            // Resident
	FieldVirtual                           // Virtual
	FieldMinorFaults                       // MinorFaults
	FieldMajorFaults                       // MajorFaults
	FieldThreads                           // Threads
	FieldScheduling                        // State
	FieldNice                              // Nice
	FieldChildrenUser                      // Children.User
	FieldChildrenSystem                    // Children.System
	FieldChildrenFaults                    // Children.Faults
	FieldShared                            // Shared, and exact Resident: statm
	FieldDiskRead                          // DiskReadBytes: io
	FieldDiskWrite                         // DiskWriteBytes: io
	FieldLogicalRead                       // LogicalReadBytes: io
	FieldLogicalWrite                      // LogicalWriteBytes: io
	FieldSwap                              // Swap: status
	FieldVoluntary                         // VoluntarySwitches: the status of every thread
	FieldInvoluntary                       // InvoluntarySwitches: the same
	FieldDescriptors                       // Descriptors: fd
	FieldProportional                      // Proportional: smaps_rollup, which locks the process's memory map while it is read
	FieldUnique                            // Unique: smaps_rollup, too
	FieldSignals                           // SignalsPending: status
)

// Fields that are wanted together. A sample may have one of them where the other can't be.
const (
	FieldCPU       = FieldCPUUser | FieldCPUSystem
	FieldFaults    = FieldMinorFaults | FieldMajorFaults
	FieldDiskIO    = FieldDiskRead | FieldDiskWrite
	FieldLogicalIO = FieldLogicalRead | FieldLogicalWrite
	FieldSwitches  = FieldVoluntary | FieldInvoluntary
	FieldReaped    = FieldChildrenUser | FieldChildrenSystem
	FieldChildren  = FieldReaped | FieldChildrenFaults
)

// LevelFields are the fields that have levels only.
const LevelFields = FieldMemory | FieldVirtual | FieldThreads | FieldShared | FieldSwap | FieldDescriptors | FieldProportional | FieldUnique | FieldSignals

// RollupFields are the fields of /proc/PID/smaps_rollup.
const RollupFields = FieldProportional | FieldUnique

// statusFields are the fields that have levels of /proc/PID/status.
const statusFields = FieldSwap | FieldSignals

// A Counter names a statistic of a process that only grows. Values are indexes into [Totals].
type Counter uint8

// The counters. Files are those of /proc/PID, numbers the fields of stat in proc(5).
const (
	CPUUser             Counter = iota // time in user mode, µs: stat utime (14)
	CPUSystem                          // time in kernel mode, µs: stat stime (15)
	ReapedUser                         // user time of exited descendants that no scrape counted, µs: package process derives it from stat cutime (16)
	ReapedSystem                       // system time of the same, µs: from stat cstime (17)
	MinorFaults                        // faults served without I/O: stat minflt (10)
	MajorFaults                        // faults that had to load a page: stat majflt (12)
	DiskReadBytes                      // bytes fetched from storage: io read_bytes
	DiskWriteBytes                     // bytes sent to storage: io write_bytes
	LogicalReadBytes                   // bytes that read(2) and its like returned, of files, pipes, sockets: io rchar
	LogicalWriteBytes                  // bytes passed to write(2) and its like: io wchar
	VoluntarySwitches                  // context switches while waiting, of the threads alive: task/*/status voluntary_ctxt_switches
	InvoluntarySwitches                // context switches by preemption: task/*/status nonvoluntary_ctxt_switches
	NumCounters
)

// counterField says which field a sample must have for a counter to be valid.
var counterField = [NumCounters]Fields{
	CPUUser: FieldCPUUser, CPUSystem: FieldCPUSystem,
	ReapedUser: FieldChildrenUser, ReapedSystem: FieldChildrenSystem,
	MinorFaults: FieldMinorFaults, MajorFaults: FieldMajorFaults,
	DiskReadBytes: FieldDiskRead, DiskWriteBytes: FieldDiskWrite,
	LogicalReadBytes: FieldLogicalRead, LogicalWriteBytes: FieldLogicalWrite,
	VoluntarySwitches: FieldVoluntary, InvoluntarySwitches: FieldInvoluntary,
}

// Field returns the field that a sample must have for the counter to be valid.
func (c Counter) Field() Fields { return counterField[c] }

// Totals holds one value for each [Counter]. Times are in microseconds: fine enough for every source, and a sum over a large host takes
// half a million years of CPU time to overflow, where nanoseconds would last a year on a thousand busy CPUs. What they grew by between two
// scrapes has a type of its own in package process.
type Totals [NumCounters]uint64

// CPU returns the time the process itself ran, user and system, in microseconds.
func (t *Totals) CPU() uint64 { return t[CPUUser] + t[CPUSystem] }

// A Level names a statistic of a process that rises and falls. Values are indexes into [Levels].
type Level uint8

// The levels. Files are those of /proc/PID, numbers the fields of stat in proc(5).
const (
	Resident       Level = iota // resident set in bytes: stat rss (24), or statm resident if that is read
	Virtual                     // address space in bytes: stat vsize (23)
	Threads                     // threads: stat num_threads (20)
	Shared                      // resident pages backed by files or shared memory, in bytes: statm shared
	Swap                        // anonymous memory swapped out, in bytes: status VmSwap
	Descriptors                 // open file descriptors (on Windows handles): fd
	Proportional                // resident set with each page divided by its users (PSS), in bytes: smaps_rollup Pss
	Unique                      // resident set that no other process maps (USS), in bytes: smaps_rollup Private_Clean + Private_Dirty
	SignalsPending              // signals sent that the process and its first thread have not taken yet: status ShdPnd and SigPnd
	NumLevels
)

// levelField says the same of a level.
var levelField = [NumLevels]Fields{
	Resident: FieldMemory, Virtual: FieldVirtual, Threads: FieldThreads, Shared: FieldShared, Swap: FieldSwap,
	Descriptors: FieldDescriptors, Proportional: FieldProportional, Unique: FieldUnique, SignalsPending: FieldSignals,
}

// Field returns the field that a sample must have for the level to be valid.
func (l Level) Field() Fields { return levelField[l] }

// Levels holds one value for each [Level].
type Levels [NumLevels]uint64

// microsecondsPerTick turns ticks into the unit of [Totals].
const microsecondsPerTick = 1_000_000 / proctext.TicksPerSecond

// pfKThread is PF_KTHREAD of include/linux/sched.h, in the flags of stat.
const pfKThread = 0x00200000

// statFields are the fields that come with /proc/PID/stat.
const statFields = FieldCPU | FieldMemory | FieldVirtual | FieldFaults | FieldThreads | FieldScheduling | FieldNice | FieldChildren

// parseStat reads the text of /proc/PID/stat into s. It reports false, and leaves s without fields, if the text is not that of a process. A value
// that can't be costs its own field: then s has not all statFields, or no parent.
func parseStat(text []byte, pageSize uint64, s *Sample) bool {
	s.Have = 0
	// "PID (comm) state ...". A comm may hold blanks and brackets of either kind, but nothing after it does: the last bracket ends it.
	open, end := bytes.IndexByte(text, '('), lastBracket(text)
	if open < 2 || text[open-1] != ' ' || end < open || end+2 >= len(text) || text[end+1] != ' ' {
		return false
	}
	pid, ok := proctext.Uint(text[:open-1])
	if !ok || text[0] == '0' || pid > maxPID {
		return false
	}
	in := scanner{text: text[end+1:], columns: true}
	state := in.letter()
	ppid := in.signed()
	in.skip(4) // pgrp, session, tty_nr, tpgid
	flags := in.unsigned()
	minflt := in.unsigned()
	cminflt := in.unsigned()
	majflt := in.unsigned()
	in.skip(1) // cmajflt
	utime, stime := in.scaled(microsecondsPerTick), in.scaled(microsecondsPerTick)
	cutime, cstime := in.scaled(microsecondsPerTick), in.scaled(microsecondsPerTick)
	in.skip(1) // priority
	nice := in.signed()
	threads := in.unsigned()
	in.skip(1) // itrealvalue
	start := in.unsigned()
	vsize, rss := in.unsigned(), in.scaled(pageSize)
	s.Key = Key{PID: int32(pid), Start: start}
	if in.bad || ppid < 0 || ppid > maxPID || nice < lowestNice || nice > highestNice {
		if !parseOddStat(text[end+1:], pageSize, s) {
			return false
		}
		s.setComm(text[open+1 : end])
		return true
	}
	s.PPID, s.State, s.KernelThread = int32(ppid), state, flags&pfKThread != 0
	s.Nice = int32(nice)
	s.setComm(text[open+1 : end])
	s.Totals[CPUUser], s.Totals[CPUSystem] = utime, stime
	s.Totals[MinorFaults], s.Totals[MajorFaults] = minflt, majflt
	s.Children = Children{User: cutime, System: cstime, Faults: cminflt}
	s.Levels[Threads], s.Levels[Virtual], s.Levels[Resident] = threads, vsize, rss
	s.Have = statFields
	return true
}

func (s *Sample) setComm(text []byte) {
	s.commLen = uint8(unescapeComm(s.comm[:], text))
	if s.KernelThread {
		s.commLen = uint8(workerName(s.comm[:s.commLen]))
	}
}

// bytesPerKilobyte is the kernel's "kB" in status and smaps_rollup.
const bytesPerKilobyte = 1024

// parseStatm reads the text of /proc/PID/statm: seven counts of pages, of which the first three are size, resident and shared. Since Linux 6.17
// resident is exact here, while stat leaves out what each CPU has not yet added to the common count. It reports false if one of them can't be; the
// others count nevertheless.
func parseStatm(text []byte, pageSize uint64, s *Sample) bool {
	in := scanner{text: text, columns: len(text) > 0 && text[0] != ' '}
	size, resident, shared := in.scaled(pageSize), in.scaled(pageSize), in.scaled(pageSize)
	if in.bad || !in.columns {
		parseOddStatm(text, pageSize, s)
		return false
	}
	s.Levels[Virtual], s.Levels[Resident], s.Levels[Shared] = size, resident, shared
	s.Have |= FieldMemory | FieldVirtual | FieldShared
	return true
}

// parseIO reads the text of /proc/PID/io. The sample has the fields of the lines that are there:
// a kernel without CONFIG_TASK_IO_ACCOUNTING prints only the former. It reports false if there is none, or a value that can't be.
func parseIO(text []byte, s *Sample) bool {
	var found [NumCounters]bool
	var value Totals
	odd := false
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		key, rest, ok := cutKey(line)
		if !ok {
			odd = true
			continue
		}
		var c Counter
		switch string(key) {
		case "rchar":
			c = LogicalReadBytes
		case "wchar":
			c = LogicalWriteBytes
		case "read_bytes":
			c = DiskReadBytes
		case "write_bytes":
			c = DiskWriteBytes
		default:
			continue
		}
		in := scanner{text: rest}
		value[c] = in.unsigned()
		found[c] = !in.bad
		odd = odd || in.bad
	}
	disk := found[DiskReadBytes] && found[DiskWriteBytes]
	logical := found[LogicalReadBytes] && found[LogicalWriteBytes]
	for c := range NumCounters {
		if found[c] {
			s.Totals[c] = value[c]
			s.Have |= c.Field()
		}
	}
	return (disk || logical) && !odd && found[DiskReadBytes] == found[DiskWriteBytes] && found[LogicalReadBytes] == found[LogicalWriteBytes]
}

// status is what is read from /proc/PID/status, or from that of one thread.
type status struct {
	uid                    uint32 // effective, valid if hasUID
	hasUID                 bool
	levels                 Levels
	voluntary, involuntary uint64 // context switches
	have                   Fields // those of statusFields and FieldSwitches that there are
}

// parseStatus reads the text of a status file. Every process has a user; other lines may be missing,
// as those of memory are for a kernel thread. It reports false if there is no user, or a value that can't be; what it returns counts nevertheless.
func parseStatus(text []byte) (st status, ok bool) {
	pending, odd := 0, false
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		key, rest, isPair := cutKey(line)
		if !isPair {
			odd = true
			continue
		}
		in := scanner{text: rest, columns: string(key) == "Uid"}
		switch string(key) {
		case "SigPnd", "ShdPnd":
			var n uint64
			if n, in.bad = signalsIn(rest); !in.bad {
				st.levels[SignalsPending] += n
				pending++
			}
		case "Uid":
			in.skip(1)
			uid := in.unsigned()
			if in.bad = in.bad || uid > 1<<32-1; !in.bad {
				st.uid, st.hasUID = uint32(uid), true
			}
		case "VmSwap":
			if swap := in.scaled(bytesPerKilobyte); !in.bad {
				st.levels[Swap] = swap
				st.have |= FieldSwap
			}
		case "voluntary_ctxt_switches":
			if v := in.unsigned(); !in.bad {
				st.voluntary = v
				st.have |= FieldVoluntary
			}
		case "nonvoluntary_ctxt_switches":
			if v := in.unsigned(); !in.bad {
				st.involuntary = v
				st.have |= FieldInvoluntary
			}
		}
		odd = odd || in.bad
	}
	if pending == 2 {
		st.have |= FieldSignals
	}
	return st, st.hasUID && !odd
}

// signalsIn counts the signals of a set, which the kernel writes as a hexadecimal number.
func signalsIn(text []byte) (n uint64, bad bool) {
	digits, _ := proctext.Field(text)
	if len(digits) == 0 || len(digits) > 32 { // The largest set, of MIPS, has 128 signals.
		return 0, true
	}
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			n += uint64(bits.OnesCount8(c - '0'))
		case c >= 'a' && c <= 'f':
			n += uint64(bits.OnesCount8(c - 'a' + 10))
		default:
			return 0, true
		}
	}
	return n, false
}

// parseSmapsRollup reads the text of /proc/PID/smaps_rollup. Its first line is the range of addresses of which the others give sums. It reports
// false if a value is missing or can't be; what is there counts nevertheless.
func parseSmapsRollup(text []byte, s *Sample) bool {
	var pss, unique uint64
	var seenPss, seenUnique int
	_, text = proctext.Line(text)
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		key, rest, _ := cutKey(line)
		in := scanner{text: rest}
		switch string(key) {
		case "Pss":
			if pss = in.scaled(bytesPerKilobyte); !in.bad {
				seenPss++
			}
		case "Private_Clean", "Private_Dirty":
			if unique += in.scaled(bytesPerKilobyte); !in.bad {
				seenUnique++
			}
		}
	}
	if seenPss == 1 {
		s.Levels[Proportional] = pss
		s.Have |= FieldProportional
	}
	if seenUnique == 2 {
		s.Levels[Unique] = unique
		s.Have |= FieldUnique
	}
	return seenPss == 1 && seenUnique == 2
}
