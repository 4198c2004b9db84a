package psutilreceiver

import (
	"runtime"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
)

// recordTotals records the counters that there are to tell of since start, and returns which. Where deltas are made of them, one that the previous
// scrape did not record gets a base at its time: what was used by then has been counted elsewhere, in the remainder or under another
// identity, or is nothing, and the delta begins there. What was born since needs none.
func (s *processScraper) recordTotals(
	t *scrapeContext, start pcommon.Timestamp, total, base *process.Counters, have, before process.Fields,
) process.Fields {
	if total[process.ReapedUser]+total[process.ReapedSystem] == 0 {
		have &^= process.FieldChildren
	}
	if s.delta && t.previous != 0 && (start < t.previous || *base != process.Counters{}) {
		s.recordCounters(t.previous, base, have&^before)
	}
	s.recordCounters(t.time, total, have)
	return have
}

func (s *processScraper) recordCounters(ts pcommon.Timestamp, c *process.Counters, have process.Fields) {
	mb := s.mb
	if have&process.FieldCPU != 0 {
		mb.RecordProcessCPUTimeDataPoint(ts, cpuSeconds(c[process.CPUUser]), metadata.AttributeCPUModeUser)
		mb.RecordProcessCPUTimeDataPoint(ts, cpuSeconds(c[process.CPUSystem]), metadata.AttributeCPUModeSystem)
	}
	if have&process.FieldChildren != 0 {
		mb.RecordProcessChildrenCPUTimeDataPoint(ts, cpuSeconds(c[process.ReapedUser]), metadata.AttributeCPUModeUser)
		mb.RecordProcessChildrenCPUTimeDataPoint(ts, cpuSeconds(c[process.ReapedSystem]), metadata.AttributeCPUModeSystem)
	}
	if have&process.FieldDiskIO != 0 {
		mb.RecordProcessDiskIoDataPoint(ts, int64(c[process.DiskReadBytes]), metadata.AttributeDiskIoDirectionRead)
		mb.RecordProcessDiskIoDataPoint(ts, int64(c[process.DiskWriteBytes]), metadata.AttributeDiskIoDirectionWrite)
	}
	if have&process.FieldLogicalIO != 0 {
		mb.RecordProcessIoLogicalDataPoint(ts, int64(c[process.LogicalReadBytes]), metadata.AttributeDiskIoDirectionRead)
		mb.RecordProcessIoLogicalDataPoint(ts, int64(c[process.LogicalWriteBytes]), metadata.AttributeDiskIoDirectionWrite)
	}
	if have&process.FieldSwitches != 0 {
		mb.RecordProcessContextSwitchesDataPoint(ts, int64(c[process.VoluntarySwitches]), metadata.AttributeProcessContextSwitchTypeVoluntary)
		mb.RecordProcessContextSwitchesDataPoint(ts, int64(c[process.InvoluntarySwitches]), metadata.AttributeProcessContextSwitchTypeInvoluntary)
	}
	if have&process.FieldFaults != 0 {
		mb.RecordProcessPagingFaultsDataPoint(ts, int64(c[process.MajorFaults]), metadata.AttributeSystemPagingFaultTypeMajor)
		mb.RecordProcessPagingFaultsDataPoint(ts, int64(c[process.MinorFaults]), metadata.AttributeSystemPagingFaultTypeMinor)
	}
}

func (s *processScraper) recordLevels(ts pcommon.Timestamp, l *process.Levels, have process.Fields) {
	mb := s.mb
	if have&process.FieldMemory != 0 {
		mb.RecordProcessMemoryUsageDataPoint(ts, int64(l[process.Resident]))
		mb.RecordProcessMemoryVirtualDataPoint(ts, int64(l[process.Virtual]))
		if s.memory > 0 {
			mb.RecordProcessMemoryUtilizationDataPoint(ts, float64(l[process.Resident])/float64(s.memory))
		}
	}
	if have&process.FieldThreads != 0 {
		mb.RecordProcessThreadCountDataPoint(ts, int64(l[process.Threads]))
	}
	if have&process.FieldShared != 0 {
		mb.RecordProcessMemorySharedDataPoint(ts, int64(l[process.Shared]))
	}
	if have&process.FieldSwap != 0 {
		mb.RecordProcessMemorySwapDataPoint(ts, int64(l[process.Swap]))
	}
	if have&process.FieldDescriptors != 0 {
		s.recordDescriptors(ts, int64(l[process.Descriptors]))
	}
	if have&process.FieldProportional != 0 {
		mb.RecordProcessMemoryPssDataPoint(ts, int64(l[process.Proportional]))
		mb.RecordProcessMemoryUssDataPoint(ts, int64(l[process.Unique]))
	}
}

// recordDescriptors gives what the system counts the name that the conventions have for it there.
func (s *processScraper) recordDescriptors(ts pcommon.Timestamp, n int64) {
	if runtime.GOOS == "windows" {
		s.mb.RecordProcessWindowsHandleCountDataPoint(ts, n)
		return
	}
	s.mb.RecordProcessUnixFileDescriptorCountDataPoint(ts, n)
}

// recordUtilization divides the share of the CPUs by mode as the CPU time divides.
func (s *processScraper) recordUtilization(ts pcommon.Timestamp, share float64, delta *process.Counters) {
	user := 0.0
	if cpu := delta.CPU(); cpu > 0 {
		user = share * float64(delta[process.CPUUser]) / float64(cpu)
	}
	s.mb.RecordProcessCPUUtilizationDataPoint(ts, user, metadata.AttributeCPUModeUser)
	s.mb.RecordProcessCPUUtilizationDataPoint(ts, max(share-user, 0), metadata.AttributeCPUModeSystem)
}
