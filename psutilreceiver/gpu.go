package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// gpuScraper reports graphics processors.
type gpuScraper struct {
	scraperSettings
	gpus *host.GPUs
}

func newGPUScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &gpuScraper{scraperSettings: settings, gpus: host.NewGPUs(settings.host)}, nil
}

func (s *gpuScraper) close() error { return s.gpus.Close() }

func (s *gpuScraper) scrape(t *scrapeContext) error {
	m := &s.metrics
	if !m.HwGpuUtilization.Enabled && !m.HwGpuMemoryUsage.Enabled && !m.HwGpuMemoryLimit.Enabled && !m.HwGpuMemoryUtilization.Enabled {
		return nil
	}
	gpus, err := s.gpus.Read()
	for i := range gpus {
		g := &gpus[i]
		if g.Utilization >= 0 {
			s.mb.RecordHwGpuUtilizationDataPoint(t.time, g.Utilization, g.ID, g.Name, metadata.AttributeHwGpuTaskGeneral)
		}
		recordKnown(g.MemoryUsed, func(v int64) { s.mb.RecordHwGpuMemoryUsageDataPoint(t.time, v, g.ID, g.Name) })
		recordKnown(g.MemoryTotal, func(v int64) { s.mb.RecordHwGpuMemoryLimitDataPoint(t.time, v, g.ID, g.Name) })
		if g.MemoryUsed >= 0 && g.MemoryUsed <= g.MemoryTotal && g.MemoryTotal > 0 {
			s.mb.RecordHwGpuMemoryUtilizationDataPoint(t.time, float64(g.MemoryUsed)/float64(g.MemoryTotal), g.ID, g.Name)
		}
	}
	return err
}
