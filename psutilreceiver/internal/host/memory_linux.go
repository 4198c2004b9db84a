package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const meminfoFile = "proc/meminfo"

// Memory gives the host's memory, from /proc/meminfo.
func (h *Host) Memory() (Memory, error) {
	text, err := h.read(meminfoFile)
	if err != nil {
		return Memory{}, err
	}
	return parseMeminfo(text)
}

func parseMeminfo(text []byte) (Memory, error) {
	m := noMemory
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		key, values := proctext.Field(l)
		dst := m.fieldOf(key)
		if dst == nil {
			continue
		}
		number, unit := proctext.Field(values)
		v, ok := proctext.Int(number)
		if !ok || v > 1<<50 {
			return Memory{}, malformed(meminfoFile, l)
		}
		if u, _ := proctext.Field(unit); bytes.Equal(u, []byte("kB")) {
			v *= 1024
		}
		*dst = v
	}
	if m.Total <= 0 {
		return Memory{}, malformed(meminfoFile, nil)
	}
	if m.Available < 0 {
		m.Available = max(m.Free, 0) + max(m.Buffers, 0) + max(m.Cached, 0) + max(m.SlabReclaimable, 0) - max(m.Shared, 0)
	}
	m.Available = min(max(m.Available, 0), m.Total)
	return m, nil
}

func (m *Memory) fieldOf(key []byte) *int64 {
	switch string(key) {
	case "MemTotal:":
		return &m.Total
	case "MemFree:":
		return &m.Free
	case "MemAvailable:":
		return &m.Available
	case "Buffers:":
		return &m.Buffers
	case "Cached:":
		return &m.Cached
	case "Shmem:":
		return &m.Shared
	case "Active:":
		return &m.Active
	case "Inactive:":
		return &m.Inactive
	case "Dirty:":
		return &m.Dirty
	case "Writeback:":
		return &m.Writeback
	case "Committed_AS:":
		return &m.Committed
	case "CommitLimit:":
		return &m.CommitLimit
	}
	return m.lowerFieldOf(key)
}

func (m *Memory) lowerFieldOf(key []byte) *int64 {
	switch string(key) {
	case "SReclaimable:":
		return &m.SlabReclaimable
	case "SUnreclaim:":
		return &m.SlabUnreclaimable
	case "HugePages_Total:":
		return &m.HugePagesTotal
	case "HugePages_Free:":
		return &m.HugePagesFree
	case "HugePages_Rsvd:":
		return &m.HugePagesReserved
	case "HugePages_Surp:":
		return &m.HugePagesSurplus
	case "Hugepagesize:":
		return &m.HugePageSize
	}
	return nil
}
