//go:build !linux

package host

import (
	"context"
	"runtime"

	"github.com/shirou/gopsutil/v3/mem"
)

// Swaps gives the swap areas in use. macOS makes and removes swap files as it needs them, and they count as one area named swap.
func (h *Host) Swaps() ([]Swap, error) {
	ctx := context.Background()
	if runtime.GOOS == "darwin" {
		s, err := mem.SwapMemoryWithContext(ctx)
		if err != nil {
			return nil, portable("reading the swap space", err)
		}
		if s.Total == 0 {
			return nil, nil
		}
		return []Swap{{Device: "swap", Size: bytesOf(s.Total), Used: bytesOf(min(s.Used, s.Total))}}, nil
	}
	devices, err := mem.SwapDevicesWithContext(ctx)
	if err != nil {
		return nil, portable("reading the swap areas", err)
	}
	swaps := make([]Swap, 0, len(devices))
	for _, d := range devices {
		swaps = append(swaps, Swap{Device: d.Name, Size: bytesOf(d.UsedBytes + d.FreeBytes), Used: bytesOf(d.UsedBytes)})
	}
	return swaps, nil
}

// VM is ErrUnsupported: gopsutil's totals of paging are incomplete, and differ in unit from system to system.
func (h *Host) VM() (VMSample, error) { return noVM, ErrUnsupported }
