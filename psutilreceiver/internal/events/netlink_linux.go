package events

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// netlinkSocket is a socket on which the kernel tells of what happens. A goroutine of its own reads it.
type netlinkSocket struct {
	what string // for errors
	fd   int
	stop int // the end of a pipe that is closed for the goroutine to end
	wake int // the other end
	done chan struct{}

	mu     sync.Mutex // of reading
	buffer []byte
}

// netlinkBuffer is what the kernel keeps for a socket: some hundred bytes of a message, and as much of overhead.
const netlinkBuffer = 4 << 20

// openNetlink opens a socket of a family, in the given groups.
func openNetlink(what string, family int, groups uint32) (*netlinkSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, family)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", what, err)
	}
	s := &netlinkSocket{what: what, fd: fd, stop: -1, wake: -1, buffer: make([]byte, 64<<10), done: make(chan struct{})}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, netlinkBuffer) // A smaller one loses messages sooner, which is noticed.
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("binding %s: %w", what, err)
	}
	return s, nil
}

func (s *netlinkSocket) send(message []byte) error {
	return unix.Sendto(s.fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// listen hands over the datagrams as they come, until close. It tells of an error that ends it.
func (s *netlinkSocket) listen(hear func([]byte), fail func(error)) error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return err
	}
	s.wake, s.stop = ends[0], ends[1]
	go func() {
		defer close(s.done)
		for {
			poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(s.wake), Events: unix.POLLIN}}
			if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
				fail(fmt.Errorf("waiting for %s: %w", s.what, err))
				return
			}
			if poll[1].Revents != 0 {
				return
			}
			if err := s.read(hear); err != nil {
				fail(err)
				return
			}
		}
	}()
	return nil
}

// read gives the datagrams that have come. Those that came faster than they were read are lost: the next scan finds what is left.
func (s *netlinkSocket) read(visit func([]byte)) error {
	const most = 1000 // Processes that start faster than this don't keep the goroutine from its end.
	s.mu.Lock()
	defer s.mu.Unlock()
	for range most {
		n, from, err := unix.Recvfrom(s.fd, s.buffer, 0)
		switch {
		case err == nil:
			// Other processes may send to the socket, the kernel has the number 0.
			if sender, ok := from.(*unix.SockaddrNetlink); ok && sender.Pid == 0 {
				visit(s.buffer[:n])
			}
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EINTR):
		default:
			return fmt.Errorf("reading %s: %w", s.what, err)
		}
	}
	return nil
}

func (s *netlinkSocket) close() error {
	if s.stop >= 0 {
		_ = unix.Close(s.stop)
		<-s.done
		_ = unix.Close(s.wake)
	}
	return unix.Close(s.fd)
}
