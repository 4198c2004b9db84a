package psutilreceiver

type loadScraper struct{ environment }

func newLoadScraper(_ ScraperConfig, env environment) (scraper, error) { return &loadScraper{env}, nil }

func (s *loadScraper) scrape(t *tick) error {
	l, err := s.host.Load()
	if err != nil {
		return err
	}
	s.mb.RecordSystemCPULoadAverage1mDataPoint(t.time, l.Avg1)
	s.mb.RecordSystemCPULoadAverage5mDataPoint(t.time, l.Avg5)
	s.mb.RecordSystemCPULoadAverage15mDataPoint(t.time, l.Avg15)
	return nil
}
