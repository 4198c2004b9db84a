//go:build !linux

package host

// throttleFiles is empty: there are no such files.
type throttleFiles struct{}

// Read is ErrUnsupported: gopsutil does not have it.
func (t *Throttles) Read() ([]Throttle, error) { return nil, ErrUnsupported }

// Close does nothing: no file is kept open.
func (t *Throttles) Close() error { return nil }
