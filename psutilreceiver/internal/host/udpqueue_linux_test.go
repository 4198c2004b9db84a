package host

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const udpHeading = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n"

func udpLine(sent, received string) string {
	return "  388: 0A01A8C0:D012 0801A8C0:0035 01 " + sent + ":" + received + " 00:00000000 00000000     0        0 20412 2 0000000000000000 0  \n"
}

// TestUDPQueuesAddUp over more sockets than one piece of the table has.
func TestUDPQueuesAddUp(t *testing.T) {
	var v4, v6 strings.Builder
	v4.WriteString(udpHeading)
	v6.WriteString(udpHeading)
	want := UDPQueues{}
	for i := range int64(2000) {
		v4.WriteString(udpLine(fmt.Sprintf("%08X", i), fmt.Sprintf("%08X", 7*i)))
		want.Sent += i
		want.Received += 7 * i
	}
	v6.WriteString(udpLine("000000FF", "00000A00"))
	want.Sent += 0xff
	want.Received += 0xa00
	h := hostWith(t, map[string]string{"proc/1/net/udp": v4.String(), "proc/1/net/udp6": v6.String()})
	got, err := h.UDPQueues()
	require.NoError(t, err)
	assert.Equal(t, want, got)

	got, err = hostWith(t, map[string]string{"proc/1/net/udp": v4.String()}).UDPQueues()
	require.NoError(t, err, "a kernel without IPv6")
	assert.Equal(t, want.Sent-0xff, got.Sent)
	_, err = hostWith(t, nil).UDPQueues()
	require.ErrorIs(t, err, ErrUnsupported)
	got, err = hostWith(t, map[string]string{"proc/1/net/udp": udpHeading + udpLine("00000001", "x")}).UDPQueues()
	require.True(t, IsOdd(err))
	assert.Equal(t, UDPQueues{Received: Odd, Sent: Odd}, got)
}

// TestUDPQueuesOfThisKernel sends a datagram that nobody reads.
func TestUDPQueuesOfThisKernel(t *testing.T) {
	h := liveHost(t)
	listener, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	sender, err := net.Dial("udp4", listener.LocalAddr().String())
	require.NoError(t, err)
	defer func() { _ = sender.Close() }()
	_, err = sender.Write(make([]byte, 1000))
	require.NoError(t, err)
	queues, err := h.UDPQueues()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, queues.Received, int64(1000))
}

func FuzzUDPQueueLines(f *testing.F) {
	f.Add([]byte(udpHeading + udpLine("00000001", "0000000A")))
	f.Fuzz(func(t *testing.T, text []byte) {
		var lines udpQueueLines
		lines.add(lines.feed(text))
		assert.GreaterOrEqual(t, min(lines.sum.Received, lines.sum.Sent), int64(0))
	})
}
