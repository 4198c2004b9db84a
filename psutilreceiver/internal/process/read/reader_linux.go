package read

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// Reader is the [Source] of Linux: it reads <root>/proc. A scan that meets no new process allocates nothing.
type Reader struct {
	commandLines
	dir      procdir
	users    users
	pageSize uint64
	sample   Sample
	errors   Errors
	pids     listing
	entries  listing // of a process's own directories, task and fd
}

var _ Source = (*Reader)(nil)

// New returns a reader of the host whose root directory is root; "" stands for "/". It opens nothing yet.
func New(root string) *Reader {
	host := rootfs.At(root)
	return &Reader{
		dir:      newProcdir(host),
		users:    users{root: host},
		pageSize: uint64(os.Getpagesize()),
		pids:     listing{buffer: make([]byte, direntBuffer)},
		entries:  listing{buffer: make([]byte, direntBuffer)},
	}
}

// Scan visits every process of <root>/proc, by pid, with the fields of its stat.
func (r *Reader) Scan(visit func(*Sample)) error {
	if err := r.BeginScan(); err != nil {
		return err
	}
	r.pids.rest = nil
	for {
		pid, more, errno := r.pids.next(r.dir.fd)
		if errno != 0 {
			return fmt.Errorf("listing %s: %w", r.dir.path, errno)
		}
		if !more {
			return nil
		}
		if pid > 0 && r.readStat(pid) {
			visit(&r.sample)
		}
	}
}

// BeginScan begins a scan by a source that lists processes by other means, and reads here what these do not give.
func (r *Reader) BeginScan() error {
	r.errors = Errors{}
	r.users.checked = false
	r.errors.Users = r.users.again()
	if err := r.dir.open(); err != nil {
		return err
	}
	r.dir.files.BeginScan()
	return nil
}

// Visit calls visit for one process, as Scan does for all. One that has exited is not visited.
func (r *Reader) Visit(pid int32, visit func(*Sample)) {
	if r.readStat(pid) {
		visit(&r.sample)
	}
}

func (r *Reader) readStat(pid int32) bool {
	text, errno := r.dir.read(pid, FileStat)
	if errno != 0 {
		if isGone(errno) {
			r.errors.Gone++
		} else {
			r.countError(FileStat, errno)
		}
		return false
	}
	// Nothing of the process before may stay in the sample.
	s := &r.sample
	s.HasUID, s.UID, s.LiveThread = false, 0, 0
	s.Totals, s.Levels, s.Children, s.Nice = Totals{}, Levels{}, Children{}, 0
	if !parseStat(text, r.pageSize, s) || s.PID != pid {
		r.errors.Malformed[FileStat]++
		return false
	}
	if s.Have != statFields || s.PPID == noParent {
		r.errors.OddStat++
	}
	if bytes.IndexByte(text[:lastBracket(text)], '\\') >= 0 {
		r.readComm(s)
	}
	if s.leaderHasExited() {
		r.readLiveThread(s)
	}
	return true
}

// readComm reads the name of a process of which stat has a backslash. Some kernels escape there newlines by one, and backslashes, others nothing; in comm nothing
// is escaped.
func (r *Reader) readComm(s *Sample) {
	if text, ok := r.readText(s.PID, FileComm); ok && len(text) > 0 {
		s.SetCommBytes(bytes.TrimSuffix(text, []byte("\n")))
	}
}

// countError counts an error. A missing file is none: the process may have exited since its stat was read, a kernel thread has no
// executable, and a kernel may be built without the file.
func (r *Reader) countError(f File, errno unix.Errno) {
	switch {
	case errno == 0, isGone(errno):
	case errno == unix.EACCES, errno == unix.EPERM:
		r.errors.Denied[f]++
	default:
		r.errors.Failed[f]++
	}
}

func isGone(errno unix.Errno) bool { return errno == unix.ENOENT || errno == unix.ESRCH }

// Read reads the files that the fields need.
func (r *Reader) Read(s *Sample, fields Fields) {
	fields &^= s.Have
	if fields == 0 {
		return
	}
	if fields&FieldShared != 0 {
		if text, ok := r.readTextOf(s, FileStatm); ok {
			r.countMalformed(FileStatm, parseStatm(text, r.pageSize, s))
		}
	}
	if fields&(FieldDiskIO|FieldLogicalIO) != 0 {
		if text, ok := r.readText(s.PID, FileIO); ok {
			r.countMalformed(FileIO, parseIO(text, s))
		}
	}
	if fields&(statusFields|FieldSwitches) != 0 {
		r.readStatus(s, fields)
	}
	if fields&FieldDescriptors != 0 {
		r.countDescriptors(s)
	}
	// Reading it waits for the lock of the process's memory map, see Identify.
	if fields&RollupFields != 0 && !s.Uninterruptible() {
		r.readSmapsRollup(s)
	}
}

// readText reads a file and counts an error.
func (r *Reader) readText(pid int32, f File) ([]byte, bool) {
	text, errno := r.dir.read(pid, f)
	r.countError(f, errno)
	return text, errno == 0
}

// countMalformed counts a text, unless it was parsed.
func (r *Reader) countMalformed(f File, parsed bool) {
	if !parsed {
		r.errors.Malformed[f]++
	}
}

// readStatus reads the levels of a status, and the context switches of a process that has only one thread.
func (r *Reader) readStatus(s *Sample, fields Fields) {
	single := s.Have&FieldThreads != 0 && s.Levels[Threads] <= 1
	if fields&statusFields != 0 || single {
		text, ok := r.readTextOf(s, FileStatus)
		if !ok {
			return
		}
		st, ok := parseStatus(text)
		r.countMalformed(FileStatus, ok)
		s.UID, s.HasUID = st.uid, st.hasUID
		s.setLevels(&st.levels, fields&statusFields&st.have)
		if single {
			s.setSwitches(st.voluntary, st.involuntary, fields&st.have&FieldSwitches)
		}
	}
	if fields&FieldSwitches != 0 && !single {
		r.sumSwitches(s)
	}
}

func (s *Sample) setLevels(levels *Levels, fields Fields) {
	for l := range NumLevels {
		if l.Field()&fields != 0 {
			s.Levels[l] = levels[l]
		}
	}
	s.Have |= fields
}

func (s *Sample) setSwitches(voluntary, involuntary uint64, have Fields) {
	if have&FieldVoluntary != 0 {
		s.Totals[VoluntarySwitches] = voluntary
	}
	if have&FieldInvoluntary != 0 {
		s.Totals[InvoluntarySwitches] = involuntary
	}
	s.Have |= have
}

// sumSwitches adds up the context switches of all threads: the status of a process has those of its first thread only.
func (r *Reader) sumSwitches(s *Sample) {
	var voluntary, involuntary uint64
	read, odd, have := 0, false, FieldSwitches // have: those of every thread
	errno := r.eachEntry(s.PID, FileTask, 0, func(tid int32) {
		text, errno := r.dir.readTask(s.PID, FileStatus, tid)
		if errno != 0 {
			return // The thread has exited.
		}
		st, ok := parseStatus(text)
		odd = odd || !ok
		have &= st.have
		voluntary += st.voluntary
		involuntary += st.involuntary
		read++
	})
	r.countError(FileTask, errno)
	r.countMalformed(FileTask, !odd)
	if errno == 0 && read > 0 {
		s.setSwitches(voluntary, involuntary, have)
	}
}

// eachEntry calls f for each numeric name in a directory of a process, or of a thread unless that is 0.
func (r *Reader) eachEntry(pid int32, dir File, thread int32, f func(int32)) unix.Errno {
	if errno := r.dir.setName(pid, dir, thread); errno != 0 {
		return errno
	}
	fd, errno := r.dir.openDir()
	if errno != 0 {
		return errno
	}
	defer func() { _ = unix.Close(fd) }()
	r.entries.rest = nil
	for {
		member, more, errno := r.entries.next(fd)
		if !more {
			return errno
		}
		f(member)
	}
}

// countDescriptors reads the size of the directory fd, which needs no privilege, or else counts its entries.
func (r *Reader) countDescriptors(s *Sample) {
	errno := r.dir.setName(s.PID, FileFD, s.LiveThread)
	if r.dir.fdSizes && errno == 0 {
		if errno = r.dir.readSize(); errno == 0 {
			s.Levels[Descriptors] = r.dir.statx.Size
			s.Have |= FieldDescriptors
			return
		}
	}
	count := uint64(0)
	if errno == 0 {
		errno = r.eachEntry(s.PID, FileFD, s.LiveThread, func(int32) { count++ })
	}
	r.countError(FileFD, errno)
	if errno == 0 {
		s.Levels[Descriptors] = count
		s.Have |= FieldDescriptors
	}
}

// readSmapsRollup may take long, and may run long after the scan. So it checks afterwards that the pid still belongs to the same process.
func (r *Reader) readSmapsRollup(s *Sample) {
	text, ok := r.readTextOf(s, FileSmapsRollup)
	if !ok {
		return
	}
	r.countMalformed(FileSmapsRollup, parseSmapsRollup(text, s))
	if !r.isSame(s.Key) {
		s.Have &^= RollupFields
	}
}

// isSame tells whether the pid still belongs to the process.
func (r *Reader) isSame(key Key) bool {
	text, errno := r.dir.read(key.PID, FileStat)
	var now Sample
	return errno == 0 && parseStat(text, r.pageSize, &now) && now.Key == key
}

// ReadErrors returns the errors of the reads since the last Scan began.
func (r *Reader) ReadErrors() *Errors { return &r.errors }

// Close closes the directory and the files that are kept open. A later Scan opens them again.
func (r *Reader) Close() error { return r.dir.close() }
