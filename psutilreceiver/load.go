package psutilreceiver

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"

type loadScraper struct {
	scraperSettings
	latest host.Load // kept here, so that handing it to the rows allocates nothing
}

func newLoadScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &loadScraper{scraperSettings: settings}, nil
}

func (s *loadScraper) scrape(t *scrapeContext) error {
	var err error
	if s.latest, err = s.host.Load(); isLost(err) {
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
	sources: func(_ *ScrapersConfig, set sourceSettings) []source {
		return []source{newLevels(set.host.Load, loadRows, set.recorder)}
	},
}
