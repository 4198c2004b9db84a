package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// recordLimits records the limits of a process that is shown on its own. A sum of limits would say nothing, so that groups have none.
func (s *processScraper) recordLimits(t *scrapeContext, p *process.Process) {
	limits, ok := s.limits.Of(p.Key)
	if !ok {
		return
	}
	if soft := limits[read.LimitDescriptors]; soft != read.Unlimited {
		s.mb.RecordProcessUnixFileDescriptorLimitDataPoint(t.time, soft)
	}
	for limit, soft := range limits {
		if soft != read.Unlimited {
			s.mb.RecordProcessRlimitDataPoint(t.time, soft, rlimitTypes[limit])
		}
	}
}

var rlimitTypes = [read.NumLimits]metadata.AttributeProcessRlimitType{
	read.LimitCPU: metadata.AttributeProcessRlimitTypeCPU, read.LimitFileSize: metadata.AttributeProcessRlimitTypeFsize,
	read.LimitData: metadata.AttributeProcessRlimitTypeData, read.LimitStack: metadata.AttributeProcessRlimitTypeStack,
	read.LimitCore: metadata.AttributeProcessRlimitTypeCore, read.LimitResident: metadata.AttributeProcessRlimitTypeRss,
	read.LimitProcesses: metadata.AttributeProcessRlimitTypeNproc, read.LimitDescriptors: metadata.AttributeProcessRlimitTypeNofile,
	read.LimitLocked: metadata.AttributeProcessRlimitTypeMemlock, read.LimitAddressSpace: metadata.AttributeProcessRlimitTypeAs,
	read.LimitFileLocks: metadata.AttributeProcessRlimitTypeLocks, read.LimitSignals: metadata.AttributeProcessRlimitTypeSigpending,
	read.LimitQueues: metadata.AttributeProcessRlimitTypeMsgqueue, read.LimitNice: metadata.AttributeProcessRlimitTypeNice,
	read.LimitRealtimePriority: metadata.AttributeProcessRlimitTypeRtprio, read.LimitRealtimeTime: metadata.AttributeProcessRlimitTypeRttime,
}
