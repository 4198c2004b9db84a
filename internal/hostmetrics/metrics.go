package hostmetrics

// Attributes of several metrics.
var (
	cpuNumber = Attribute{Key: "cpu.logical_number", Old: "cpu", Prefix: "cpu"}
	cpuMode   = Attribute{Key: "cpu.mode", Old: "state", Values: []Value{{Value: "iowait", Old: "wait"}, {Old: "softirq", Joins: "interrupt"}}}

	memoryState = Attribute{Key: "system.memory.state", Old: "state", Values: []Value{
		{Value: "buffers", Old: "buffered"}, {Old: "slab_reclaimable", Overlaps: true}, {Old: "slab_unreclaimable", Overlaps: true},
	}}

	device        = Attribute{Key: "system.device", Old: "device"}
	diskDirection = Attribute{Key: "disk.io.direction", Old: "direction"}

	networkInterface = Attribute{Key: "network.interface.name", Old: "device"}
	networkDirection = Attribute{Key: "network.io.direction", Old: "direction"}
	connectionState  = Attribute{Key: "network.connection.state", Old: "state", Values: []Value{
		{Value: "closed", Old: "CLOSE"},
		{Value: "close_wait", Old: "CLOSE_WAIT"},
		{Value: "closing", Old: "CLOSING"},
		{Value: "established", Old: "ESTABLISHED"},
		{Value: "fin_wait_1", Old: "FIN_WAIT1"},
		{Value: "fin_wait_2", Old: "FIN_WAIT2"},
		{Value: "last_ack", Old: "LAST_ACK"},
		{Value: "listen", Old: "LISTEN"},
		{Value: "syn_received", Old: "SYN_RECV"},
		{Value: "syn_sent", Old: "SYN_SENT"},
		{Value: "time_wait", Old: "TIME_WAIT"},
	}}
	transport = Attribute{Key: "network.transport", Old: "protocol", Values: []Value{{Value: "udp"}}}

	mode       = Attribute{Key: "system.filesystem.mode", Old: "mode"}
	mountpoint = Attribute{Key: "system.filesystem.mountpoint", Old: "mountpoint"}
	fsType     = Attribute{Key: "system.filesystem.type", Old: "type"}
	fsState    = Attribute{Key: "system.filesystem.state", Old: "state"}

	pagingState     = Attribute{Key: "system.paging.state", Old: "state"}
	pagingFault     = Attribute{Key: "system.paging.fault.type", Old: "type"}
	pagingDirection = Attribute{Key: "system.paging.direction", Old: "direction", Values: []Value{{Value: "in", Old: "page_in"}, {Value: "out", Old: "page_out"}}}

	processState = Attribute{Key: "process.state", Old: "status", Values: []Value{
		{Value: "defunct", Old: "zombies"}, {Old: "blocked", Joins: "sleeping"}, {Old: "idle", Joins: "sleeping"},
	}}
	contextSwitch = Attribute{Key: "process.context_switch.type", Old: "type"}
)

// Metrics is the table of the metrics that differ.
var Metrics = []Metric{
	{Name: "system.cpu.time", Attributes: []Attribute{cpuNumber, cpuMode}},
	{Name: "system.cpu.utilization", Attributes: []Attribute{cpuNumber, cpuMode}},
	{Name: "system.cpu.frequency", Attributes: []Attribute{cpuNumber}, Double: true},
	{Name: "system.cpu.frequency.min"}, // Not samples of the frequency: hostmetricsreceiver has no such metrics.
	{Name: "system.cpu.frequency.max"},

	{Name: "system.memory.usage", Attributes: []Attribute{memoryState}},
	{Name: "system.memory.utilization", Attributes: []Attribute{memoryState}},
	{Name: "system.memory.linux.slab.usage", Elsewhere: true},
	{Name: "system.memory.linux.available", Old: "system.linux.memory.available"},
	{Name: "system.memory.linux.dirty", Old: "system.linux.memory.dirty"},

	{Name: "system.paging.usage", Attributes: []Attribute{device, pagingState}},
	{Name: "system.paging.utilization", Attributes: []Attribute{device, pagingState}},
	{Name: "system.paging.faults", Unit: "{faults}", Attributes: []Attribute{pagingFault}},
	{Name: "system.paging.operations", Unit: "{operations}", Attributes: []Attribute{pagingDirection, pagingFault}},

	{Name: "system.disk.io", Attributes: []Attribute{device, diskDirection}},
	{Name: "system.disk.operations", Unit: "{operations}", Attributes: []Attribute{device, diskDirection}},
	{Name: "system.disk.merged", Unit: "{operations}", Attributes: []Attribute{device, diskDirection}},
	{Name: "system.disk.io_time", Attributes: []Attribute{device}},
	{Name: "system.disk.operation_time", Attributes: []Attribute{device, diskDirection}},
	{Name: "system.disk.pending_operations", Unit: "{operations}", Attributes: []Attribute{device}},
	{Name: "system.disk.weighted_io_time", Attributes: []Attribute{device}},

	{Name: "system.filesystem.usage", Attributes: []Attribute{device, mode, mountpoint, fsType, fsState}},
	{Name: "system.filesystem.inodes.usage", Unit: "{inodes}", Attributes: []Attribute{device, mode, mountpoint, fsType, fsState}},
	{Name: "system.filesystem.utilization", Attributes: []Attribute{device, mode, mountpoint, fsType}, ShareOf: fsState.Key},

	{Name: "system.network.io", Attributes: []Attribute{networkInterface, networkDirection}},
	{Name: "system.network.errors", Unit: "{errors}", Attributes: []Attribute{networkInterface, networkDirection}},
	{Name: "system.network.packet.count", Old: "system.network.packets", Unit: "{packets}", Attributes: []Attribute{device, networkDirection}},
	{Name: "system.network.packet.dropped", Old: "system.network.dropped", Unit: "{packets}", Attributes: []Attribute{networkInterface, networkDirection}},
	{Name: "system.network.connection.count", Old: "system.network.connections", Unit: "{connections}", Attributes: []Attribute{connectionState, transport}},
	{Name: "system.network.conntrack.count", Unit: "{entries}"},
	{Name: "system.network.conntrack.limit", Old: "system.network.conntrack.max", Unit: "{entries}"},

	{Name: "system.process.count", Old: "system.processes.count", Unit: "{processes}", Attributes: []Attribute{processState}},
	{Name: "system.process.created", Old: "system.processes.created", Unit: "{processes}"},

	{Name: "nfs.server.net.count", Unit: "{request}"},

	{Name: "process.cpu.time", Attributes: []Attribute{cpuMode}},
	{Name: "process.cpu.utilization", Attributes: []Attribute{cpuMode}},
	{Name: "process.disk.io", Attributes: []Attribute{diskDirection}},
	{Name: "process.paging.faults", Unit: "{faults}", Attributes: []Attribute{pagingFault}},
	{Name: "process.context_switches", Unit: "{count}", Attributes: []Attribute{contextSwitch}},
	{Name: "process.thread.count", Old: "process.threads", Unit: "{threads}"},
	{Name: "process.unix.file_descriptor.count", Old: "process.open_file_descriptors", Unit: "{count}"},
	{Name: "process.windows.handle.count", Old: "process.handles", Unit: "{count}"},
	{Name: "process.signals_pending", Unit: "{signals}"},
	{Name: "process.memory.utilization", Factor: 100},
}
