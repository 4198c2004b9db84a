package events

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// statistics is a socket on which the kernel tells of each thread that exits.
type statistics struct {
	*netlinkSocket
	family uint16
	cpus   string
}

// openStatistics opens the kernel's task statistics. They take CAP_NET_ADMIN and the namespaces that the kernel began with: of the network, of
// processes and of users.
func openStatistics(root string) (*statistics, error) {
	if err := inFirstPIDs(root); err != nil {
		return nil, err
	}
	cpus, err := possibleCPUs(root)
	if err != nil {
		return nil, err
	}
	socket, err := openNetlink("the task statistics", unix.NETLINK_GENERIC, 0)
	if err != nil {
		return nil, err
	}
	s := &statistics{netlinkSocket: socket, cpus: cpus}
	if err = s.findFamily(); err == nil {
		err = s.register(unix.TASKSTATS_CMD_ATTR_REGISTER_CPUMASK)
	}
	if err != nil {
		_ = socket.close()
		return nil, fmt.Errorf("subscribing to the task statistics: %w", err)
	}
	return s, nil
}

// possibleCPUs is the list of the CPUs that the host may have.
func possibleCPUs(root string) (string, error) {
	const most = 4096
	dir := rootfs.At(root)
	path := dir.Join("sys/devices/system/cpu/possible")
	fd, err := dir.OpenFile(path, most)
	if err != nil {
		return "", fmt.Errorf("opening %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	text := make([]byte, most)
	n, err := unix.Read(fd, text)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return strings.TrimSpace(string(text[:n])), nil
}

// findFamily asks for the number of the family.
func (s *statistics) findFamily() error {
	name := append([]byte(unix.TASKSTATS_GENL_NAME), 0)
	err := s.ask(unix.GENL_ID_CTRL, unix.CTRL_CMD_GETFAMILY, unix.CTRL_ATTR_FAMILY_NAME, name, func(kind uint16, body []byte) {
		if kind != unix.GENL_ID_CTRL || len(body) < genericHeader {
			return
		}
		attributes(body[genericHeader:], func(kind uint16, value []byte) {
			if kind == unix.CTRL_ATTR_FAMILY_ID && len(value) >= 2 {
				s.family = binary.NativeEndian.Uint16(value)
			}
		})
	})
	if err == nil && s.family == 0 {
		err = errors.ErrUnsupported
	}
	return err
}

func (s *statistics) register(how uint16) error {
	return s.ask(s.family, unix.TASKSTATS_CMD_GET, how, append([]byte(s.cpus), 0), func(uint16, []byte) {})
}

// answerTimeout bounds the wait for the kernel, which answers while the question is sent.
const answerTimeout = time.Second

// ask sends a request with one attribute, and reads until the kernel has confirmed it.
func (s *statistics) ask(family uint16, command uint8, kind uint16, value []byte, visit func(uint16, []byte)) error {
	if err := s.send(request(family, command, kind, value)); err != nil {
		return err
	}
	for {
		poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, int(answerTimeout.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return errors.New("the kernel does not answer")
		}
		var answer error
		answered := false
		err = s.read(func(datagram []byte) {
			netlinkMessages(datagram, func(kind uint16, body []byte) {
				if kind != unix.NLMSG_ERROR || len(body) < 4 {
					visit(kind, body)
					return
				}
				answered = true
				if code := -int32(binary.NativeEndian.Uint32(body)); code != 0 {
					answer = unix.Errno(code)
				}
			})
		})
		if err != nil || answered {
			return errors.Join(err, answer)
		}
	}
}

// request is a message of generic netlink with one attribute.
func request(family uint16, command uint8, kind uint16, value []byte) []byte {
	native := binary.NativeEndian
	size := attributeHead + len(value)
	m := make([]byte, netlinkHeader+genericHeader+(size+3)&^3)
	native.PutUint32(m, uint32(len(m)))
	native.PutUint16(m[4:], family)
	native.PutUint16(m[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	m[netlinkHeader], m[netlinkHeader+1] = command, 1
	attribute := m[netlinkHeader+genericHeader:]
	native.PutUint16(attribute, uint16(size))
	native.PutUint16(attribute[2:], kind)
	copy(attribute[attributeHead:], value)
	return m
}

// listen hands over the records as they come, in a goroutine of its own, until close. It tells of an error that ends it.
func (s *statistics) listen(hear func(taskRecord), fail func(error)) error {
	return s.netlinkSocket.listen(func(datagram []byte) { parseStatistics(datagram, s.family, hear) }, fail)
}

// drain hands over what has come by now.
func (s *statistics) drain(hear func(taskRecord)) error {
	return s.read(func(datagram []byte) { parseStatistics(datagram, s.family, hear) })
}

func (s *statistics) close() error {
	_ = s.send(request(s.family, unix.TASKSTATS_CMD_GET, unix.TASKSTATS_CMD_ATTR_DEREGISTER_CPUMASK, append([]byte(s.cpus), 0)))
	return s.netlinkSocket.close()
}
