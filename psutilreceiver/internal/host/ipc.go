package host

import (
	"bytes"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	semaphoresFile    = "proc/sysvipc/sem"
	messagesFile      = "proc/sysvipc/msg"
	sharedMemoryFile  = "proc/sysvipc/shm"
	semaphoreLimits   = "proc/sys/kernel/sem"
	messageQueueLimit = "proc/sys/kernel/msgmni"
	segmentLimit      = "proc/sys/kernel/shmmni"
	sharedMemoryLimit = "proc/sys/kernel/shmall"
)

// IPC is System V's inter-process communication in the host's IPC namespace. A value is -1 where it is not reported, Odd where it can't be.
type IPC struct {
	SemaphoreSets, Semaphores         int64
	SemaphoreSetLimit, SemaphoreLimit int64
	MessageQueues, Messages           int64
	MessageBytes, MessageQueueLimit   int64
	Segments, SegmentBytes            int64
	SegmentLimit, SharedMemoryLimit   int64 // the second in bytes, -1 where there is none
}

// noIPC is IPC of which nothing is known.
var noIPC = IPC{
	SemaphoreSets: absent, Semaphores: absent, SemaphoreSetLimit: absent, SemaphoreLimit: absent, MessageQueues: absent, Messages: absent,
	MessageBytes: absent, MessageQueueLimit: absent, Segments: absent, SegmentBytes: absent, SegmentLimit: absent, SharedMemoryLimit: absent,
}

// ipcTable reads a table of /proc/sysvipc: a heading with the names of the columns, and a line each. It gives the number of lines, and adds up the
// columns that are named. One blank or more are between two columns, so that of a line that has too few no number is certain.
func ipcTable(file string, text []byte, columns map[string]*int64) (lines int64, err error) {
	heading, rest := proctext.Line(text)
	var places []*int64
	for {
		var name []byte
		if name, heading = proctext.Field(heading); len(name) == 0 {
			break
		}
		places = append(places, columns[string(name)])
	}
	found := 0
	for _, place := range places {
		if place != nil {
			*place = 0
			found++
		}
	}
	if found != len(columns) {
		return absent, malformed(file, text)
	}
	odd := oddValues{file: file}
	for len(rest) > 0 {
		var l []byte
		l, rest = proctext.Line(rest)
		if len(bytes.TrimSpace(l)) == 0 {
			continue
		}
		lines++
		if !addIPCLine(l, places) {
			odd.add(l)
		}
	}
	return lines, odd.err
}

func addIPCLine(l []byte, places []*int64) (whole bool) {
	fields := len(bytes.Fields(l))
	whole = fields == len(places)
	for _, place := range places {
		var number []byte
		number, l = proctext.Field(l)
		if place == nil {
			continue
		}
		v, ok := proctext.Int(number)
		if !ok || fields != len(places) {
			v, whole = Odd, false
		}
		*place = sumOf(*place, v)
	}
	return whole
}

// bytesOfPages gives bytes for a number of pages, -1 for one that stands for no limit.
func bytesOfPages(text []byte) (int64, bool) {
	v, ok := proctext.Uint(text)
	if !ok {
		return Odd, false
	}
	if v > uint64(math.MaxInt64/pageSize) {
		return absent, true
	}
	return int64(v) * pageSize, true
}
