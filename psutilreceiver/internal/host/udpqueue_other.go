//go:build !linux

package host

// UDPQueues gives ErrUnsupported: only Linux has such a table.
func (h *Host) UDPQueues() (UDPQueues, error) { return UDPQueues{}, ErrUnsupported }
