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
	r.errors = Errors{}
	ctx := context.Background()
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return fmt.Errorf("listing processes: %w", err)
	}
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		created, err := p.CreateTimeWithContext(ctx)
		if isGone(err) {
			r.errors.Gone++
			continue
		}
		if !r.countError(FileStat, err) {
			continue
		}
		ppid, err := p.PpidWithContext(ctx)
		if !r.countError(FileStat, err) {
			continue
		}
		name, err := p.NameWithContext(ctx)
		if !r.countError(FileStat, err) {
			continue
		}
		s := r.begin(pid, ppid, name)
		s.Start = uint64(max(created, 0))
		visit(s)
	}
	return nil
}

// Read reads each field with a call of its own. I/O is left out, because it is in blocks and operations rather than bytes.
func (r *Reader) Read(s *Sample, fields Fields) {
	fields &^= s.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if fields&FieldCPU != 0 {
		if t, err := p.TimesWithContext(ctx); r.countError(FileStat, err) {
			s.Totals[CPUUser], s.Totals[CPUSystem] = uint64(t.User*microsecondsPerSecond), uint64(t.System*microsecondsPerSecond)
			s.Have |= FieldCPU
		}
	}
	if fields&(FieldMemory|FieldVirtual) != 0 {
		if m, err := p.MemoryInfoWithContext(ctx); r.countError(FileStat, err) {
			s.Levels[Resident], s.Levels[Virtual] = m.RSS, m.VMS
			s.Have |= FieldMemory | FieldVirtual
		}
	}
	if fields&FieldThreads != 0 {
		if n, err := p.NumThreadsWithContext(ctx); r.countError(FileStat, err) {
			s.Levels[Threads] = uint64(max(n, 0))
			s.Have |= FieldThreads
		}
	}
}

// Identify reads each attribute with a call of its own. There are no cgroups.
func (r *Reader) Identify(s *Sample, attributes Attributes, id *Identity) bool {
	attributes &^= id.Have
	p, ctx := process.Process{Pid: s.PID}, context.Background()
	if attributes&(AttributeExecutable|AttributeProgram) != 0 {
		id.Executable = s.Comm()
		if path, err := p.ExeWithContext(ctx); r.countError(FileExe, err) && path != "" {
			id.Executable, id.ExecutablePath = filepath.Base(path), path
		}
	}
	if attributes&(AttributeCommand|AttributeCommandLine|AttributeProgram) != 0 {
		r.set(nil, attributes, id)
		if arguments, err := p.CmdlineSliceWithContext(ctx); r.countError(FileCmdline, err) {
			r.set(arguments, attributes, id)
		}
	}
	if attributes&AttributeOwner != 0 {
		if owner, err := p.UsernameWithContext(ctx); r.countError(FileStatus, err) {
			id.Owner = owner
		}
	}
	id.Have |= attributes
	return true
}

// isGone tells whether an error means that there is no process with the pid.
func isGone(err error) bool { return errors.Is(err, syscall.ESRCH) }
