//go:build !linux

package host

import (
	"context"
	"math"
	"runtime"

	"github.com/shirou/gopsutil/v3/mem"
)

// Memory gives the host's memory. Of the fields that only Linux reports, all are -1.
func (h *Host) Memory() (Memory, error) {
	v, err := mem.VirtualMemoryWithContext(context.Background())
	if err != nil {
		return Memory{}, portable("reading the memory", err)
	}
	if v.Total == 0 {
		return Memory{}, ErrUnsupported
	}
	m := noMemory
	m.Total, m.Available = bytesOf(v.Total), min(bytesOf(v.Available), bytesOf(v.Total))
	if runtime.GOOS == "windows" {
		m.Free = m.Available // Windows counts the standby list, its page cache, as available and does not distinguish it.
		return m, nil
	}
	m.Free = bytesOf(v.Free)
	if runtime.GOOS != "darwin" {
		m.Buffers, m.Cached = bytesOf(v.Buffers), bytesOf(v.Cached)
	}
	return m, nil
}

// bytesOf bounds a size that gopsutil keeps without a sign.
func bytesOf(v uint64) int64 { return int64(min(v, math.MaxInt64)) }
