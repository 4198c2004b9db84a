package host

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

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
		assert.False(t, c.OwnNamespace())
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
	assert.True(t, c.OwnNamespace())
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
		rest := lines.feed([]byte(map[bool]string{true: socketsHeading}[i == 0] + socketLineOf(fmt.Sprintf("%02X", i+1))))
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
	var unfinished []byte
	for len(text) > 0 {
		n := min(piece, len(text))
		unfinished = append(unfinished, text[:n]...)
		text = text[n:]
		rest := lines.feed(unfinished)
		unfinished = append([]byte(nil), rest...)
	}
	return counts, lines.finish(unfinished)
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
	require.NoError(t, err, "the text is read instead")
	assert.True(t, c.refused[0], "and the kernel is not queried again")
	d.err = fmt.Errorf("no memory: %w", unix.ENOBUFS)
	_, err = c.readTable(1, d)
	require.NoError(t, err)
	assert.False(t, c.refused[1], "but for what may pass")
	d.close()
}
