package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	fileNrFile     = "proc/sys/fs/file-nr"
	threadsMaxFile = "proc/sys/kernel/threads-max"
	pidMaxFile     = "proc/sys/kernel/pid_max"
)

// FileHandles is how many open files the kernel has.
type FileHandles struct {
	Allocated int64 // in use by the whole host
	Limit     int64 // above it only privileged processes can open files
}

// TaskLimits is how many tasks (threads) can exist at once.
type TaskLimits struct {
	Threads int64 // kernel.threads-max
	PIDs    int64 // kernel.pid_max: numbers for tasks, each of which takes one
}

// Limit is the number of tasks at which no more can be created: the lower of the two.
func (l TaskLimits) Limit() int64 { return min(l.Threads, l.PIDs) }

// FileHandles gives the open files of the host, from /proc/sys/fs/file-nr. ErrUnsupported on other systems than Linux.
func (h *Host) FileHandles() (FileHandles, error) {
	text, err := h.readHeld(fileNrFile)
	if err != nil {
		return FileHandles{}, optional(err)
	}
	return parseFileNr(text)
}

// parseFileNr reads: allocated, free, maximum, with tabs between. A value that can't be is Odd. The second is zero since Linux 2.6, when freed handles began to be given back.
func parseFileNr(text []byte) (FileHandles, error) {
	line, _ := proctext.Line(text)
	allocatedText, rest, _ := bytes.Cut(line, []byte{'\t'})
	freeText, limitText, _ := bytes.Cut(rest, []byte{'\t'})
	allocated, ok1 := proctext.Int(allocatedText)
	free, ok2 := proctext.Int(freeText)
	limit, ok3 := proctext.Int(limitText)
	if !ok1 && !ok2 && !ok3 {
		return FileHandles{}, malformed(fileNrFile, text)
	}
	var err error
	h := FileHandles{Allocated: allocated - free, Limit: limit}
	if !ok1 || !ok2 || free > allocated {
		h.Allocated, err = Odd, oddText(fileNrFile, text)
	}
	if !ok3 {
		h.Limit, err = Odd, oddText(fileNrFile, text)
	}
	return h, err
}

// TaskLimits gives the kernel's limits on tasks, from threads-max and pid_max in /proc/sys/kernel. ErrUnsupported on other systems
// than Linux.
func (h *Host) TaskLimits() (TaskLimits, error) {
	threads, err := h.readInt(threadsMaxFile)
	if err != nil {
		return TaskLimits{}, optional(err)
	}
	pids, err := h.readInt(pidMaxFile)
	if err != nil {
		return TaskLimits{}, optional(err)
	}
	return TaskLimits{Threads: threads, PIDs: pids}, nil
}
