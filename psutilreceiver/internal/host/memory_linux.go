package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const meminfoFile = "proc/meminfo"

// Memory gives the host's memory, from /proc/meminfo.
func (h *Host) Memory() (Memory, error) {
	text, err := h.readHeld(meminfoFile)
	if err != nil {
		return Memory{}, err
	}
	return parseMeminfo(text)
}

// parseMeminfo reads lines such as MemTotal: 65806428 kB. An error that IsOdd is about values that were left out.
func parseMeminfo(text []byte) (Memory, error) {
	m, whole := noMemory, text
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
		switch u, _ := proctext.Field(unit); {
		case m.isPages(dst) && len(u) == 0:
		case !m.isPages(dst) && bytes.Equal(u, []byte("kB")): // The kernel has no other unit.
			v *= 1024
		default:
			odd.add(l)
			v = Odd
		}
		*dst = v
	}
	if m.Total == absent {
		return Memory{}, malformed(meminfoFile, whole)
	}
	m.leaveOutImpossible(&odd)
	m.setAvailable()
	m.leaveOutHugePages(&odd)
	return m, odd.err
}

// isPages tells whether a field is a number of pages, which has no unit.
func (m *Memory) isPages(field *int64) bool {
	return field == &m.HugePagesTotal || field == &m.HugePagesFree || field == &m.HugePagesReserved || field == &m.HugePagesSurplus
}

// leaveOutImpossible leaves out what is more than the total, and what every kernel has and this text has not: that is not 0 but unknown.
func (m *Memory) leaveOutImpossible(odd *oddValues) {
	for _, part := range [...]struct {
		name  string
		value *int64
		must  bool // be there
	}{
		{"MemFree", &m.Free, true},
		{"Buffers", &m.Buffers, true},
		{"Cached", &m.Cached, m.Available == absent},
		{"Shmem", &m.Shared, false},
		{"Active", &m.Active, false},
		{"Inactive", &m.Inactive, false},
		{"Dirty", &m.Dirty, false},
		{"Writeback", &m.Writeback, false},
		{"SReclaimable", &m.SlabReclaimable, false},
		{"SUnreclaim", &m.SlabUnreclaimable, false},
		{"HardwareCorrupted", &m.HardwareCorrupted, false},
		{"AnonPages", &m.Anonymous, false},
		{"Mapped", &m.Mapped, false},
		{"KernelStack", &m.KernelStack, false},
		{"PageTables", &m.PageTables, false},
		{"Percpu", &m.PerCPU, false},
		{"Zswap", &m.Zswap, false},
	} {
		switch {
		case part.must && *part.value == absent:
			odd.addFact("no " + part.name)
			*part.value = Odd
		case m.Total > 0 && *part.value > m.Total:
			odd.addFact(part.name + " above MemTotal")
			*part.value = Odd
		}
	}
}

// leaveOutHugePages leaves out free huge pages that can't be free: more than there are, or more memory than is left beside the available.
func (m *Memory) leaveOutHugePages(odd *oddValues) {
	switch {
	case m.HugePagesFree == absent && m.HugePagesTotal > 0:
		odd.addFact("no HugePages_Free")
	case m.HugePagesFree > 0 && m.HugePageSize == absent:
		odd.addFact("no Hugepagesize")
	case m.HugePagesFree <= 0:
		return
	case m.HugePagesTotal >= 0 && m.HugePagesFree > m.HugePagesTotal:
		odd.addFact("HugePages_Free above HugePages_Total")
	case m.Total > 0 && m.freeHugePages() > m.Total-max(m.Available, 0):
		odd.addFact("HugePages_Free above what MemTotal leaves")
	default:
		return
	}
	m.HugePagesFree = Odd
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
	case "HardwareCorrupted:":
		return &m.HardwareCorrupted
	case "AnonPages:":
		return &m.Anonymous
	case "Mapped:":
		return &m.Mapped
	case "KernelStack:":
		return &m.KernelStack
	case "PageTables:":
		return &m.PageTables
	case "Percpu:":
		return &m.PerCPU
	case "Zswap:":
		return &m.Zswap
	case "Zswapped:":
		return &m.Zswapped
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
