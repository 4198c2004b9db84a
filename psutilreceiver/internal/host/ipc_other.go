//go:build !linux

package host

// IPC gives ErrUnsupported: only Linux is read.
func (h *Host) IPC(c *IPC) error {
	*c = noIPC
	return ErrUnsupported
}
