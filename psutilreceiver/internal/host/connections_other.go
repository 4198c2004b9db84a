//go:build !linux

package host

import (
	"context"
	"strings"
	"syscall"

	"github.com/shirou/gopsutil/v3/net"
)

// connectionMemory is empty: nothing outlasts a read.
type connectionMemory struct{}

// statesByName has the states as the systems write them, without underscores and in upper case.
var statesByName = map[string]ConnectionState{
	"CLOSED": ConnectionClosed, "CLOSE": ConnectionClosed, "DELETE": ConnectionClosed, "DELETETCB": ConnectionClosed,
	"CLOSEWAIT": ConnectionCloseWait, "CLOSING": ConnectionClosing, "ESTABLISHED": ConnectionEstablished,
	"FINWAIT1": ConnectionFinWait1, "FINWAIT2": ConnectionFinWait2, "LASTACK": ConnectionLastAck, "LISTEN": ConnectionListen,
	"SYNRECV": ConnectionSynReceived, "SYNRCVD": ConnectionSynReceived, "SYNRECEIVED": ConnectionSynReceived,
	"SYNSENT": ConnectionSynSent, "TIMEWAIT": ConnectionTimeWait,
}

// Read counts the sockets that gopsutil lists.
func (c *Connections) Read() (ConnectionCounts, error) {
	var counts ConnectionCounts
	list, err := net.ConnectionsWithContext(context.Background(), "inet")
	if err != nil {
		return counts, portable("reading the connections", err)
	}
	for i := range list {
		l := &list[i]
		switch l.Type {
		case syscall.SOCK_STREAM:
			if state, ok := statesByName[strings.ToUpper(strings.ReplaceAll(l.Status, "_", ""))]; ok {
				counts[TransportTCP][state]++
			}
		case syscall.SOCK_DGRAM:
			state := ConnectionClosed
			if l.Raddr.Port != 0 {
				state = ConnectionEstablished
			}
			counts[TransportUDP][state]++
		}
	}
	return counts, nil
}

// OwnNamespace is false: there is no other root than the system's own.
func (c *Connections) OwnNamespace() bool { return false }
