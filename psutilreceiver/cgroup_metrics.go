package psutilreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// cgroupMetric is one row of the table of metrics of groups: one value that is recorded.
type cgroupMetric struct {
	enabled func(*metadata.MetricsConfig) bool
	values  []cgroup.Value // read for it
	// total tells that the value is a counter, additive that those of several groups add up. Limits and shares do neither.
	total, additive bool
	value           func(*cgroup.Values) int64
	record          func(*builder, pcommon.Timestamp, int64)
}

type metricsConfig = metadata.MetricsConfig

func oneValue(v cgroup.Value) func(*cgroup.Values) int64 {
	return func(values *cgroup.Values) int64 { return values[v] }
}

// counterOf is the row of a counter.
func counterOf(v cgroup.Value, enabled func(*metricsConfig) bool, record func(*builder, pcommon.Timestamp, int64)) cgroupMetric {
	return cgroupMetric{enabled: enabled, values: []cgroup.Value{v}, total: true, additive: true, value: oneValue(v), record: record}
}

// levelOf is the row of a level that adds up.
func levelOf(v cgroup.Value, enabled func(*metricsConfig) bool, record func(*builder, pcommon.Timestamp, int64)) cgroupMetric {
	return cgroupMetric{enabled: enabled, values: []cgroup.Value{v}, additive: true, value: oneValue(v), record: record}
}

// limitOf is the row of a limit.
func limitOf(v cgroup.Value, enabled func(*metricsConfig) bool, record func(*builder, pcommon.Timestamp, int64)) cgroupMetric {
	m := levelOf(v, enabled, record)
	m.additive = false
	return m
}

// ofGroup makes the row one that the rest of the groups does not have.
func (m cgroupMetric) ofGroup() cgroupMetric {
	m.additive = false
	return m
}

func microseconds(record func(*builder, pcommon.Timestamp, float64)) func(*builder, pcommon.Timestamp, int64) {
	return func(mb *builder, ts pcommon.Timestamp, v int64) { record(mb, ts, float64(v)/1e6) }
}

func cpuMode(mode metadata.AttributeCPUMode) func(*builder, pcommon.Timestamp, int64) {
	return func(mb *builder, ts pcommon.Timestamp, v int64) {
		mb.RecordContainerCPUTimeDataPoint(ts, float64(v)/1e6, mode)
	}
}

func memoryEvent(event metadata.AttributeLinuxCgroupMemoryEvent) func(*builder, pcommon.Timestamp, int64) {
	return func(mb *builder, ts pcommon.Timestamp, v int64) {
		mb.RecordContainerMemoryLinuxEventsDataPoint(ts, v, event)
	}
}

func pageFault(kind metadata.AttributeSystemPagingFaultType) func(*builder, pcommon.Timestamp, int64) {
	return func(mb *builder, ts pcommon.Timestamp, v int64) { mb.RecordContainerPagingFaultsDataPoint(ts, v, kind) }
}

func enabledCPUTime(m *metricsConfig) bool    { return m.ContainerCPUTime.Enabled }
func enabledEvents(m *metricsConfig) bool     { return m.ContainerMemoryLinuxEvents.Enabled }
func enabledPageFault(m *metricsConfig) bool  { return m.ContainerPagingFaults.Enabled }
func enabledWorkingSet(m *metricsConfig) bool { return m.ContainerMemoryWorkingSet.Enabled }

var workingSetValues = []cgroup.Value{cgroup.MemoryUsage, cgroup.MemoryInactiveFile}

// cgroupMetrics is the table of metrics that are single values of a group. Minor faults are all of them less the major ones.
var cgroupMetrics = append([]cgroupMetric{
	counterOf(cgroup.CPUUser, enabledCPUTime, cpuMode(metadata.AttributeCPUModeUser)),
	counterOf(cgroup.CPUSystem, enabledCPUTime, cpuMode(metadata.AttributeCPUModeSystem)),
	counterOf(cgroup.Periods, func(m *metricsConfig) bool { return m.ContainerCPUThrottlingDataPeriods.Enabled },
		(*builder).RecordContainerCPUThrottlingDataPeriodsDataPoint).ofGroup(),
	counterOf(cgroup.ThrottledPeriods, func(m *metricsConfig) bool { return m.ContainerCPUThrottlingDataThrottledPeriods.Enabled },
		(*builder).RecordContainerCPUThrottlingDataThrottledPeriodsDataPoint).ofGroup(),
	counterOf(cgroup.ThrottledTime, func(m *metricsConfig) bool { return m.ContainerCPUThrottledTime.Enabled },
		microseconds((*builder).RecordContainerCPUThrottledTimeDataPoint)).ofGroup(),
	limitOf(cgroup.CPULimit, func(m *metricsConfig) bool { return m.ContainerCPULimit.Enabled }, microseconds((*builder).RecordContainerCPULimitDataPoint)),
	levelOf(cgroup.MemoryUsage, func(m *metricsConfig) bool { return m.ContainerMemoryUsage.Enabled }, (*builder).RecordContainerMemoryUsageDataPoint),
	{
		enabled: enabledWorkingSet, values: workingSetValues, additive: true, value: (*cgroup.Values).WorkingSet,
		record: (*builder).RecordContainerMemoryWorkingSetDataPoint,
	},
	levelOf(cgroup.MemoryRSS, func(m *metricsConfig) bool { return m.ContainerMemoryRss.Enabled }, (*builder).RecordContainerMemoryRssDataPoint),
	{
		enabled: func(m *metricsConfig) bool { return m.ContainerMemoryAvailable.Enabled },
		values:  append([]cgroup.Value{cgroup.MemoryLimit}, workingSetValues...), value: memoryAvailable, record: (*builder).RecordContainerMemoryAvailableDataPoint,
	},
	limitOf(cgroup.MemoryLimit, func(m *metricsConfig) bool { return m.ContainerMemoryUsageLimit.Enabled }, (*builder).RecordContainerMemoryUsageLimitDataPoint),
	limitOf(cgroup.MemoryHigh, func(m *metricsConfig) bool { return m.ContainerMemoryLinuxHigh.Enabled }, (*builder).RecordContainerMemoryLinuxHighDataPoint),
	counterOf(cgroup.EventHigh, enabledEvents, memoryEvent(metadata.AttributeLinuxCgroupMemoryEventHigh)).ofGroup(),
	counterOf(cgroup.EventMax, enabledEvents, memoryEvent(metadata.AttributeLinuxCgroupMemoryEventMax)).ofGroup(),
	counterOf(cgroup.EventOOM, enabledEvents, memoryEvent(metadata.AttributeLinuxCgroupMemoryEventOom)).ofGroup(),
	counterOf(cgroup.EventOOMKill, enabledEvents, memoryEvent(metadata.AttributeLinuxCgroupMemoryEventOomKill)),
	{
		enabled: enabledPageFault, values: []cgroup.Value{cgroup.FaultsMinor, cgroup.FaultsMajor}, total: true, additive: true,
		value: minorFaults, record: pageFault(metadata.AttributeSystemPagingFaultTypeMinor),
	},
	counterOf(cgroup.FaultsMajor, enabledPageFault, pageFault(metadata.AttributeSystemPagingFaultTypeMajor)),
	levelOf(cgroup.SwapUsage, func(m *metricsConfig) bool { return m.ContainerPagingUsage.Enabled }, (*builder).RecordContainerPagingUsageDataPoint),
	limitOf(cgroup.SwapLimit, func(m *metricsConfig) bool { return m.ContainerPagingLimit.Enabled }, (*builder).RecordContainerPagingLimitDataPoint),
	levelOf(cgroup.PIDs, func(m *metricsConfig) bool { return m.ContainerPidsCount.Enabled }, (*builder).RecordContainerPidsCountDataPoint),
	limitOf(cgroup.PIDLimit, func(m *metricsConfig) bool { return m.ContainerPidsLimit.Enabled }, (*builder).RecordContainerPidsLimitDataPoint),
}, cgroupPressureMetrics()...)

// memoryAvailable is the limit less the working set, Absent without a limit.
func memoryAvailable(v *cgroup.Values) int64 {
	if v[cgroup.MemoryLimit] < 0 || v.WorkingSet() < 0 {
		return cgroup.Absent
	}
	return max(v[cgroup.MemoryLimit]-v.WorkingSet(), 0)
}

func minorFaults(v *cgroup.Values) int64 {
	if v[cgroup.FaultsMinor] < 0 || v[cgroup.FaultsMajor] < 0 {
		return cgroup.Absent
	}
	return max(v[cgroup.FaultsMinor]-v[cgroup.FaultsMajor], 0)
}

type recordPressure = func(*builder, pcommon.Timestamp, float64, metadata.AttributeSystemLinuxPressureStallType)

// cgroupPressureMetrics are the rows of the pressure of groups.
func cgroupPressureMetrics() (rows []cgroupMetric) {
	for _, p := range []struct {
		resource cgroup.Resource
		stall    cgroup.Stall
		enabled  func(*metricsConfig) bool
		record   recordPressure
	}{
		{cgroup.ResourceCPU, cgroup.Stall10s, func(m *metricsConfig) bool { return m.ContainerCPULinuxPressure10s.Enabled }, (*builder).RecordContainerCPULinuxPressure10sDataPoint},
		{cgroup.ResourceCPU, cgroup.Stall1m, func(m *metricsConfig) bool { return m.ContainerCPULinuxPressure1m.Enabled }, (*builder).RecordContainerCPULinuxPressure1mDataPoint},
		{cgroup.ResourceCPU, cgroup.Stall5m, func(m *metricsConfig) bool { return m.ContainerCPULinuxPressure5m.Enabled }, (*builder).RecordContainerCPULinuxPressure5mDataPoint},
		{cgroup.ResourceCPU, cgroup.StallTotal, func(m *metricsConfig) bool { return m.ContainerCPULinuxPressureTotal.Enabled }, (*builder).RecordContainerCPULinuxPressureTotalDataPoint},
		{cgroup.ResourceMemory, cgroup.Stall10s, func(m *metricsConfig) bool { return m.ContainerMemoryLinuxPressure10s.Enabled }, (*builder).RecordContainerMemoryLinuxPressure10sDataPoint},
		{cgroup.ResourceMemory, cgroup.Stall1m, func(m *metricsConfig) bool { return m.ContainerMemoryLinuxPressure1m.Enabled }, (*builder).RecordContainerMemoryLinuxPressure1mDataPoint},
		{cgroup.ResourceMemory, cgroup.Stall5m, func(m *metricsConfig) bool { return m.ContainerMemoryLinuxPressure5m.Enabled }, (*builder).RecordContainerMemoryLinuxPressure5mDataPoint},
		{cgroup.ResourceMemory, cgroup.StallTotal, func(m *metricsConfig) bool { return m.ContainerMemoryLinuxPressureTotal.Enabled }, (*builder).RecordContainerMemoryLinuxPressureTotalDataPoint},
		{cgroup.ResourceIO, cgroup.Stall10s, func(m *metricsConfig) bool { return m.ContainerIoLinuxPressure10s.Enabled }, (*builder).RecordContainerIoLinuxPressure10sDataPoint},
		{cgroup.ResourceIO, cgroup.Stall1m, func(m *metricsConfig) bool { return m.ContainerIoLinuxPressure1m.Enabled }, (*builder).RecordContainerIoLinuxPressure1mDataPoint},
		{cgroup.ResourceIO, cgroup.Stall5m, func(m *metricsConfig) bool { return m.ContainerIoLinuxPressure5m.Enabled }, (*builder).RecordContainerIoLinuxPressure5mDataPoint},
		{cgroup.ResourceIO, cgroup.StallTotal, func(m *metricsConfig) bool { return m.ContainerIoLinuxPressureTotal.Enabled }, (*builder).RecordContainerIoLinuxPressureTotalDataPoint},
	} {
		for _, full := range []bool{false, true} {
			kind, unit := metadata.AttributeSystemLinuxPressureStallTypeSome, 10_000.0
			if full {
				kind = metadata.AttributeSystemLinuxPressureStallTypeFull
			}
			if p.stall == cgroup.StallTotal {
				unit = 1e6
			}
			v := cgroup.Pressure(p.resource, full, p.stall)
			rows = append(rows, cgroupMetric{
				enabled: p.enabled, values: []cgroup.Value{v}, total: p.stall == cgroup.StallTotal, value: oneValue(v),
				record: func(mb *builder, ts pcommon.Timestamp, n int64) { p.record(mb, ts, float64(n)/unit, kind) },
			})
		}
	}
	return rows
}
