package host

import (
	"bytes"
	"errors"
)

// IPC reads what the host has of System V's inter-process communication into c, from /proc/sysvipc and its limits in /proc/sys/kernel. What can't be
// read costs itself. ErrUnsupported where the kernel has none, and below a root whose first process has another IPC namespace than this process: then
// the files are this process's.
func (h *Host) IPC(c *IPC) error {
	*c = noIPC
	if !h.sharesIPC() {
		return ErrUnsupported
	}
	semaphores := h.ipcLines(semaphoresFile, &c.SemaphoreSets, map[string]*int64{"nsems": &c.Semaphores})
	if errors.Is(semaphores, ErrUnsupported) {
		return semaphores
	}
	return errors.Join(semaphores,
		supported(h.ipcLines(messagesFile, &c.MessageQueues, map[string]*int64{"qnum": &c.Messages, "cbytes": &c.MessageBytes})),
		supported(h.ipcLines(sharedMemoryFile, &c.Segments, map[string]*int64{"size": &c.SegmentBytes})),
		supported(h.tabbedNumbers(semaphoreLimits, nil, &c.SemaphoreLimit, nil, &c.SemaphoreSetLimit)),
		supported(h.tabbedNumbers(messageQueueLimit, &c.MessageQueueLimit)),
		supported(h.tabbedNumbers(segmentLimit, &c.SegmentLimit)),
		supported(h.sharedMemoryLimit(c)),
	)
}

func (h *Host) ipcLines(file string, lines *int64, columns map[string]*int64) error {
	text, err := h.read(file)
	if err != nil {
		return optional(err)
	}
	*lines, err = ipcTable(file, text, columns)
	return err
}

func (h *Host) sharedMemoryLimit(c *IPC) error {
	text, err := h.readHeld(sharedMemoryLimit)
	if err != nil {
		return optional(err)
	}
	var ok bool
	if c.SharedMemoryLimit, ok = bytesOfPages(bytes.TrimSpace(text)); !ok {
		return oddText(sharedMemoryLimit, text)
	}
	return nil
}

// supported leaves out that the kernel has no such limit.
func supported(err error) error {
	if errors.Is(err, ErrUnsupported) {
		return nil
	}
	return err
}

// sharesIPC tells whether this process sees the host's IPC namespace. Where the root is a copy without namespaces its files are the host's.
func (h *Host) sharesIPC() bool {
	if h.root == "" {
		return true
	}
	const namespace = "/ns/ipc"
	if !h.exists("proc/1/ns") {
		return true
	}
	hosts := h.dir.Readlink(h.Path("proc/1" + namespace))
	return hosts != "" && hosts == h.dir.Readlink(h.Path("proc/self"+namespace))
}
