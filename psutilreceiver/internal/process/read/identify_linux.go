package read

import (
	"bytes"
	"path"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// commandLineLimit is how many bytes of a command line are used: as many as the kernel itself kept before 4.2.
const commandLineLimit = 4096

// Identify reads the files that the attributes need. Reading a command line waits for the lock of the process's memory map, which a process in
// uninterruptible sleep may hold forever. Of such a process it is not read, and id does not have it.
func (r *Reader) Identify(s *Sample, attributes Attributes, id *Identity) bool {
	if s.Uninterruptible() {
		attributes &^= AttributeCommand | AttributeCommandLine | AttributeProgram
	}
	attributes &^= id.Have
	if attributes == 0 {
		return true
	}
	found := *id
	if attributes&(AttributeExecutable|AttributeProgram) != 0 {
		r.readExecutable(s, &found)
	}
	if attributes&(AttributeCommand|AttributeCommandLine|AttributeProgram) != 0 {
		r.readCommandLine(s, attributes, &found)
	}
	if attributes&AttributeOwner != 0 {
		if uid, errno := r.dir.owner(s.PID); errno == 0 {
			found.Owner = r.users.name(uid)
			r.errors.Users = r.users.err
		}
	}
	if attributes&AttributeCgroup != 0 {
		if text, ok := r.readText(s.PID, FileCgroup); ok {
			found.Cgroup, found.CgroupText = cgroup.ParsePath(text), strings.TrimSuffix(string(text), "\n")
			found.Unit, found.ContainerID = cgroup.Unit(found.Cgroup), cgroup.ContainerID(found.Cgroup)
		}
	}
	// What was read may belong to another process, which has the pid by now.
	if !r.isSame(s.Key) {
		return false
	}
	found.Have |= attributes
	*id = found
	return true
}

// HasMoved reads the cgroup of the process again.
func (r *Reader) HasMoved(s *Sample, path string) bool {
	text, errno := r.dir.read(s.PID, FileCgroup)
	return errno == 0 && string(cgroup.PathIn(text)) != path
}

// deletedMark is what the kernel appends to the path of a file that has none any more.
var deletedMark = []byte(" (deleted)")

func (r *Reader) readExecutable(s *Sample, id *Identity) {
	target, errno := r.dir.readlink(s.PID, s.LiveThread)
	r.countError(FileExe, errno)
	if errno != 0 {
		id.Executable, id.ExecutablePath = s.Comm(), ""
		return
	}
	id.ExecutablePath = string(target)
	// The kernel marks an executable that has been removed or replaced since; the file may also have such a name.
	if bytes.HasSuffix(target, deletedMark) && !r.dir.isExecutable(s.PID, id.ExecutablePath) {
		id.ExecutablePath = id.ExecutablePath[:len(id.ExecutablePath)-len(deletedMark)]
	}
	if id.ExecutablePath == "" {
		id.Executable = s.Comm() // Nothing but the mark.
		return
	}
	id.Executable = path.Base(id.ExecutablePath)
}

func (r *Reader) readCommandLine(s *Sample, attributes Attributes, id *Identity) {
	r.set(nil, attributes, id)
	if text, ok := r.readTextOf(s, FileCmdline); ok {
		r.set(firstArguments(text, commandLineLimit), attributes, id)
	}
}
