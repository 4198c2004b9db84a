package psutilreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func TestSensorsScraper(t *testing.T) {
	const (
		system = "pci0000_00/0000_00_1d.0/0000_03_00.0/nvme/"
		data   = "pci0000_00/0000_00_1d.4/0000_04_00.0/nvme/"
		cpu    = "platform/coretemp.0/coretemp/"
		board  = "platform/nct6775.656/nct6798/"
	)
	want := map[string]float64{
		"hw.temperature{hw.id=" + system + "temp1,hw.name=nvme,hw.sensor_location=Composite}":     41.85,
		"hw.temperature{hw.id=" + system + "temp2,hw.name=nvme,hw.sensor_location=Sensor 1}":      44.85,
		"hw.temperature{hw.id=" + data + "temp1,hw.name=nvme,hw.sensor_location=Composite}":       37.85,
		"hw.temperature{hw.id=" + cpu + "temp1,hw.name=coretemp,hw.sensor_location=Package id 0}": 61,
		"hw.temperature{hw.id=" + cpu + "temp2,hw.name=coretemp,hw.sensor_location=Core 0}":       58,
		"hw.temperature{hw.id=" + cpu + "temp3,hw.name=coretemp,hw.sensor_location=Core 1}":       61,
		"hw.temperature{hw.id=" + board + "temp1,hw.name=nct6798,hw.sensor_location=SYSTIN}":      34,
		"hw.fan.speed{hw.id=" + board + "fan1,hw.name=nct6798,hw.sensor_location=fan1}":           1204,
		"hw.fan.speed{hw.id=" + board + "fan2,hw.name=nct6798,hw.sensor_location=CHA_FAN2}":       0,
	}
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, newSensorsScraper)
	require.ErrorIs(t, err, host.ErrUnsupported, "a server has no battery")
	assert.InDeltaMapValues(t, want, pointsOf(t, md), 1e-9)

	md, err = scrapeRoot(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) {
		m.HwTemperatureLimit.Enabled = true
		m.HwTemperature.Enabled, m.HwFanSpeed.Enabled, m.HwBatteryCharge.Enabled, m.HwBatteryTimeLeft.Enabled = false, false, false, false
	}, newSensorsScraper)
	require.NoError(t, err)
	assert.InDeltaMapValues(t, map[string]float64{
		"hw.temperature.limit{hw.id=" + system + "temp1,hw.limit_type=high.degraded,hw.name=nvme,hw.sensor_location=Composite}":     81.85,
		"hw.temperature.limit{hw.id=" + system + "temp1,hw.limit_type=high.critical,hw.name=nvme,hw.sensor_location=Composite}":     84.85,
		"hw.temperature.limit{hw.id=" + data + "temp1,hw.limit_type=high.degraded,hw.name=nvme,hw.sensor_location=Composite}":       81.85,
		"hw.temperature.limit{hw.id=" + data + "temp1,hw.limit_type=high.critical,hw.name=nvme,hw.sensor_location=Composite}":       84.85,
		"hw.temperature.limit{hw.id=" + cpu + "temp1,hw.limit_type=high.degraded,hw.name=coretemp,hw.sensor_location=Package id 0}": 80,
		"hw.temperature.limit{hw.id=" + cpu + "temp1,hw.limit_type=high.critical,hw.name=coretemp,hw.sensor_location=Package id 0}": 100,
		"hw.temperature.limit{hw.id=" + cpu + "temp2,hw.limit_type=high.degraded,hw.name=coretemp,hw.sensor_location=Core 0}":       80,
		"hw.temperature.limit{hw.id=" + cpu + "temp2,hw.limit_type=high.critical,hw.name=coretemp,hw.sensor_location=Core 0}":       100,
		"hw.temperature.limit{hw.id=" + cpu + "temp3,hw.limit_type=high.degraded,hw.name=coretemp,hw.sensor_location=Core 1}":       80,
		"hw.temperature.limit{hw.id=" + cpu + "temp3,hw.limit_type=high.critical,hw.name=coretemp,hw.sensor_location=Core 1}":       100,
		"hw.temperature.limit{hw.id=" + board + "temp1,hw.limit_type=high.degraded,hw.name=nct6798,hw.sensor_location=SYSTIN}":      80,
	}, pointsOf(t, md), 1e-9)
}

func TestSensorsScraperOfALaptop(t *testing.T) {
	for status, want := range map[string]map[string]float64{
		"Discharging": {
			"hw.battery.charge{hw.id=power_supply/BAT0,hw.name=BAT0}":                                 0.75,
			"hw.battery.time_left{hw.battery.state=discharging,hw.id=power_supply/BAT0,hw.name=BAT0}": 3 * 3600,
		},
		"Charging": {
			"hw.battery.charge{hw.id=power_supply/BAT0,hw.name=BAT0}":                              0.75,
			"hw.battery.time_left{hw.battery.state=charging,hw.id=power_supply/BAT0,hw.name=BAT0}": 3600,
		},
		"Full": {"hw.battery.charge{hw.id=power_supply/BAT0,hw.name=BAT0}": 0.75},
	} {
		root := t.TempDir()
		dir := filepath.Join(root, "sys", "class", "power_supply", "BAT0")
		require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
		require.NoError(t, os.MkdirAll(dir, 0o755))
		text := "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_STATUS=" + status +
			"\nPOWER_SUPPLY_ENERGY_FULL=40000000\nPOWER_SUPPLY_ENERGY_NOW=30000000\nPOWER_SUPPLY_POWER_NOW=10000000\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, "uevent"), []byte(text), 0o600))
		md, err := scrapeRoot(t, root, nil, newSensorsScraper)
		require.ErrorIs(t, err, host.ErrUnsupported, "it has no temperatures")
		assert.InDeltaMapValues(t, want, pointsOf(t, md), 1e-9, status)
	}
}
