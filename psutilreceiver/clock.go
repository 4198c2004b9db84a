package psutilreceiver

// clockScraper reports how well the clock of the host is synchronised.
type clockScraper struct{ scraperSettings }

func newClockScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &clockScraper{settings}, nil
}

// scrape records an offset and a frequency that are negative, too: they have a sign.
func (s *clockScraper) scrape(t *scrapeContext) error {
	clock, err := s.host.Clock()
	if err != nil {
		return err
	}
	s.mb.RecordSystemClockOffsetDataPoint(t.time, clock.Offset)
	s.mb.RecordSystemClockFrequencyAdjustmentDataPoint(t.time, clock.Frequency)
	synchronized := int64(0)
	if clock.Synchronized {
		synchronized = 1
	}
	s.mb.RecordSystemClockSynchronizedDataPoint(t.time, synchronized)
	if clock.MaxError >= 0 {
		s.mb.RecordSystemClockMaxErrorDataPoint(t.time, clock.MaxError)
	}
	if clock.EstimatedError >= 0 {
		s.mb.RecordSystemClockEstimatedErrorDataPoint(t.time, clock.EstimatedError)
	}
	return nil
}
