package heldfile

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// MaxMountinfo is a limit, in bytes, for mountinfo of /proc/PID: enough for a hundred thousand mounts, which is the most that the kernel allows a
// namespace.
const MaxMountinfo = 64 << 20

// ReadOnce reads an open file from its beginning with one system call, as much as buf holds. The error is a bare errno.
func ReadOnce(fd int, buf []byte) (n int, err error) { return readAt(fd, buf, 0) }

// ReadWhole reads an open file from its beginning, with one system call unless it fills buf. It is for files that the kernel gives as a
// whole, as those of /proc/PID with one record: a read that does not fill the buffer has come to the end. It returns a larger buffer in place
// of buf if that was too small, and does not enlarge one that has limit bytes or more. The error is a bare errno.
func ReadWhole(fd int, buf []byte, limit int) ([]byte, error) {
	buf = buf[:cap(buf)]
	n := 0
	for {
		got, err := readAt(fd, buf[n:], int64(n))
		if err != nil {
			return buf[:0], err
		}
		n += got
		if n < len(buf) || got == 0 || n >= limit {
			return buf[:n], nil
		}
		buf = append(buf, make([]byte, len(buf))...)
		buf = buf[:cap(buf)]
	}
}

// ReadAll reads an open file from its beginning to its end, which a read of nothing shows. It returns a larger buffer in place of buf if that
// was too small. The error is [rootfs.ErrTooLarge] when a buffer of limit bytes or more is full, and else a bare errno.
func ReadAll(fd int, buf []byte, limit int) ([]byte, error) {
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			if cap(buf) >= limit {
				return nil, rootfs.ErrTooLarge // Nobody keeps a buffer of that size.
			}
			grown := make([]byte, len(buf), max(2*cap(buf), initialSize))
			copy(grown, buf)
			buf = grown
		}
		n, err := readAt(fd, buf[len(buf):cap(buf)], int64(len(buf)))
		if err != nil {
			return buf[:0], err
		}
		if n == 0 {
			return buf, nil
		}
		buf = buf[:len(buf)+n]
	}
}

// initialSize is the first size of a buffer: most files fit.
const initialSize = 4 << 10

func readAt(fd int, buf []byte, offset int64) (int, error) {
	for {
		n, err := unix.Pread(fd, buf, offset)
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, unix.EINTR) {
			return 0, err
		}
	}
}

// IsProcfs tells whether an open file belongs to the kernel's procfs, rather than to a copy of one.
func IsProcfs(fd int) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(fd, &st) == nil && st.Type == unix.PROC_SUPER_MAGIC
}

// IsSysfs tells whether an open file belongs to the kernel's sysfs, rather than to a copy of one.
func IsSysfs(fd int) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(fd, &st) == nil && st.Type == unix.SYSFS_MAGIC
}
