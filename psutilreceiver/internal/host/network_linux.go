package host

import (
	"bytes"
	"errors"
	"io/fs"
)

const (
	netDevFile       = "proc/net/dev"
	conntrackStats   = "proc/1/net/stat/nf_conntrack"
	conntrackEntries = "proc/sys/net/netfilter/nf_conntrack_count"
	conntrackLimit   = "proc/sys/net/netfilter/nf_conntrack_max"
)

// interfaceMemory is what is known of the interfaces, by name.
type interfaceMemory struct {
	known map[string]*knownInterface
	reads uint64 // number of this read
	// borrowed tells that the last read was of this process's network namespace in place of the host's.
	borrowed bool
}

// knownInterface is where the files of one name are. What they say is read each time: any of it may change under the name.
type knownInterface struct {
	name     string
	wanted   bool
	lastRead uint64
	identity uint64 // last interface index

	index, carrier, operstate, speed, mtu, duplex attribute
}

// Read gives the wanted interfaces in the order of /proc/net/dev. Lines that can't be parsed are an error beside the interfaces
// that can. The slice is valid until the next Read.
func (n *Interfaces) Read() ([]Interface, error) {
	n.interfaces = n.interfaces[:0]
	text, err := n.readNetDev()
	if err != nil {
		return nil, err
	}
	n.reads++
	// Two lines of heading.
	_, text = line(text)
	_, text = line(text)
	for len(text) > 0 {
		var l []byte
		l, text = line(text)
		if len(l) == 0 {
			continue
		}
		name, received, sent, ok := parseNetDevLine(l)
		if !ok {
			err = malformed(netDevFile, l)
			continue
		}
		n.add(name, received, sent)
	}
	for name, k := range n.known {
		if k.lastRead != n.reads {
			delete(n.known, name)
		}
	}
	return n.interfaces, err
}

// Borrowed tells that the host's network namespace could not be read below the root, so that the last read was of the
// collector's own.
func (n *Interfaces) Borrowed() bool { return n.borrowed }

// readNetDev reads the table of the host's network namespace. Under a root that is the one of the host's first process:
// <root>/proc/net is a link to self/net, and self is this process, in whatever namespace its container has.
func (n *Interfaces) readNetDev() ([]byte, error) {
	n.borrowed = false
	if n.host.root != "" {
		text, err := n.host.read("proc/1/net/dev")
		if err == nil {
			return text, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		n.borrowed = true
	}
	return n.host.read(netDevFile)
}

func (n *Interfaces) add(name []byte, received, sent Traffic) {
	k, ok := n.known[string(name)]
	if !ok {
		k = n.learn(string(name))
	}
	k.lastRead = n.reads
	if !k.wanted {
		return
	}
	i := noInterface
	i.Name, i.Received, i.Sent = k.name, received, sent
	if index := k.index.number(); index >= 0 { // An interface that has gone just now has none.
		k.identity = uint64(index)
	}
	i.Identity = k.identity
	if n.fields&LinkUp != 0 {
		i.Up = k.up()
	}
	if n.fields&LinkSpeed != 0 {
		// Megabits; drivers give -1, 0 or 2^32-1 for a speed that they do not know.
		const unknown, million = 1<<32 - 1, 1_000_000
		if v := k.speed.number(); v > 0 && v < unknown {
			i.Speed = v * million
		}
	}
	if n.fields&LinkMTU != 0 {
		i.MTU = k.mtu.number()
	}
	if n.fields&LinkDuplex != 0 {
		i.Duplex = k.duplexMode()
	}
	n.interfaces = append(n.interfaces, i)
}

func (n *Interfaces) learn(name string) *knownInterface {
	if n.known == nil {
		n.known = make(map[string]*knownInterface)
	}
	dir := "sys/class/net/" + name + "/"
	k := &knownInterface{
		name: name, wanted: n.want(name),
		index: n.host.attribute(dir + "ifindex"), carrier: n.host.attribute(dir + "carrier"),
		operstate: n.host.attribute(dir + "operstate"), speed: n.host.attribute(dir + "speed"),
		mtu: n.host.attribute(dir + "mtu"), duplex: n.host.attribute(dir + "duplex"),
	}
	n.known[name] = k
	return k
}

// up asks for the carrier, which the kernel refuses with EINVAL for an interface that is administratively down. Operstate would
// not do: it is "unknown" for the loopback and most virtual interfaces.
func (k *knownInterface) up() int64 {
	text, err := k.carrier.read()
	switch {
	case err == nil && string(text) == "1":
		return 1
	case err == nil:
		return 0
	}
	switch text, _ = k.operstate.read(); string(text) {
	case "up":
		return 1
	case "", "unknown":
		return absent
	}
	return 0
}

func (k *knownInterface) duplexMode() Duplex {
	switch text, _ := k.duplex.read(); string(text) {
	case "full":
		return DuplexFull
	case "half":
		return DuplexHalf
	}
	return DuplexUnknown
}

// parseNetDevLine reads a line of /proc/net/dev: the name, a colon, and of either direction bytes, packets, errors, drops and four
// more. The drops of the first direction include what the device missed.
func parseNetDevLine(l []byte) (name []byte, received, sent Traffic, ok bool) {
	colon := bytes.LastIndexByte(l, ':')
	if colon < 0 {
		return nil, noTraffic, noTraffic, false
	}
	name = bytes.TrimSpace(l[:colon])
	l = l[colon+1:]
	const columns = 16
	var numbers [columns]int64
	for i := range numbers {
		var f []byte
		f, l = field(l)
		if numbers[i], ok = intOf(f); !ok {
			return nil, noTraffic, noTraffic, false
		}
	}
	return name, trafficOf(numbers[:columns/2]), trafficOf(numbers[columns/2:]), len(name) > 0
}

func trafficOf(columns []int64) Traffic {
	return Traffic{Bytes: columns[0], Packets: columns[1], Errors: columns[2], Dropped: columns[3]}
}

// Conntrack gives the fill of the connection tracking table, from /proc/sys/net/netfilter/nf_conntrack_count and _max. Under a root
// that count would be the one of the collector's namespace; /proc/1/net/stat/nf_conntrack has the host's. ErrUnsupported where
// connections are not tracked.
func (h *Host) Conntrack() (Conntrack, error) {
	c := Conntrack{Entries: absent, Limit: absent}
	limit, err := h.oneNumber(conntrackLimit)
	if err != nil {
		return c, optional(err)
	}
	c.Limit = limit
	if h.root != "" {
		text, err := h.read(conntrackStats)
		if err == nil {
			c.Entries, err = parseConntrackStats(text)
			return c, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
	}
	c.Entries, err = h.oneNumber(conntrackEntries)
	return c, optional(err)
}

func (h *Host) oneNumber(name string) (int64, error) {
	text, err := h.read(name)
	if err != nil {
		return absent, err
	}
	v, ok := intOf(bytes.TrimSpace(text))
	if !ok {
		return absent, malformed(name, text)
	}
	return v, nil
}

// parseConntrackStats reads the first number of any line but the heading, in hexadecimal: entries, the same for all CPUs.
func parseConntrackStats(text []byte) (int64, error) {
	_, text = line(text)
	first, _ := field(text)
	if len(first) == 0 || len(first) > 8 {
		return absent, malformed(conntrackStats, text)
	}
	var v int64
	for _, c := range first {
		d, ok := hexDigit(c)
		if !ok {
			return absent, malformed(conntrackStats, text)
		}
		v = v<<4 | int64(d)
	}
	return v, nil
}

func hexDigit(c byte) (uint8, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
