package psutilreceiver

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) {
		onlyMetrics(m, "hw.temperature", "hw.fan.speed", "hw.battery.charge")
	}, newSensorsScraper)
	require.ErrorIs(t, err, host.ErrUnsupported, "a server has no battery")
	assert.InDeltaMapValues(t, want, pointsOf(t, md), 1e-9)

	md, err = scrapeRoot(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) {
		onlyMetrics(m, "hw.temperature.limit")
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

// onlyMetrics turns off all metrics but those named.
func onlyMetrics(m *metadata.MetricsConfig, names ...string) {
	for _, metric := range reflect.ValueOf(m).Elem().Fields() {
		metric.FieldByName("Enabled").SetBool(false)
	}
	for i := range reflect.TypeOf(m).Elem().NumField() {
		if slices.Contains(names, reflect.TypeOf(m).Elem().Field(i).Tag.Get("mapstructure")) {
			reflect.ValueOf(m).Elem().Field(i).FieldByName("Enabled").SetBool(true)
		}
	}
}

func TestMetersAndAlarmsOfServer(t *testing.T) {
	const board = "hw.id=platform/nct6775.656/nct6798/"
	const name = ",hw.name=nct6798,hw.sensor_location="
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) {
		onlyMetrics(m, "hw.voltage", "hw.voltage.limit", "hw.current", "hw.power", "hw.fan.speed.limit")
	}, newSensorsScraper)
	require.NoError(t, err)
	assert.InDeltaMapValues(t, map[string]float64{
		"hw.voltage{" + board + "in0" + name + "Vcore}":                                    1.008,
		"hw.voltage{" + board + "in1" + name + "in1}":                                      1.016,
		"hw.voltage.limit{" + board + "in0,hw.limit_type=low.degraded" + name + "Vcore}":   0.8,
		"hw.voltage.limit{" + board + "in0,hw.limit_type=high.degraded" + name + "Vcore}":  1.744,
		"hw.current{" + board + "curr1" + name + "curr1}":                                  1.5,
		"hw.power{" + board + "power1" + name + "power1,hw.type=power}":                    35,
		"hw.fan.speed.limit{" + board + "fan1,hw.limit_type=low.degraded" + name + "fan1}": 600,
	}, pointsOf(t, md), 1e-9)

	md, err = scrapeRoot(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) { onlyMetrics(m, "hw.status") }, newSensorsScraper)
	require.NoError(t, err)
	points := pointsOf(t, md)
	assert.Len(t, points, 3*6)
	for point, v := range points {
		assert.InDelta(t, oneIf(strings.Contains(point, "hw.state=ok")), v, 0, point)
	}
	assert.Contains(t, points, "hw.status{"+board+"in0,hw.name=nct6798,hw.sensor_location=Vcore,hw.state=degraded,hw.type=voltage}")
	for point := range points {
		assert.NotContains(t, point, "fan2", "its alarm means nothing: nobody has set a limit")
	}
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

// TestEnergyOfProcessorsStartsWhenItIsFirstRead: what was consumed before has wrapped who knows how often.
func TestEnergyOfProcessorsStartsWhenItIsFirstRead(t *testing.T) {
	root := t.TempDir()
	zone := filepath.Join(root, "sys/class/powercap/intel-rapl:0")
	write := func(file, text string) {
		require.NoError(t, os.MkdirAll(zone, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(zone, file), []byte(text), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/uptime"), []byte("100.00 1.00\n"), 0o600))
	write("name", "package-0\n")
	write("max_energy_range_uj", "100000000\n")
	write("energy_uj", "99000000\n")
	clock := &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	h := newOneScraper(t, clock, func(cfg *Config) {
		cfg.RootPath = root
		cfg.Scrapers.Sensors.GetOrInsertDefault()
	})
	require.Empty(t, h.scrape(t))
	began := clock.now
	for i, want := range []float64{2, 3} {
		clock.step(10 * time.Second)
		write("energy_uj", strconv.Itoa((i+1)*1_000_000)+"\n")
		got := h.scrape(t)
		require.Len(t, got, 1)
		for name, p := range got {
			assert.Equal(t, "hw.energy{hw.id=powercap/package-0,hw.name=package-0,hw.type=cpu}", name)
			assert.InDelta(t, want, p.value, 1e-9)
			assert.Equal(t, began, p.start.AsTime())
		}
	}
}
