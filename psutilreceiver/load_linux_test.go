package psutilreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadScraper(t *testing.T) {
	for name, want := range map[string]map[string]float64{
		"server-6.x": {"system.cpu.load_average.1m": 1.37, "system.cpu.load_average.5m": 0.92, "system.cpu.load_average.15m": 0.64},
		"kernel-4.4": {"system.cpu.load_average.1m": 0.08, "system.cpu.load_average.5m": 0.03, "system.cpu.load_average.15m": 0.05},
	} {
		md, err := scrapeRoot(t, fixtureRoot(name), nil, func(c ScraperConfig, set scraperSettings) (scraper, error) {
			return newLoadScraper(LoadConfig{ScraperConfig: c}, set)
		})
		require.NoError(t, err)
		assert.Equal(t, want, pointsOf(t, md), name)
	}
}
