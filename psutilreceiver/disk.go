package psutilreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// DiskConfig configures the disk scraper.
type DiskConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// Include and Exclude choose devices. A device that Include lists is shown, whatever it is. Without Include only whole disks are
	// shown: their sum is the I/O of the host.
	Include DeviceMatch `mapstructure:"include"`
	Exclude DeviceMatch `mapstructure:"exclude"`
	// Partitions shows partitions beside whole disks.
	Partitions bool `mapstructure:"partitions"`
}

type diskScraper struct {
	scraperSettings
	disks *host.Disks
}

func newDiskScraper(cfg DiskConfig, settings scraperSettings) (scraper, error) {
	return &diskScraper{scraperSettings: settings, disks: cfg.disks(settings.host)}, nil
}

// disks gives a reader of the devices that are shown.
func (cfg *DiskConfig) disks(h *host.Host) *host.Disks {
	chosen := newSelection(cfg.Include.Devices, cfg.Include.MatchType, cfg.Exclude.Devices, cfg.Exclude.MatchType)
	return host.NewDisks(h, func(name string, kind host.DiskKind) bool {
		shown := kind == host.DiskWhole || kind == host.DiskPartition && cfg.Partitions || chosen.included(name)
		return shown && chosen.matches(name)
	})
}

func (s *diskScraper) close() error { return s.disks.Close() }

func (s *diskScraper) scrape(t *scrapeContext) error {
	disks, err := s.disks.Read(t.now)
	for i := range disks {
		d := &disks[i]
		s.mb.Reset(metadata.WithStartTime(s.starts.Start(d.Name, d.Identity)))
		recordRows(diskRows, s.mb, t.time, d)
	}
	return err
}

const (
	diskRead  = metadata.AttributeDiskIoDirectionRead
	diskWrite = metadata.AttributeDiskIoDirectionWrite
)

// diskRows are the points of a disk.
var diskRows = []pointRow[host.Disk]{
	intRow(func(d *host.Disk) int64 { return d.ReadBytes }, diskIO((*builder).RecordSystemDiskIoDataPoint, diskRead)).counter().sampled(samplingByDefault),
	intRow(func(d *host.Disk) int64 { return d.WrittenBytes }, diskIO((*builder).RecordSystemDiskIoDataPoint, diskWrite)).counter().sampled(samplingByDefault),
	intRow(func(d *host.Disk) int64 { return d.Reads }, diskIO((*builder).RecordSystemDiskOperationsDataPoint, diskRead)).counter().sampled(samplingByDefault),
	intRow(func(d *host.Disk) int64 { return d.Writes }, diskIO((*builder).RecordSystemDiskOperationsDataPoint, diskWrite)).counter().sampled(samplingByDefault),
	intRow(func(d *host.Disk) int64 { return d.ReadsMerged }, diskIO((*builder).RecordSystemDiskMergedDataPoint, diskRead)).counter().sampled(samplingByName),
	intRow(func(d *host.Disk) int64 { return d.WritesMerged }, diskIO((*builder).RecordSystemDiskMergedDataPoint, diskWrite)).counter().sampled(samplingByName),
	doubleRow(func(d *host.Disk) float64 { return d.ReadTime }, diskIO((*builder).RecordSystemDiskOperationTimeDataPoint, diskRead)).counter().sampled(samplingByName),
	doubleRow(func(d *host.Disk) float64 { return d.WriteTime }, diskIO((*builder).RecordSystemDiskOperationTimeDataPoint, diskWrite)).counter().sampled(samplingByName),
	doubleRow(func(d *host.Disk) float64 { return d.IOTime }, ofDisk((*builder).RecordSystemDiskIoTimeDataPoint)).counter().sampled(samplingByName),
	doubleRow(func(d *host.Disk) float64 { return d.WeightedIOTime }, ofDisk((*builder).RecordSystemDiskWeightedIoTimeDataPoint)).counter().sampled(samplingByName),
	intRow(func(d *host.Disk) int64 { return d.InFlight }, ofDisk((*builder).RecordSystemDiskPendingOperationsDataPoint)).sampled(samplingByName),
	intRow(func(d *host.Disk) int64 { return d.Size }, ofDisk((*builder).RecordSystemDiskLimitDataPoint)),
}

// ofDisk adapts the recording of a metric with the device as its attribute.
func ofDisk[V int64 | float64](record func(*builder, pcommon.Timestamp, V, string)) func(*builder, pcommon.Timestamp, V, *host.Disk) {
	return func(mb *builder, ts pcommon.Timestamp, v V, d *host.Disk) { record(mb, ts, v, d.Name) }
}

// diskIO adapts the recording of a metric with the device and a direction as its attributes.
func diskIO[V int64 | float64](
	record func(*builder, pcommon.Timestamp, V, string, metadata.AttributeDiskIoDirection), direction metadata.AttributeDiskIoDirection,
) func(*builder, pcommon.Timestamp, V, *host.Disk) {
	return func(mb *builder, ts pcommon.Timestamp, v V, d *host.Disk) { record(mb, ts, v, d.Name, direction) }
}

// diskSampling samples the disks that the scraper shows.
var diskSampling = samplingKind{
	metrics: func(d describer) []sampledMetric { return sampledMetricsOf(d, diskRows) },
	sources: func(cfg *ScrapersConfig, set sourceSettings) []source {
		disks := cfg.Disk.Get().disks(set.host)
		return []source{newDevices(&devices[host.Disk]{
			read:    disks.Read,
			name:    func(d *host.Disk) (string, uint64) { return d.Name, d.Identity },
			closing: disks.Close,
		}, diskRows, set.recorder)}
	},
}
