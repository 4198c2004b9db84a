package psutilreceiver

import (
	"errors"
	"runtime"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

type memoryScraper struct{ scraperSettings }

func newMemoryScraper(_ ScraperConfig, env scraperSettings) (scraper, error) {
	return &memoryScraper{env}, nil
}

// scrape reads two files; one that can't be read costs the metrics that need it.
func (s *memoryScraper) scrape(t *scrapeContext) error {
	return errors.Join(s.scrapeUsage(t), s.scrapeKills(t))
}

func (s *memoryScraper) scrapeUsage(t *scrapeContext) error {
	m, err := s.host.Memory()
	if err != nil {
		return err
	}
	s.recordStates(t, &m)
	s.recordLinux(t, &m)
	return nil
}

func (s *memoryScraper) scrapeKills(t *scrapeContext) error {
	vm, err := s.host.VM()
	if err != nil {
		return err
	}
	recordKnown(vm.OOMKills, func(v int64) { s.mb.RecordSystemMemoryLinuxOomKillsDataPoint(t.time, v) })
	return nil
}

func (s *memoryScraper) recordStates(t *scrapeContext, m *host.Memory) {
	s.mb.RecordSystemMemoryLimitDataPoint(t.time, m.Total)
	states := m.States()
	for _, part := range []struct {
		state metadata.AttributeSystemMemoryState
		bytes int64
	}{
		{metadata.AttributeSystemMemoryStateUsed, states.Used},
		{metadata.AttributeSystemMemoryStateFree, states.Free},
		{metadata.AttributeSystemMemoryStateBuffers, states.Buffers},
		{metadata.AttributeSystemMemoryStateCached, states.Cached},
	} {
		s.mb.RecordSystemMemoryUsageDataPoint(t.time, part.bytes, part.state)
		s.mb.RecordSystemMemoryUtilizationDataPoint(t.time, float64(part.bytes)/float64(m.Total), part.state)
	}
}

// recordLinux records what only Linux reports, and what is available under its name there.
func (s *memoryScraper) recordLinux(t *scrapeContext, m *host.Memory) {
	if runtime.GOOS != "linux" {
		return
	}
	mb, ts := s.mb, t.time
	recordKnown(m.Available, func(v int64) { mb.RecordSystemMemoryLinuxAvailableDataPoint(ts, v) })
	recordKnown(m.Shared, func(v int64) { mb.RecordSystemMemoryLinuxSharedDataPoint(ts, v) })
	recordKnown(m.Active, func(v int64) { mb.RecordSystemMemoryLinuxActiveDataPoint(ts, v) })
	recordKnown(m.Inactive, func(v int64) { mb.RecordSystemMemoryLinuxInactiveDataPoint(ts, v) })
	recordKnown(m.Dirty, func(v int64) { mb.RecordSystemMemoryLinuxDirtyDataPoint(ts, v) })
	recordKnown(m.Writeback, func(v int64) { mb.RecordSystemMemoryLinuxWritebackDataPoint(ts, v) })
	recordKnown(m.Committed, func(v int64) { mb.RecordSystemMemoryLinuxCommittedDataPoint(ts, v) })
	recordKnown(m.CommitLimit, func(v int64) { mb.RecordSystemMemoryLinuxCommitLimitDataPoint(ts, v) })
	recordKnown(m.SlabReclaimable, func(v int64) {
		mb.RecordSystemMemoryLinuxSlabUsageDataPoint(ts, v, metadata.AttributeSystemMemoryLinuxSlabStateReclaimable)
	})
	recordKnown(m.SlabUnreclaimable, func(v int64) {
		mb.RecordSystemMemoryLinuxSlabUsageDataPoint(ts, v, metadata.AttributeSystemMemoryLinuxSlabStateUnreclaimable)
	})
	s.recordHugePages(t, m)
}

func (s *memoryScraper) recordHugePages(t *scrapeContext, m *host.Memory) {
	mb, ts := s.mb, t.time
	recordKnown(m.HugePagesTotal, func(v int64) { mb.RecordSystemMemoryLinuxHugepagesLimitDataPoint(ts, v) })
	recordKnown(m.HugePagesFree, func(v int64) {
		mb.RecordSystemMemoryLinuxHugepagesUsageDataPoint(ts, max(m.HugePagesTotal-v, 0), metadata.AttributeSystemMemoryLinuxHugepagesStateUsed)
		mb.RecordSystemMemoryLinuxHugepagesUsageDataPoint(ts, v, metadata.AttributeSystemMemoryLinuxHugepagesStateFree)
	})
	recordKnown(m.HugePagesReserved, func(v int64) { mb.RecordSystemMemoryLinuxHugepagesReservedDataPoint(ts, v) })
	recordKnown(m.HugePagesSurplus, func(v int64) { mb.RecordSystemMemoryLinuxHugepagesSurplusDataPoint(ts, v) })
	recordKnown(m.HugePageSize, func(v int64) { mb.RecordSystemMemoryLinuxHugepagesPageSizeDataPoint(ts, v) })
}
