package read

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Scan visits every process of one answer of sysctl kern.proc.all.
func (r *Reader) Scan(visit func(*Sample)) error {
	r.errors = Errors{}
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return fmt.Errorf("reading sysctl kern.proc.all: %w", err)
	}
	for i := range all {
		k := &all[i]
		if k.Proc.P_pid <= 0 {
			continue
		}
		s := r.begin(k.Proc.P_pid, k.Eproc.Ppid, unix.ByteSliceToString(k.Proc.P_comm[:]))
		s.Start = uint64(max(k.Proc.P_starttime.Sec*1000+int64(k.Proc.P_starttime.Usec)/1000, 0))
		s.UID, s.HasUID = k.Eproc.Ucred.Uid, true
		s.Nice, s.State = int32(k.Proc.P_nice), stateLetter(k.Proc.P_stat)
		s.Have |= FieldScheduling | FieldNice
		visit(s)
	}
	return nil
}

// stateLetter turns SIDL, SRUN, SSLEEP, SSTOP and SZOMB of sys/proc.h into Linux's letters.
func stateLetter(state int8) byte {
	const letters = "?IRSTZ"
	if state < 0 || int(state) >= len(letters) {
		return '?'
	}
	return letters[state]
}

// Calls and flavors of the system call proc_info, which the functions of libproc wrap: sys/proc_info.h and sys/resource.h.
const (
	procInfoCallPIDInfo   = 2
	procInfoCallPIDRusage = 9
	procPIDListFDs        = 1
	procPIDTaskInfo       = 4
	procPIDPathInfo       = 11
	rusageInfoV2Flavor    = 2
	procFDInfoSize        = 8
)

// taskInfo is struct proc_taskinfo. Times count the units of the Mach timebase.
type taskInfo struct {
	VirtualSize, ResidentSize              uint64
	TotalUser, TotalSystem                 uint64
	ThreadsUser, ThreadsSystem             uint64
	Policy, Faults, Pageins, COWFaults     int32
	MessagesSent, MessagesReceived         int32
	MachCalls, UnixCalls, ContextSwitches  int32
	ThreadCount, RunningThreads, TaskPrior int32
}

// rusageInfoV2 is struct rusage_info_v2.
type rusageInfoV2 struct {
	UUID                                           [16]byte
	UserTime, SystemTime, IdleWakeups, IntrWakeups uint64
	Pageins, WiredSize, ResidentSize, Footprint    uint64
	StartAbsolute, ExitAbsolute                    uint64
	ChildUser, ChildSystem, ChildIdle, ChildIntr   uint64
	ChildPageins, ChildElapsed                     uint64
	DiskBytesRead, DiskBytesWritten                uint64
}

// procInfo makes the system call and returns how much of the buffer it filled.
func procInfo(call int, pid int32, flavor int, buffer unsafe.Pointer, size int) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_PROC_INFO, uintptr(call), uintptr(pid), uintptr(flavor), 0, uintptr(buffer), uintptr(size))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Read reads the fields: from the task what it uses, from its resource usage the bytes of its disk I/O.
func (r *Reader) Read(s *Sample, fields Fields) {
	fields &^= s.Have
	if fields&(FieldCPU|FieldMemory|FieldVirtual|FieldFaults|FieldThreads) != 0 {
		r.readTask(s)
	}
	if fields&FieldDiskIO != 0 {
		var usage rusageInfoV2
		if _, err := procInfo(procInfoCallPIDRusage, s.PID, rusageInfoV2Flavor, unsafe.Pointer(&usage), 0); r.countError(FileIO, err) {
			s.Totals[DiskReadBytes], s.Totals[DiskWriteBytes] = usage.DiskBytesRead, usage.DiskBytesWritten
			s.Have |= FieldDiskIO
		}
	}
	if fields&FieldDescriptors != 0 {
		// Without a buffer the call returns the size of the table; only filling a buffer shows how much of it is in use.
		size, err := procInfo(procInfoCallPIDInfo, s.PID, procPIDListFDs, nil, 0)
		if buffer := make([]byte, size); r.countError(FileFD, err) && size > 0 {
			used, err := procInfo(procInfoCallPIDInfo, s.PID, procPIDListFDs, unsafe.Pointer(&buffer[0]), size)
			if r.countError(FileFD, err) {
				s.Levels[Descriptors] = uint64(used / procFDInfoSize)
				s.Have |= FieldDescriptors
			}
		}
	}
}

func (r *Reader) readTask(s *Sample) {
	var task taskInfo
	size := int(unsafe.Sizeof(task))
	n, err := procInfo(procInfoCallPIDInfo, s.PID, procPIDTaskInfo, unsafe.Pointer(&task), size)
	frequency, frequencyErr := unix.SysctlUint64("hw.tbfrequency")
	if !r.countError(FileStat, errors.Join(err, frequencyErr)) {
		return
	}
	if n < size || frequency == 0 {
		r.errors.Malformed[FileStat]++
		return
	}
	s.Totals[CPUUser] = timebaseMicroseconds(task.TotalUser, frequency)
	s.Totals[CPUSystem] = timebaseMicroseconds(task.TotalSystem, frequency)
	// The kernel counts these in 32 bits. When they wrap, package process keeps the last value, as of every counter that falls.
	s.Totals[MinorFaults], s.Totals[MajorFaults] = uint64(uint32(task.Faults-task.Pageins)), uint64(uint32(task.Pageins))
	s.Levels[Resident], s.Levels[Virtual], s.Levels[Threads] = task.ResidentSize, task.VirtualSize, uint64(max(task.ThreadCount, 0))
	s.Have |= FieldCPU | FieldMemory | FieldVirtual | FieldFaults | FieldThreads
}

// timebaseMicroseconds converts without overflow.
func timebaseMicroseconds(ticks, frequency uint64) uint64 {
	return ticks/frequency*microsecondsPerSecond + ticks%frequency*microsecondsPerSecond/frequency
}

// Identify reads each attribute with a call of its own. There are no cgroups.
func (r *Reader) Identify(s *Sample, attributes Attributes, id *Identity) bool {
	attributes &^= id.Have
	if attributes&(AttributeExecutable|AttributeProgram) != 0 {
		id.Executable = s.Comm()
		buffer := make([]byte, 4*unix.PathMax)
		_, err := procInfo(procInfoCallPIDInfo, s.PID, procPIDPathInfo, unsafe.Pointer(&buffer[0]), len(buffer))
		if path := unix.ByteSliceToString(buffer); r.countError(FileExe, err) && path != "" {
			id.Executable, id.ExecutablePath = filepath.Base(path), path
		}
	}
	if attributes&(AttributeCommand|AttributeCommandLine|AttributeProgram) != 0 {
		r.set(nil, attributes, id)
		if text, err := unix.SysctlRaw("kern.procargs2", int(s.PID)); r.countError(FileCmdline, err) {
			r.set(parseProcargs(text), attributes, id)
		}
	}
	if attributes&AttributeOwner != 0 {
		id.Owner = strconv.FormatUint(uint64(s.UID), 10)
		if u, err := user.LookupId(id.Owner); err == nil {
			id.Owner = u.Username
		}
	}
	id.Have |= attributes
	return true
}

// parseProcargs reads what kern.procargs2 gives: the number of arguments, the path of the executable, zeros, the arguments each ended by a
// zero, and the environment, which is left alone.
func parseProcargs(text []byte) []string {
	if len(text) < 4 {
		return nil
	}
	count := int(binary.NativeEndian.Uint32(text))
	_, rest, ok := bytes.Cut(text[4:], []byte{0})
	if !ok {
		return nil
	}
	rest = bytes.TrimLeft(rest, "\x00")
	var arguments []string
	for len(arguments) < count && len(rest) > 0 {
		var argument []byte
		argument, rest, _ = bytes.Cut(rest, []byte{0})
		arguments = append(arguments, string(argument))
	}
	return arguments
}

// isGone tells whether an error means that there is no process with the pid.
func isGone(err error) bool { return errors.Is(err, unix.ESRCH) }
