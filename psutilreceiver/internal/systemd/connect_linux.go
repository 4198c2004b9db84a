package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// sockets are those at which systemd answers, the first of them without a bus in between.
var sockets = []struct {
	dir, name string
	private   bool // for root only, and without a bus
}{
	{"run/systemd", "private", true},
	{"run/dbus", "system_bus_socket", false},
}

// connect opens a connection to the first socket that there is. The error is errors.ErrUnsupported if there is none, or if nobody listens.
func (c *Client) connect(ctx context.Context) (*connection, error) {
	if c.address != "" {
		return dial(ctx, c.address, true)
	}
	root := rootfs.At(c.root)
	for _, s := range sockets {
		if s.private && os.Geteuid() != 0 {
			continue
		}
		conn, err := connectBelow(ctx, root, s.dir, s.name, s.private)
		switch {
		case err == nil:
			return conn, nil
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOTSOCK):
		case s.private: // Perhaps of another user namespace: the bus may answer.
		default:
			return nil, fmt.Errorf("connecting to systemd: %w", err)
		}
	}
	return nil, errors.ErrUnsupported
}

// connectBelow connects to a socket in a directory below the root. It goes by the open directory, so that no link leads out of the root.
func connectBelow(ctx context.Context, root rootfs.Root, dir, name string, private bool) (*connection, error) {
	path := root.Join(dir)
	fd, err := root.OpenDir(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path + "/" + name, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return nil, &fs.PathError{Op: "connect", Path: path + "/" + name, Err: unix.ENOTSOCK}
	}
	return dial(ctx, fmt.Sprintf("/proc/self/fd/%d/%s", fd, name), private)
}

// dial connects to the socket at a path.
func dial(ctx context.Context, path string, private bool) (*connection, error) {
	var d net.Dialer
	socket, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	return newConnection(ctx, socket, private)
}
