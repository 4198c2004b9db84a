package host

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	// diagBufferSize is the most that the kernel puts into one answer to a dump (netlink_dump).
	diagBufferSize = 32 << 10

	netlinkHeaderSize = 16 // struct nlmsghdr
	diagRequestSize   = 56 // struct inet_diag_req_v2
	diagMessageSize   = 72 // struct inet_diag_msg
	diagStateOffset   = 1  // idiag_state in it

	// allStates has a bit for each number of stateByNumber.
	allStates = 1<<len(stateByNumber) - 2
)

// errDiag is the class of answers that are not netlink.
var errDiag = errors.New("unexpected answer of sock_diag")

// diagSocket requests the sockets of the kernel, during one read.
type diagSocket struct {
	fd  int
	err error // why there is none
	buf []byte
	seq uint32
}

// openDiag opens a socket that the kernel alone can send to. It never fails; the counts do.
func openDiag(buf []byte) *diagSocket {
	d := &diagSocket{buf: buf}
	d.open()
	return d
}

func (d *diagSocket) open() {
	d.fd, d.err = unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if d.err != nil {
		return
	}
	if d.err = unix.Connect(d.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); d.err != nil {
		return
	}
	// The kernel answers within the call; the limit is for the emulations of it that do not.
	d.err = unix.SetsockoptTimeval(d.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
}

func (d *diagSocket) close() {
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
		d.fd = -1
	}
}

// count counts the sockets of one table.
func (d *diagSocket) count(t *socketTable) (ConnectionCounts, error) {
	var counts ConnectionCounts
	if d.err != nil {
		return counts, fmt.Errorf("opening sock_diag: %w", d.err)
	}
	err := d.dump(t, &counts[t.transport])
	if err != nil { // There may be more to come of this dump, and while there is, the socket takes no other.
		d.close()
		d.open()
		return ConnectionCounts{}, fmt.Errorf("asking sock_diag for %s: %w", t.file, err)
	}
	return counts, nil
}

func (d *diagSocket) dump(t *socketTable, counts *[connectionStates]int64) error {
	d.seq++
	request := diagRequest(d.seq, t.family, t.protocol)
	if _, err := retried(func() (int, error) { return unix.Write(d.fd, request[:]) }); err != nil {
		return err
	}
	for {
		n, err := retried(func() (int, error) { return unix.Read(d.fd, d.buf) })
		if err != nil {
			return err
		}
		if done, err := countDiag(d.buf[:n], d.seq, counts); done || err != nil {
			return err
		}
	}
}

func retried(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}

// diagRequest requests a dump of all sockets of a family and protocol, without any of the optional details.
func diagRequest(seq uint32, family, protocol uint8) (request [netlinkHeaderSize + diagRequestSize]byte) {
	order := binary.NativeEndian
	order.PutUint32(request[0:], uint32(len(request)))
	order.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
	order.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	order.PutUint32(request[8:], seq)
	body := request[netlinkHeaderSize:]
	body[0], body[1] = family, protocol
	order.PutUint32(body[4:], allStates)
	return request
}

// countDiag counts the sockets of one datagram. Done means that it was the last. Messages of another request are skipped.
func countDiag(datagram []byte, seq uint32, counts *[connectionStates]int64) (done bool, err error) {
	order := binary.NativeEndian
	if len(datagram) == 0 {
		return true, fmt.Errorf("empty datagram: %w", errDiag)
	}
	for len(datagram) > 0 {
		if len(datagram) < netlinkHeaderSize {
			return true, fmt.Errorf("%d bytes of header: %w", len(datagram), errDiag)
		}
		size := int64(order.Uint32(datagram))
		if size < netlinkHeaderSize || size > int64(len(datagram)) {
			return true, fmt.Errorf("message of %d in %d bytes: %w", size, len(datagram), errDiag)
		}
		kind, of, body := order.Uint16(datagram[4:]), order.Uint32(datagram[8:]), datagram[netlinkHeaderSize:size]
		aligned := (size + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
		datagram = datagram[min(aligned, int64(len(datagram))):]
		if of != seq {
			continue
		}
		switch kind {
		case unix.NLMSG_DONE:
			return true, errnoOf(body)
		case unix.NLMSG_ERROR:
			if err := errnoOf(body); err != nil {
				return true, err
			}
			return true, fmt.Errorf("no dump: %w", errDiag)
		case unix.SOCK_DIAG_BY_FAMILY:
			if len(body) < diagMessageSize || !countState(counts, body[diagStateOffset]) {
				return true, fmt.Errorf("socket of %d bytes: %w", len(body), errDiag)
			}
		}
	}
	return false, nil
}

// errnoOf gives the error number that a message begins with: the kernel's, negated, or 0.
func errnoOf(body []byte) error {
	if len(body) < 4 {
		return nil
	}
	if number := int32(binary.NativeEndian.Uint32(body)); number < 0 {
		return unix.Errno(-int64(number))
	}
	return nil
}
