package psutilreceiver

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// sampledMetric is a metric that can be read between the exports, with the name and unit that it has there.
type sampledMetric struct {
	name, unit string
	scraper    string
	counter    bool // its rate is what is sampled
	byDefault  bool
}

// sampleable is the table of all that can be sampled: what is cheap to read, and may change within seconds.
var sampleable = []sampledMetric{
	{name: "system.cpu.utilization", unit: "1", scraper: "cpu", byDefault: true},
	{name: "system.cpu.time", unit: "s", scraper: "cpu", counter: true},

	{name: "system.cpu.load_average.1m", unit: "{thread}", scraper: "load", byDefault: true},
	{name: "system.cpu.load_average.5m", unit: "{thread}", scraper: "load"},
	{name: "system.cpu.load_average.15m", unit: "{thread}", scraper: "load"},

	{name: "system.memory.utilization", unit: "1", scraper: "memory", byDefault: true},
	{name: "system.memory.usage", unit: "By", scraper: "memory"},
	{name: "system.memory.linux.available", unit: "By", scraper: "memory"},
	{name: "system.memory.linux.committed", unit: "By", scraper: "memory"},
	{name: "system.memory.linux.dirty", unit: "By", scraper: "memory"},
	{name: "system.memory.linux.writeback", unit: "By", scraper: "memory"},

	{name: "system.cpu.linux.pressure.total", unit: "s", scraper: "pressure", counter: true, byDefault: true},
	{name: "system.memory.linux.pressure.total", unit: "s", scraper: "pressure", counter: true, byDefault: true},
	{name: "system.io.linux.pressure.total", unit: "s", scraper: "pressure", counter: true, byDefault: true},
	{name: "system.irq.linux.pressure.total", unit: "s", scraper: "pressure", counter: true},

	{name: "system.network.io", unit: "By", scraper: "network", counter: true, byDefault: true},
	{name: "system.network.packet.count", unit: "{packet}", scraper: "network", counter: true},
	{name: "system.network.packet.dropped", unit: "{packet}", scraper: "network", counter: true},
	{name: "system.network.errors", unit: "{error}", scraper: "network", counter: true},

	{name: "system.disk.io", unit: "By", scraper: "disk", counter: true, byDefault: true},
	{name: "system.disk.operations", unit: "{operation}", scraper: "disk", counter: true, byDefault: true},
	{name: "system.disk.merged", unit: "{operation}", scraper: "disk", counter: true},
	{name: "system.disk.operation_time", unit: "s", scraper: "disk", counter: true},
	{name: "system.disk.io_time", unit: "s", scraper: "disk", counter: true},
	{name: "system.disk.weighted_io_time", unit: "s", scraper: "disk", counter: true},
	{name: "system.disk.pending_operations", unit: "{operation}", scraper: "disk"},
}

func sampledMetricNamed(name string) *sampledMetric {
	for i := range sampleable {
		if sampleable[i].name == name {
			return &sampleable[i]
		}
	}
	return nil
}

// sampledNames lists all that can be sampled, sorted.
func sampledNames() []string {
	var names []string
	for _, m := range sampleable {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return names
}

// sampledScrapers lists the scrapers of which something can be sampled, in the order of the table.
func sampledScrapers() []string {
	var names []string
	for _, m := range sampleable {
		names = append(names, m.scraper)
	}
	return slices.Compact(names)
}

// baseName is what the names of the exported metrics begin with.
func (m *sampledMetric) baseName() string {
	if m.counter {
		return m.name + ".rate"
	}
	return m.name
}

// sampledUnit is the unit of the samples. Seconds a second have no dimension, as in the rates of package stream.
func (m *sampledMetric) sampledUnit() string {
	switch {
	case !m.counter:
		return m.unit
	case m.unit == "s":
		return "1"
	}
	return m.unit + "/s"
}

// label is an attribute of a point.
type label struct{ key, value string }

// figure is one series of what can be sampled of a T.
type figure[T any] struct {
	metric string
	labels []label
	value  func(*T) float64 // negative where the platform does not report it
}

const (
	stateKey      = "system.memory.state"
	stallKey      = "system.linux.pressure.stall_type"
	interfaceKey  = "network.interface.name"
	deviceKey     = "system.device"
	networkWayKey = "network.io.direction"
	diskWayKey    = "disk.io.direction"
	cpuModeKey    = "cpu.mode"
	cpuNumberKey  = "cpu.logical_number"
)

var loadFigures = []figure[host.Load]{
	{"system.cpu.load_average.1m", nil, func(l *host.Load) float64 { return l.Avg1 }},
	{"system.cpu.load_average.5m", nil, func(l *host.Load) float64 { return l.Avg5 }},
	{"system.cpu.load_average.15m", nil, func(l *host.Load) float64 { return l.Avg15 }},
}

// memoryFigures has on other systems than Linux only what that has no name of its own for, as the memory scraper.
func memoryFigures(linux bool) []figure[host.Memory] {
	var figures []figure[host.Memory]
	for _, state := range []struct {
		name  string
		bytes func(host.MemoryStates) int64
	}{
		{metadata.AttributeSystemMemoryStateUsed.String(), func(s host.MemoryStates) int64 { return s.Used }},
		{metadata.AttributeSystemMemoryStateFree.String(), func(s host.MemoryStates) int64 { return s.Free }},
		{metadata.AttributeSystemMemoryStateBuffers.String(), func(s host.MemoryStates) int64 { return s.Buffers }},
		{metadata.AttributeSystemMemoryStateCached.String(), func(s host.MemoryStates) int64 { return s.Cached }},
	} {
		labels := []label{{stateKey, state.name}}
		bytes := func(m *host.Memory) float64 { return float64(state.bytes(m.States())) }
		share := func(m *host.Memory) float64 { return bytes(m) / float64(m.Total) }
		figures = append(figures, figure[host.Memory]{"system.memory.usage", labels, bytes},
			figure[host.Memory]{"system.memory.utilization", labels, share})
	}
	if !linux {
		return figures
	}
	return append(figures,
		figure[host.Memory]{"system.memory.linux.available", nil, func(m *host.Memory) float64 { return float64(m.Available) }},
		figure[host.Memory]{"system.memory.linux.committed", nil, func(m *host.Memory) float64 { return float64(m.Committed) }},
		figure[host.Memory]{"system.memory.linux.dirty", nil, func(m *host.Memory) float64 { return float64(m.Dirty) }},
		figure[host.Memory]{"system.memory.linux.writeback", nil, func(m *host.Memory) float64 { return float64(m.Writeback) }},
	)
}

// pressureFigures leaves out what the pressure scraper does: CPUs have no full stall.
func pressureFigures(r host.Resource) []figure[host.Pressure] {
	total := func(s *host.Stall) float64 {
		if !s.Reported {
			return -1
		}
		return s.Total
	}
	name := "system." + r.String() + ".linux.pressure.total"
	stall := func(kind metadata.AttributeSystemLinuxPressureStallType, value func(*host.Pressure) float64) figure[host.Pressure] {
		return figure[host.Pressure]{name, []label{{stallKey, kind.String()}}, value}
	}
	some := stall(metadata.AttributeSystemLinuxPressureStallTypeSome, func(p *host.Pressure) float64 { return total(&p.Some) })
	if r == host.ResourceCPU {
		return []figure[host.Pressure]{some}
	}
	full := stall(metadata.AttributeSystemLinuxPressureStallTypeFull, func(p *host.Pressure) float64 { return total(&p.Full) })
	return []figure[host.Pressure]{some, full}
}

// networkFigures have the name of the interface as the value that is missing from a label.
func networkFigures() []figure[host.Interface] {
	var figures []figure[host.Interface]
	for _, way := range []struct {
		name    string
		traffic func(*host.Interface) *host.Traffic
	}{
		{metadata.AttributeNetworkIoDirectionReceive.String(), func(i *host.Interface) *host.Traffic { return &i.Received }},
		{metadata.AttributeNetworkIoDirectionTransmit.String(), func(i *host.Interface) *host.Traffic { return &i.Sent }},
	} {
		add := func(metric, nameKey string, value func(*host.Traffic) int64) {
			total := func(i *host.Interface) float64 { return float64(value(way.traffic(i))) }
			figures = append(figures, figure[host.Interface]{metric, []label{{nameKey, ""}, {networkWayKey, way.name}}, total})
		}
		add("system.network.io", interfaceKey, func(t *host.Traffic) int64 { return t.Bytes })
		add("system.network.packet.count", deviceKey, func(t *host.Traffic) int64 { return t.Packets })
		add("system.network.packet.dropped", interfaceKey, func(t *host.Traffic) int64 { return t.Dropped })
		add("system.network.errors", interfaceKey, func(t *host.Traffic) int64 { return t.Errors })
	}
	return figures
}

// diskFigures have the name of the device as the value that is missing from a label.
func diskFigures() []figure[host.Disk] {
	read, write := metadata.AttributeDiskIoDirectionRead.String(), metadata.AttributeDiskIoDirectionWrite.String()
	both := func(metric, way string, value func(*host.Disk) float64) figure[host.Disk] {
		return figure[host.Disk]{metric, []label{{deviceKey, ""}, {diskWayKey, way}}, value}
	}
	one := func(metric string, value func(*host.Disk) float64) figure[host.Disk] {
		return figure[host.Disk]{metric, []label{{deviceKey, ""}}, value}
	}
	return []figure[host.Disk]{
		both("system.disk.io", read, func(d *host.Disk) float64 { return float64(d.ReadBytes) }),
		both("system.disk.io", write, func(d *host.Disk) float64 { return float64(d.WrittenBytes) }),
		both("system.disk.operations", read, func(d *host.Disk) float64 { return float64(d.Reads) }),
		both("system.disk.operations", write, func(d *host.Disk) float64 { return float64(d.Writes) }),
		both("system.disk.merged", read, func(d *host.Disk) float64 { return float64(d.ReadsMerged) }),
		both("system.disk.merged", write, func(d *host.Disk) float64 { return float64(d.WritesMerged) }),
		both("system.disk.operation_time", read, func(d *host.Disk) float64 { return d.ReadTime }),
		both("system.disk.operation_time", write, func(d *host.Disk) float64 { return d.WriteTime }),
		one("system.disk.io_time", func(d *host.Disk) float64 { return d.IOTime }),
		one("system.disk.weighted_io_time", func(d *host.Disk) float64 { return d.WeightedIOTime }),
		one("system.disk.pending_operations", func(d *host.Disk) float64 { return float64(d.InFlight) }),
	}
}
