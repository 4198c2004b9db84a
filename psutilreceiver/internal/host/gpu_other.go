//go:build !linux

package host

// gpuFiles is empty: there are no such files.
type gpuFiles struct{}

// Read is ErrUnsupported: gopsutil does not have it.
func (g *GPUs) Read() ([]GPU, error) { return nil, ErrUnsupported }

// Close does nothing: no file is kept open.
func (g *GPUs) Close() error { return nil }
