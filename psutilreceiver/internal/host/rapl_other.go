//go:build !linux

package host

// energyMemory is empty: there are no such files.
type energyMemory struct{}

// Read is ErrUnsupported: gopsutil does not have it.
func (e *EnergyZones) Read() ([]EnergyZone, error) { return nil, ErrUnsupported }

// Close does nothing: no file is kept open.
func (e *EnergyZones) Close() error { return nil }
