package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

var (
	// ErrNotRegular is returned for a FIFO, a socket or a device in the place of a file.
	ErrNotRegular = errors.New("not a regular file")
	// ErrTooLarge is returned for a file that is larger than its reader expects.
	ErrTooLarge = errors.New("file is larger than it should be")
)

// A Root is the root directory of a host. The zero Root is this host's own. Its methods take paths as this process has them: with the path of the
// root before them. They may be called concurrently.
type Root struct {
	dir  string
	dirZ []byte // dir with a zero byte at its end
}

// At returns the root directory at a path, where "" and "/" are this host's own.
func At(path string) Root {
	if path == "" || filepath.Clean(path) == "/" {
		return Root{}
	}
	path = filepath.Clean(path)
	return Root{dir: path, dirZ: append([]byte(path), 0)}
}

// Path is the path of the root directory, "" for this host's own.
func (r Root) Path() string { return r.dir }

// Join returns the path of a name below the root.
func (r Root) Join(name string) string { return filepath.Join(r.dir+"/", name) }

const (
	fileFlags      = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	pathFlags      = unix.O_PATH | unix.O_CLOEXEC
	directoryPath  = pathFlags | unix.O_DIRECTORY
	directoryFlags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_DIRECTORY
)

// OpenFile opens a regular file of at most limit bytes, as far as its size is known before it is read: those of procfs have none. The error is
// [ErrNotRegular], [ErrTooLarge] or a bare errno. What this kernel itself has in /proc and /sys is opened as it is: to look at it would be a system
// call for each file of each scrape.
func (r Root) OpenFile(path string, limit int64) (fd int, err error) {
	fd, err = r.open(path, fileFlags)
	if err == nil && r.dir == "" && isKernels(path) {
		return fd, nil
	}
	return checkedFile(fd, err, limit)
}

// isKernels tells whether a path of this host's own root leads to what the kernel makes up, and not through a process to other files.
func isKernels(path string) bool {
	if name, ok := strings.CutPrefix(path, "/proc/"); ok {
		return !strings.Contains(name, "/root/") && !strings.Contains(name, "/cwd/") && !strings.Contains(name, "/fd/")
	}
	return strings.HasPrefix(path, "/sys/")
}

// OpenDevice opens the node of a device, to be asked by ioctl(2). Opening a node of another device than the one that is meant may
// have effects, so that the caller names what the kernel says of it: the number must be want, as "259:0". The error is a bare errno: ENODEV for another
// device, or what is none.
func (r Root) OpenDevice(path, want string) (fd int, err error) {
	st, err := r.Stat(path)
	if err != nil {
		return -1, err
	}
	if !isDevice(&st, want) {
		return -1, unix.ENODEV
	}
	if fd, err = r.open(path, fileFlags|unix.O_NOFOLLOW); err != nil {
		return -1, err
	}
	if err = unix.Fstat(fd, &st); err == nil && !isDevice(&st, want) {
		err = unix.ENODEV
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func isDevice(st *unix.Stat_t, number string) bool {
	kind := st.Mode & unix.S_IFMT
	return (kind == unix.S_IFCHR || kind == unix.S_IFBLK) && number == fmt.Sprintf("%d:%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))) //nolint:unconvert // It has 32 bits on mips.
}

// OpenDir opens a directory. The error is a bare errno.
func (r Root) OpenDir(path string) (fd int, err error) { return r.open(path, directoryFlags) }

// checkedFile returns what was opened if it is what [Root.OpenFile] opens, and else closes it.
func checkedFile(fd int, err error, limit int64) (int, error) {
	if err != nil {
		return -1, err
	}
	if err = checkFile(fd, limit); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func checkFile(fd int, limit int64) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return unix.EISDIR
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return ErrNotRegular
	case st.Size > limit:
		return ErrTooLarge
	}
	return nil
}

// Open opens a regular file of at most limit bytes. The error names the path.
func (r Root) Open(path string, limit int64) (*os.File, error) {
	fd, err := r.OpenFile(path, limit)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func (r Root) open(path string, flags int) (int, error) {
	if r.dir == "" {
		name, err := unix.ByteSliceFromString(path)
		if err != nil {
			return -1, err
		}
		return openat(name, flags)
	}
	name, err := unix.ByteSliceFromString(r.below(path))
	if err != nil {
		return -1, err
	}
	dir, err := openat(r.dirZ, directoryPath)
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(dir) }()
	return openBelow(dir, r.dir, name, flags)
}

// below is a path as it is from the root directory.
func (r Root) below(path string) string {
	if name := strings.TrimLeft(strings.TrimPrefix(path, r.dir), "/"); name != "" {
		return name
	}
	return "."
}

// openat opens a path that has a zero byte at its end.
func openat(path []byte, flags int) (int, error) {
	at := unix.AT_FDCWD // A variable, for the constant is below zero.
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(&path[0])), uintptr(flags|unix.O_LARGEFILE), 0, 0, 0)
		switch errno {
		case 0:
			return int(fd), nil
		case unix.EINTR:
		default:
			return -1, errno
		}
	}
}

// openat2Attempts is how often a path is resolved whose ".." raced with a rename: EAGAIN.
const openat2Attempts = 8

// openBelow opens a file with an open directory, whose path is dirPath, as "/": absolute links, such as /var/run -> /run, and "..", lead below it.
// The name has a zero byte at its end.
func openBelow(dir int, dirPath string, name []byte, flags int) (int, error) {
	how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_IN_ROOT}
	for attempt := 1; ; {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT2, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), uintptr(unsafe.Pointer(&how)), unix.SizeofOpenHow, 0, 0)
		switch {
		case errno == 0:
			return int(fd), nil
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && attempt < openat2Attempts:
			attempt++
		case errno == unix.ENOSYS, errno == unix.EPERM:
			return openBeneath(dirPath, string(name[:len(name)-1]), flags) // Before Linux 5.6, or a seccomp filter from before.
		default:
			return -1, errno
		}
	}
}

// openBeneath is openBelow without openat2(2): absolute links, and those out of dir, are errors.
func openBeneath(dir, name string, flags int) (int, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return -1, errnoOf(err)
	}
	defer func() { _ = root.Close() }()
	if flags&unix.O_PATH != 0 {
		flags = fileFlags | flags&unix.O_DIRECTORY // Package os would take a link for what O_PATH asks for.
	}
	f, err := root.OpenFile(name, flags, 0)
	if err != nil {
		return -1, errnoOf(err)
	}
	defer func() { _ = f.Close() }()
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}

// errnoOf returns the number of a system call's error: EXDEV, as openat2(2) does, for what package os says of a link out of a root.
func errnoOf(err error) error {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno
	}
	return unix.EXDEV
}
