package host

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"

const (
	fileNrFile     = "proc/sys/fs/file-nr"
	threadsMaxFile = "proc/sys/kernel/threads-max"
	pidMaxFile     = "proc/sys/kernel/pid_max"
)

// FileHandles gives the open files of the host, from /proc/sys/fs/file-nr.
func (h *Host) FileHandles() (FileHandles, error) {
	text, err := h.read(fileNrFile)
	if err != nil {
		return FileHandles{}, err
	}
	return parseFileNr(text)
}

// parseFileNr reads: allocated, free, maximum. The second is zero since Linux 2.6, when freed handles began to be given back.
func parseFileNr(text []byte) (FileHandles, error) {
	allocatedText, rest := proctext.Field(text)
	freeText, rest := proctext.Field(rest)
	limitText, _ := proctext.Field(rest)
	allocated, ok1 := proctext.Int(allocatedText)
	free, ok2 := proctext.Int(freeText)
	limit, ok3 := proctext.Int(limitText)
	if !ok1 || !ok2 || !ok3 || free > allocated {
		return FileHandles{}, malformed(fileNrFile, text)
	}
	return FileHandles{Allocated: allocated - free, Limit: limit}, nil
}

// TaskLimits gives the kernel's limits on tasks, from threads-max and pid_max in /proc/sys/kernel.
func (h *Host) TaskLimits() (TaskLimits, error) {
	threads, err := h.readInt(threadsMaxFile)
	if err != nil {
		return TaskLimits{}, err
	}
	pids, err := h.readInt(pidMaxFile)
	if err != nil {
		return TaskLimits{}, err
	}
	return TaskLimits{Threads: threads, PIDs: pids}, nil
}

// readInt reads a file that holds one whole number.
func (h *Host) readInt(name string) (int64, error) {
	text, err := h.read(name)
	if err != nil {
		return 0, err
	}
	number, _ := proctext.Field(text)
	v, ok := proctext.Int(number)
	if !ok {
		return 0, malformed(name, text)
	}
	return v, nil
}
