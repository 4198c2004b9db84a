package systemd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"github.com/godbus/dbus/v5"
)

const (
	// maxHandshake bounds what the peer says before the first message, in bytes.
	maxHandshake = 16 << 10
	// maxMessage bounds a message of the peer, in bytes. The answer of a systemd with ten thousand units is about a third of it. The protocol
	// allows 128 MiB, which the library would read and decode into several times as much.
	maxMessage = 8 << 20
	// maxBetween bounds the answers that the peer sends between the begins of two readings, in bytes.
	maxBetween = 4 * maxMessage
	// maxSignals bounds the signals that are listened to between the begins of two readings, in bytes. What comes beyond is passed over.
	maxSignals = 2 * maxMessage
)

// errTooLong is the error of a peer that sends more than systemd does. Errors of it end the connection.
var errTooLong = errors.New("the peer at systemd's socket sends more than systemd does")

// boundedSocket reads no more of a peer than systemd sends: of a handshake, of each message, and between two readings. What it refuses it refuses by
// the head of the message, before anything is allocated for its body. Only one goroutine reads.
type boundedSocket struct {
	net.Conn
	begun atomic.Bool  // The handshake is over.
	left  atomic.Int64 // Bytes of answers that may come until allow is called again.
	// signals are the bytes of signals that may come until allow is called again, and are passed on; none without listening.
	signals   atomic.Int64
	listening atomic.Bool

	refused atomic.Pointer[error] // Why the connection has ended, if that was for a bound.

	head    [16]byte
	waiting []byte // Of head, not yet passed on.
	body    int64  // Bytes of the message that follow the head, not yet passed on.
}

func newBoundedSocket(socket net.Conn) *boundedSocket {
	b := &boundedSocket{Conn: socket}
	b.left.Store(maxHandshake)
	return b
}

// allow lets the peer send as much as one reading may take.
func (b *boundedSocket) allow() {
	b.left.Store(maxBetween)
	if b.listening.Load() {
		b.signals.Store(maxSignals)
	}
}

// listen has signals passed on from now on.
func (b *boundedSocket) listen() {
	b.listening.Store(true)
	b.signals.Store(maxSignals)
}

// Write notices the end of the handshake, which this side says.
func (b *boundedSocket) Write(p []byte) (int, error) {
	if !b.begun.Load() && bytes.HasPrefix(p, []byte("BEGIN")) {
		b.allow()
		b.begun.Store(true)
	}
	return b.Conn.Write(p)
}

// Read reads what the peer sent, but nothing beyond the bounds.
func (b *boundedSocket) Read(p []byte) (int, error) {
	if !b.begun.Load() {
		return b.take(p)
	}
	if len(b.waiting) == 0 && b.body == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	if len(b.waiting) > 0 {
		n := copy(p, b.waiting)
		b.waiting = b.waiting[n:]
		return n, nil
	}
	n, err := b.take(p[:min(int64(len(p)), b.body)])
	b.body -= int64(n)
	return n, err
}

// next reads the head of the next message that is passed on. Calls are not, for nobody has to call, and signals only as far as they are listened to.
func (b *boundedSocket) next() error {
	for {
		size, err := b.readHead()
		if err != nil {
			return err
		}
		body := size - int64(len(b.head))
		switch dbus.Type(b.head[1]) {
		case dbus.TypeSignal:
			if b.signals.Add(-size) >= 0 {
				b.left.Add(size) // They have a bound of their own.
				b.waiting, b.body = b.head[:], body
				return nil
			}
		case dbus.TypeMethodCall:
		default:
			b.waiting, b.body = b.head[:], body
			return nil
		}
		b.left.Add(int64(len(b.head)))
		if _, err := io.CopyN(io.Discard, b.Conn, body); err != nil {
			return err
		}
	}
}

// readHead reads the head of a message, and gives the size of the message in bytes.
func (b *boundedSocket) readHead() (int64, error) {
	if _, err := io.ReadFull(readerFunc(b.take), b.head[:]); err != nil {
		return 0, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch b.head[0] {
	case 'l':
	case 'B':
		order = binary.BigEndian
	default:
		return 0, errors.New("the peer at systemd's socket sends what is no message of D-Bus")
	}
	const bodyLength, fieldsLength, padding = 4, 12, 8
	fields := int64(order.Uint32(b.head[fieldsLength:]))
	fields = (fields + padding - 1) / padding * padding
	size := int64(len(b.head)) + fields + int64(order.Uint32(b.head[bodyLength:]))
	if size > maxMessage {
		return 0, b.refuse("a message of %d bytes, more than %d", size, maxMessage)
	}
	return size, nil
}

// refuse makes the error of what the peer sends beyond a bound.
func (b *boundedSocket) refuse(format string, args ...any) error {
	err := fmt.Errorf("%w: "+format, append([]any{errTooLong}, args...)...)
	b.refused.Store(&err)
	return err
}

// take reads from the peer what it may send, but signals.
func (b *boundedSocket) take(p []byte) (int, error) {
	left := b.left.Load()
	if left <= 0 {
		return 0, b.refuse("more than %d bytes between two readings", maxBetween)
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), left)])
	b.left.Add(-int64(n))
	return n, err
}

type readerFunc func([]byte) (int, error)

// Read calls the function.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
