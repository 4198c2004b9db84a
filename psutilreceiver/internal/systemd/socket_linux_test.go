package systemd

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd/systemdtest"
)

// head is the begin of a message of certain lengths.
func head(order binary.ByteOrder, body, fields uint32) []byte {
	b := make([]byte, 16)
	b[0], b[1], b[3] = 'l', byte(dbus.TypeMethodReply), 1
	if order == binary.BigEndian {
		b[0] = 'B'
	}
	order.PutUint32(b[4:], body)
	order.PutUint32(b[8:], 7)
	order.PutUint32(b[12:], fields)
	return b
}

// TestMessageTooLong holds that a message is refused by its head, before its body is read, whatever in it is long.
func TestMessageTooLong(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, lengths := range [][2]uint32{
			{maxMessage, 0},
			{0, maxMessage},
			{maxMessage / 2, maxMessage / 2},
			{100 << 20, 8},
			{math.MaxUint32, 16},
			{16, math.MaxUint32},
			{math.MaxUint32, math.MaxUint32},
			{0, math.MaxUint32 - 15},
		} {
			ours, theirs := net.Pipe()
			socket := newBoundedSocket(ours)
			go func() {
				_, _ = theirs.Read(make([]byte, 7))
				_, _ = theirs.Write(head(order, lengths[0], lengths[1]))
			}()
			_, err := socket.Write([]byte("BEGIN\r\n"))
			require.NoError(t, err)
			n, err := socket.Read(make([]byte, 1))
			assert.Zero(t, n)
			require.ErrorIs(t, err, errTooLong, "%v", lengths)
			require.NoError(t, ours.Close())
			require.NoError(t, theirs.Close())
		}
	}
}

// TestSocketPassesMessages holds that what is within the bounds comes as it was sent, however it is read.
func TestSocketPassesMessages(t *testing.T) {
	var sent bytes.Buffer
	for _, body := range []int{0, 1, 100, 1 << 20, maxMessage - 32} {
		sent.Write(head(binary.LittleEndian, uint32(body), 9))
		sent.Write(bytes.Repeat([]byte{'x'}, 16+body))
	}
	want := bytes.Clone(sent.Bytes())
	ours, theirs := net.Pipe()
	socket := newBoundedSocket(ours)
	socket.begun.Store(true)
	socket.allow()
	go func() { _, _ = io.Copy(theirs, &sent); _ = theirs.Close() }()
	got, err := io.ReadAll(socket)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
}

// TestPeerTooLong holds that a peer that answers with a long message costs an error and no memory, and that the next reading connects again.
func TestPeerTooLong(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	r := slowly(root, all())
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	_, err := r.Read(patient)
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m.Stall(true)
	m.Send(append(head(binary.LittleEndian, 127<<20, 8), make([]byte, 1<<10)...))
	_, err = r.Read(patient)
	require.ErrorIs(t, err, errTooLong)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(maxMessage))
	m.Stall(false)
	_, err = r.Read(patient)
	require.NoError(t, err)
}

// TestFloodBetweenReadings holds that a peer that sends and sends is cut off.
func TestFloodBetweenReadings(t *testing.T) {
	ours, theirs := net.Pipe()
	socket := newBoundedSocket(ours)
	socket.begun.Store(true)
	socket.allow()
	go func() {
		message := append(head(binary.LittleEndian, 1<<20, 0), make([]byte, 1<<20)...)
		for {
			if _, err := theirs.Write(message); err != nil {
				return
			}
		}
	}()
	n, err := io.Copy(io.Discard, socket)
	require.ErrorIs(t, err, errTooLong)
	assert.LessOrEqual(t, n, int64(maxBetween))
	require.NoError(t, ours.Close())
}

// TestSignalsBetweenReadings holds that signals are passed on as far as they are listened to, and that no flood of them or of calls hides an answer.
func TestSignalsBetweenReadings(t *testing.T) {
	message := func(kind dbus.Type) []byte {
		m := append(head(binary.LittleEndian, 1<<20, 0), make([]byte, 1<<20)...)
		m[1] = byte(kind)
		return m
	}
	for _, listening := range []bool{false, true} {
		ours, theirs := net.Pipe()
		socket := newBoundedSocket(ours)
		socket.begun.Store(true)
		if listening {
			socket.listen()
		}
		socket.allow()
		go func() {
			for range 64 {
				_, _ = theirs.Write(message(dbus.TypeSignal))
				_, _ = theirs.Write(message(dbus.TypeMethodCall))
			}
			_, _ = theirs.Write(message(dbus.TypeMethodReply))
			_ = theirs.Close()
		}()
		got, err := io.ReadAll(socket)
		require.NoError(t, err)
		signals, size := 0, len(message(dbus.TypeSignal))
		for ; len(got) > size; got = got[size:] {
			assert.Equal(t, byte(dbus.TypeSignal), got[1])
			signals++
		}
		require.Len(t, got, size)
		assert.Equal(t, byte(dbus.TypeMethodReply), got[1], "the answer")
		if listening {
			assert.Equal(t, maxSignals/size, signals)
		} else {
			assert.Zero(t, signals)
		}
	}
}

// TestHandshakeTooLong holds that a peer that never ends its line is not read on and on.
func TestHandshakeTooLong(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	go func() {
		for {
			if _, err := io.WriteString(theirs, strings.Repeat("REJECTED ", 1000)); err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	_, err := newConnection(ctx, ours, true)
	require.ErrorIs(t, err, errTooLong)
}

// TestUnexpectedMessages holds that what no systemd sends does nothing: the library would panic at a name that is none, and answer calls.
func TestUnexpectedMessages(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	query := all()
	query.Follow = true
	r := slowly(root, query)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	_, err := r.Read(patient)
	require.NoError(t, err)
	message := func(kind dbus.Type, of, member string, body ...any) []byte {
		x := &dbus.Message{Type: kind, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath("/org/freedesktop/DBus")), dbus.FieldInterface: dbus.MakeVariant(of),
			dbus.FieldMember: dbus.MakeVariant(member), dbus.FieldSender: dbus.MakeVariant("org.freedesktop.DBus"),
		}}
		if len(body) > 0 {
			x.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
		}
		var b bytes.Buffer
		// The library numbers messages as it sends them; one that is written by hand needs a number.
		require.NoError(t, x.EncodeTo(&b, binary.LittleEndian))
		text := b.Bytes()
		binary.LittleEndian.PutUint32(text[8:], 9)
		return text
	}
	for _, member := range []string{"NameLost", "NameAcquired"} {
		m.Send(message(dbus.TypeSignal, "org.freedesktop.DBus", member))
		m.Send(message(dbus.TypeSignal, "org.freedesktop.DBus", member, uint32(1)))
	}
	m.Send(message(dbus.TypeSignal, "org.freedesktop.DBus.Properties", "PropertiesChanged"))
	m.Send(message(dbus.TypeSignal, "org.freedesktop.DBus.Properties", "PropertiesChanged", uint32(1), uint32(2)))
	m.Send(message(dbus.TypeMethodCall, "org.freedesktop.DBus.Peer", "Ping"))
	s, err := r.Read(patient)
	require.NoError(t, err)
	assert.Equal(t, "running", s.State)
}
