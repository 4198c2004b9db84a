package psutilreceiver

type loadScraper struct{ scraperSettings }

func newLoadScraper(_ ScraperConfig, env scraperSettings) (scraper, error) {
	return &loadScraper{env}, nil
}

func (s *loadScraper) scrape(t *scrapeContext) error {
	l, err := s.host.Load()
	if err != nil {
		return err
	}
	s.mb.RecordSystemCPULoadAverage1mDataPoint(t.time, l.Avg1)
	s.mb.RecordSystemCPULoadAverage5mDataPoint(t.time, l.Avg5)
	s.mb.RecordSystemCPULoadAverage15mDataPoint(t.time, l.Avg15)
	return nil
}
