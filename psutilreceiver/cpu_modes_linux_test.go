package psutilreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCPUModesThatTheSystemDoesNotKnowAreLeftOut(t *testing.T) {
	const user, system, idle, unknown = 0, 2, 3, -1
	times := modeTimes{unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown}
	settings, current := scraperSettingsOf(t, fixtureRoot("server-6.x"), nil), fixtureScrape()
	s := &cpuScraper{scraperSettings: settings}
	var total cpuStream
	times[user], times[system], times[idle] = 10, 5, 100
	total.advanceTotal(current, times, 1)
	times[user], times[idle] = 11, 103
	total.advanceTotal(current, times, 1)
	s.record(current, &total, cpuRecords{true, true})
	assert.InDeltaMapValues(t, map[string]float64{
		"system.cpu.time{cpu.mode=user}": 11, "system.cpu.time{cpu.mode=system}": 5, "system.cpu.time{cpu.mode=idle}": 103,
		"system.cpu.utilization{cpu.mode=user}": 0.25, "system.cpu.utilization{cpu.mode=system}": 0, "system.cpu.utilization{cpu.mode=idle}": 0.75,
	}, pointsOf(t, settings.mb.Emit()), 1e-9)
}
