package events

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// connector is a socket of the kernel's process connector.
type connector struct {
	fd     int
	buffer []byte
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
	c := &connector{fd: fd, buffer: make([]byte, 64<<10)}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, connectorBuffer) // A smaller one loses messages sooner, which is noticed.
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorID})
	if err == nil {
		err = unix.Sendto(fd, subscription(listen), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
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

// read gives the messages that have come. It tells whether some were lost, for they came faster than they were read.
func (c *connector) read(visit func(processMessage)) (lost bool, err error) {
	const most = 100_000 // Processes that start faster than this end no look.
	for range most {
		n, from, err := unix.Recvfrom(c.fd, c.buffer, 0)
		switch {
		case err == nil:
			// Other processes may send to the socket, the kernel has the number 0.
			if sender, ok := from.(*unix.SockaddrNetlink); ok && sender.Pid == 0 {
				parseProcessMessages(c.buffer[:n], visit)
			}
		case errors.Is(err, unix.EAGAIN):
			return lost, nil
		case errors.Is(err, unix.ENOBUFS):
			lost = true
		case errors.Is(err, unix.EINTR):
		default:
			return lost, fmt.Errorf("reading the process connector: %w", err)
		}
	}
	return lost, nil
}

func (c *connector) close() error { return unix.Close(c.fd) }
