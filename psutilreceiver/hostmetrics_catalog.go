package psutilreceiver

import "github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"

// nameToday gives the name of a metric that hostmetricsreceiver calls otherwise.
func nameToday(old string) (today string, renamed bool) {
	m, suffix := hostmetrics.ByOldName(old)
	if m == nil || suffix != "" || m.Name == old {
		return old, false
	}
	return m.Name, true
}

var (
	deviceAndDirection = []string{"device", "direction"}
	mountAndState      = []string{"device", "mode", "mountpoint", "type", "state"}
	onlyDevice         = []string{"device"}
	onlyDirection      = []string{"direction"}
	onlyState          = []string{"state"}
	onlyType           = []string{"type"}
	cpuAndState        = []string{"cpu", "state"}
	deviceAndState     = []string{"device", "state"}
	hugepagesState     = []string{"system.memory.linux.hugepages.state"}
)

// hostmetricsAttributes are the attributes of the points of hostmetricsreceiver v0.165.1, which its key attributes may choose from.
var hostmetricsAttributes = map[string][]string{
	"system.cpu.frequency":                      {"cpu"},
	"system.cpu.time":                           cpuAndState,
	"system.cpu.utilization":                    cpuAndState,
	"system.disk.io":                            deviceAndDirection,
	"system.disk.io_time":                       onlyDevice,
	"system.disk.merged":                        deviceAndDirection,
	"system.disk.operation_time":                deviceAndDirection,
	"system.disk.operations":                    deviceAndDirection,
	"system.disk.pending_operations":            onlyDevice,
	"system.disk.weighted_io_time":              onlyDevice,
	"system.filesystem.inodes.usage":            mountAndState,
	"system.filesystem.usage":                   mountAndState,
	"system.filesystem.utilization":             mountAndState[:4],
	"system.memory.linux.hugepages.usage":       hugepagesState,
	"system.memory.linux.hugepages.utilization": hugepagesState,
	"system.memory.usage":                       onlyState,
	"system.memory.utilization":                 onlyState,
	"system.network.connections":                {"protocol", "state"},
	"system.network.dropped":                    deviceAndDirection,
	"system.network.errors":                     deviceAndDirection,
	"system.network.io":                         deviceAndDirection,
	"system.network.packets":                    deviceAndDirection,
	"nfs.client.net.count":                      {"network.transport"},
	"nfs.client.operation.count":                {"onc_rpc.version", "nfs.operation.name"},
	"nfs.client.procedure.count":                {"onc_rpc.version", "onc_rpc.procedure.name"},
	"nfs.server.io":                             {"network.io.direction"},
	"nfs.server.net.count":                      {"network.transport"},
	"nfs.server.operation.count":                {"onc_rpc.version", "nfs.operation.name"},
	"nfs.server.procedure.count":                {"onc_rpc.version", "onc_rpc.procedure.name"},
	"nfs.server.repcache.requests":              {"nfs.server.repcache.status"},
	"nfs.server.rpc.count":                      {"error.type"},
	"system.paging.faults":                      onlyType,
	"system.paging.operations":                  {"direction", "type"},
	"system.paging.usage":                       deviceAndState,
	"system.paging.utilization":                 deviceAndState,
	"system.processes.count":                    {"status"},
	"process.context_switches":                  onlyType,
	"process.cpu.time":                          onlyState,
	"process.cpu.utilization":                   onlyState,
	"process.disk.io":                           onlyDirection,
	"process.disk.operations":                   onlyDirection,
	"process.paging.faults":                     onlyType,
	"process.paging.faults@v1":                  {"system.paging.fault.type"},
}
