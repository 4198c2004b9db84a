package read

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// microsecondsPerTick turns ticks into the unit of [Totals].
const microsecondsPerTick = 1_000_000 / proctext.TicksPerSecond

// pfKThread is PF_KTHREAD of include/linux/sched.h, in the flags of stat.
const pfKThread = 0x00200000

// parseStat reads the text of /proc/PID/stat into s. It reports false, and leaves s without figures, if the text is not what proc(5) promises.
func parseStat(text []byte, pageSize uint64, s *Sample) bool {
	s.Have = 0
	// A comm may hold blanks and brackets of either kind, but nothing after it does: the last bracket ends it.
	open, end := bytes.IndexByte(text, '('), lastBracket(text)
	if open < 1 || end < open || end+2 >= len(text) {
		return false
	}
	head := scanner{text: text[:open]}
	pid := head.unsigned()
	if head.bad || pid == 0 || pid > maxPID {
		return false
	}
	in := scanner{text: text[end+1:]}
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
	if in.bad || ppid < 0 || ppid > maxPID {
		return false
	}
	s.Key = Key{PID: int32(pid), Start: start}
	s.PPID, s.State, s.KernelThread = int32(ppid), state, flags&pfKThread != 0
	s.Nice = int32(nice)
	s.commLen = uint8(unescapeComm(s.comm[:], text[open+1:end]))
	if s.KernelThread {
		s.commLen = uint8(workerName(s.comm[:s.commLen]))
	}
	s.Totals[CPUUser], s.Totals[CPUSystem] = utime, stime
	s.Totals[MinorFaults], s.Totals[MajorFaults] = minflt, majflt
	s.Children = Children{User: cutime, System: cstime, Faults: cminflt}
	s.Levels[Threads], s.Levels[Virtual], s.Levels[Resident] = threads, vsize, rss
	s.Have = FieldCPU | FieldMemory | FieldFaults | FieldThreads | FieldScheduling | FieldChildren
	return true
}

// workerName returns the length of a kernel thread's name without the work in hand, which the kernel appends to that of a worker behind
// "-" or "+" and which changes all the time: kworker/u8:2-flush-254:0. A rescuer's name, kworker/R-…, is whole.
func workerName(comm []byte) int {
	if bytes.HasPrefix(comm, []byte("kworker/")) && !bytes.HasPrefix(comm, []byte("kworker/R-")) {
		if i := bytes.IndexAny(comm, "-+"); i >= 0 {
			return i
		}
	}
	return len(comm)
}

// lastBracket returns the index of the last closing bracket, -1 if there is none. Forward searches, of which there are two for all but odd names,
// look at many bytes at once; bytes.LastIndexByte does not.
func lastBracket(text []byte) int {
	last := -1
	for {
		i := bytes.IndexByte(text[last+1:], ')')
		if i < 0 {
			return last
		}
		last += i + 1
	}
}

// unescapeComm copies a comm and undoes what the kernel escapes in it, newline and backslash. It returns the length in dst.
func unescapeComm(dst, src []byte) int {
	n := 0
	for i := 0; i < len(src) && n < len(dst); i++ {
		c := src[i]
		if c == '\\' && i+1 < len(src) {
			switch src[i+1] {
			case 'n':
				c, i = '\n', i+1
			case '\\':
				i++
			}
		}
		dst[n] = c
		n++
	}
	return n
}
