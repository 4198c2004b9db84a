//go:build !linux

package host

// hardwareErrorFiles is empty: there are no such files.
type hardwareErrorFiles struct{}

// Read is ErrUnsupported: gopsutil does not have it.
func (e *HardwareErrors) Read() ([]ComponentErrors, error) { return nil, ErrUnsupported }

// Close does nothing: no file is kept open.
func (e *HardwareErrors) Close() error { return nil }
