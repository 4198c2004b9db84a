package cgroup

// A Value is one number that is read of a group. Times are in microseconds, sizes in bytes, CPUs in millionths of one, shares in hundredths of a percent.
type Value uint8

// The values.
const (
	CPUUser Value = iota
	CPUSystem
	Periods          // of the limit of CPU time
	ThrottledPeriods // in which the group used up its time
	ThrottledTime
	CPULimit
	MemoryUsage
	MemoryInactiveFile // of the page cache, what is the first to be reclaimed
	MemoryRSS          // anonymous
	MemoryLimit
	MemoryHigh
	SwapUsage
	SwapLimit
	EventHigh // times that the group was throttled, as it was above MemoryHigh
	EventMax  // times that the group was about to exceed MemoryLimit
	EventOOM  // times that reclaim could not keep it below the limit
	EventOOMKill
	FaultsMinor
	FaultsMajor
	PIDs
	PIDLimit
	pressures // 24 values: see Pressure
	NumValues = pressures + 3*2*4
)

// Absent is a value that the kernel does not report of the group, as that of a controller that is not enabled, or a limit that is not set.
const Absent = -1

// Values are those of one group at one time.
type Values [NumValues]int64

// reset makes all values Absent.
func (v *Values) reset() {
	for i := range v {
		v[i] = Absent
	}
}

// A Resource is one that the tasks of a group can be stalled for.
type Resource uint8

// The resources.
const (
	ResourceCPU Resource = iota
	ResourceMemory
	ResourceIO
)

// A Stall is one of the values of a line of a pressure file.
type Stall uint8

// The values of a line.
const (
	Stall10s Stall = iota
	Stall1m
	Stall5m
	StallTotal
)

// Pressure is the value of a resource: of some tasks that were stalled, or of all at once.
func Pressure(r Resource, full bool, s Stall) Value {
	v := pressures + Value(r)*8 + Value(s)
	if full {
		v += 4
	}
	return v
}

// CPUTime is the time in both modes, Absent where it is not known.
func (v *Values) CPUTime() int64 {
	if v[CPUUser] < 0 || v[CPUSystem] < 0 {
		return Absent
	}
	return v[CPUUser] + v[CPUSystem]
}

// WorkingSet is the memory less the page cache that is the first to be reclaimed.
func (v *Values) WorkingSet() int64 {
	if v[MemoryUsage] < 0 || v[MemoryInactiveFile] < 0 {
		return Absent
	}
	return max(v[MemoryUsage]-v[MemoryInactiveFile], 0)
}

// A Device is what a group read from and wrote to a block device.
type Device struct {
	Major, Minor uint32
	IO           IO
}

// IO is bytes and operations.
type IO struct{ ReadBytes, WrittenBytes, Reads, Writes int64 }

// Add adds what another IO has.
func (i *IO) Add(o IO) {
	i.ReadBytes += o.ReadBytes
	i.WrittenBytes += o.WrittenBytes
	i.Reads += o.Reads
	i.Writes += o.Writes
}

// Sample is what one scan read of a group.
type Sample struct {
	Values  Values
	Devices []Device // nil where no I/O is read
}

// Reset makes the sample empty, and keeps its memory.
func (s *Sample) Reset() {
	s.Values.reset()
	s.Devices = s.Devices[:0]
}

// CopyTo makes to a copy, in the memory that it has.
func (s *Sample) CopyTo(to *Sample) {
	to.Values = s.Values
	to.Devices = append(to.Devices[:0], s.Devices...)
}

// Bytes is what was read and written in all.
func (s *Sample) Bytes() (total int64) {
	for i := range s.Devices {
		total += s.Devices[i].IO.ReadBytes + s.Devices[i].IO.WrittenBytes
	}
	return total
}

// device returns the device with these numbers, which is added if need be.
func (s *Sample) device(major, minor uint32) *Device {
	for i := range s.Devices {
		if s.Devices[i].Major == major && s.Devices[i].Minor == minor {
			return &s.Devices[i]
		}
	}
	s.Devices = append(s.Devices, Device{Major: major, Minor: minor})
	return &s.Devices[len(s.Devices)-1]
}

// AddDevices adds what another sample has of each device.
func (s *Sample) AddDevices(o *Sample) {
	for i := range o.Devices {
		d := &o.Devices[i]
		s.device(d.Major, d.Minor).IO.Add(d.IO)
	}
}
