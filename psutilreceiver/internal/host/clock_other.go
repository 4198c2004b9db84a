//go:build !linux

package host

// Clock gives ErrUnsupported: only Linux tells how well its clock is synchronised, by adjtimex(2).
func (h *Host) Clock() (Clock, error) { return Clock{}, ErrUnsupported }
