package psutilreceiver

import (
	"math"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// DiskHealthConfig configures the disk_health scraper.
type DiskHealthConfig struct {
	ScraperConfig `mapstructure:",squash"`
}

// defaultDiskHealthConfig has an interval of its own: what disks say of themselves changes slowly, and to ask costs them time.
func defaultDiskHealthConfig() DiskHealthConfig {
	return DiskHealthConfig{ScraperConfig: ScraperConfig{CollectionInterval: 5 * time.Minute}}
}

// diskHealthScraper reports what disks say of their own health.
type diskHealthScraper struct {
	scraperSettings
	disks  *host.DiskHealths
	warned bool
}

func newDiskHealthScraper(_ DiskHealthConfig, settings scraperSettings) (scraper, error) {
	return &diskHealthScraper{scraperSettings: settings, disks: host.NewDiskHealths(settings.host)}, nil
}

func (s *diskHealthScraper) scrape(t *scrapeContext) error {
	disks, err := s.disks.Read()
	for i := range disks {
		s.record(t, &disks[i])
	}
	if s.disks.Denied() && !s.warned {
		s.warned = true
		s.logger.Warn("The health of disks is left out: NVMe disks tell it to a process with CAP_SYS_ADMIN, SATA disks to one with CAP_SYS_RAWIO")
	}
	return err
}

// diskStates are the states of hw.status that a disk has.
var diskStates = [...]metadata.AttributeHwState{
	host.DiskOK:       metadata.AttributeHwStateOk,
	host.DiskDegraded: metadata.AttributeHwStateDegraded,
	host.DiskFailing:  metadata.AttributeHwStatePredictedFailure,
	host.DiskFailed:   metadata.AttributeHwStateFailed,
}

func (s *diskHealthScraper) record(t *scrapeContext, d *host.DiskHealth) {
	s.mb.Reset(metadata.WithStartTime(s.starts.Start(d.ID, 0)))
	if d.StateKnown {
		recordHardwareStatus(s.mb, t.time, d.ID, d.Name, metadata.AttributeHwTypePhysicalDisk, diskStates[:], diskStates[d.State])
	}
	if d.Remaining >= 0 {
		s.mb.RecordHwPhysicalDiskEnduranceUtilizationDataPoint(t.time, d.Remaining, d.ID, d.Name, metadata.AttributeHwPhysicalDiskStateRemaining)
	}
	if !math.IsNaN(d.Celsius) {
		s.mb.RecordHwTemperatureDataPoint(t.time, d.Celsius, d.ID, d.Name)
	}
	recordCounter(d.MediaErrors, func(v int64) {
		s.mb.RecordHwErrorsDataPoint(t.time, v, d.ID, d.Name, metadata.AttributeHwTypePhysicalDisk, metadata.WithErrorTypeMetricAttribute("media"))
	})
	for _, v := range d.Values {
		s.mb.RecordHwPhysicalDiskSmartDataPoint(t.time, v.Value, d.ID, d.Name, v.Name)
	}
}
