//go:build !linux && !windows && !darwin

package read

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/shirou/gopsutil/v3/process"
)

// Scan visits every process. Each costs a request for its start, its parent and its name.
func (r *Reader) Scan(visit func(*Sample)) error {
	r.tally = Tally{}
	ctx := context.Background()
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return fmt.Errorf("listing processes: %w", err)
	}
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		created, err := p.CreateTimeWithContext(ctx)
		if isGone(err) {
			r.tally.Gone++
			continue
		}
		if !r.count(FileStat, err) {
			continue
		}
		ppid, err := p.PpidWithContext(ctx)
		if !r.count(FileStat, err) {
			continue
		}
		name, err := p.NameWithContext(ctx)
		if !r.count(FileStat, err) {
			continue
		}
		s := r.begin(pid, ppid, name)
		s.Start = uint64(max(created, 0))
		visit(s)
	}
	return nil
}

// Read asks for each figure that is wanted. What is known as I/O counts blocks and operations rather than bytes, and is left out.
func (r *Reader) Read(s *Sample, want Fields) {
	want &^= s.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if want&FieldCPU != 0 {
		if t, err := p.TimesWithContext(ctx); r.count(FileStat, err) {
			s.Totals[CPUUser], s.Totals[CPUSystem] = uint64(t.User*microsecondsPerSecond), uint64(t.System*microsecondsPerSecond)
			s.Have |= FieldCPU
		}
	}
	if want&FieldMemory != 0 {
		if m, err := p.MemoryInfoWithContext(ctx); r.count(FileStat, err) {
			s.Levels[Resident], s.Levels[Virtual] = m.RSS, m.VMS
			s.Have |= FieldMemory
		}
	}
	if want&FieldThreads != 0 {
		if n, err := p.NumThreadsWithContext(ctx); r.count(FileStat, err) {
			s.Levels[Threads] = uint64(max(n, 0))
			s.Have |= FieldThreads
		}
	}
}

// Identify asks for each attribute that is wanted. There are no cgroups.
func (r *Reader) Identify(s *Sample, want Attributes, id *Identity) bool {
	want &^= id.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if want&AttributeExecutable != 0 {
		id.Executable = s.Comm()
		if path, err := p.ExeWithContext(ctx); r.count(FileExe, err) && path != "" {
			id.Executable, id.ExecutablePath = filepath.Base(path), path
		}
	}
	if want&(AttributeCommand|AttributeCommandLine) != 0 {
		if arguments, err := p.CmdlineSliceWithContext(ctx); r.count(FileCmdline, err) && len(arguments) > 0 {
			if want&AttributeCommand != 0 {
				id.Command = ScrubCommandLine(arguments[:1])
			}
			if want&AttributeCommandLine != 0 {
				id.CommandLine = ScrubCommandLine(arguments)
			}
		}
	}
	if want&AttributeOwner != 0 {
		if owner, err := p.UsernameWithContext(ctx); r.count(FileStatus, err) {
			id.Owner = owner
		}
	}
	id.Have |= want
	return true
}

// isGone tells that there is no process of the pid.
func isGone(err error) bool { return errors.Is(err, syscall.ESRCH) }
