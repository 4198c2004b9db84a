package psutilreceiver

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// LoadConfig configures the load scraper.
type LoadConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// CPUAverage divides the load averages by the number of CPUs that are online.
	CPUAverage bool `mapstructure:"cpu_average"`
}

type loadScraper struct {
	scraperSettings
	read   func() (host.Load, error)
	latest host.Load // kept here, so that handing it to the rows allocates nothing
}

func newLoadScraper(cfg LoadConfig, settings scraperSettings) (scraper, error) {
	return &loadScraper{scraperSettings: settings, read: cfg.reader(settings.host)}, nil
}

// reader reads the load averages as they are shown.
func (cfg LoadConfig) reader(h *host.Host) func() (host.Load, error) {
	if !cfg.CPUAverage {
		return h.Load
	}
	return func() (host.Load, error) {
		load, err := h.Load()
		if isLost(err) {
			return load, err
		}
		cpus, cpuErr := h.CPU()
		for _, average := range []*float64{&load.Avg1, &load.Avg5, &load.Avg15} {
			switch {
			case isLost(cpuErr) || cpus.Count <= 0:
				*average = host.Odd
			case *average >= 0:
				*average /= float64(cpus.Count)
			}
		}
		return load, errors.Join(err, auxiliary(cpuErr))
	}
}

func (s *loadScraper) scrape(t *scrapeContext) error {
	var err error
	if s.latest, err = s.read(); isLost(err) {
		return err
	}
	recordRows(loadRows, s.mb, t.time, &s.latest)
	return err
}

// loadRows are the load averages.
var loadRows = []pointRow[host.Load]{
	doubleRow(func(l *host.Load) float64 { return l.Avg1 }, hostPoint[host.Load]((*builder).RecordSystemCPULoadAverage1mDataPoint)).sampled(samplingByDefault),
	doubleRow(func(l *host.Load) float64 { return l.Avg5 }, hostPoint[host.Load]((*builder).RecordSystemCPULoadAverage5mDataPoint)).sampled(samplingByName),
	doubleRow(func(l *host.Load) float64 { return l.Avg15 }, hostPoint[host.Load]((*builder).RecordSystemCPULoadAverage15mDataPoint)).sampled(samplingByName),
}

// loadSampling samples the load averages.
var loadSampling = samplingKind{
	metrics: func(d describer) []sampledMetric { return sampledMetricsOf(d, loadRows) },
	sources: func(s *ScrapersConfig, set sourceSettings) []source {
		return []source{newLevels(s.Load.Get().reader(set.host), loadRows, set.recorder)}
	},
}
