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
// process; a process that may not be asked for it is counted as denied and not visited.
func (r *Reader) Scan(visit func(*Sample)) error {
	r.tally = Tally{}
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
		r.tally.Gone++
		return false
	}
	if !r.count(FileStat, err) {
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

// Read asks for each figure that is wanted. Reads and writes are those of all kinds of files, so they are logical; the committed private
// memory stands for Virtual, and handles for descriptors.
func (r *Reader) Read(s *Sample, want Fields) {
	want &^= s.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if want&FieldMemory != 0 {
		if m, err := p.MemoryInfoWithContext(ctx); r.count(FileStat, err) {
			s.Levels[Resident], s.Levels[Virtual] = m.RSS, m.VMS
			s.Have |= FieldMemory
		}
	}
	if want&FieldLogicalIO != 0 {
		if io, err := p.IOCountersWithContext(ctx); r.count(FileIO, err) {
			s.Totals[LogicalReadBytes], s.Totals[LogicalWriteBytes] = io.ReadBytes, io.WriteBytes
			s.Have |= FieldLogicalIO
		}
	}
	if want&FieldDescriptors != 0 {
		var handles uint32
		err := withProcess(s.PID, func(h windows.Handle) error {
			if ok, _, err := procGetProcessHandleCount.Call(uintptr(h), uintptr(unsafe.Pointer(&handles))); ok == 0 {
				return err
			}
			return nil
		})
		if r.count(FileFD, err) {
			s.Levels[Descriptors] = uint64(handles)
			s.Have |= FieldDescriptors
		}
	}
}

// Identify asks for each attribute that is wanted. There are no cgroups.
func (r *Reader) Identify(s *Sample, want Attributes, id *Identity) bool {
	want &^= id.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if want&AttributeExecutable != 0 {
		id.Executable = s.Comm()
		if path, err := p.ExeWithContext(ctx); r.count(FileExe, err) {
			id.Executable, id.ExecutablePath = filepath.Base(path), path
		}
	}
	if want&(AttributeCommand|AttributeCommandLine) != 0 {
		r.readCommandLine(&p, want, id)
	}
	if want&AttributeOwner != 0 {
		if owner, err := p.UsernameWithContext(ctx); r.count(FileStatus, err) {
			id.Owner = owner
		}
	}
	id.Have |= want
	return true
}

func (r *Reader) readCommandLine(p *process.Process, want Attributes, id *Identity) {
	line, err := p.CmdlineWithContext(context.Background())
	if !r.count(FileCmdline, err) || line == "" {
		return
	}
	arguments, err := windows.DecomposeCommandLine(line)
	if err != nil || len(arguments) == 0 {
		r.tally.Garbage[FileCmdline]++
		return
	}
	if want&AttributeCommand != 0 {
		id.Command = ScrubCommandLine(arguments[:1])
	}
	if want&AttributeCommandLine != 0 {
		id.CommandLine = ScrubCommandLine(arguments)
	}
}

// isGone tells that there is no process of the pid.
func isGone(err error) bool { return errors.Is(err, windows.ERROR_INVALID_PARAMETER) }
