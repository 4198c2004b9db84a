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

// parseMeminfo reads lines such as MemTotal: 65806428 kB. An error that IsOdd is about values that were left out.
func parseMeminfo(text []byte) (Memory, error) {
	m := noMemory
	odd := oddValues{file: meminfoFile}
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
		if !ok || v > 1<<50 || dst == &m.Total && v == 0 {
			odd.add(l)
			*dst = Odd
			continue
		}
		if u, _ := proctext.Field(unit); bytes.Equal(u, []byte("kB")) {
			v *= 1024
		}
		*dst = v
	}
	if m.Total == absent {
		return Memory{}, malformed(meminfoFile, nil)
	}
	m.setAvailable()
	return m, odd.err
}

// setAvailable gives the available memory where the kernel does not: before 3.14. What is more than the total is of another host than the total,
// as in a container to which lxcfs shows its own memory: then no more than what is free is certain, which free(1) takes, too.
func (m *Memory) setAvailable() {
	if m.Available == absent {
		m.Available = Odd
		if m.Free != Odd && m.Buffers != Odd && m.Cached != Odd && m.SlabReclaimable != Odd && m.Shared != Odd {
			m.Available = max(max(m.Free, 0)+max(m.Buffers, 0)+max(m.Cached, 0)+max(m.SlabReclaimable, 0)-max(m.Shared, 0), 0)
			if m.Total > 0 {
				m.Available = min(m.Available, m.Total)
			}
		}
	}
	if m.Total > 0 && m.Available > m.Total {
		m.Available = Odd
		if m.Free >= 0 {
			m.Available = min(m.Free, m.Total)
		}
	}
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
