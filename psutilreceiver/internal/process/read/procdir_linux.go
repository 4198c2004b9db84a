package read

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	direntBuffer = 32 << 10
	textBuffer   = 16 << 10
	textLimit    = 1 << 20 // every file that is read is shorter, unless it is not what it should be
)

// procdir reads files below one directory, which it keeps open. It makes the system calls itself: a file costs open, read and close, where
// package os adds three more and an allocation for each, and there is one buffer for everything that is read.
type procdir struct {
	root   rootfs.Root
	path   string
	fd     int         // -1: not open
	opened unix.Stat_t // the directory that was opened
	// isProcfs tells that the directory is the kernel's own procfs, so that a file can be opened by one call and is what it should be.
	isProcfs bool
	// fdSizes tells that the size of PID/fd is the number of open descriptors, as it is in procfs since Linux 6.2.
	fdSizes bool
	name    []byte // path of the file to open, zero at its end
	text    []byte
	statx   unix.Statx_t
	files   heldfile.Set // kept open: see isHeld
	// intercept, if set, runs before a file of a process is opened; unless it returns 0 the file is not opened, and that is the error. For tests.
	intercept func(pid int32, f File) unix.Errno
}

func newProcdir(root rootfs.Root) procdir {
	return procdir{root: root, path: root.Join("proc"), fd: -1, name: make([]byte, 0, 64), text: make([]byte, 0, textBuffer)}
}

// open makes the directory ready to be listed from its beginning. It is opened again only if another one has been mounted in its place.
func (d *procdir) open() error {
	st, err := d.root.Stat(d.path)
	if err != nil {
		return fmt.Errorf("opening %s: %w", d.path, err)
	}
	if d.fd >= 0 && st.Dev == d.opened.Dev && st.Ino == d.opened.Ino {
		if _, err := unix.Seek(d.fd, 0, unix.SEEK_SET); err == nil {
			return nil
		}
	}
	if err := d.close(); err != nil {
		return fmt.Errorf("closing %s: %w", d.path, err)
	}
	fd, err := d.root.OpenDir(d.path)
	if err != nil {
		return fmt.Errorf("opening %s: %w", d.path, err)
	}
	d.fd, d.opened = fd, st
	var fs unix.Statfs_t
	d.isProcfs = unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
	d.fdSizes = d.isProcfs
	var budget *heldfile.Budget
	if d.fdSizes {
		budget = &heldBudget
		budget.SetShare(heldShare, maxHeldFiles)
		// This process has the directory open, so a kernel that counts counts at least one.
		d.name = append(d.name[:0], "self/fd\x00"...)
		errno := d.readSize()
		d.fdSizes = errno == 0 && d.statx.Size > 0
	}
	d.files = heldfile.NewSet(budget)
	return nil
}

func (d *procdir) close() error {
	d.files.Close()
	if d.fd < 0 {
		return nil
	}
	err := unix.Close(d.fd)
	d.fd = -1
	return err
}

// setName sets the name of a file of a process: PID/file, or PID/task/TID/file.
func (d *procdir) setName(pid int32, f File, tid int32) unix.Errno {
	d.name = strconv.AppendInt(d.name[:0], int64(pid), 10)
	d.name = append(d.name, '/')
	if tid != 0 {
		d.name = append(d.name, "task/"...)
		d.name = strconv.AppendInt(d.name, int64(tid), 10)
		d.name = append(d.name, '/')
	}
	d.name = append(d.name, fileNames[f]...)
	d.name = append(d.name, 0)
	if d.intercept != nil {
		return d.intercept(pid, f)
	}
	return 0
}

// read returns the text of a file of a process, valid until the next read.
func (d *procdir) read(pid int32, f File) ([]byte, unix.Errno) {
	if !isHeld(f) {
		return d.readTask(pid, f, 0)
	}
	key := heldKey(pid, f)
	if fd, ok := d.files.Get(key); ok {
		errno := d.readOpen(fd)
		if !isGone(errno) {
			return d.text, errno
		}
		d.files.Drop(key) // The pid may belong to another process by now.
	}
	if errno := d.setName(pid, f, 0); errno != 0 {
		return nil, errno
	}
	fd, errno := d.openFile()
	if errno != 0 {
		return nil, errno
	}
	errno = d.readOpen(fd)
	if errno != 0 || !d.files.Put(key, fd) {
		_ = unix.Close(fd) // Nothing was written: there is nothing to report.
	}
	return d.text, errno
}

func (d *procdir) readTask(pid int32, f File, tid int32) ([]byte, unix.Errno) {
	if errno := d.setName(pid, f, tid); errno != 0 {
		return nil, errno
	}
	fd, errno := d.openFile()
	if errno != 0 {
		return nil, errno
	}
	errno = d.readOpen(fd)
	_ = unix.Close(fd) // Nothing was written: there is nothing to report.
	return d.text, errno
}

// readOpen reads an open file into d.text.
func (d *procdir) readOpen(fd int) unix.Errno {
	var err error
	d.text, err = heldfile.ReadWhole(fd, d.text, textLimit)
	return asErrno(err)
}

func asErrno(err error) unix.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := err.(unix.Errno); ok { //nolint:errorlint // System calls return the number itself.
		return errno
	}
	return unix.EIO
}

// openFile opens the file whose name is set.
func (d *procdir) openFile() (int, unix.Errno) {
	if d.isProcfs {
		return d.openat(unix.O_RDONLY | unix.O_CLOEXEC)
	}
	fd, err := d.copy().OpenFile(d.name, math.MaxInt64) // What is beyond textLimit is not read.
	return fd, asErrno(err)
}

// openDir opens the directory whose name is set.
func (d *procdir) openDir() (int, unix.Errno) {
	if d.isProcfs {
		return d.openat(unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC)
	}
	fd, err := d.copy().OpenDir(d.name)
	return fd, asErrno(err)
}

// copy is a directory that is not the kernel's, in which there may be links to anywhere and files of any kind.
func (d *procdir) copy() rootfs.Directory { return rootfs.Directory{FD: d.fd, Path: d.path} }

func (d *procdir) openat(flags int) (int, unix.Errno) {
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(d.fd), uintptr(unsafe.Pointer(&d.name[0])), uintptr(flags|unix.O_LARGEFILE), 0, 0, 0)
		if errno != unix.EINTR {
			return int(fd), errno
		}
	}
}

// readSize fills d.statx with the size of the file whose name is set. statx(2) is the same on every architecture. Kernels without it do not
// have the size that it is used for either.
func (d *procdir) readSize() unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(d.fd), uintptr(unsafe.Pointer(&d.name[0])), 0, unix.STATX_SIZE,
		uintptr(unsafe.Pointer(&d.statx)), 0)
	return errno
}

// readlink returns the target of the link exe of a process, or of a thread unless that is 0, valid until the next read.
func (d *procdir) readlink(pid, thread int32) ([]byte, unix.Errno) {
	if errno := d.setName(pid, FileExe, thread); errno != 0 {
		return nil, errno
	}
	d.text = d.text[:cap(d.text)]
	if !d.isProcfs {
		n, err := d.copy().Readlink(d.name, d.text)
		return d.text[:max(n, 0)], asErrno(err)
	}
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(d.fd), uintptr(unsafe.Pointer(&d.name[0])),
		uintptr(unsafe.Pointer(&d.text[0])), uintptr(len(d.text)), 0, 0)
	if errno != 0 {
		return nil, errno
	}
	return d.text[:n], 0
}

// isExecutable tells whether the file at a path, as a process sees it, is the one that the process runs. It is not if it can't be told.
func (d *procdir) isExecutable(pid int32, path string) bool {
	if !d.isProcfs {
		return false // The executables of a copy are not there.
	}
	var runs, there unix.Stat_t
	dir := strconv.Itoa(int(pid))
	return unix.Fstatat(d.fd, dir+"/exe", &runs, 0) == nil && unix.Fstatat(d.fd, dir+"/root"+path, &there, 0) == nil &&
		runs.Dev == there.Dev && runs.Ino == there.Ino
}

// owner returns the owner of a process's directory, which is the effective user of the process even where the files in it are root's.
func (d *procdir) owner(pid int32) (uint32, unix.Errno) {
	var st unix.Stat_t
	err := unix.Fstatat(d.fd, strconv.Itoa(int(pid)), &st, unix.AT_SYMLINK_NOFOLLOW)
	return st.Uid, asErrno(err)
}

// listing lists the numeric names of a directory.
type listing struct {
	buffer, rest []byte
}

// next returns the next numeric name of the directory that fd has open, and false at its end.
func (l *listing) next(fd int) (int32, bool, unix.Errno) {
	for {
		for len(l.rest) > 0 {
			var name []byte
			name, l.rest = cutDirent(l.rest)
			if id, ok := proctext.Uint(name); ok && id <= maxPID {
				return int32(id), true, 0
			}
		}
		n, err := unix.ReadDirent(fd, l.buffer)
		if errno := asErrno(err); errno == unix.EINTR {
			continue
		} else if errno != 0 {
			return 0, false, errno
		}
		if n <= 0 {
			return 0, false, 0
		}
		l.rest = l.buffer[:n]
	}
}

// cutDirent cuts the first struct linux_dirent64 off buffer and returns its name.
func cutDirent(buffer []byte) (name, rest []byte) {
	const lengthAt, nameAt = 16, 19
	if len(buffer) < nameAt {
		return nil, nil
	}
	length := int(binary.NativeEndian.Uint16(buffer[lengthAt:]))
	if length < nameAt || length > len(buffer) {
		return nil, nil
	}
	name, rest = buffer[nameAt:length], buffer[length:]
	for i, c := range name {
		if c == 0 {
			return name[:i], rest
		}
	}
	return name, rest
}
