package host

import (
	"bytes"
	"errors"
	"os"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	sockstatFile   = "net/sockstat"
	sockstat6File  = "net/sockstat6"
	tcpMemFile     = "proc/sys/net/ipv4/tcp_mem"
	maxOrphansFile = "proc/sys/net/ipv4/tcp_max_orphans"
)

// Sockets is how many sockets the host's network namespace has, and what they use, from /proc/net/sockstat and sockstat6. A value is -1 where the
// kernel does not report it, Odd where it can't be.
type Sockets struct {
	Used           int64 // of every kind
	TCP, UDP       int64 // in use, over IPv4 and IPv6
	TCPOrphaned    int64 // that no process has open any more
	TCPTimeWait    int64
	TCPAllocated   int64
	TCPMemory      int64 // bytes, of the whole host
	UDPMemory      int64 // bytes, of the whole host
	FragmentMemory int64 // bytes, of fragments over IPv4 and IPv6
}

func noSockets() Sockets {
	return Sockets{
		Used: absent, TCP: absent, UDP: absent, TCPOrphaned: absent, TCPTimeWait: absent, TCPAllocated: absent, TCPMemory: absent, UDPMemory: absent,
		FragmentMemory: absent,
	}
}

// Sockets reads the numbers of sockets into s, those over IPv6 not yet. ErrUnsupported on other systems than Linux.
func (h *Host) Sockets(s *Sockets) error {
	*s = noSockets()
	text, file, err := h.readHeldOfNetwork(sockstatFile)
	if err != nil {
		return optional(err)
	}
	return s.parse(file, text, false)
}

// AddSockets6 adds the sockets over IPv6, of which a kernel without IPv6 has none. If they can't be read, what they are part of is Odd.
func (h *Host) AddSockets6(s *Sockets) error {
	text, file, err := h.readHeldOfNetwork(sockstat6File)
	switch {
	case err == nil:
		err = s.parse(file, text, true)
	case errors.Is(optional(err), ErrUnsupported):
		return nil
	}
	if err != nil && !IsOdd(err) {
		s.TCP, s.UDP, s.FragmentMemory = Odd, Odd, Odd
	}
	return err
}

// parse reads such a file, in lines such as: TCP: inuse 5 orphan 0 tw 1 alloc 8 mem 3. What it has is more of what is known, or is all of it.
func (s *Sockets) parse(file string, text []byte, more bool) error {
	odd := oddValues{file: file}
	found := false
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		protocol, values, _ := proctext.Column(l)
		for {
			name, after, there := proctext.Column(values)
			if !there {
				break
			}
			var number []byte
			number, values, _ = proctext.Column(after)
			dst, unit := s.field(protocol, name)
			if dst == nil {
				continue
			}
			v, ok := proctext.Int(number)
			if !ok || v > maxSockets {
				odd.add(l)
				v = Odd
			} else {
				v *= unit
			}
			found = true
			if more {
				v = addTo(*dst, v)
			}
			*dst = v
		}
	}
	if !found {
		return malformed(file, text)
	}
	return odd.err
}

// maxSockets is more than any host has of sockets, or of pages for them.
const maxSockets = 1 << 40

func (s *Sockets) field(protocol, name []byte) (dst *int64, unit int64) {
	switch string(protocol) {
	case "sockets:":
		if string(name) == "used" {
			return &s.Used, 1
		}
	case "TCP:":
		return s.fieldOfTCP(name)
	case "UDP:":
		switch string(name) {
		case "inuse":
			return &s.UDP, 1
		case "mem":
			return &s.UDPMemory, pageSize
		}
	case "TCP6:":
		if string(name) == "inuse" {
			return &s.TCP, 1
		}
	case "UDP6:":
		if string(name) == "inuse" {
			return &s.UDP, 1
		}
	case "FRAG:", "FRAG6:":
		if string(name) == "memory" {
			return &s.FragmentMemory, 1
		}
	}
	return nil, 0
}

func (s *Sockets) fieldOfTCP(name []byte) (dst *int64, unit int64) {
	switch string(name) {
	case "inuse":
		return &s.TCP, 1
	case "orphan":
		return &s.TCPOrphaned, 1
	case "tw":
		return &s.TCPTimeWait, 1
	case "alloc":
		return &s.TCPAllocated, 1
	case "mem":
		return &s.TCPMemory, pageSize
	}
	return nil, 0
}

// pageSize is the unit of the memory of sockets.
var pageSize = int64(os.Getpagesize())

// TCPMemoryLimit gives the bytes above which TCP gets no memory, from /proc/sys/net/ipv4/tcp_mem. ErrUnsupported in a network namespace that is not
// the first, which does not show it, and on other systems than Linux.
func (h *Host) TCPMemoryLimit() (int64, error) {
	text, err := h.readHeld(tcpMemFile)
	if err != nil {
		return absent, optional(err)
	}
	line, _ := proctext.Line(text)
	number := line[bytes.LastIndexByte(line, '\t')+1:] // Below the first there is no pressure, above the second there is.
	v, ok := proctext.Int(number)
	if !ok || v > maxSockets || bytes.Count(line, []byte{'\t'}) != 2 {
		return Odd, oddText(tcpMemFile, text)
	}
	return v * pageSize, nil
}

// TCPOrphanLimit gives the number of orphaned TCP sockets above which the kernel resets them, from /proc/sys/net/ipv4/tcp_max_orphans.
// ErrUnsupported as for TCPMemoryLimit.
func (h *Host) TCPOrphanLimit() (int64, error) {
	text, err := h.readHeld(maxOrphansFile)
	if err != nil {
		return absent, optional(err)
	}
	number, _ := proctext.Field(text)
	v, ok := proctext.Int(number)
	if !ok {
		return Odd, oddText(maxOrphansFile, text)
	}
	return v, nil
}
