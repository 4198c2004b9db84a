package psutilreceiver

import "time"

// DiskHealthConfig configures the disk_health scraper.
type DiskHealthConfig struct {
	ScraperConfig `mapstructure:",squash"`
}

// defaultDiskHealthConfig has an interval of its own: what disks say of themselves changes slowly, and to ask costs them time.
func defaultDiskHealthConfig() DiskHealthConfig {
	return DiskHealthConfig{ScraperConfig: ScraperConfig{CollectionInterval: 5 * time.Minute}}
}

type diskHealthScraper struct{ scraperSettings }

func newDiskHealthScraper(_ DiskHealthConfig, settings scraperSettings) (scraper, error) {
	return &diskHealthScraper{scraperSettings: settings}, nil
}

func (s *diskHealthScraper) scrape(*scrapeContext) error { return nil }
