package psutilreceiver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHardwareErrorsOfServer(t *testing.T) {
	create := func(cfg HardwareConfig) func(ScraperConfig, scraperSettings) (scraper, error) {
		return func(_ ScraperConfig, settings scraperSettings) (scraper, error) {
			return newHardwareScraper(cfg, settings)
		}
	}
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, create(HardwareConfig{}))
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{
		"hw.errors{error.type=corrected,hw.id=edac/mc0,hw.name=mc0,hw.type=memory}":   17,
		"hw.errors{error.type=uncorrected,hw.id=edac/mc0,hw.name=mc0,hw.type=memory}": 0,
	}, pointsOf(t, md))

	md, err = scrapeRoot(t, fixtureRoot("server-6.x"), nil, create(HardwareConfig{DIMMs: true, PCIErrors: true, MachineChecks: true}))
	require.NoError(t, err)
	points := pointsOf(t, md)
	assert.InDelta(t, 16, points["hw.errors{error.type=corrected,hw.id=edac/mc0/dimm0,hw.name=CPU_SrcID#0_MC#0_Chan#0_DIMM#0,hw.type=memory}"], 0)
	assert.InDelta(t, 4, points["hw.errors{error.type=correctable,hw.id=pci/0000_03_00.0,hw.name=0000_03_00.0,hw.type=pci}"], 0)
	assert.Len(t, points, 9)
}

// TestErrorsOfHardwareThatAppearsCountFromThen: a controller whose driver is loaded later has a stream that starts then.
func TestErrorsOfHardwareThatAppearsCountFromThen(t *testing.T) {
	root := copyServer(t)
	controller := filepath.Join(root, "sys/devices/system/edac/mc/mc0")
	away := filepath.Join(t.TempDir(), "mc0")
	require.NoError(t, os.Rename(controller, away))
	clock := &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	h := newOneScraper(t, clock, func(cfg *Config) {
		cfg.RootPath = root
		cfg.Scrapers.Hardware.GetOrInsertDefault()
	})
	require.Empty(t, h.scrape(t))
	require.NoError(t, os.Rename(away, controller))
	var before time.Time
	var got map[string]streamPoint
	for range 100 {
		before = clock.now
		clock.step(10 * time.Second)
		if got = h.scrape(t); len(got) > 0 {
			break
		}
	}
	require.Len(t, got, 2)
	for name, p := range got {
		assert.Equal(t, before, p.start.AsTime(), name)
	}
}
