package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// btrfsScraper reports what the btrfs filesystems say of their devices and their space.
type btrfsScraper struct {
	scraperSettings
	filesystems *host.BtrfsFilesystems
}

func newBtrfsScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &btrfsScraper{scraperSettings: settings, filesystems: host.NewBtrfsFilesystems(settings.host)}, nil
}

func (s *btrfsScraper) close() error { return s.filesystems.Close() }

func (s *btrfsScraper) scrape(t *scrapeContext) error {
	found, err := s.filesystems.Read()
	for i := range found {
		s.record(t, &found[i])
	}
	return err
}

func (s *btrfsScraper) record(t *scrapeContext, f *host.Btrfs) {
	mb, ts := s.mb, t.time
	mb.RecordSystemBtrfsDeviceMissingDataPoint(ts, f.Missing, f.UUID, f.Label)
	recordKnown(f.Unallocated, func(v int64) { mb.RecordSystemBtrfsUnallocatedDataPoint(ts, v, f.UUID, f.Label) })
	s.recordAllocation(t, f, &f.Data, metadata.AttributeSystemBtrfsAllocationTypeData)
	s.recordAllocation(t, f, &f.Metadata, metadata.AttributeSystemBtrfsAllocationTypeMetadata)
	s.recordAllocation(t, f, &f.System, metadata.AttributeSystemBtrfsAllocationTypeSystem)
	s.recordAllocation(t, f, &f.Mixed, metadata.AttributeSystemBtrfsAllocationTypeMixed)
	for i := range f.Devices {
		d := &f.Devices[i]
		mb.Reset(metadata.WithStartTime(s.starts.Start(d.Key, 0)))
		for _, errors := range [...]struct {
			kind  string
			count int64
		}{{"read", d.Read}, {"write", d.Write}, {"flush", d.Flush}, {"corruption", d.Corruption}, {"generation", d.Generation}} {
			recordCounter(errors.count, func(v int64) {
				mb.RecordSystemBtrfsErrorsDataPoint(ts, v, f.UUID, f.Label, d.Number, metadata.WithErrorTypeMetricAttribute(errors.kind))
			})
		}
	}
}

func (s *btrfsScraper) recordAllocation(t *scrapeContext, f *host.Btrfs, a *host.BtrfsAllocation, kind metadata.AttributeSystemBtrfsAllocationType) {
	if a.Used < 0 {
		return
	}
	s.mb.RecordSystemBtrfsAllocationUsageDataPoint(t.time, a.Used, f.UUID, f.Label, kind, metadata.AttributeSystemBtrfsAllocationStateUsed)
	if a.Total >= 0 {
		s.mb.RecordSystemBtrfsAllocationUsageDataPoint(t.time, a.Total-a.Used, f.UUID, f.Label, kind, metadata.AttributeSystemBtrfsAllocationStateFree)
	}
}
