package read

import (
	"bytes"
	"path"
)

// commandLineLimit is how much of a command line is looked at: what the kernel itself kept before 4.2.
const commandLineLimit = 4096

// Identify reads the files that the wanted attributes need. Reading a command line waits for the process's memory map, which a process in
// uninterruptible sleep may hold for ever. Of such a process it is not read, and id does not have it.
func (r *Reader) Identify(s *Sample, want Attributes, id *Identity) bool {
	if s.Uninterruptible() {
		want &^= AttributeCommand | AttributeCommandLine
	}
	want &^= id.Have
	if want == 0 {
		return true
	}
	read := *id
	if want&AttributeExecutable != 0 {
		r.readExecutable(s, &read)
	}
	if want&(AttributeCommand|AttributeCommandLine) != 0 {
		r.readCommandLine(s, want, &read)
	}
	if want&AttributeOwner != 0 {
		if uid, errno := r.dir.owner(s.PID); errno == 0 {
			read.Owner = r.users.name(uid)
		}
	}
	if want&AttributeCgroup != 0 {
		if text, ok := r.text(s.PID, FileCgroup); ok {
			read.Cgroup = parseCgroup(text)
			read.Unit, read.ContainerID = systemdUnit(read.Cgroup), containerID(read.Cgroup)
		}
	}
	// What was read of another process that has the pid now must not stay with this one.
	if !r.same(s.Key) {
		return false
	}
	read.Have |= want
	*id = read
	return true
}

func (r *Reader) readExecutable(s *Sample, id *Identity) {
	target, errno := r.dir.readlink(s.PID)
	r.count(FileExe, errno)
	if errno != 0 {
		id.Executable, id.ExecutablePath = s.Comm(), ""
		return
	}
	// The kernel marks an executable that has been removed or replaced since.
	id.ExecutablePath = string(bytes.TrimSuffix(target, []byte(" (deleted)")))
	id.Executable = path.Base(id.ExecutablePath)
}

func (r *Reader) readCommandLine(s *Sample, want Attributes, id *Identity) {
	text, ok := r.text(s.PID, FileCmdline)
	if !ok {
		return
	}
	arguments := splitArguments(text[:min(len(text), commandLineLimit)])
	if len(arguments) == 0 {
		return
	}
	if want&AttributeCommand != 0 {
		id.Command = ScrubCommandLine(arguments[:1])
	}
	if want&AttributeCommandLine != 0 {
		id.CommandLine = ScrubCommandLine(arguments)
	}
}
