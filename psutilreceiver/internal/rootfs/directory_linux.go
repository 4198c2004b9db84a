package rootfs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Directory is an open directory in which files are opened by their names, which have a zero byte at their end, with the directory as "/". It is for a copy of a /proc; the kernel's own,
// in which there are regular files and the kernel's own links only, needs no such care.
type Directory struct {
	FD   int
	Path string
}

// OpenFile opens a regular file, as [Root.OpenFile] does.
func (d Directory) OpenFile(name []byte, limit int64) (fd int, err error) {
	fd, err = openBelow(d.FD, d.Path, name, fileFlags)
	return checkedFile(fd, err, limit)
}

// OpenDir opens a directory. The error is a bare errno.
func (d Directory) OpenDir(name []byte) (fd int, err error) {
	return openBelow(d.FD, d.Path, name, directoryFlags)
}

// Readlink writes the target of a link to buf and returns its length. The error is a bare errno.
func (d Directory) Readlink(name []byte, buf []byte) (int, error) {
	fd, err := openBelow(d.FD, d.Path, name, pathFlags|unix.O_NOFOLLOW)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Readlinkat(fd, "", buf)
}

// Links returns how many links a file in the directory has, which is not followed if it is a link itself: of a directory of the kernel's it is two
// more than it has directories. It reports false where that can't be known.
func (d Directory) Links(name []byte) (links uint32, ok bool) {
	var st unix.Statx_t
	_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(d.FD), uintptr(unsafe.Pointer(&name[0])), unix.AT_SYMLINK_NOFOLLOW, unix.STATX_NLINK,
		uintptr(unsafe.Pointer(&st)), 0)
	return st.Nlink, errno == 0 && st.Mask&unix.STATX_NLINK != 0
}
