package host

// EnergyZones reads what the processors of a host consume, by the running average power limit (RAPL) of Intel and AMD.
type EnergyZones struct {
	host    *Host
	samples []EnergyZone
	energyMemory
}

// NewEnergyZones returns a reader of the zones of a host.
func NewEnergyZones(h *Host) *EnergyZones { return &EnergyZones{host: h} }
