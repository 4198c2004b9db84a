//go:build !linux

package host

// FileHandles is ErrUnsupported: gopsutil has no such figure.
func (h *Host) FileHandles() (FileHandles, error) { return FileHandles{}, ErrUnsupported }

// TaskLimits is ErrUnsupported: gopsutil has no such figure.
func (h *Host) TaskLimits() (TaskLimits, error) { return TaskLimits{}, ErrUnsupported }
