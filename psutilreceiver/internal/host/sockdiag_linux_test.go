package host

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

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
		"a no-op of the kernel":          {join(netlinkMessage(unix.NLMSG_NOOP, seq, nil), diagMessage(seq, 10, 0)), 1, false, nil},
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
