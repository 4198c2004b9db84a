package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// connectionMemory is what the reader keeps between reads.
type connectionMemory struct {
	buf          []byte
	refused      [len(socketTables)]bool // the kernel does not list them over netlink
	ownNamespace bool
}

// socketTable is one of the tables in which the kernel keeps sockets.
type socketTable struct {
	transport Transport
	family    uint8
	protocol  uint8
	file      string // below proc/<pid>/net
}

var socketTables = [...]socketTable{
	{TransportTCP, unix.AF_INET, unix.IPPROTO_TCP, "tcp"},
	{TransportTCP, unix.AF_INET6, unix.IPPROTO_TCP, "tcp6"},
	{TransportUDP, unix.AF_INET, unix.IPPROTO_UDP, "udp"},
	{TransportUDP, unix.AF_INET6, unix.IPPROTO_UDP, "udp6"},
}

// stateByNumber has the states by the kernel's numbers (include/net/tcp_states.h). 12, TCP_NEW_SYN_RECV, is a connection that has
// not got a socket yet; the kernel shows it as 3.
var stateByNumber = [...]ConnectionState{
	1: ConnectionEstablished, 2: ConnectionSynSent, 3: ConnectionSynReceived, 4: ConnectionFinWait1, 5: ConnectionFinWait2,
	6: ConnectionTimeWait, 7: ConnectionClosed, 8: ConnectionCloseWait, 9: ConnectionLastAck, 10: ConnectionListen,
	11: ConnectionClosing, 12: ConnectionSynReceived,
}

// Read counts the sockets of the host's network namespace. For this host it queries the kernel over netlink (sock_diag(7)), which is
// several times cheaper than the text of /proc/net; the text is for roots, of whose namespace it has to be the one of the first
// process, and for kernels that do not answer.
func (c *Connections) Read() (ConnectionCounts, error) {
	c.ownNamespace = false
	if c.buf == nil {
		c.buf = make([]byte, diagBufferSize)
	}
	var counts ConnectionCounts
	var errs error
	var diag *diagSocket
	if c.host.root == "" {
		diag = openDiag(c.buf)
		defer diag.close()
	}
	for i := range socketTables {
		table, err := c.readTable(i, diag)
		errs = errors.Join(errs, err)
		counts.add(&table)
	}
	return counts, errs
}

// OwnNamespace reports that the host's network namespace could not be read below the root, so that the last read was of the
// collector's own.
func (c *Connections) OwnNamespace() bool { return c.ownNamespace }

func (c *Connections) readTable(i int, diag *diagSocket) (counts ConnectionCounts, err error) {
	t := &socketTables[i]
	if diag != nil && !c.refused[i] {
		if counts, err = diag.count(t); err == nil {
			return counts, nil
		}
		// What is answered with ENOBUFS or EINTR may work the next time. The rest means that there is no such thing: the module
		// is missing, a sandbox forbids it.
		c.refused[i] = !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN)
	}
	dir := "proc/net/"
	if c.host.root != "" {
		dir = "proc/1/net/"
	}
	counts, err = c.countFile(t, dir+t.file)
	if c.host.root != "" && (errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) && !c.host.exists(dir+"dev")) {
		c.ownNamespace = true
		counts, err = c.countFile(t, "proc/net/"+t.file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return ConnectionCounts{}, nil // A kernel without IPv6 has no tcp6.
	}
	return counts, err
}

// countFile reads the text of a table piece by piece: with many sockets it is tens of megabytes.
func (c *Connections) countFile(t *socketTable, name string) (counts ConnectionCounts, err error) {
	lines := socketLines{counts: &counts[t.transport], odd: oddValues{file: name}}
	rest, err := c.host.readPieces(name, c.buf, lines.feed)
	if err != nil {
		return counts, err
	}
	return counts, lines.finish(rest)
}

// readPieces reads a long table into buf piece by piece. The function is called with what there is, and gives what is left after the last whole line,
// which comes again with the next piece. What is left of the last one is returned.
func (h *Host) readPieces(name string, buf []byte, feed func(text []byte) (rest []byte)) (rest []byte, err error) {
	path := h.Path(name)
	fd, err := h.dir.OpenFile(path, maxTableSize)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	unfinished := 0 // bytes of an unfinished line at the start of the buffer
	for {
		n, err := unix.Read(fd, buf[unfinished:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		case n <= 0:
			return buf[:unfinished], nil
		}
		rest := feed(buf[:unfinished+n])
		if len(rest) == len(buf) {
			return nil, malformed(name, rest)
		}
		unfinished = copy(buf, rest)
	}
}

// socketLines counts the lines of /proc/net/tcp and its like: number, local address, remote address, state in hexadecimal, and
// more that is not used here.
type socketLines struct {
	heading bool // has passed
	counts  *[connectionStates]int64
	counted int
	odd     oddValues // lines that no socket can have
}

// feed counts the whole lines of text and gives what is left after the last of them.
func (s *socketLines) feed(text []byte) (rest []byte) { return wholeLines(text, s.count) }

// wholeLines calls a function with each whole line of text, and gives what is left after the last of them.
func wholeLines(text []byte, line func([]byte)) (rest []byte) {
	for {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return text
		}
		line(text[:end])
		text = text[end+1:]
	}
}

// finish counts a last line without an end. Its error is of the lines that were left out: a text none of whose lines is one of a socket is not
// what it should be.
func (s *socketLines) finish(rest []byte) error {
	s.count(rest)
	if s.odd.err != nil && s.counted == 0 {
		return fmt.Errorf("no socket in /%s: %w", s.odd.file, errMalformed)
	}
	return s.odd.err
}

func (s *socketLines) count(l []byte) {
	switch {
	case len(bytes.TrimSpace(l)) == 0:
		return
	case !s.heading:
		s.heading = true
		return
	}
	_, rest := proctext.Field(l)
	_, rest = proctext.Field(rest)
	_, rest = proctext.Field(rest)
	number, _ := proctext.Field(rest)
	if len(number) == 2 {
		high, ok1 := hexDigit(number[0])
		low, ok2 := hexDigit(number[1])
		if ok1 && ok2 && countState(s.counts, high<<4|low) {
			s.counted++
			return
		}
	}
	s.odd.add(l)
}

func countState(counts *[connectionStates]int64, number uint8) bool {
	if number == 0 || int(number) >= len(stateByNumber) {
		return false
	}
	counts[stateByNumber[number]]++
	return true
}
