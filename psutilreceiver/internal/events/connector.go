package events

import (
	"bytes"
	"encoding/binary"
)

// What the process connector tells of.
const (
	connectorFork = 0x00000001
	connectorExec = 0x00000002
	connectorComm = 0x00000200
	connectorExit = 0x80000000
)

// processMessage is one event of the kernel's process connector: struct proc_event of linux/cn_proc.h.
type processMessage struct {
	what        uint32
	pid, tgid   int32 // of the process, or of the new one
	parent      int32 // tgid of the parent, of a fork and of an exit; 0 of an exit before Linux 4.18
	exitCode    uint32
	monotonicNS uint64
	comm        string
}

const (
	netlinkHeader   = 16
	connectorHeader = 20
	processHeader   = 16 // what, cpu and time of a proc_event
	netlinkDone     = 3  // NLMSG_DONE, the type of the connector's messages
	connectorID     = 1  // CN_IDX_PROC and CN_VAL_PROC
	maxComm         = 16
)

// parseProcessMessages gives the events of a datagram of the process connector, in the byte order of this machine. What is cut off, or is no such
// event, is passed over.
func parseProcessMessages(datagram []byte, visit func(processMessage)) {
	native := binary.NativeEndian
	netlinkMessages(datagram, func(kind uint16, body []byte) {
		if kind != netlinkDone || len(body) < connectorHeader+processHeader ||
			native.Uint32(body) != connectorID || native.Uint32(body[4:]) != connectorID {
			return
		}
		body = body[connectorHeader:]
		m := processMessage{what: native.Uint32(body), monotonicNS: native.Uint64(body[8:])}
		if m.fill(body[processHeader:]) {
			visit(m)
		}
	})
}

// fill reads what depends on the kind of event, and reports false if it is none that is looked at or if it is cut off.
func (m *processMessage) fill(body []byte) bool {
	word := func(i int) int32 {
		if len(body) < 4*(i+1) {
			return 0
		}
		return int32(binary.NativeEndian.Uint32(body[4*i:]))
	}
	switch m.what {
	case connectorFork:
		m.parent, m.pid, m.tgid = word(1), word(2), word(3)
	case connectorExec:
		m.pid, m.tgid = word(0), word(1)
	case connectorExit:
		m.pid, m.tgid, m.exitCode, m.parent = word(0), word(1), uint32(word(2)), max(word(5), 0)
	case connectorComm:
		m.pid, m.tgid = word(0), word(1)
		name := body[min(8, len(body)):]
		name, _, _ = bytes.Cut(name[:min(maxComm, len(name))], []byte{0})
		m.comm = string(name)
	default:
		return false
	}
	return m.pid > 0 && m.tgid > 0
}
