package host

import (
	"bytes"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	snmpFile    = "net/snmp"
	snmp6File   = "net/snmp6"
	netstatFile = "net/netstat"
)

// TCP holds totals of TCP over IPv4 and IPv6 since boot, and how many connections are established: the line `Tcp:` of /proc/net/snmp. A value is -1
// where the kernel does not report it, Odd where it can't be.
type TCP struct {
	Received, Sent int64 // segments; those sent without those sent again
	Retransmits    int64 // segments
	Errors         int64 // segments received with one
	ResetsSent     int64 // segments with the flag RST
	// ConnectionResets are the connections that went from established, or from waiting for this host to close them, to closed at once.
	ConnectionResets int64
	ActiveOpens      int64 // by this host
	PassiveOpens     int64 // by the other side, and accepted
	OpenFailures     int64
	Established      int64 // now: established, or waiting for this host to close them
}

// UDP holds totals of UDP since boot, in datagrams: the line `Udp:` of /proc/net/snmp and the lines `Udp6…` of /proc/net/snmp6. A value is -1 where
// the kernel does not report it, Odd where it can't be.
type UDP struct {
	Received, Sent int64
	NoPort         int64 // no socket has the port
	ReceiveErrors  int64 // not delivered, for whatever reason: the next three are among them
	ReceiveBuffer  int64 // the socket's buffer had no room
	Checksum       int64
	Memory         int64 // UDP has as much memory as it may
	SendBuffer     int64
}

// TCPExtra holds what Linux counts of TCP beyond the standard's counters, since boot: the line `TcpExt:` of /proc/net/netstat. A value is -1 where
// the kernel does not report it, Odd where it can't be.
type TCPExtra struct {
	Timeouts                          int64
	ListenOverflows, ListenDrops      int64
	QueueFullDrops, QueueFullCookies  int64 // TCPReqQFullDrop, TCPReqQFullDoCookies
	CookiesSent, CookiesReceived      int64
	CookiesFailed                     int64
	MemoryPressures                   int64
	BacklogDrops                      int64
	AbortOnData, AbortOnClose         int64
	AbortOnMemory, AbortOnTimeout     int64
	AbortOnLinger, AbortFailed        int64
	PruneCalled, PruneReceive         int64
	PruneOutOfOrder, OutOfOrderQueued int64
}

// SNMP reads the totals of TCP, and those of UDP over IPv4. ErrUnsupported on other systems than Linux.
func (h *Host) SNMP(tcp *TCP, udp *UDP) error {
	text, file, err := h.readHeldOfNetwork(snmpFile)
	if err != nil {
		return optional(err)
	}
	return parseSNMP(file, text, tcp, udp)
}

// UDP6 reads the totals of UDP over IPv6. ErrUnsupported where the kernel has no IPv6, and on other systems than Linux.
func (h *Host) UDP6(udp *UDP) error {
	text, file, err := h.readHeldOfNetwork(snmp6File)
	if err != nil {
		return optional(err)
	}
	return parseSNMP6(file, text, udp)
}

// TCPExtra reads what Linux counts of TCP beyond the standard's counters. ErrUnsupported on other systems.
func (h *Host) TCPExtra(tcp *TCPExtra) error {
	text, file, err := h.readHeldOfNetwork(netstatFile)
	if err != nil {
		return optional(err)
	}
	return parseNetstat(file, text, tcp)
}

func noTCP() TCP {
	return TCP{
		Received: absent, Sent: absent, Retransmits: absent, Errors: absent, ResetsSent: absent, ConnectionResets: absent, ActiveOpens: absent,
		PassiveOpens: absent, OpenFailures: absent, Established: absent,
	}
}

// NoUDP is UDP of which nothing is known.
func NoUDP() UDP {
	return UDP{
		Received: absent, Sent: absent, NoPort: absent, ReceiveErrors: absent, ReceiveBuffer: absent, Checksum: absent, Memory: absent, SendBuffer: absent,
	}
}

// OddUDP is UDP that could not be read.
func OddUDP() UDP {
	return UDP{Received: Odd, Sent: Odd, NoPort: Odd, ReceiveErrors: Odd, ReceiveBuffer: Odd, Checksum: Odd, Memory: Odd, SendBuffer: Odd}
}

func noTCPExtra() TCPExtra {
	return TCPExtra{
		Timeouts: absent, ListenOverflows: absent, ListenDrops: absent, QueueFullDrops: absent, QueueFullCookies: absent, CookiesSent: absent,
		CookiesReceived: absent, CookiesFailed: absent, MemoryPressures: absent, BacklogDrops: absent, AbortOnData: absent, AbortOnClose: absent,
		AbortOnMemory: absent, AbortOnTimeout: absent, AbortOnLinger: absent, AbortFailed: absent, PruneCalled: absent, PruneReceive: absent,
		PruneOutOfOrder: absent, OutOfOrderQueued: absent,
	}
}

// Plus adds the totals over IPv6 to those over IPv4. A sum with a part that can't be is none.
func (u UDP) Plus(v *UDP) UDP {
	return UDP{
		Received: addTo(u.Received, v.Received), Sent: addTo(u.Sent, v.Sent), NoPort: addTo(u.NoPort, v.NoPort),
		ReceiveErrors: addTo(u.ReceiveErrors, v.ReceiveErrors), ReceiveBuffer: addTo(u.ReceiveBuffer, v.ReceiveBuffer),
		Checksum: addTo(u.Checksum, v.Checksum), Memory: addTo(u.Memory, v.Memory), SendBuffer: addTo(u.SendBuffer, v.SendBuffer),
	}
}

// addTo adds a part that may not be reported to a value. Without the value there is no sum.
func addTo(v, part int64) int64 {
	if v == absent {
		return absent
	}
	return sumOf(v, part)
}

// sumOf adds two values of which either may not be reported, or be one that can't be.
func sumOf(a, b int64) int64 {
	switch sum := a + b; {
	case a == Odd || b == Odd:
		return Odd
	case a < 0:
		return b
	case b < 0:
		return a
	case sum < 0: // Beyond what an int64 holds.
		return Odd
	default:
		return sum
	}
}

// parseSNMP reads pairs of lines: names, and below them the values, either begun with the protocol.
func parseSNMP(file string, text []byte, tcp *TCP, udp *UDP) error {
	*tcp, *udp = noTCP(), NoUDP()
	return pairedLines(file, text, func(protocol, name []byte) *int64 {
		if string(protocol) == "Tcp:" {
			return tcp.field(name)
		}
		return udp.field(name)
	}, "Tcp:", "Udp:")
}

func parseNetstat(file string, text []byte, tcp *TCPExtra) error {
	*tcp = noTCPExtra()
	return pairedLines(file, text, func(_, name []byte) *int64 { return tcp.field(name) }, "TcpExt:")
}

// pairedLines reads such pairs of lines, of some protocols, into the fields that have a name. One blank stands between two columns, so that a missing
// number costs itself alone.
func pairedLines(file string, text []byte, field func(protocol, name []byte) *int64, protocols ...string) error {
	odd := oddValues{file: file}
	found := false
	for rest := text; len(rest) > 0; {
		var names, values []byte
		names, rest = proctext.Line(rest)
		protocol, names, _ := proctext.Column(names)
		values, after := proctext.Line(rest)
		same, values, _ := proctext.Column(values)
		paired := len(protocol) > 0 && bytes.Equal(same, protocol)
		if paired {
			rest = after
		}
		if !isOneOf(protocol, protocols) {
			continue
		}
		for {
			name, others, there := proctext.Column(names)
			if !there {
				break
			}
			names = others
			var number []byte
			number, values, _ = proctext.Column(values)
			dst := field(protocol, name)
			if dst == nil {
				continue
			}
			v, ok := proctext.Int(number)
			if !ok || !paired {
				odd.add(number)
				v = Odd
			}
			*dst = v
			found = true
		}
	}
	if !found {
		return malformed(file, text)
	}
	return odd.err
}

func isOneOf(word []byte, words []string) bool {
	return slices.Contains(words, string(word))
}

// parseSNMP6 reads lines of a name, blanks and a value.
func parseSNMP6(file string, text []byte, udp *UDP) error {
	*udp = NoUDP()
	odd := oddValues{file: file}
	found := false
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		name, isUDP := bytes.CutPrefix(l, []byte("Udp6"))
		if !isUDP {
			continue
		}
		name, values := proctext.Field(name)
		dst := udp.field(name)
		if dst == nil {
			continue
		}
		number, _ := proctext.Field(values)
		v, ok := proctext.Int(number)
		if !ok {
			odd.add(l)
			v = Odd
		}
		*dst, found = v, true
	}
	if !found {
		return malformed(file, text)
	}
	return odd.err
}

func (t *TCP) field(name []byte) *int64 {
	switch string(name) {
	case "ActiveOpens":
		return &t.ActiveOpens
	case "PassiveOpens":
		return &t.PassiveOpens
	case "AttemptFails":
		return &t.OpenFailures
	case "EstabResets":
		return &t.ConnectionResets
	case "CurrEstab":
		return &t.Established
	case "InSegs":
		return &t.Received
	case "OutSegs":
		return &t.Sent
	case "RetransSegs":
		return &t.Retransmits
	case "InErrs":
		return &t.Errors
	case "OutRsts":
		return &t.ResetsSent
	}
	return nil
}

func (u *UDP) field(name []byte) *int64 {
	switch string(name) {
	case "InDatagrams":
		return &u.Received
	case "OutDatagrams":
		return &u.Sent
	case "NoPorts":
		return &u.NoPort
	case "InErrors":
		return &u.ReceiveErrors
	case "RcvbufErrors":
		return &u.ReceiveBuffer
	case "SndbufErrors":
		return &u.SendBuffer
	case "InCsumErrors":
		return &u.Checksum
	case "MemErrors":
		return &u.Memory
	}
	return nil
}

func (t *TCPExtra) field(name []byte) *int64 {
	switch string(name) {
	case "SyncookiesSent":
		return &t.CookiesSent
	case "SyncookiesRecv":
		return &t.CookiesReceived
	case "SyncookiesFailed":
		return &t.CookiesFailed
	case "PruneCalled":
		return &t.PruneCalled
	case "RcvPruned":
		return &t.PruneReceive
	case "OfoPruned":
		return &t.PruneOutOfOrder
	case "ListenOverflows":
		return &t.ListenOverflows
	case "ListenDrops":
		return &t.ListenDrops
	}
	if rest, ok := bytes.CutPrefix(name, []byte("TCP")); ok {
		return t.fieldOfTCP(rest)
	}
	return nil
}

func (t *TCPExtra) fieldOfTCP(name []byte) *int64 {
	switch string(name) {
	case "Timeouts":
		return &t.Timeouts
	case "AbortOnData":
		return &t.AbortOnData
	case "AbortOnClose":
		return &t.AbortOnClose
	case "AbortOnMemory":
		return &t.AbortOnMemory
	case "AbortOnTimeout":
		return &t.AbortOnTimeout
	case "AbortOnLinger":
		return &t.AbortOnLinger
	case "AbortFailed":
		return &t.AbortFailed
	case "MemoryPressures":
		return &t.MemoryPressures
	case "BacklogDrop":
		return &t.BacklogDrops
	case "ReqQFullDoCookies":
		return &t.QueueFullCookies
	case "ReqQFullDrop":
		return &t.QueueFullDrops
	case "OFOQueue":
		return &t.OutOfOrderQueued
	}
	return nil
}
