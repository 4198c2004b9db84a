package host

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// UDPQueues adds up the queues of the sockets over IPv4 and IPv6, from /proc/net/udp and udp6, which have a line for each. ErrUnsupported where there is
// no such table.
func (h *Host) UDPQueues() (UDPQueues, error) {
	var sum UDPQueues
	dir := "proc/net/"
	if h.root != "" {
		dir = "proc/1/net/"
	}
	if cap(h.scratch) < tablePiece {
		h.scratch = make([]byte, 0, tablePiece)
	}
	for i, name := range [...]string{"udp", "udp6"} {
		lines := udpQueueLines{odd: oddValues{file: dir + name}}
		rest, err := h.readPieces(dir+name, h.scratch[:cap(h.scratch)], lines.feed)
		if i > 0 && errors.Is(err, fs.ErrNotExist) {
			break // A kernel without IPv6.
		}
		if err != nil {
			return UDPQueues{}, optional(err)
		}
		lines.add(rest)
		if !lines.heading {
			return UDPQueues{}, malformed(dir+name, nil)
		}
		sum.Received, sum.Sent = sumOf(sum.Received, lines.sum.Received), sumOf(sum.Sent, lines.sum.Sent)
		if lines.odd.err != nil {
			return UDPQueues{Received: Odd, Sent: Odd}, lines.odd.err
		}
	}
	return sum, nil
}

// udpQueueLines adds up lines: number, local address, remote address, state, and the queues for sending and receiving, in hexadecimal with a colon
// between.
type udpQueueLines struct {
	heading bool // has passed
	sum     UDPQueues
	odd     oddValues
}

func (u *udpQueueLines) add(l []byte) {
	switch {
	case len(bytes.TrimSpace(l)) == 0:
		return
	case !u.heading:
		u.heading = true
		return
	}
	field, rest := proctext.Field(l)
	for range 4 {
		field, rest = proctext.Field(rest)
	}
	sentText, receivedText, _ := bytes.Cut(field, []byte{':'})
	sent, received := hexWord(sentText), hexWord(receivedText)
	if sent < 0 || received < 0 {
		u.odd.add(l)
		return
	}
	u.sum.Sent += sent
	u.sum.Received += received
}

// feed adds the whole lines of text and gives what is left after the last of them.
func (u *udpQueueLines) feed(text []byte) (rest []byte) { return wholeLines(text, u.add) }

// tablePiece is how much of a long table is read at once.
const tablePiece = 32 << 10
