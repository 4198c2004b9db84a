package events

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// connector is a socket of the kernel's process connector.
type connector struct{ *netlinkSocket }

// listen asks for events: PROC_CN_MCAST_LISTEN.
const listen = 1

// inFirstPIDs tells that this process has the numbers of processes that the kernel gives. Of a root directory it is taken to be so.
func inFirstPIDs(root string) error {
	if root == "" {
		if first, known := read.HasFirstPIDs(rootfs.Root{}); known && !first {
			return errors.New("this is not the first PID namespace")
		}
	}
	return nil
}

// hasProcfs tells whether a root directory has the processes of a kernel, and not files in their place.
func hasProcfs(root string) bool { return rootfs.At(root).HasProcfs() }

// openConnector opens the process connector, which takes CAP_NET_ADMIN, and the network namespace that the kernel began with.
func openConnector(root string) (*connector, error) {
	if err := inFirstPIDs(root); err != nil {
		return nil, err
	}
	s, err := openNetlink("the process connector", unix.NETLINK_CONNECTOR, connectorID)
	if err != nil {
		return nil, err
	}
	if err := s.send(subscription(listen)); err != nil {
		_ = s.close()
		return nil, fmt.Errorf("subscribing to the process connector: %w", err)
	}
	return &connector{s}, nil
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
func (c *connector) listen(hear func(processMessage), fail func(error)) error {
	return c.netlinkSocket.listen(func(datagram []byte) { parseProcessMessages(datagram, hear) }, fail)
}

// drain hands over what has come by now.
func (c *connector) drain(hear func(processMessage)) error {
	return c.read(func(datagram []byte) { parseProcessMessages(datagram, hear) })
}

// commOf is the name that the kernel keeps of a process that runs, "" if it has gone.
func commOf(root string, pid int32) string {
	return strings.TrimSuffix(beginOf(root, fmt.Sprintf("proc/%d/comm", pid), maxComm), "\n")
}

// groupsOf is the text of the control groups of a process that runs or waits for its parent, "" if it has gone.
func groupsOf(root string, pid int32) string {
	const most = 16 << 10
	return beginOf(root, fmt.Sprintf("proc/%d/cgroup", pid), most)
}

// beginOf is the begin of a file of a process, "" if it can't be read.
func beginOf(root, file string, most int) string {
	dir := rootfs.At(root)
	fd, err := dir.OpenFile(dir.Join(file), int64(most))
	if err != nil {
		return ""
	}
	defer func() { _ = unix.Close(fd) }()
	text := make([]byte, most)
	n, err := unix.Read(fd, text)
	if err != nil || n <= 1 {
		return ""
	}
	return string(text[:n])
}
