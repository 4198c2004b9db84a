package read

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"unsafe"

	"github.com/shirou/gopsutil/v3/process"
	"golang.org/x/sys/windows"
)

var procGetProcessHandleCount = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetProcessHandleCount")

// Scan visits every process but the idle one, in the order of one snapshot of the system. CPU times come with the start that identifies the
// process; a process that does not allow reading it is counted as denied and not visited.
func (r *Reader) Scan(visit func(*Sample)) error {
	r.errors = Errors{}
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return fmt.Errorf("taking a snapshot of processes: %w", err)
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if entry.ProcessID == 0 {
			continue
		}
		s := r.begin(int32(entry.ProcessID), int32(entry.ParentProcessID), windows.UTF16ToString(entry.ExeFile[:]))
		s.Levels[Threads] = uint64(entry.Threads)
		s.Have |= FieldThreads
		if r.readTimes(s) {
			visit(s)
		}
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return fmt.Errorf("listing processes: %w", err)
	}
	return nil
}

// withProcess opens a process for the length of f.
func withProcess(pid int32, f func(windows.Handle) error) error {
	handle, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(handle) }()
	return f(handle)
}

func (r *Reader) readTimes(s *Sample) bool {
	var created, exited, kernel, user windows.Filetime
	err := withProcess(s.PID, func(h windows.Handle) error { return windows.GetProcessTimes(h, &created, &exited, &kernel, &user) })
	if isGone(err) {
		r.errors.Gone++
		return false
	}
	if !r.countError(FileStat, err) {
		return false
	}
	s.Start = uint64(max(created.Nanoseconds()/1_000_000, 0))
	s.Totals[CPUUser], s.Totals[CPUSystem] = filetimeMicroseconds(user), filetimeMicroseconds(kernel)
	s.Have |= FieldCPU
	return true
}

// filetimeMicroseconds converts a span of time, which counts 100 ns.
func filetimeMicroseconds(t windows.Filetime) uint64 {
	return (uint64(t.HighDateTime)<<32 | uint64(t.LowDateTime)) / 10
}

// Read reads each field with a call of its own. Reads and writes are of files of all kinds, so they are logical I/O; Virtual is the committed
// private memory, and Descriptors are handles.
func (r *Reader) Read(s *Sample, fields Fields) {
	fields &^= s.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if fields&(FieldMemory|FieldVirtual) != 0 {
		if m, err := p.MemoryInfoWithContext(ctx); r.countError(FileStat, err) {
			s.Levels[Resident], s.Levels[Virtual] = m.RSS, m.VMS
			s.Have |= FieldMemory | FieldVirtual
		}
	}
	if fields&FieldLogicalIO != 0 {
		if io, err := p.IOCountersWithContext(ctx); r.countError(FileIO, err) {
			s.Totals[LogicalReadBytes], s.Totals[LogicalWriteBytes] = io.ReadBytes, io.WriteBytes
			s.Have |= FieldLogicalIO
		}
	}
	if fields&FieldDescriptors != 0 {
		var handles uint32
		err := withProcess(s.PID, func(h windows.Handle) error {
			if ok, _, err := procGetProcessHandleCount.Call(uintptr(h), uintptr(unsafe.Pointer(&handles))); ok == 0 {
				return err
			}
			return nil
		})
		if r.countError(FileFD, err) {
			s.Levels[Descriptors] = uint64(handles)
			s.Have |= FieldDescriptors
		}
	}
}

// Identify reads each attribute with a call of its own. There are no cgroups.
func (r *Reader) Identify(s *Sample, attributes Attributes, id *Identity) bool {
	attributes &^= id.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if attributes&(AttributeExecutable|AttributeProgram) != 0 {
		id.Executable = s.Comm()
		if path, err := p.ExeWithContext(ctx); r.countError(FileExe, err) {
			id.Executable, id.ExecutablePath = filepath.Base(path), path
		}
	}
	if attributes&(AttributeCommand|AttributeCommandLine|AttributeProgram) != 0 {
		r.set(nil, attributes, id)
		r.readCommandLine(&p, attributes, id)
	}
	if attributes&AttributeOwner != 0 {
		if owner, err := p.UsernameWithContext(ctx); r.countError(FileStatus, err) {
			id.Owner = owner
		}
	}
	id.Have |= attributes
	return true
}

func (r *Reader) readCommandLine(p *process.Process, attributes Attributes, id *Identity) {
	line, err := p.CmdlineWithContext(context.Background())
	if !r.countError(FileCmdline, err) || line == "" {
		return
	}
	arguments, err := windows.DecomposeCommandLine(line)
	if err != nil || len(arguments) == 0 {
		r.errors.Malformed[FileCmdline]++
		return
	}
	r.set(arguments, attributes, id)
}

// isGone tells whether an error means that there is no process with the pid.
func isGone(err error) bool { return errors.Is(err, windows.ERROR_INVALID_PARAMETER) }
