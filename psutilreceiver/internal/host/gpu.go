package host

// GPU is the state of one graphics processor. A value is -1 where its driver does not report it.
type GPU struct {
	ID          string  // by its place: pci/0000:03:00.0
	Name        string  // of the product, or else of the driver
	Utilization float64 // share of the time that it works, 0 to 1
	// Bytes of its own memory. Of a processor that shares the host's memory it is what is set apart for it.
	MemoryUsed, MemoryTotal int64
}

// GPUs reads the graphics processors of a host.
type GPUs struct {
	host    *Host
	samples []GPU
	gpuFiles
}

// NewGPUs returns a reader of the graphics processors of a host.
func NewGPUs(h *Host) *GPUs { return &GPUs{host: h} }

// busyShare turns percent into a share; -1 for what can't be.
func busyShare(percent int64) float64 {
	if percent < 0 || percent > 100 {
		return absent
	}
	return float64(percent) / 100
}
