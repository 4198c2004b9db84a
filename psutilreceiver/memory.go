package psutilreceiver

import (
	"errors"
	"os"
	"runtime"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

type memoryScraper struct {
	scraperSettings
	latest host.Memory // kept here, so that handing it to the rows allocates nothing
}

func newMemoryScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &memoryScraper{scraperSettings: settings}, nil
}

// scrape reads two files; one that can't be read costs the metrics that need it.
func (s *memoryScraper) scrape(t *scrapeContext) error {
	s.mb.RecordSystemMemoryPageSizeDataPoint(t.time, int64(os.Getpagesize()))
	return errors.Join(s.scrapeUsage(t), s.scrapeKills(t))
}

func (s *memoryScraper) scrapeUsage(t *scrapeContext) error {
	var err error
	if s.latest, err = s.host.Memory(); isLost(err) {
		return err
	}
	recordRows(memoryRows, s.mb, t.time, &s.latest)
	if runtime.GOOS == "linux" {
		recordRows(memoryLinuxRows, s.mb, t.time, &s.latest)
		if s.hostmetrics {
			recordRows(memorySlabRows, s.mb, t.time, &s.latest)
		}
	}
	return err
}

func (s *memoryScraper) scrapeKills(t *scrapeContext) error {
	vm, err := s.host.VM()
	if isLost(err) {
		return err
	}
	recordCounter(vm.OOMKills, func(v int64) { s.mb.RecordSystemMemoryLinuxOomKillsDataPoint(t.time, v) })
	return err
}

type memoryState = metadata.AttributeSystemMemoryState

// memoryRows are the points of the memory on every system.
var memoryRows = slices.Concat(
	[]pointRow[host.Memory]{
		intRow(func(m *host.Memory) int64 { return m.Total }, hostPoint[host.Memory]((*builder).RecordSystemMemoryLimitDataPoint)),
	},
	memoryStateRows(metadata.AttributeSystemMemoryStateUsed, func(s host.MemoryStates) int64 { return s.Used }),
	memoryStateRows(metadata.AttributeSystemMemoryStateFree, func(s host.MemoryStates) int64 { return s.Free }),
	memoryStateRows(metadata.AttributeSystemMemoryStateBuffers, func(s host.MemoryStates) int64 { return s.Buffers }),
	memoryStateRows(metadata.AttributeSystemMemoryStateCached, func(s host.MemoryStates) int64 { return s.Cached }),
)

// memoryStateRows are the points of one of the parts into which the memory is divided.
func memoryStateRows(state memoryState, part func(host.MemoryStates) int64) []pointRow[host.Memory] {
	return []pointRow[host.Memory]{
		doubleRow(func(m *host.Memory) float64 {
			if m.Total <= 0 {
				return host.Odd
			}
			return float64(part(m.States())) / float64(m.Total)
		},
			func(mb *builder, ts pcommon.Timestamp, v float64, _ *host.Memory) {
				mb.RecordSystemMemoryUtilizationDataPoint(ts, v, state)
			}).sampled(samplingByDefault),
		intRow(func(m *host.Memory) int64 { return part(m.States()) },
			func(mb *builder, ts pcommon.Timestamp, v int64, _ *host.Memory) {
				mb.RecordSystemMemoryUsageDataPoint(ts, v, state)
			}).sampled(samplingByName),
	}
}

// memorySlabRows are the states that hostmetricsreceiver has beside those that sum to the memory.
var memorySlabRows = slices.Concat(
	memorySlabStateRows(metadata.AttributeSystemMemoryStateSlabReclaimable, func(m *host.Memory) int64 { return m.SlabReclaimable }),
	memorySlabStateRows(metadata.AttributeSystemMemoryStateSlabUnreclaimable, func(m *host.Memory) int64 { return m.SlabUnreclaimable }),
)

func memorySlabStateRows(state memoryState, part func(*host.Memory) int64) []pointRow[host.Memory] {
	return []pointRow[host.Memory]{
		doubleRow(func(m *host.Memory) float64 {
			if m.Total <= 0 {
				return host.Odd
			}
			return float64(part(m)) / float64(m.Total)
		}, func(mb *builder, ts pcommon.Timestamp, v float64, _ *host.Memory) {
			mb.RecordSystemMemoryUtilizationDataPoint(ts, v, state)
		}),
		memoryRow(part, func(mb *builder, ts pcommon.Timestamp, v int64) { mb.RecordSystemMemoryUsageDataPoint(ts, v, state) }),
	}
}

const (
	slabReclaimable   = metadata.AttributeSystemMemoryLinuxSlabStateReclaimable
	slabUnreclaimable = metadata.AttributeSystemMemoryLinuxSlabStateUnreclaimable
	hugePagesUsed     = metadata.AttributeSystemMemoryLinuxHugepagesStateUsed
	hugePagesFree     = metadata.AttributeSystemMemoryLinuxHugepagesStateFree
)

// memoryLinuxRows are the points of what only Linux reports, and of what is available under its name there.
var memoryLinuxRows = []pointRow[host.Memory]{
	memoryRow(func(m *host.Memory) int64 { return m.Available }, (*builder).RecordSystemMemoryLinuxAvailableDataPoint).sampled(samplingByName),
	memoryRow(func(m *host.Memory) int64 { return m.Committed }, (*builder).RecordSystemMemoryLinuxCommittedDataPoint).sampled(samplingByName),
	memoryRow(func(m *host.Memory) int64 { return m.Dirty }, (*builder).RecordSystemMemoryLinuxDirtyDataPoint).sampled(samplingByName),
	memoryRow(func(m *host.Memory) int64 { return m.Writeback }, (*builder).RecordSystemMemoryLinuxWritebackDataPoint).sampled(samplingByName),
	memoryRow(func(m *host.Memory) int64 { return m.Shared }, (*builder).RecordSystemMemoryLinuxSharedDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.Active }, (*builder).RecordSystemMemoryLinuxActiveDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.Inactive }, (*builder).RecordSystemMemoryLinuxInactiveDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.CommitLimit }, (*builder).RecordSystemMemoryLinuxCommitLimitDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.SlabReclaimable }, func(mb *builder, ts pcommon.Timestamp, v int64) {
		mb.RecordSystemMemoryLinuxSlabUsageDataPoint(ts, v, slabReclaimable)
	}),
	memoryRow(func(m *host.Memory) int64 { return m.SlabUnreclaimable }, func(mb *builder, ts pcommon.Timestamp, v int64) {
		mb.RecordSystemMemoryLinuxSlabUsageDataPoint(ts, v, slabUnreclaimable)
	}),
	memoryRow(func(m *host.Memory) int64 { return m.HardwareCorrupted }, (*builder).RecordSystemMemoryLinuxHardwareCorruptedDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.Anonymous }, (*builder).RecordSystemMemoryLinuxAnonymousDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.Mapped }, (*builder).RecordSystemMemoryLinuxMappedDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.KernelStack }, (*builder).RecordSystemMemoryLinuxKernelStackDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.PageTables }, (*builder).RecordSystemMemoryLinuxPageTablesDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.PerCPU }, (*builder).RecordSystemMemoryLinuxPercpuDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.HugePagesTotal }, (*builder).RecordSystemMemoryLinuxHugepagesLimitDataPoint),
	memoryRow(usedHugePages, func(mb *builder, ts pcommon.Timestamp, v int64) {
		mb.RecordSystemMemoryLinuxHugepagesUsageDataPoint(ts, v, hugePagesUsed)
	}),
	memoryRow(func(m *host.Memory) int64 { return m.HugePagesFree }, func(mb *builder, ts pcommon.Timestamp, v int64) {
		mb.RecordSystemMemoryLinuxHugepagesUsageDataPoint(ts, v, hugePagesFree)
	}),
	hugePagesShare(usedHugePages, hugePagesUsed),
	hugePagesShare(func(m *host.Memory) int64 { return m.HugePagesFree }, hugePagesFree),
	memoryRow(func(m *host.Memory) int64 { return m.HugePagesReserved }, (*builder).RecordSystemMemoryLinuxHugepagesReservedDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.HugePagesSurplus }, (*builder).RecordSystemMemoryLinuxHugepagesSurplusDataPoint),
	memoryRow(func(m *host.Memory) int64 { return m.HugePageSize }, (*builder).RecordSystemMemoryLinuxHugepagesPageSizeDataPoint),
}

func memoryRow(value func(*host.Memory) int64, record func(*builder, pcommon.Timestamp, int64)) pointRow[host.Memory] {
	return intRow(value, hostPoint[host.Memory](record))
}

// hugePagesShare is the share of the huge pages in a state, of a host that has some.
func hugePagesShare(pages func(*host.Memory) int64, state metadata.AttributeSystemMemoryLinuxHugepagesState) pointRow[host.Memory] {
	return doubleRow(func(m *host.Memory) float64 {
		if n := pages(m); n >= 0 && m.HugePagesTotal > 0 {
			return float64(n) / float64(m.HugePagesTotal)
		}
		return -1
	}, func(mb *builder, ts pcommon.Timestamp, v float64, _ *host.Memory) {
		mb.RecordSystemMemoryLinuxHugepagesUtilizationDataPoint(ts, v, state)
	})
}

func usedHugePages(m *host.Memory) int64 {
	if m.HugePagesFree < 0 || m.HugePagesTotal < 0 {
		return -1
	}
	return max(m.HugePagesTotal-m.HugePagesFree, 0)
}

// memorySampling samples the memory.
var memorySampling = samplingKind{
	metrics: func(d describer) []sampledMetric {
		return slices.Concat(sampledMetricsOf(d, memoryRows), sampledMetricsOf(d, memoryLinuxRows))
	},
	sources: func(_ *ScrapersConfig, set sourceSettings) []source {
		rows := memoryRows
		if runtime.GOOS == "linux" {
			rows = slices.Concat(memoryRows, memoryLinuxRows)
		}
		return []source{newLevels(set.host.Memory, rows, set.recorder)}
	},
}
