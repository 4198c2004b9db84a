package host

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
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
	files sysfsReader
	all   sysfsFile // the directory of all interfaces
	list  []byte    // buffer for it
	reads uint64    // number of this read
	// changed: an interface has come or gone since they were classified.
	changed     bool
	anyHardware bool // one of them is of a device
	// ownNamespace reports that the last read was of this process's network namespace in place of the host's.
	ownNamespace bool
}

// knownInterface is where the files of one name are. Their values are read each time: any of them may change under the name.
type knownInterface struct {
	name      string
	included  bool
	lastRead  uint64
	lastIndex uint64 // last interface index
	certain   bool   // that it is the index of the one that has the name
	inode     uint64 // of its place in sysfs, when its files were opened
	carried   bool   // other interfaces count its traffic as well

	index, carrier, operstate, speed, mtu, duplex, carrierChanges, queueLength sysfsFile
}

// Read gives the included interfaces in the order of /proc/net/dev. Lines that can't be parsed are an error beside the interfaces
// that can. The slice is valid until the next Read.
func (n *Interfaces) Read() ([]Interface, error) {
	n.interfaces = n.interfaces[:0]
	text, err := n.readNetDev()
	if err != nil {
		return nil, err
	}
	n.reads++
	n.checkHeld()
	odd := oddValues{file: netDevFile}
	// Two lines of heading.
	_, text = proctext.Line(text)
	_, text = proctext.Line(text)
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		if len(l) == 0 {
			continue
		}
		name, received, sent, counters, ok := parseNetDevLine(l, &odd)
		if !ok {
			err = malformed(netDevFile, l)
			continue
		}
		if indexErr := n.add(name, received, sent, counters); indexErr != nil {
			err = indexErr
		}
	}
	for name, k := range n.known {
		if k.lastRead != n.reads {
			n.remove(name, k)
		}
	}
	n.dropCarried()
	return n.interfaces, cmp.Or(err, odd.err)
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (n *Interfaces) Close() error {
	for name, k := range n.known {
		n.remove(name, k)
	}
	n.files.close(&n.all)
	return nil
}

func (n *Interfaces) remove(name string, k *knownInterface) {
	n.release(k)
	delete(n.known, name)
	n.changed = true
}

func (n *Interfaces) release(k *knownInterface) {
	n.files.close(&k.index, &k.carrier, &k.operstate, &k.speed, &k.mtu, &k.duplex, &k.carrierChanges, &k.queueLength)
}

// checkHeld closes the files of names that another interface has taken, which it may do without the first one's end: by a change
// of names. Each interface is an inode of its own in the directory of all, which has them all at once.
func (n *Interfaces) checkHeld() {
	if len(n.known) == 0 {
		return
	}
	err := n.files.eachInode(&n.all, n.list, func(name []byte, inode uint64) {
		if k, ok := n.known[string(name)]; ok && k.inode != inode {
			n.release(k)
			k.inode, k.certain = inode, false
		}
	})
	if err != nil {
		for _, k := range n.known {
			n.release(k)
		}
	}
}

// OwnNamespace reports that the host's network namespace could not be read below the root, so that the last read was of the
// collector's own.
func (n *Interfaces) OwnNamespace() bool { return n.ownNamespace }

// readNetDev reads the table of the host's network namespace. Under a root that is the one of the host's first process:
// <root>/proc/net is a link to self/net, and self is this process, in whatever namespace its container has.
func (n *Interfaces) readNetDev() ([]byte, error) {
	n.ownNamespace = false
	if n.host.root != "" {
		text, err := n.host.readHeld("proc/1/net/dev")
		if err == nil {
			return text, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		n.ownNamespace = true
	}
	return n.host.readHeld(netDevFile)
}

// add adds an interface. One whose index should be known and is not is left out: with an index, the next time, it would be another one.
func (n *Interfaces) add(name []byte, received, sent Traffic, counters LinkCounters) error {
	k, ok := n.known[string(name)]
	if !ok {
		k = n.lookUp(string(name))
	} else if k.lastRead == n.reads {
		return nil // A second line of the name.
	}
	k.lastRead = n.reads
	if !k.included || n.isHidden(k) {
		return nil
	}
	i := noInterface
	i.Name, i.Received, i.Sent, i.Counters = k.name, received, sent, counters
	if !n.ownNamespace { // Else the sysfs below the root is the host's, where the name is another interface's.
		if err := n.readIndex(k); err != nil {
			return err
		}
		n.addLink(&i, k)
	}
	n.interfaces = append(n.interfaces, i)
	return nil
}

// readIndex brings the index of an interface up to date. One that has just been removed has none, and keeps what is known.
func (n *Interfaces) readIndex(k *knownInterface) error {
	text, err := n.files.read(&k.index)
	if err == nil {
		index, ok := proctext.Int(text)
		if ok && index > 0 {
			k.lastIndex, k.certain = uint64(index), true
			return nil
		}
		err = errMalformed
	}
	if k.certain || noSysfs(err) {
		return nil
	}
	return &fs.PathError{Op: "read", Path: k.index.path, Err: err}
}

// noSysfs tells whether an error means that there is nothing to read at all, rather than just now, as when too many files are open.
func noSysfs(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EINVAL)
}

// linkSpeed gives bits per second for the megabits of a driver, which gives -1, 0, or all bits of 16, 31 or 32 set for a speed that it does not know.
func linkSpeed(megabits int64) int64 {
	const unknown16, beyondAnyLink, million = 1<<16 - 1, 100_000_000, 1_000_000
	if megabits <= 0 || megabits == unknown16 || megabits > beyondAnyLink {
		return absent
	}
	return megabits * million
}

// addLink adds what sysfs has about an interface.
func (n *Interfaces) addLink(i *Interface, k *knownInterface) {
	i.Identity = k.lastIndex
	if n.fields&LinkUp != 0 {
		i.Up = n.up(k)
	}
	if n.fields&LinkSpeed != 0 {
		i.Speed = linkSpeed(n.files.number(&k.speed))
	}
	if n.fields&LinkMTU != 0 {
		i.MTU = n.files.number(&k.mtu)
	}
	if n.fields&LinkDuplex != 0 {
		i.Duplex = n.duplexOf(k)
	}
	if n.fields&LinkCarrierChanges != 0 {
		i.Counters.CarrierChanges = n.files.number(&k.carrierChanges)
	}
	if n.fields&LinkQueueLength != 0 {
		i.QueueLength = n.files.number(&k.queueLength)
	}
}

func (n *Interfaces) lookUp(name string) *knownInterface {
	if n.known == nil {
		n.known, n.files, n.list = make(map[string]*knownInterface), newSysfsReader(n.host.dir), make([]byte, direntBuffer)
		n.all.path = n.host.Path("sys/class/net")
	}
	file := func(fileName string) sysfsFile {
		return sysfsFile{path: n.host.Path("sys/class/net/" + name + "/" + fileName)}
	}
	k := &knownInterface{
		name: name, included: n.include(name),
		index: file("ifindex"), carrier: file("carrier"), operstate: file("operstate"),
		speed: file("speed"), mtu: file("mtu"), duplex: file("duplex"), carrierChanges: file("carrier_changes"), queueLength: file("tx_queue_len"),
	}
	n.known[name] = k
	n.changed = true
	return k
}

// up reads the carrier, which the kernel refuses with EINVAL for an interface that is administratively down. Operstate would
// not do: it is "unknown" for the loopback and most virtual interfaces.
func (n *Interfaces) up(k *knownInterface) int64 {
	text, err := n.files.read(&k.carrier)
	switch {
	case err == nil && string(text) == "1":
		return 1
	case err == nil:
		return 0
	}
	switch text, _ = n.files.read(&k.operstate); string(text) {
	case "up":
		return 1
	case "", "unknown":
		return absent
	}
	return 0
}

func (n *Interfaces) duplexOf(k *knownInterface) Duplex {
	switch text, _ := n.files.read(&k.duplex); string(text) {
	case "full":
		return DuplexFull
	case "half":
		return DuplexHalf
	}
	return DuplexUnknown
}

// parseNetDevLine reads a line of /proc/net/dev: the name, a colon, and of either direction bytes, packets, errors, drops and four
// more, which differ. The drops of the first direction include what the device missed. A value that can't be is Odd; a line that has too few is not used at all, for
// which one is missing can't be told.
func parseNetDevLine(l []byte, odd *oddValues) (name []byte, received, sent Traffic, counters LinkCounters, ok bool) {
	colon := bytes.LastIndexByte(l, ':')
	if colon < 0 {
		return nil, noTraffic, noTraffic, noLinkCounters, false
	}
	name = bytes.TrimSpace(l[:colon])
	whole := l
	l = l[colon+1:]
	const columns = 16
	var numbers [columns]int64
	numeric := 0
	for i := range numbers {
		var f []byte
		if f, l = proctext.Field(l); len(f) == 0 {
			return nil, noTraffic, noTraffic, noLinkCounters, false
		}
		if numbers[i], ok = proctext.Int(f); ok {
			numeric++
		} else {
			numbers[i] = Odd
		}
	}
	if numeric < columns/2 {
		return nil, noTraffic, noTraffic, noLinkCounters, false
	}
	if numeric < columns {
		odd.add(whole)
	}
	in, out := numbers[:columns/2], numbers[columns/2:]
	counters = LinkCounters{
		ReceivedFifo: in[4], Frame: in[5], ReceivedCompressed: in[6], Multicast: in[7],
		SentFifo: out[4], Collisions: out[5], CarrierErrors: out[6], SentCompressed: out[7], CarrierChanges: absent,
	}
	return name, trafficOf(in), trafficOf(out), counters, len(name) > 0
}

func trafficOf(columns []int64) Traffic {
	return Traffic{Bytes: columns[0], Packets: columns[1], Errors: columns[2], Dropped: columns[3]}
}

// Conntrack gives the fill of the connection tracking table, from /proc/sys/net/netfilter/nf_conntrack_count and _max. ErrUnsupported
// where connections are not tracked. Under a root the count is from /proc/1/net/stat/nf_conntrack, and not known without it.
func (h *Host) Conntrack() (Conntrack, error) {
	limit, limitErr := h.oneNumber(conntrackLimit)
	entries, entriesErr := h.conntrackEntries()
	c := Conntrack{Entries: entries, Limit: limit}
	limitErr, entriesErr = optional(limitErr), optional(entriesErr)
	if errors.Is(limitErr, ErrUnsupported) {
		return c, entriesErr
	}
	if errors.Is(entriesErr, ErrUnsupported) {
		return c, limitErr
	}
	return c, errors.Join(limitErr, entriesErr)
}

// conntrackEntries gives under a root the count of the host's network namespace: that in /proc/sys would be of the collector's own.
func (h *Host) conntrackEntries() (int64, error) {
	if h.root == "" {
		return h.oneNumber(conntrackEntries)
	}
	text, err := h.read(conntrackStats)
	if err != nil {
		return absent, err
	}
	return parseConntrackStats(text)
}

func (h *Host) oneNumber(name string) (int64, error) {
	text, err := h.read(name)
	if err != nil {
		return absent, err
	}
	v, ok := proctext.Int(bytes.TrimSpace(text))
	if !ok {
		return absent, oddText(name, text)
	}
	return v, nil
}

// parseConntrackStats reads the first number of any line but the heading, in hexadecimal: entries, the same for all CPUs.
func parseConntrackStats(text []byte) (int64, error) {
	_, text = proctext.Line(text)
	line, _ := proctext.Line(text)
	first, _, _ := proctext.Column(line)
	if len(first) != 8 {
		return absent, oddText(conntrackStats, text)
	}
	var v int64
	for _, c := range first {
		d, ok := hexDigit(c)
		if !ok {
			return absent, oddText(conntrackStats, text)
		}
		v = v<<4 | int64(d)
	}
	return v, nil
}
