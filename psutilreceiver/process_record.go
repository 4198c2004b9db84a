package psutilreceiver

import (
	"runtime"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// recordTotals records the counters that there are to tell of since start, and returns which. Where deltas are made of them, one that the previous
// scrape did not record gets a base at its time: what was used by then has been counted elsewhere, in the remainder or under another
// identity, or is nothing, and the delta begins there. What was born since needs none.
func (s *processScraper) recordTotals(
	t *scrapeContext, start pcommon.Timestamp, total, base *read.Totals, have, before read.Fields,
) read.Fields {
	if total[read.ReapedUser]+total[read.ReapedSystem] == 0 {
		have &^= read.FieldChildren
	}
	if s.delta && t.previous != 0 && (start < t.previous || *base != read.Totals{}) {
		s.recordCounters(t.previous, base, have&^before)
	}
	s.recordCounters(t.time, total, have)
	return have
}

func (s *processScraper) recordCounters(ts pcommon.Timestamp, c *read.Totals, have read.Fields) {
	mb := s.mb
	if have&read.FieldCPU != 0 {
		mb.RecordProcessCPUTimeDataPoint(ts, cpuSeconds(c[read.CPUUser]), metadata.AttributeCPUModeUser)
		mb.RecordProcessCPUTimeDataPoint(ts, cpuSeconds(c[read.CPUSystem]), metadata.AttributeCPUModeSystem)
	}
	if have&read.FieldChildren != 0 {
		mb.RecordProcessChildrenCPUTimeDataPoint(ts, cpuSeconds(c[read.ReapedUser]), metadata.AttributeCPUModeUser)
		mb.RecordProcessChildrenCPUTimeDataPoint(ts, cpuSeconds(c[read.ReapedSystem]), metadata.AttributeCPUModeSystem)
	}
	if have&read.FieldDiskIO != 0 {
		mb.RecordProcessDiskIoDataPoint(ts, int64(c[read.DiskReadBytes]), metadata.AttributeDiskIoDirectionRead)
		mb.RecordProcessDiskIoDataPoint(ts, int64(c[read.DiskWriteBytes]), metadata.AttributeDiskIoDirectionWrite)
	}
	if have&read.FieldLogicalIO != 0 {
		mb.RecordProcessIoLogicalDataPoint(ts, int64(c[read.LogicalReadBytes]), metadata.AttributeDiskIoDirectionRead)
		mb.RecordProcessIoLogicalDataPoint(ts, int64(c[read.LogicalWriteBytes]), metadata.AttributeDiskIoDirectionWrite)
	}
	if have&read.FieldSwitches != 0 {
		mb.RecordProcessContextSwitchesDataPoint(ts, int64(c[read.VoluntarySwitches]), metadata.AttributeProcessContextSwitchTypeVoluntary)
		mb.RecordProcessContextSwitchesDataPoint(ts, int64(c[read.InvoluntarySwitches]), metadata.AttributeProcessContextSwitchTypeInvoluntary)
	}
	if have&read.FieldFaults != 0 {
		mb.RecordProcessPagingFaultsDataPoint(ts, int64(c[read.MajorFaults]), metadata.AttributeSystemPagingFaultTypeMajor)
		mb.RecordProcessPagingFaultsDataPoint(ts, int64(c[read.MinorFaults]), metadata.AttributeSystemPagingFaultTypeMinor)
	}
}

func (s *processScraper) recordLevels(ts pcommon.Timestamp, l *read.Levels, have read.Fields) {
	mb := s.mb
	if have&read.FieldMemory != 0 {
		mb.RecordProcessMemoryUsageDataPoint(ts, int64(l[read.Resident]))
		mb.RecordProcessMemoryVirtualDataPoint(ts, int64(l[read.Virtual]))
		if s.memory > 0 {
			mb.RecordProcessMemoryUtilizationDataPoint(ts, float64(l[read.Resident])/float64(s.memory))
		}
	}
	if have&read.FieldThreads != 0 {
		mb.RecordProcessThreadCountDataPoint(ts, int64(l[read.Threads]))
	}
	if have&read.FieldShared != 0 {
		mb.RecordProcessMemorySharedDataPoint(ts, int64(l[read.Shared]))
	}
	if have&read.FieldSwap != 0 {
		mb.RecordProcessMemorySwapDataPoint(ts, int64(l[read.Swap]))
	}
	if have&read.FieldDescriptors != 0 {
		s.recordDescriptors(ts, int64(l[read.Descriptors]))
	}
	if have&read.FieldProportional != 0 {
		mb.RecordProcessMemoryPssDataPoint(ts, int64(l[read.Proportional]))
		mb.RecordProcessMemoryUssDataPoint(ts, int64(l[read.Unique]))
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
func (s *processScraper) recordUtilization(ts pcommon.Timestamp, share float64, delta *process.Deltas) {
	user := 0.0
	if cpu := delta.CPU(); cpu > 0 {
		user = share * float64(delta[read.CPUUser]) / float64(cpu)
	}
	s.mb.RecordProcessCPUUtilizationDataPoint(ts, user, metadata.AttributeCPUModeUser)
	s.mb.RecordProcessCPUUtilizationDataPoint(ts, max(share-user, 0), metadata.AttributeCPUModeSystem)
}
