package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Open opens for reading the file of a host that is at name below root, where "" and "/" are this host's own. On the way there may be
// absolute links, such as /var/run -> /run: they lead below the root too, never to the file of that name in this process's own container.
func Open(root, name string) (*os.File, error) {
	path := filepath.Join(root, name)
	if root == "" || root == "/" {
		return os.Open(filepath.Join("/", name))
	}
	dir, err := os.Open(root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	for {
		fd, err := unix.Openat2(int(dir.Fd()), name, &how)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), path), nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
			return openBelow(root, name) // Before Linux 5.6, or a seccomp filter from before.
		default:
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// openBelow is Open without openat2(2): it does not follow absolute links, but fails.
func openBelow(root, name string) (*os.File, error) { return os.OpenInRoot(root, name) }
