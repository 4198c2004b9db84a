package read

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Reader is the [Source] of Linux: it reads <root>/proc. In the steady state it allocates nothing.
type Reader struct {
	dir      procdir
	users    users
	pageSize uint64
	sample   Sample
	tally    Tally
	pids     listing
	members  listing // of a process's own directories, task and fd
}

var _ Source = (*Reader)(nil)

// New returns a reader of the host whose root directory is root; "" stands for "/". It opens nothing yet.
func New(root string) *Reader {
	root = rootOrSlash(root)
	return &Reader{
		dir:      newProcdir(filepath.Join(root, "proc")),
		users:    users{root: root},
		pageSize: uint64(os.Getpagesize()),
		pids:     listing{buffer: make([]byte, direntBuffer)},
		members:  listing{buffer: make([]byte, direntBuffer)},
	}
}

// Scan visits every process of <root>/proc, by pid, with the figures of its stat.
func (r *Reader) Scan(visit func(*Sample)) error {
	r.tally = Tally{}
	r.users.checked = false
	if err := r.dir.open(); err != nil {
		return err
	}
	r.dir.files.BeginScan()
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

func (r *Reader) readStat(pid int32) bool {
	text, errno := r.dir.read(pid, FileStat)
	if errno != 0 {
		if isGone(errno) {
			r.tally.Gone++
		} else {
			r.count(FileStat, errno)
		}
		return false
	}
	// A sample holds nothing over from the process before: figures are cleared with what says that they are held.
	s := &r.sample
	s.HasUID, s.UID = false, 0
	s.Totals, s.Levels, s.Children = Totals{}, Levels{}, Children{}
	if !parseStat(text, r.pageSize, s) || s.PID != pid {
		r.tally.Garbage[FileStat]++
		return false
	}
	return true
}

// count keeps book of an error. That a file is not there is none: the process may have gone since its stat was read, a kernel thread has no
// executable, and a kernel may be built without the file.
func (r *Reader) count(f File, errno unix.Errno) {
	switch {
	case errno == 0, isGone(errno):
	case errno == unix.EACCES, errno == unix.EPERM:
		r.tally.Denied[f]++
	default:
		r.tally.Failed[f]++
	}
}

func isGone(errno unix.Errno) bool { return errno == unix.ENOENT || errno == unix.ESRCH }

// Read reads the files that the wanted figures need.
func (r *Reader) Read(s *Sample, want Fields) {
	want &^= s.Have
	if want == 0 {
		return
	}
	if want&FieldShared != 0 {
		if text, ok := r.text(s.PID, FileStatm); ok {
			r.parsed(FileStatm, parseStatm(text, r.pageSize, s))
		}
	}
	if want&(FieldDiskIO|FieldLogicalIO) != 0 {
		if text, ok := r.text(s.PID, FileIO); ok {
			r.parsed(FileIO, parseIO(text, s))
		}
	}
	if want&(FieldSwap|FieldSwitches) != 0 {
		r.readStatus(s, want)
	}
	if want&FieldDescriptors != 0 {
		r.countDescriptors(s)
	}
	// It waits for the process's memory map, see Identify.
	if want&FieldProportional != 0 && !s.Uninterruptible() {
		r.readSmapsRollup(s)
	}
}

// text reads a file and counts what hinders it.
func (r *Reader) text(pid int32, f File) ([]byte, bool) {
	text, errno := r.dir.read(pid, f)
	r.count(f, errno)
	return text, errno == 0
}

func (r *Reader) parsed(f File, ok bool) {
	if !ok {
		r.tally.Garbage[f]++
	}
}

// readStatus takes the swap, and the context switches of a process that has but one thread, from its status.
func (r *Reader) readStatus(s *Sample, want Fields) {
	single := s.Levels[Threads] <= 1
	if want&FieldSwap != 0 || single {
		text, ok := r.text(s.PID, FileStatus)
		if !ok {
			return
		}
		st, ok := parseStatus(text)
		if r.parsed(FileStatus, ok); !ok {
			return
		}
		s.UID, s.HasUID = st.uid, st.hasUID
		if want&FieldSwap != 0 && st.hasSwap {
			s.Levels[Swap] = st.swap
			s.Have |= FieldSwap
		}
		if want&FieldSwitches != 0 && single && st.hasSwitches {
			s.setSwitches(st.voluntary, st.involuntary)
		}
	}
	if want&FieldSwitches != 0 && !single {
		r.sumSwitches(s)
	}
}

func (s *Sample) setSwitches(voluntary, involuntary uint64) {
	s.Totals[VoluntarySwitches], s.Totals[InvoluntarySwitches] = voluntary, involuntary
	s.Have |= FieldSwitches
}

// sumSwitches adds up the context switches of all threads: the status of a process speaks of its first thread alone.
func (r *Reader) sumSwitches(s *Sample) {
	var voluntary, involuntary uint64
	read := 0
	errno := r.eachMember(s.PID, FileTask, func(tid int32) {
		text, errno := r.dir.readTask(s.PID, FileStatus, tid)
		if errno != 0 {
			return // The thread has gone.
		}
		if st, ok := parseStatus(text); ok && st.hasSwitches {
			voluntary += st.voluntary
			involuntary += st.involuntary
			read++
		}
	})
	r.count(FileTask, errno)
	if errno == 0 && read > 0 {
		s.setSwitches(voluntary, involuntary)
	}
}

// eachMember calls f for each numeric name in a directory of a process.
func (r *Reader) eachMember(pid int32, dir File, f func(int32)) unix.Errno {
	if errno := r.dir.aim(pid, dir, 0); errno != 0 {
		return errno
	}
	fd, errno := r.dir.openat(unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC)
	if errno != 0 {
		return errno
	}
	defer func() { _ = unix.Close(fd) }()
	r.members.rest = nil
	for {
		member, more, errno := r.members.next(fd)
		if !more {
			return errno
		}
		f(member)
	}
}

// countDescriptors asks for the size of the directory fd, which needs no privilege, or else counts what is in it.
func (r *Reader) countDescriptors(s *Sample) {
	errno := r.dir.aim(s.PID, FileFD, 0)
	if r.dir.fdSizes && errno == 0 {
		if errno = r.dir.size(); errno == 0 {
			s.Levels[Descriptors] = r.dir.statx.Size
			s.Have |= FieldDescriptors
			return
		}
	}
	count := uint64(0)
	if errno == 0 {
		errno = r.eachMember(s.PID, FileFD, func(int32) { count++ })
	}
	r.count(FileFD, errno)
	if errno == 0 {
		s.Levels[Descriptors] = count
		s.Have |= FieldDescriptors
	}
}

// readSmapsRollup may take long and run long after the scan, so it makes sure in the end that the pid still is the same process's.
func (r *Reader) readSmapsRollup(s *Sample) {
	text, ok := r.text(s.PID, FileSmapsRollup)
	if !ok {
		return
	}
	r.parsed(FileSmapsRollup, parseSmapsRollup(text, s))
	if !r.same(s.Key) {
		s.Have &^= FieldProportional
	}
}

// same tells whether the pid still is the process's.
func (r *Reader) same(key Key) bool {
	text, errno := r.dir.read(key.PID, FileStat)
	var now Sample
	return errno == 0 && parseStat(text, r.pageSize, &now) && now.Key == key
}

// Tally returns what the reads since the last Scan began ran into.
func (r *Reader) Tally() *Tally { return &r.tally }

// Close closes the directory. A later Scan opens it again.
func (r *Reader) Close() error { return r.dir.close() }
