package events

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// connector is a socket of the kernel's process connector.
type connector struct {
	fd     int
	buffer []byte
	stop   int // the end of a pipe that is closed for the goroutine to end
	woken  int // the other end
	done   chan struct{}
}

const (
	// connectorBuffer is what the kernel keeps for the socket: 76 bytes and some hundred of overhead for each message.
	connectorBuffer = 4 << 20
	// initialPIDs is the inode of the first PID namespace, whose numbers the connector gives: PROC_PID_INIT_INO of the kernel.
	initialPIDs = 0xEFFFFFFC
	// listen asks for events: PROC_CN_MCAST_LISTEN.
	listen = 1
)

// openConnector opens the process connector, which takes CAP_NET_ADMIN, and the network namespace that the kernel began with.
func openConnector(root string) (*connector, error) {
	if root == "" {
		st, err := rootfs.Root{}.Stat("/proc/self/ns/pid")
		if err == nil && st.Ino != initialPIDs {
			return nil, errors.New("this is not the first PID namespace")
		}
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("opening the process connector: %w", err)
	}
	c := &connector{fd: fd, buffer: make([]byte, 64<<10), done: make(chan struct{})}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, connectorBuffer) // A smaller one loses messages sooner, which is noticed.
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorID})
	if err == nil {
		err = unix.Sendto(fd, subscription(listen), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	var ends [2]int
	if err == nil {
		err = unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK)
	}
	c.woken, c.stop = ends[0], ends[1]
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("subscribing to the process connector: %w", err)
	}
	return c, nil
}

// subscription is the message that asks the connector for its events.
func subscription(operation uint32) []byte {
	native := binary.NativeEndian
	m := make([]byte, netlinkHeader+connectorHeader+4)
	native.PutUint32(m, uint32(len(m)))
	native.PutUint16(m[4:], netlinkDone)
	native.PutUint32(m[netlinkHeader:], connectorID)
	native.PutUint32(m[netlinkHeader+4:], connectorID)
	native.PutUint16(m[netlinkHeader+16:], 4)
	native.PutUint32(m[netlinkHeader+connectorHeader:], operation)
	return m
}

// listen hands over the messages as they come, in a goroutine of its own, until close. It tells of an error that ends it.
func (c *connector) listen(hear func(processMessage), fail func(error)) {
	go func() {
		defer close(c.done)
		for {
			poll := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}, {Fd: int32(c.woken), Events: unix.POLLIN}}
			if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
				fail(fmt.Errorf("waiting for the process connector: %w", err))
				return
			}
			if poll[1].Revents != 0 {
				return
			}
			if err := c.read(hear); err != nil {
				fail(err)
				return
			}
		}
	}()
}

// read gives the messages that have come. Those that came faster than they were read are lost: the next scan finds what is left.
func (c *connector) read(visit func(processMessage)) error {
	const most = 1000 // Processes that start faster than this don't keep the goroutine from its end.
	for range most {
		n, from, err := unix.Recvfrom(c.fd, c.buffer, 0)
		switch {
		case err == nil:
			// Other processes may send to the socket, the kernel has the number 0.
			if sender, ok := from.(*unix.SockaddrNetlink); ok && sender.Pid == 0 {
				parseProcessMessages(c.buffer[:n], visit)
			}
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EINTR):
		default:
			return fmt.Errorf("reading the process connector: %w", err)
		}
	}
	return nil
}

func (c *connector) close() error {
	_ = unix.Close(c.stop)
	<-c.done
	_ = unix.Close(c.woken)
	return unix.Close(c.fd)
}

// commOf is the name that the kernel keeps of a process that runs, "" if it has gone.
func commOf(root string, pid int32) string {
	dir := rootfs.At(root)
	fd, err := dir.OpenFile(dir.Join(fmt.Sprintf("proc/%d/comm", pid)), maxComm)
	if err != nil {
		return ""
	}
	defer func() { _ = unix.Close(fd) }()
	var name [maxComm]byte
	n, err := unix.Read(fd, name[:])
	if err != nil || n <= 1 {
		return ""
	}
	return strings.TrimSuffix(string(name[:n]), "\n")
}
