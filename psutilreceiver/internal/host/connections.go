package host

// Transport is a protocol whose sockets are counted.
type Transport uint8

// The transports.
const (
	TransportTCP Transport = iota
	TransportUDP
	transports
)

// ConnectionState is the state of a socket in the TCP state machine (RFC 9293). A UDP socket is established when it is connected,
// closed otherwise.
type ConnectionState uint8

// The states of a socket.
const (
	ConnectionClosed ConnectionState = iota
	ConnectionCloseWait
	ConnectionClosing
	ConnectionEstablished
	ConnectionFinWait1
	ConnectionFinWait2
	ConnectionLastAck
	ConnectionListen
	ConnectionSynReceived
	ConnectionSynSent
	ConnectionTimeWait
	connectionStates
)

// ConnectionCounts has the number of sockets, IPv4 and IPv6 together.
type ConnectionCounts [transports][connectionStates]int64

func (c *ConnectionCounts) add(other *ConnectionCounts) {
	for t := range c {
		for s := range c[t] {
			c[t][s] += other[t][s]
		}
	}
}

// Connections counts the sockets of a host.
type Connections struct {
	host *Host
	connectionMemory
}

// NewConnections returns a reader of the sockets.
func NewConnections(h *Host) *Connections { return &Connections{host: h} }
