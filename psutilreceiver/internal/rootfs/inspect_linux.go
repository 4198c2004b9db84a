package rootfs

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Stat is stat(2). The error is a bare errno.
func (r Root) Stat(path string) (st unix.Stat_t, err error) {
	if r.dir == "" {
		err = unix.Stat(path, &st)
		return st, err
	}
	fd, err := r.open(path, pathFlags)
	if err != nil {
		return st, err
	}
	defer func() { _ = unix.Close(fd) }()
	err = unix.Fstat(fd, &st)
	return st, err
}

// Exists tells whether there is a file at a path.
func (r Root) Exists(path string) bool {
	_, err := r.Stat(path)
	return err == nil
}

// Statfs is statfs(2): it may block forever. The error is a bare errno.
func (r Root) Statfs(path string) (st unix.Statfs_t, err error) {
	if r.dir == "" {
		err = statfs(path, &st)
		return st, err
	}
	fd, err := r.open(path, pathFlags)
	if err != nil {
		return st, err
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		if err = unix.Fstatfs(fd, &st); err != unix.EINTR { //nolint:errorlint // System calls return the number itself.
			return st, err
		}
	}
}

// HasProcfs tells whether what is mounted at proc is the kernel's procfs, rather than a copy of one.
func (r Root) HasProcfs() bool {
	st, err := r.Statfs(r.Join("proc"))
	return err == nil && st.Type == unix.PROC_SUPER_MAGIC
}

func statfs(path string, st *unix.Statfs_t) error {
	for {
		if err := unix.Statfs(path, st); err != unix.EINTR {
			return err
		}
	}
}

// ReadDir lists the names in a directory, sorted; none when it can't be read. One with more than a hundred thousand is not read to its end.
func (r Root) ReadDir(path string) []string {
	fd, err := r.OpenDir(path)
	if err != nil {
		return nil
	}
	dir := os.NewFile(uintptr(fd), path)
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(maxNames) // Some names are better than none.
	slices.Sort(names)
	return names
}

const maxNames = 100_000

// Readlink is readlink(2), the path up to the link itself resolved below the root; "" where there is no link.
func (r Root) Readlink(path string) string {
	if r.dir == "" {
		target, _ := os.Readlink(path)
		return target
	}
	fd, err := r.open(path, pathFlags|unix.O_NOFOLLOW)
	if err != nil {
		return ""
	}
	defer func() { _ = unix.Close(fd) }()
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}
