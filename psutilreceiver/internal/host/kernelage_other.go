//go:build !linux

package host

import "time"

// KernelSince is ErrUnsupported: gopsutil does not have it.
func (h *Host) KernelSince(time.Time) (time.Time, error) { return time.Time{}, ErrUnsupported }
