package events

import (
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// kmsg is /dev/kmsg, open from its end on.
type kmsg struct {
	fd     int
	buffer []byte
}

// kmsgDevice is the number of the device of the kernel's log.
var kmsgDevice = unix.Mkdev(1, 11)

// openKernelLog opens the log of the kernel, which takes CAP_SYSLOG where kernel.dmesg_restrict is 1.
func openKernelLog(root string) (kernelLog, error) {
	dir := rootfs.At(root)
	path := dir.Join("dev")
	at, err := dir.OpenDir(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(at) }()
	fd, err := openKmsg(at)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path + "/kmsg", Err: err}
	}
	const record = 8 << 10 // CONSOLE_EXT_LOG_MAX of the kernel: no record is larger.
	return &kmsg{fd: fd, buffer: make([]byte, record)}, nil
}

func openKmsg(at int) (int, error) {
	fd, err := unix.Openat(at, "kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NOCTTY, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && (st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != kmsgDevice) {
		err = unix.ENODEV
	}
	if err == nil {
		_, err = unix.Seek(fd, 0, unix.SEEK_END)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (k *kmsg) next() ([]byte, bool, error) {
	for {
		n, err := unix.Read(k.fd, k.buffer)
		switch {
		case err == nil:
			return k.buffer[:n], n > 0, nil
		case errors.Is(err, unix.EAGAIN):
			return nil, false, nil
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR): // Records were overwritten before they were read: the next is the oldest.
		default:
			return nil, false, err
		}
	}
}

// written goes by the monotonic clock, which the clock of the log follows but for the moments after the start of a kernel.
func (k *kmsg) written(sinceBoot time.Duration, now time.Time) time.Time {
	monotonic, err := monotonicClock()
	ago := monotonic - sinceBoot
	if err != nil || ago < 0 || ago > time.Hour {
		return now
	}
	return now.Add(-ago)
}

func (k *kmsg) close() error { return unix.Close(k.fd) }

// monotonicClock is the time since boot, but for when the host was suspended.
func monotonicClock() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return time.Duration(t.Nano()), err
}
