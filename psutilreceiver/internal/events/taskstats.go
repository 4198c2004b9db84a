package events

import (
	"bytes"
	"encoding/binary"
	"time"
)

// taskRecord is what the kernel's task statistics tell of a thread that has exited: struct taskstats of linux/taskstats.h.
type taskRecord struct {
	pid, tgid    int32 // tgid is 0 before Linux 5.19
	parent       int32 // tgid of the parent
	uid          int64
	exitCode     uint32 // as waitid(2) has it in a status, of the first thread of a process
	name         string // 15 bytes at most
	started      time.Time
	lived        time.Duration
	user, system time.Duration
	resident     int64 // the most that the process has had, in bytes; 0 if the kernel does not count it
	virtual      int64 // the most that the process has had, in bytes
	read         int64 // bytes from storage
	written      int64 // bytes to storage
}

// Where the fields are. Newer versions add fields at the end; those of Linux 6.14 to 6.17 put some between, so that the offsets of all others differ.
const (
	statsExitCode = 4
	statsRun      = 72 // nanoseconds on a CPU
	statsComm     = 80
	statsUID      = 120
	statsPID      = 128
	statsParent   = 132
	statsBegin    = 136
	statsElapsed  = 144
	statsUser     = 152
	statsSystem   = 160
	statsResident = 200
	statsVirtual  = 208
	statsRead     = 248
	statsWritten  = 256
	statsTGID     = 368 // since version 12

	statsCommSize = 32
	statsLeast    = statsVirtual + 8
	versionTGID   = 12
)

// statsLayouts are by how much the fields are farther from the begin, and the tgid.
var statsLayouts = [...]struct{ by, tgid int }{{0, statsTGID}, {24, statsTGID + 48}, {48, statsTGID + 96}}

// parseTaskRecord reads the statistics of a thread whose number is known. It reports false if they are cut off, or of a form that is not known.
func parseTaskRecord(pid int32, text []byte) (taskRecord, bool) {
	native := binary.NativeEndian
	for _, layout := range statsLayouts {
		if len(text) < statsLeast+layout.by || pid <= 0 {
			break
		}
		s := text[layout.by:]
		if int32(native.Uint32(s[statsPID:])) != pid {
			continue
		}
		r := taskRecord{
			pid: pid, parent: max(int32(native.Uint32(s[statsParent:])), 0), uid: int64(native.Uint32(s[statsUID:])),
			exitCode: native.Uint32(text[statsExitCode:]), started: time.Unix(int64(native.Uint32(s[statsBegin:])), 0),
			lived:    microseconds(s[statsElapsed:]),
			resident: kilobytesAt(s[statsResident:]), virtual: kilobytesAt(s[statsVirtual:]), read: -1, written: -1,
		}
		r.user, r.system = exactTimes(bytesAt(s[statsRun:]), microseconds(s[statsUser:]), microseconds(s[statsSystem:]))
		name, _, _ := bytes.Cut(s[statsComm:statsComm+statsCommSize], []byte{0})
		r.name = string(name[:min(len(name), maxComm)])
		if len(s) >= statsWritten+8 {
			r.read, r.written = bytesAt(s[statsRead:]), bytesAt(s[statsWritten:])
		}
		if version := native.Uint16(text); version >= versionTGID && len(text) >= layout.tgid+4 {
			r.tgid = max(int32(native.Uint32(text[layout.tgid:])), 0)
		}
		return r, true
	}
	return taskRecord{}, false
}

// exactTimes divides the time on a CPU as the kernel does for /proc: the times by mode may be counted by ticks, which a short process has none of.
func exactTimes(run int64, user, system time.Duration) (time.Duration, time.Duration) {
	total := time.Duration(run)
	switch {
	case run == 0:
		return user, system
	case system == 0:
		return total, 0
	case user == 0:
		return 0, total
	}
	exact := time.Duration(float64(total) * (float64(user) / float64(user+system)))
	return exact, total - exact
}

// Numbers that no process reaches are cut.
const mostStats = 1 << 53

func bytesAt(b []byte) int64 { return int64(min(binary.NativeEndian.Uint64(b), mostStats)) }

func kilobytesAt(b []byte) int64 {
	return int64(min(binary.NativeEndian.Uint64(b), mostStats>>10)) << 10
}

func microseconds(b []byte) time.Duration {
	return time.Duration(min(binary.NativeEndian.Uint64(b), mostStats/4)) * time.Microsecond // Two of them have a sum.
}

// Types of generic netlink and of its family TASKSTATS.
const (
	genericHeader  = 4
	attributeHead  = 4
	attributeTypes = 0x3fff // without the flags

	typePID          = 1 // TASKSTATS_TYPE_PID
	typeStats        = 3 // TASKSTATS_TYPE_STATS
	typeAggregatePID = 4 // TASKSTATS_TYPE_AGGR_PID
)

// parseStatistics gives the records of threads in a datagram of the family with that number. What is cut off, or none of them, is passed over.
func parseStatistics(datagram []byte, family uint16, visit func(taskRecord)) {
	netlinkMessages(datagram, func(kind uint16, body []byte) {
		if kind != family || len(body) < genericHeader {
			return
		}
		attributes(body[genericHeader:], func(kind uint16, value []byte) {
			if kind != typeAggregatePID {
				return // That of a whole process has neither names nor times nor peaks.
			}
			var pid int32
			var stats []byte
			attributes(value, func(kind uint16, value []byte) {
				switch {
				case kind == typePID && len(value) >= 4:
					pid = int32(binary.NativeEndian.Uint32(value))
				case kind == typeStats:
					stats = value
				}
			})
			if r, ok := parseTaskRecord(pid, stats); ok {
				visit(r)
			}
		})
	})
}

// netlinkMessages gives the messages of a datagram, without their headers.
func netlinkMessages(datagram []byte, visit func(kind uint16, body []byte)) {
	native := binary.NativeEndian
	for len(datagram) >= netlinkHeader {
		size := uint64(native.Uint32(datagram))
		if size < netlinkHeader || size > uint64(len(datagram)) {
			return
		}
		visit(native.Uint16(datagram[4:]), datagram[netlinkHeader:size])
		datagram = datagram[min((size+3)&^3, uint64(len(datagram))):]
	}
}

// attributes gives the attributes of a message of netlink.
func attributes(text []byte, visit func(kind uint16, value []byte)) {
	native := binary.NativeEndian
	for len(text) >= attributeHead {
		size := int(native.Uint16(text))
		if size < attributeHead || size > len(text) {
			return
		}
		visit(native.Uint16(text[2:])&attributeTypes, text[attributeHead:size])
		text = text[min((size+3)&^3, len(text)):]
	}
}
