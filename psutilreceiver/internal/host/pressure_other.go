//go:build !linux

package host

// Pressure is ErrUnsupported: only Linux accounts for stalls.
func (h *Host) Pressure(Resource) (Pressure, error) { return Pressure{}, ErrUnsupported }
