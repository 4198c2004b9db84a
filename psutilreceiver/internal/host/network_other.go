//go:build !linux

package host

import (
	"context"
	stdnet "net"

	"github.com/shirou/gopsutil/v3/net"
)

// interfaceMemory is empty: nothing outlasts a read.
type interfaceMemory struct{}

// Read gives the included interfaces in the order of the system. Speed and duplex mode are not known. The slice is valid until the
// next Read.
func (n *Interfaces) Read() ([]Interface, error) {
	n.interfaces = n.interfaces[:0]
	counters, err := net.IOCountersWithContext(context.Background(), true)
	if err != nil {
		return nil, portable("reading the network interfaces", err)
	}
	links := linksByName()
	for i := range counters {
		c := &counters[i]
		if !n.include(c.Name) {
			continue
		}
		s := noInterface
		s.Name = c.Name
		s.Received = Traffic{bytesOf(c.BytesRecv), bytesOf(c.PacketsRecv), bytesOf(c.Errin), bytesOf(c.Dropin)}
		s.Sent = Traffic{bytesOf(c.BytesSent), bytesOf(c.PacketsSent), bytesOf(c.Errout), bytesOf(c.Dropout)}
		if l, ok := links[c.Name]; ok {
			s.Identity = uint64(l.Index)
			n.describe(&s, &l)
		}
		n.interfaces = append(n.interfaces, s)
	}
	return n.interfaces, nil
}

// Close does nothing: no file is kept open.
func (n *Interfaces) Close() error { return nil }

// linksByName uses the standard library, because gopsutil's list lacks the flag that a link is up, and reads
// every address.
func linksByName() map[string]stdnet.Interface {
	list, err := stdnet.Interfaces()
	if err != nil {
		return nil
	}
	links := make(map[string]stdnet.Interface, len(list))
	for _, l := range list {
		links[l.Name] = l
	}
	return links
}

func (n *Interfaces) describe(s *Interface, l *stdnet.Interface) {
	if n.fields&LinkUp != 0 {
		s.Up = 0
		if l.Flags&stdnet.FlagUp != 0 && l.Flags&stdnet.FlagRunning != 0 {
			s.Up = 1
		}
	}
	if n.fields&LinkMTU != 0 && l.MTU > 0 {
		s.MTU = int64(l.MTU)
	}
	if n.fields&LinkDuplex != 0 {
		s.Duplex = DuplexUnknown
	}
}

// OwnNamespace is false: there is no other root than the system's own.
func (n *Interfaces) OwnNamespace() bool { return false }

// Conntrack is ErrUnsupported: it is a thing of Linux.
func (h *Host) Conntrack() (Conntrack, error) {
	return Conntrack{Entries: absent, Limit: absent}, ErrUnsupported
}
