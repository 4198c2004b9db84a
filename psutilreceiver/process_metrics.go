package psutilreceiver

import (
	"runtime"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// processMetric is one row of the table of process metrics: what is read for a metric, and how it is recorded.
type processMetric struct {
	name    string
	enabled func(*metadata.MetricsConfig) bool
	field   read.Fields // read for the metric, and needed to record it
	reads   read.Fields // also read for the metric, which may be recorded without it
	// One of these records the metric: counters the totals of a process or group at one time, value anything else.
	// Of the counters only those are recorded whose fields there are.
	counters func(mb *metadata.MetricsBuilder, ts pcommon.Timestamp, total *read.Totals, have read.Fields)
	value    func(mb *metadata.MetricsBuilder, v *processValues)
}

// processValues is what is recorded of one process or group in one scrape, except for its counters.
type processValues struct {
	time   pcommon.Timestamp
	have   read.Fields
	levels *read.Levels

	delta          *process.Deltas
	utilization    float64 // share of the CPUs available
	hasUtilization bool

	uptime     float64 // of a process, or of the oldest member of a group, in seconds
	hostMemory int64   // in bytes; 0 when not known

	process *process.Process // nil for a group
	group   *process.Group   // nil for a process
}

// processMetrics is the table of process metrics.
var processMetrics = []processMetric{
	cpuTimeMetric("process.cpu.time", func(m *metadata.MetricsConfig) bool { return m.ProcessCPUTime.Enabled },
		read.CPUUser, read.CPUSystem, (*metadata.MetricsBuilder).RecordProcessCPUTimeDataPoint),
	cpuTimeMetric("process.children.cpu.time", func(m *metadata.MetricsConfig) bool { return m.ProcessChildrenCPUTime.Enabled },
		read.ReapedUser, read.ReapedSystem, (*metadata.MetricsBuilder).RecordProcessChildrenCPUTimeDataPoint),
	counterMetric("process.disk.io", func(m *metadata.MetricsConfig) bool { return m.ProcessDiskIo.Enabled },
		(*metadata.MetricsBuilder).RecordProcessDiskIoDataPoint,
		read.DiskReadBytes, metadata.AttributeDiskIoDirectionRead, read.DiskWriteBytes, metadata.AttributeDiskIoDirectionWrite),
	counterMetric("process.io.logical", func(m *metadata.MetricsConfig) bool { return m.ProcessIoLogical.Enabled },
		(*metadata.MetricsBuilder).RecordProcessIoLogicalDataPoint,
		read.LogicalReadBytes, metadata.AttributeDiskIoDirectionRead, read.LogicalWriteBytes, metadata.AttributeDiskIoDirectionWrite),
	counterMetric("process.context_switches", func(m *metadata.MetricsConfig) bool { return m.ProcessContextSwitches.Enabled },
		(*metadata.MetricsBuilder).RecordProcessContextSwitchesDataPoint,
		read.VoluntarySwitches, metadata.AttributeProcessContextSwitchTypeVoluntary,
		read.InvoluntarySwitches, metadata.AttributeProcessContextSwitchTypeInvoluntary),
	counterMetric("process.paging.faults", func(m *metadata.MetricsConfig) bool { return m.ProcessPagingFaults.Enabled },
		(*metadata.MetricsBuilder).RecordProcessPagingFaultsDataPoint,
		read.MajorFaults, metadata.AttributeSystemPagingFaultTypeMajor, read.MinorFaults, metadata.AttributeSystemPagingFaultTypeMinor),

	levelMetric("process.memory.usage", func(m *metadata.MetricsConfig) bool { return m.ProcessMemoryUsage.Enabled },
		read.Resident, (*metadata.MetricsBuilder).RecordProcessMemoryUsageDataPoint),
	levelMetric("process.memory.virtual", func(m *metadata.MetricsConfig) bool { return m.ProcessMemoryVirtual.Enabled },
		read.Virtual, (*metadata.MetricsBuilder).RecordProcessMemoryVirtualDataPoint),
	levelMetric("process.memory.shared", func(m *metadata.MetricsConfig) bool { return m.ProcessMemoryShared.Enabled },
		read.Shared, (*metadata.MetricsBuilder).RecordProcessMemorySharedDataPoint),
	levelMetric("process.memory.swap", func(m *metadata.MetricsConfig) bool { return m.ProcessMemorySwap.Enabled },
		read.Swap, (*metadata.MetricsBuilder).RecordProcessMemorySwapDataPoint),
	levelMetric("process.memory.pss", func(m *metadata.MetricsConfig) bool { return m.ProcessMemoryPss.Enabled },
		read.Proportional, (*metadata.MetricsBuilder).RecordProcessMemoryPssDataPoint),
	levelMetric("process.memory.uss", func(m *metadata.MetricsConfig) bool { return m.ProcessMemoryUss.Enabled },
		read.Unique, (*metadata.MetricsBuilder).RecordProcessMemoryUssDataPoint),
	levelMetric("process.thread.count", func(m *metadata.MetricsConfig) bool { return m.ProcessThreadCount.Enabled },
		read.Threads, (*metadata.MetricsBuilder).RecordProcessThreadCountDataPoint),
	levelMetric("process.unix.file_descriptor.count",
		func(m *metadata.MetricsConfig) bool {
			return m.ProcessUnixFileDescriptorCount.Enabled && runtime.GOOS != "windows"
		},
		read.Descriptors, (*metadata.MetricsBuilder).RecordProcessUnixFileDescriptorCountDataPoint),
	levelMetric("process.windows.handle.count",
		func(m *metadata.MetricsConfig) bool {
			return m.ProcessWindowsHandleCount.Enabled && runtime.GOOS == "windows"
		},
		read.Descriptors, (*metadata.MetricsBuilder).RecordProcessWindowsHandleCountDataPoint),

	levelMetric("process.signals_pending", func(m *metadata.MetricsConfig) bool { return m.ProcessSignalsPending.Enabled },
		read.SignalsPending, (*metadata.MetricsBuilder).RecordProcessSignalsPendingDataPoint),

	{
		name: "process.memory.utilization", field: read.FieldMemory, value: recordMemoryUtilization,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessMemoryUtilization.Enabled },
	},
	{
		name: "process.cpu.utilization", reads: read.FieldCPU, value: recordCPUUtilization,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessCPUUtilization.Enabled },
	},
	{
		name: "process.cpu.utilization.window", reads: read.FieldCPU, value: recordCPUUtilizationWindow,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessCPUUtilizationWindow.Enabled },
	},
	{
		name: "process.status", field: read.FieldScheduling, value: recordStatus,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessStatus.Enabled },
	},
	{
		name: "process.nice", field: read.FieldNice, value: recordNice,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessNice.Enabled },
	},
	{
		name: "process.uptime", value: recordUptime,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessUptime.Enabled },
	},
	{
		name: "process.group.process.count", value: recordGroupProcessCount,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessGroupProcessCount.Enabled },
	},
	{
		name: "process.group.status", value: recordGroupStatus,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessGroupStatus.Enabled },
	},
	{
		name: "process.group.uptime", value: recordGroupUptime,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessGroupUptime.Enabled },
	},
	// The limits of shown processes are read on their own: see recordLimits.
	{
		name: "process.unix.file_descriptor.limit", value: recordNothing,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessUnixFileDescriptorLimit.Enabled },
	},
	{
		name: "process.rlimit", value: recordNothing,
		enabled: func(m *metadata.MetricsConfig) bool { return m.ProcessRlimit.Enabled },
	},
}

// levelMetric returns the row of a metric whose value is a level.
func levelMetric(
	name string, enabled func(*metadata.MetricsConfig) bool, level read.Level,
	record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64),
) processMetric {
	return processMetric{
		name: name, enabled: enabled, field: level.Field(),
		value: func(mb *metadata.MetricsBuilder, v *processValues) { record(mb, v.time, int64(v.levels[level])) },
	}
}

// counterMetric returns the row of a metric whose values are two counters, each with a value of the metric's attribute.
func counterMetric[A any](
	name string, enabled func(*metadata.MetricsConfig) bool,
	record func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, A), first read.Counter, firstValue A, second read.Counter, secondValue A,
) processMetric {
	return processMetric{
		name: name, enabled: enabled, field: first.Field() | second.Field(),
		counters: func(mb *metadata.MetricsBuilder, ts pcommon.Timestamp, total *read.Totals, have read.Fields) {
			if have&first.Field() != 0 {
				record(mb, ts, int64(total[first]), firstValue)
			}
			if have&second.Field() != 0 {
				record(mb, ts, int64(total[second]), secondValue)
			}
		},
	}
}

// cpuTimeMetric returns the row of a metric whose values are two counters of microseconds, in user and in kernel mode.
func cpuTimeMetric(
	name string, enabled func(*metadata.MetricsConfig) bool, user, system read.Counter,
	record func(*metadata.MetricsBuilder, pcommon.Timestamp, float64, metadata.AttributeCPUMode),
) processMetric {
	return processMetric{
		name: name, enabled: enabled, field: user.Field() | system.Field(), reads: read.FieldCPU,
		counters: func(mb *metadata.MetricsBuilder, ts pcommon.Timestamp, total *read.Totals, have read.Fields) {
			if have&user.Field() != 0 {
				record(mb, ts, cpuSeconds(total[user]), metadata.AttributeCPUModeUser)
			}
			if have&system.Field() != 0 {
				record(mb, ts, cpuSeconds(total[system]), metadata.AttributeCPUModeSystem)
			}
		},
	}
}

// cpuSeconds converts the microseconds of package read into seconds.
func cpuSeconds(us uint64) float64 { return float64(us) / 1e6 }

func recordMemoryUtilization(mb *metadata.MetricsBuilder, v *processValues) {
	if v.hostMemory > 0 {
		mb.RecordProcessMemoryUtilizationDataPoint(v.time, float64(v.levels[read.Resident])/float64(v.hostMemory))
	}
}

// recordCPUUtilization divides the share of the CPUs by mode, in proportion to the CPU time.
func recordCPUUtilization(mb *metadata.MetricsBuilder, v *processValues) {
	if !v.hasUtilization {
		return
	}
	user := 0.0
	if cpu := v.delta.CPU(); cpu > 0 {
		user = v.utilization * float64(v.delta[read.CPUUser]) / float64(cpu)
	}
	known := v.have & read.FieldCPU // A group without processes has none, and uses nothing.
	if known != read.FieldCPUSystem {
		mb.RecordProcessCPUUtilizationDataPoint(v.time, user, metadata.AttributeCPUModeUser)
	}
	if known != read.FieldCPUUser {
		mb.RecordProcessCPUUtilizationDataPoint(v.time, max(v.utilization-user, 0), metadata.AttributeCPUModeSystem)
	}
}

func recordCPUUtilizationWindow(mb *metadata.MetricsBuilder, v *processValues) {
	if v.process == nil || !v.process.HasWindow {
		return
	}
	if v.have&read.FieldCPUUser != 0 {
		mb.RecordProcessCPUUtilizationWindowDataPoint(v.time, v.process.WindowUtilization[0], metadata.AttributeCPUModeUser)
	}
	if v.have&read.FieldCPUSystem != 0 {
		mb.RecordProcessCPUUtilizationWindowDataPoint(v.time, v.process.WindowUtilization[1], metadata.AttributeCPUModeSystem)
	}
}

func recordStatus(mb *metadata.MetricsBuilder, v *processValues) {
	if v.process != nil {
		mb.RecordProcessStatusDataPoint(v.time, 1, processStates[stateIndex(v.process.State)])
	}
}

func recordNice(mb *metadata.MetricsBuilder, v *processValues) {
	if v.process != nil {
		mb.RecordProcessNiceDataPoint(v.time, int64(v.process.Nice))
	}
}

func recordUptime(mb *metadata.MetricsBuilder, v *processValues) {
	if v.process != nil {
		mb.RecordProcessUptimeDataPoint(v.time, v.uptime)
	}
}

func recordGroupProcessCount(mb *metadata.MetricsBuilder, v *processValues) {
	if v.group != nil {
		mb.RecordProcessGroupProcessCountDataPoint(v.time, int64(v.group.Members))
	}
}

func recordGroupStatus(mb *metadata.MetricsBuilder, v *processValues) {
	if v.group == nil {
		return
	}
	var members [len(processStates)]int64
	for letter, n := range v.group.States {
		if n > 0 {
			members[stateIndex(byte(letter))] += int64(n)
		}
	}
	for i, n := range members {
		mb.RecordProcessGroupStatusDataPoint(v.time, n, processStates[i])
	}
}

func recordGroupUptime(mb *metadata.MetricsBuilder, v *processValues) {
	if v.group != nil && v.group.Members > 0 {
		mb.RecordProcessGroupUptimeDataPoint(v.time, v.uptime)
	}
}

func recordNothing(*metadata.MetricsBuilder, *processValues) {}
