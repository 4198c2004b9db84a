package events

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// datagram makes one message of the process connector.
func datagram(what uint32, words ...uint32) []byte {
	native := binary.NativeEndian
	m := make([]byte, netlinkHeader+connectorHeader+processHeader+4*len(words))
	native.PutUint32(m, uint32(len(m)))
	native.PutUint16(m[4:], netlinkDone)
	native.PutUint32(m[netlinkHeader:], connectorID)
	native.PutUint32(m[netlinkHeader+4:], connectorID)
	event := m[netlinkHeader+connectorHeader:]
	native.PutUint32(event, what)
	native.PutUint64(event[8:], 77)
	for i, w := range words {
		native.PutUint32(event[processHeader+4*i:], w)
	}
	return m
}

func TestProcessMessages(t *testing.T) {
	native := binary.NativeEndian
	name := []byte("a name\x00\x00")
	var all []byte
	for _, m := range [][]byte{
		datagram(connectorFork, 10, 10, 20, 20),
		datagram(connectorExec, 20, 20),
		datagram(4, 20, 20, 0, 0), // A change of user.
		datagram(connectorComm, 20, 20, native.Uint32(name), native.Uint32(name[4:])),
		datagram(connectorExit, 20, 20, 0x300, 17, 10, 10),
		datagram(connectorExit, 21, 21, 9, 17), // Before Linux 4.18.
	} {
		all = append(all, m...)
	}
	var found []processMessage
	parseProcessMessages(all, func(m processMessage) { found = append(found, m) })
	assert.Equal(t, []processMessage{
		{what: connectorFork, parent: 10, pid: 20, tgid: 20, monotonicNS: 77},
		{what: connectorExec, pid: 20, tgid: 20, monotonicNS: 77},
		{what: connectorComm, pid: 20, tgid: 20, comm: "a name", monotonicNS: 77},
		{what: connectorExit, pid: 20, tgid: 20, exitCode: 0x300, parent: 10, monotonicNS: 77},
		{what: connectorExit, pid: 21, tgid: 21, exitCode: 9, monotonicNS: 77},
	}, found)
	other := datagram(connectorExec, 20, 20)
	native.PutUint32(other[netlinkHeader:], 5) // Another connector.
	parseProcessMessages(other, func(processMessage) { require.Fail(t, "another connector's message") })
}

// FuzzProcessMessages holds that no datagram makes the decoder panic or go on for ever, and that what it gives are processes.
func FuzzProcessMessages(f *testing.F) {
	f.Add(datagram(connectorFork, 10, 10, 20, 20))
	f.Add(append(datagram(connectorExit, 1, 1, 9), datagram(connectorComm, 1, 1, 0x41)...))
	f.Add([]byte{16, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		n := 0
		parseProcessMessages(text, func(m processMessage) {
			n++
			assert.Positive(t, m.pid)
			assert.Positive(t, m.tgid)
			assert.LessOrEqual(t, len(m.comm), maxComm)
		})
		assert.LessOrEqual(t, n, len(text)/(netlinkHeader+connectorHeader))
	})
}
