package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// DiskConfig configures the disk scraper.
type DiskConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// Include and Exclude choose devices. A device that Include lists is shown whatever it is; without Include, only whole disks
	// are, of which the sum is the I/O of the host.
	Include DeviceMatch `mapstructure:"include"`
	Exclude DeviceMatch `mapstructure:"exclude"`
	// Partitions shows partitions, too.
	Partitions bool `mapstructure:"partitions"`
}

type diskScraper struct {
	scraperSettings
	disks *host.Disks
}

func newDiskScraper(cfg DiskConfig, env scraperSettings) (scraper, error) {
	return &diskScraper{scraperSettings: env, disks: cfg.disks(env.host)}, nil
}

// disks gives a reader of the devices that are shown.
func (cfg *DiskConfig) disks(h *host.Host) *host.Disks {
	chosen := newSelection(cfg.Include.Devices, cfg.Include.MatchType, cfg.Exclude.Devices, cfg.Exclude.MatchType)
	return host.NewDisks(h, func(name string, kind host.DiskKind) bool {
		shown := kind == host.DiskWhole || kind == host.DiskPartition && cfg.Partitions || chosen.included(name)
		return shown && chosen.wants(name)
	})
}

func (s *diskScraper) close() error { return s.disks.Close() }

func (s *diskScraper) scrape(t *scrapeContext) error {
	disks, err := s.disks.Read(t.now)
	for i := range disks {
		s.record(t, &disks[i])
	}
	return err
}

func (s *diskScraper) record(t *scrapeContext, d *host.Disk) {
	mb, ts, name := s.mb, t.time, d.Name
	mb.Reset(metadata.WithStartTime(s.starts.Start(name, d.Identity)))
	for _, way := range []struct {
		direction                 metadata.AttributeDiskIoDirection
		bytes, operations, merged int64
		time                      float64
	}{
		{metadata.AttributeDiskIoDirectionRead, d.ReadBytes, d.Reads, d.ReadsMerged, d.ReadTime},
		{metadata.AttributeDiskIoDirectionWrite, d.WrittenBytes, d.Writes, d.WritesMerged, d.WriteTime},
	} {
		if way.bytes >= 0 {
			mb.RecordSystemDiskIoDataPoint(ts, way.bytes, name, way.direction)
		}
		if way.operations >= 0 {
			mb.RecordSystemDiskOperationsDataPoint(ts, way.operations, name, way.direction)
		}
		if way.merged >= 0 {
			mb.RecordSystemDiskMergedDataPoint(ts, way.merged, name, way.direction)
		}
		if way.time >= 0 {
			mb.RecordSystemDiskOperationTimeDataPoint(ts, way.time, name, way.direction)
		}
	}
	if d.IOTime >= 0 {
		mb.RecordSystemDiskIoTimeDataPoint(ts, d.IOTime, name)
	}
	if d.WeightedIOTime >= 0 {
		mb.RecordSystemDiskWeightedIoTimeDataPoint(ts, d.WeightedIOTime, name)
	}
	if d.InFlight >= 0 {
		mb.RecordSystemDiskPendingOperationsDataPoint(ts, d.InFlight, name)
	}
	if d.Size >= 0 {
		mb.RecordSystemDiskLimitDataPoint(ts, d.Size, name)
	}
}
