package host

// Interface is one network interface at one moment. Totals count since it appeared. A value is -1 where the platform does not
// report it or the driver does not know it. On Linux the totals are the columns of /proc/net/dev, the rest is in
// /sys/class/net/<name>.
type Interface struct {
	Name string
	// Identity changes when another interface takes the name: the interface index. 0 where it can't be read.
	Identity uint64

	Received, Sent Traffic
	Counters       LinkCounters

	Up     int64  // 1 if it is up and has a carrier, else 0: carrier
	Speed  int64  // of the link, in bit/s: speed
	MTU    int64  // bytes: mtu
	Duplex Duplex // empty where it was not requested, or the host's network can't be seen

	QueueLength int64 // packets that the queue for sending can hold: tx_queue_len
}

// LinkCounters are totals beside those that both directions have. On Linux they are columns of /proc/net/dev, in which the kernel has added up
// several counters of the driver, but for CarrierChanges, which is the file carrier_changes. Those of errors are parts of Traffic.Errors.
type LinkCounters struct {
	ReceivedFifo, SentFifo             int64 // errors
	Frame                              int64 // errors: wrong length, overrun, checksum or frame
	CarrierErrors                      int64 // errors: carrier, aborted, window, heartbeat
	Collisions                         int64
	Multicast                          int64 // packets received
	ReceivedCompressed, SentCompressed int64 // packets
	CarrierChanges                     int64
}

// Traffic is what went through an interface in one direction.
type Traffic struct {
	Bytes   int64
	Packets int64
	Errors  int64
	Dropped int64
}

// Duplex tells whether a link can send and receive at once.
type Duplex string

// The duplex modes of a link.
const (
	DuplexFull    Duplex = "full"
	DuplexHalf    Duplex = "half"
	DuplexUnknown Duplex = "unknown"
)

// LinkFields is a set of fields of a link, each of which takes a call to the driver.
type LinkFields uint8

// The fields of a link.
const (
	LinkUp LinkFields = 1 << iota
	LinkSpeed
	LinkMTU
	LinkDuplex
	LinkCarrierChanges
	LinkQueueLength
)

// noTraffic is a direction of which nothing is known.
var noTraffic = Traffic{Bytes: absent, Packets: absent, Errors: absent, Dropped: absent}

// noLinkCounters are counters of which nothing is known.
var noLinkCounters = LinkCounters{
	ReceivedFifo: absent, SentFifo: absent, Frame: absent, CarrierErrors: absent, Collisions: absent, Multicast: absent,
	ReceivedCompressed: absent, SentCompressed: absent, CarrierChanges: absent,
}

// noInterface is an interface of which nothing is known.
var noInterface = Interface{
	Received: noTraffic, Sent: noTraffic, Counters: noLinkCounters, Up: absent, Speed: absent, MTU: absent, QueueLength: absent,
}

// Interfaces reads the network interfaces of a host.
type Interfaces struct {
	host       *Host
	include    func(name string) bool
	except     func(name string) bool // nil: all are shown
	fields     LinkFields
	interfaces []Interface
	interfaceMemory
}

// NewInterfaces returns a reader of the interfaces for which include is true at every read, and of these fields of their links.
func NewInterfaces(h *Host, fields LinkFields, include func(name string) bool) *Interfaces {
	return &Interfaces{host: h, include: include, fields: fields}
}

// HideCarried leaves out the interfaces whose traffic others of the host count as well, such as VLANs, bonds, bridges and their ports, so that a sum
// over interfaces counts it once; but not those for which except is true. It is to be called before the first read. Only Linux tells them.
func (n *Interfaces) HideCarried(except func(name string) bool) { n.except = except }

// Conntrack is the table in which the firewall keeps connections. A value is -1 where the kernel does not report it.
type Conntrack struct {
	Entries int64
	Limit   int64
}
