//go:build !linux

package host

// FileHandles is ErrUnsupported: gopsutil does not have it.
func (h *Host) FileHandles() (FileHandles, error) { return FileHandles{}, ErrUnsupported }

// TaskLimits is ErrUnsupported: gopsutil does not have it.
func (h *Host) TaskLimits() (TaskLimits, error) { return TaskLimits{}, ErrUnsupported }
