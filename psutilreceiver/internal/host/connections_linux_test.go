package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const socketsHeading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func socketLineOf(state string) string {
	return "   0: 0100007F:1538 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000    26        0 22044 1 0000000000000000 100 0 0 10 0\n"
}

func TestConnectionsOfHosts(t *testing.T) {
	c := NewConnections(fixtureHost(t, "server-6.x"))
	for range 2 {
		counts, err := c.Read()
		require.NoError(t, err)
		var want ConnectionCounts
		want[TransportTCP] = [connectionStates]int64{
			ConnectionListen: 3, ConnectionEstablished: 2, ConnectionTimeWait: 1, ConnectionCloseWait: 1,
		}
		want[TransportUDP] = [connectionStates]int64{ConnectionClosed: 1, ConnectionEstablished: 1}
		assert.Equal(t, want, counts)
		assert.False(t, c.Borrowed())
	}
	counts, err := NewConnections(fixtureHost(t, "kernel-4.4")).Read()
	require.NoError(t, err)
	assert.Equal(t, ConnectionCounts{}, counts, "a kernel without any of the tables")
}

// TestConnectionsAreThoseOfTheHost pins the network namespace below a root, as for the interfaces.
func TestConnectionsAreThoseOfTheHost(t *testing.T) {
	h := hostWith(t, map[string]string{
		"proc/1/net/tcp": socketsHeading + socketLineOf("0A"), "proc/net/tcp": socketsHeading + socketLineOf("01") + socketLineOf("01"),
	})
	c := NewConnections(h)
	counts, err := c.Read()
	require.NoError(t, err)
	assert.Equal(t, [connectionStates]int64{ConnectionListen: 1}, counts[TransportTCP])

	require.NoError(t, os.RemoveAll(h.Path("proc/1")))
	counts, err = c.Read()
	require.NoError(t, err)
	assert.Equal(t, [connectionStates]int64{ConnectionEstablished: 2}, counts[TransportTCP])
	assert.True(t, c.Borrowed())
}

func TestStatesByNumber(t *testing.T) {
	var lines socketLines
	var counts [connectionStates]int64
	lines.counts = &counts
	for i, state := range []ConnectionState{
		ConnectionEstablished, ConnectionSynSent, ConnectionSynReceived, ConnectionFinWait1, ConnectionFinWait2, ConnectionTimeWait,
		ConnectionClosed, ConnectionCloseWait, ConnectionLastAck, ConnectionListen, ConnectionClosing, ConnectionSynReceived,
	} {
		was := counts[state]
		rest, err := lines.feed([]byte(map[bool]string{true: socketsHeading}[i == 0] + socketLineOf(fmt.Sprintf("%02X", i+1))))
		require.NoError(t, err)
		assert.Empty(t, rest)
		assert.Equal(t, was+1, counts[state])
	}
}

func TestSocketLinesThatAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a state that there is not": socketLineOf("0D"), "none": socketLineOf("00"), "no number": socketLineOf("XX"), "too long": socketLineOf("001"),
		"cut off": "   1: 0100007F:1538 00000000:0000", "no line at all": strings.Repeat("x", diagBufferSize+1),
	} {
		h := hostWith(t, map[string]string{"proc/1/net/udp": socketsHeading + text, "proc/1/net/tcp": socketsHeading + socketLineOf("0A")})
		counts, err := NewConnections(h).Read()
		require.ErrorIs(t, err, errMalformed, name)
		assert.Equal(t, int64(1), counts[TransportTCP][ConnectionListen], "%s: the other tables count", name)
	}
}

// TestManySockets pins that a table larger than the buffer is counted in full.
func TestManySockets(t *testing.T) {
	text := socketsHeading + strings.Repeat(socketLineOf("01")+socketLineOf("06"), 5000)
	counts, err := NewConnections(hostWith(t, map[string]string{"proc/1/net/tcp6": text})).Read()
	require.NoError(t, err)
	assert.Equal(t, [connectionStates]int64{ConnectionEstablished: 5000, ConnectionTimeWait: 5000}, counts[TransportTCP])
}

func FuzzSocketLines(f *testing.F) {
	for _, seed := range []string{"", socketsHeading + socketLineOf("0A"), socketsHeading + socketLineOf("0A")[:60], "\n\n\n", socketsHeading + "a b c 01"} {
		f.Add([]byte(seed), uint8(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, piece uint8) {
		whole, wholeErr := countText(text, len(text)+1)
		pieces, piecesErr := countText(text, int(piece)+1)
		assert.Equal(t, wholeErr == nil, piecesErr == nil)
		assert.Equal(t, whole, pieces, "the same however the text comes")
	})
}

// countText counts the sockets of a text that comes in pieces.
func countText(text []byte, piece int) (counts [connectionStates]int64, err error) {
	lines := socketLines{counts: &counts}
	var held []byte
	for len(text) > 0 {
		n := min(piece, len(text))
		held = append(held, text[:n]...)
		text = text[n:]
		rest, err := lines.feed(held)
		if err != nil {
			return counts, err
		}
		held = append([]byte(nil), rest...)
	}
	return counts, lines.finish(held)
}

// netlinkMessage makes one message of an answer.
func netlinkMessage(kind uint16, seq uint32, body []byte) []byte {
	m := make([]byte, netlinkHeaderSize, netlinkHeaderSize+len(body))
	binary.NativeEndian.PutUint32(m, uint32(netlinkHeaderSize+len(body)))
	binary.NativeEndian.PutUint16(m[4:], kind)
	binary.NativeEndian.PutUint32(m[8:], seq)
	m = append(m, body...)
	for len(m)%unix.NLMSG_ALIGNTO != 0 {
		m = append(m, 0)
	}
	return m
}

func diagMessage(seq uint32, state uint8, attributes int) []byte {
	body := make([]byte, diagMessageSize+attributes)
	body[diagStateOffset] = state
	return netlinkMessage(unix.SOCK_DIAG_BY_FAMILY, seq, body)
}

func errnoBody(errno unix.Errno) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(-int32(errno)))
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestCountDiag(t *testing.T) {
	const seq = 7
	done := netlinkMessage(unix.NLMSG_DONE, seq, errnoBody(0))
	for name, c := range map[string]struct {
		datagram []byte
		listen   int64
		done     bool
		err      error
	}{
		"sockets, and more to come":      {join(diagMessage(seq, 10, 0), diagMessage(seq, 10, 13)), 2, false, nil},
		"sockets and the end":            {join(diagMessage(seq, 10, 0), done), 1, true, nil},
		"the end":                        {done, 0, true, nil},
		"an end without a number":        {netlinkMessage(unix.NLMSG_DONE, seq, nil), 0, true, nil},
		"an end that is an error":        {netlinkMessage(unix.NLMSG_DONE, seq, errnoBody(unix.ENOBUFS)), 0, true, unix.ENOBUFS},
		"an error":                       {netlinkMessage(unix.NLMSG_ERROR, seq, errnoBody(unix.EPERM)), 0, true, unix.EPERM},
		"an acknowledgement and no dump": {netlinkMessage(unix.NLMSG_ERROR, seq, errnoBody(0)), 0, true, errDiag},
		"what another request left":      {join(diagMessage(seq-1, 10, 0), diagMessage(seq, 10, 0)), 1, false, nil},
		"a note of the kernel":           {join(netlinkMessage(unix.NLMSG_NOOP, seq, nil), diagMessage(seq, 10, 0)), 1, false, nil},
		"nothing":                        {nil, 0, true, errDiag},
		"half a header":                  {done[:9], 0, true, errDiag},
		"a message cut off":              {diagMessage(seq, 10, 0)[:60], 0, true, errDiag},
		"a socket cut off":               {netlinkMessage(unix.SOCK_DIAG_BY_FAMILY, seq, make([]byte, 40)), 0, true, errDiag},
		"a state that there is not":      {diagMessage(seq, 13, 0), 0, true, errDiag},
		"a length of nothing":            {make([]byte, netlinkHeaderSize), 0, true, errDiag},
	} {
		var counts [connectionStates]int64
		ended, err := countDiag(c.datagram, seq, &counts)
		assert.Equal(t, c.done, ended, name)
		assert.Equal(t, c.listen, counts[ConnectionListen], name)
		require.ErrorIs(t, err, c.err, name)
	}
}

func FuzzCountDiag(f *testing.F) {
	f.Add(join(diagMessage(1, 10, 0), diagMessage(1, 1, 8), netlinkMessage(unix.NLMSG_DONE, 1, errnoBody(0))))
	f.Add(netlinkMessage(unix.NLMSG_ERROR, 1, errnoBody(unix.ENOENT)))
	f.Add(diagMessage(1, 10, 0)[:30])
	f.Add([]byte{17, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var counts [connectionStates]int64
		done, err := countDiag(datagram, 1, &counts)
		if err != nil {
			assert.True(t, done, "an error ends the dump")
		}
		var sum int64
		for _, n := range counts {
			sum += n
		}
		assert.LessOrEqual(t, sum, int64(len(datagram)/(netlinkHeaderSize+diagMessageSize)))
	})
}

func TestWithoutNetlink(t *testing.T) {
	h := liveHost(t)
	c := NewConnections(h)
	for i := range c.refused {
		c.refused[i] = true
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	fromText, err := c.Read()
	require.NoError(t, err)
	assert.Positive(t, fromText[TransportTCP][ConnectionListen])

	d := &diagSocket{fd: -1, err: unix.EPERM, buf: make([]byte, diagBufferSize)}
	_, err = d.count(&socketTables[0])
	require.ErrorIs(t, err, unix.EPERM)

	c = NewConnections(h)
	c.buf = make([]byte, diagBufferSize)
	_, err = c.readTable(0, d)
	require.NoError(t, err, "the text stands in")
	assert.True(t, c.refused[0], "and the kernel is not asked again")
	d.err = fmt.Errorf("no memory: %w", unix.ENOBUFS)
	_, err = c.readTable(1, d)
	require.NoError(t, err)
	assert.False(t, c.refused[1], "but for what may pass")
	d.close()
}

// TestLiveConnections makes sockets in all states that one machine can bring about with itself, in a network namespace that holds no
// others, and counts them in three ways.
func TestLiveConnections(t *testing.T) {
	if !inNamespaces(t, unix.CLONE_NEWNET) {
		return
	}
	loopbackUp(t)
	var want ConnectionCounts
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		makeSockets(t, address, &want)
	}
	h := liveHost(t)
	c := NewConnections(h)
	var fromKernel ConnectionCounts
	var err error
	// The last acknowledgements may still be under way.
	assert.Eventually(t, func() bool {
		fromKernel, err = c.Read()
		return err == nil && fromKernel == want
	}, time.Minute, time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, want, fromKernel)
	assert.Equal(t, [len(socketTables)]bool{}, c.refused, "the kernel answered")

	for i := range c.refused {
		c.refused[i] = true
	}
	fromText, err := c.Read()
	require.NoError(t, err)
	assert.Equal(t, want, fromText)

	if fromSS, ok := countSS(t); ok {
		assert.Equal(t, want, fromSS)
	}
}

// makeSockets leaves open sockets and counts them.
func makeSockets(t *testing.T, address string, want *ConnectionCounts) {
	t.Helper()
	tcp, udp := &want[TransportTCP], &want[TransportUDP]
	open := func(state ConnectionState, more ...ConnectionState) {
		tcp[state]++
		for _, s := range more {
			tcp[s]++
		}
	}
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	open(ConnectionListen)
	pair := func() (client, server *net.TCPConn) {
		a, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		b, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		return a.(*net.TCPConn), b.(*net.TCPConn)
	}
	pair()
	open(ConnectionEstablished, ConnectionEstablished)

	client, server := pair() // One end says that it is done.
	require.NoError(t, client.CloseWrite())
	waitForEnd(t, server)
	open(ConnectionFinWait2, ConnectionCloseWait)

	client, server = pair() // Both did, one after the other.
	require.NoError(t, client.Close())
	waitForEnd(t, server)
	require.NoError(t, server.Close())
	open(ConnectionTimeWait)

	client, server = pair() // One is done, and what it said before does not fit at the other end.
	fill(t, client)
	require.NoError(t, client.CloseWrite())
	open(ConnectionFinWait1, ConnectionEstablished)

	client, server = pair() // The other had been done already.
	require.NoError(t, server.CloseWrite())
	waitForEnd(t, client)
	fill(t, client)
	require.NoError(t, client.CloseWrite())
	open(ConnectionLastAck, ConnectionFinWait2)

	halfOpen(t, l.Addr().(*net.TCPAddr))
	open(ConnectionListen, ConnectionSynReceived, ConnectionEstablished)
	full(t, l.Addr().(*net.TCPAddr))
	open(ConnectionListen, ConnectionSynSent, ConnectionEstablished, ConnectionEstablished)

	u, err := net.ListenPacket("udp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = u.Close() })
	udp[ConnectionClosed]++
	connected, err := net.Dial("udp", u.LocalAddr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = connected.Close() })
	udp[ConnectionEstablished]++
}

func waitForEnd(t *testing.T, c net.Conn) {
	t.Helper()
	var b [1]byte
	_, err := c.Read(b[:])
	require.ErrorIs(t, err, io.EOF)
}

// fill writes until nothing more fits.
func fill(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	block := make([]byte, 1<<20)
	require.NoError(t, raw.Write(func(fd uintptr) bool {
		for {
			if _, err := unix.Write(int(fd), block); err != nil {
				return errors.Is(err, unix.EAGAIN)
			}
		}
	}))
}

// tcpSocket opens a socket of the family of an address, with the address but no port.
func tcpSocket(t *testing.T, address *net.TCPAddr) (fd int, to func(port int) unix.Sockaddr) {
	t.Helper()
	family := unix.AF_INET
	to = func(port int) unix.Sockaddr { return &unix.SockaddrInet4{Port: port, Addr: [4]byte(address.IP.To4())} }
	if address.IP.To4() == nil {
		family = unix.AF_INET6
		to = func(port int) unix.Sockaddr {
			return &unix.SockaddrInet6{Port: port, Addr: [16]byte(address.IP.To16())}
		}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd, to
}

// listener opens a listening socket with room for backlog connections, and gives its address.
func listener(t *testing.T, address *net.TCPAddr, backlog, deferSeconds int) unix.Sockaddr {
	t.Helper()
	fd, to := tcpSocket(t, address)
	require.NoError(t, unix.Bind(fd, to(0)))
	if deferSeconds > 0 {
		require.NoError(t, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, deferSeconds))
	}
	require.NoError(t, unix.Listen(fd, backlog))
	bound, err := unix.Getsockname(fd)
	require.NoError(t, err)
	return bound
}

func connect(t *testing.T, address *net.TCPAddr, to unix.Sockaddr) {
	t.Helper()
	fd, _ := tcpSocket(t, address)
	require.ErrorIs(t, unix.Connect(fd, to), unix.EINPROGRESS)
}

// halfOpen makes a connection that the listener takes for half open until data comes: to the kernel it is a request, and no socket
// yet.
func halfOpen(t *testing.T, address *net.TCPAddr) {
	t.Helper()
	connect(t, address, listener(t, address, 1, 60))
}

// full makes two connections to a listener with room for one, which lets the kernel drop the second.
func full(t *testing.T, address *net.TCPAddr) {
	t.Helper()
	to := listener(t, address, 0, 0)
	connect(t, address, to)
	connect(t, address, to)
}

// countSS counts what the program ss of iproute2 lists.
func countSS(t *testing.T) (counts ConnectionCounts, ok bool) {
	t.Helper()
	states := map[string]ConnectionState{
		"ESTAB": ConnectionEstablished, "SYN-SENT": ConnectionSynSent, "SYN-RECV": ConnectionSynReceived, "FIN-WAIT-1": ConnectionFinWait1,
		"FIN-WAIT-2": ConnectionFinWait2, "TIME-WAIT": ConnectionTimeWait, "UNCONN": ConnectionClosed, "CLOSE-WAIT": ConnectionCloseWait,
		"LAST-ACK": ConnectionLastAck, "LISTEN": ConnectionListen, "CLOSING": ConnectionClosing,
	}
	for transport, flags := range map[Transport]string{TransportTCP: "-Htan", TransportUDP: "-Huan"} {
		out, err := exec.CommandContext(t.Context(), "ss", flags).Output()
		if err != nil {
			return counts, false
		}
		for l := range strings.Lines(string(out)) {
			state, known := states[strings.Fields(l)[0]]
			require.True(t, known, l)
			counts[transport][state]++
		}
	}
	return counts, true
}

func BenchmarkConnections(b *testing.B) {
	h, err := New("")
	require.NoError(b, err)
	for name, refused := range map[string]bool{"netlink": false, "text": true} {
		b.Run(name, func(b *testing.B) {
			c := NewConnections(h)
			for i := range c.refused {
				c.refused[i] = refused
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
