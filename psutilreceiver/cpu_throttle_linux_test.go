package psutilreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func throttlePointsOfServer(t *testing.T, cfg CPUConfig, metrics func(*metadata.MetricsConfig)) map[string]float64 {
	t.Helper()
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), metrics, func(_ ScraperConfig, settings scraperSettings) (scraper, error) {
		return newCPUScraper(cfg, settings)
	})
	require.NoError(t, err)
	got := make(map[string]float64)
	for name, v := range pointsOf(t, md) {
		if rest, ok := strings.CutPrefix(name, "system.cpu.linux.thermal_throttle."); ok {
			got[strings.ReplaceAll(rest, "system.cpu.linux.thermal_throttle.", "")] = v
		}
	}
	return got
}

func TestThrottlesOfServer(t *testing.T) {
	assert.Equal(t, map[string]float64{"events{scope=core}": 17, "events{scope=package}": 14}, throttlePointsOfServer(t, CPUConfig{}, nil))
	withTime := func(m *metadata.MetricsConfig) { m.SystemCPULinuxThermalThrottleTime.Enabled = true }
	assert.Equal(t, map[string]float64{
		"events{scope=core}": 17, "events{scope=package}": 14, "time{scope=core}": 3.5, "time{scope=package}": 4.2,
	}, throttlePointsOfServer(t, CPUConfig{}, withTime))
	assert.Equal(t, map[string]float64{
		"events{cpu.logical_number=0,scope=core}": 5, "events{cpu.logical_number=1,scope=core}": 12, "events{cpu.logical_number=0,scope=package}": 14,
	}, throttlePointsOfServer(t, CPUConfig{PerCPU: true}, nil))
	off := func(m *metadata.MetricsConfig) { m.SystemCPULinuxThermalThrottleEvents.Enabled = false }
	assert.Empty(t, throttlePointsOfServer(t, CPUConfig{}, off))
}
