package host

import (
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

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

	client, _ = pair() // One is done, and what it said before does not fit at the other end.
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
