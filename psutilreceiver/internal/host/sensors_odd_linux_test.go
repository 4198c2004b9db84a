package host

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABatteryWhoseTypeIsNotInItsUevent(t *testing.T) {
	const full = "POWER_SUPPLY_STATUS=Full\nPOWER_SUPPLY_CAPACITY=97\n"
	h := hostWith(t, map[string]string{
		"sys/class/power_supply/BAT0/uevent":          "POWER_SUPPLY_NAME=BAT0\n" + full,
		"sys/class/power_supply/BAT0/type":            "Battery\n",
		"sys/class/power_supply/BAT1/uevent":          "POWER_SUPPLY_NAME=BAT1\nPOWER_SUPPLY_TYPE=Battery\n" + full,
		"sys/class/power_supply/AC/uevent":            "POWER_SUPPLY_NAME=AC\nPOWER_SUPPLY_ONLINE=1\n",
		"sys/class/power_supply/AC/type":              "Mains\n",
		"sys/class/power_supply/hidpp_mouse/uevent":   "POWER_SUPPLY_NAME=hidpp_mouse\n" + full,
		"sys/class/power_supply/hidpp_mouse/type":     "Battery\n",
		"sys/class/power_supply/hidpp_mouse/scope":    "Device\n",
		"sys/class/power_supply/what/uevent":          full,
		"sys/class/power_supply/contradiction/type":   "Battery\n",
		"sys/class/power_supply/contradiction/uevent": "POWER_SUPPLY_TYPE=UPS\n" + full,
	})
	got, err := h.Batteries()
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "power_supply/BAT0", got[0].ID)
	assert.Equal(t, "power_supply/BAT1", got[1].ID)
	assert.InDelta(t, 0.97, got[0].Charge, 0)
}

func TestABrokenSensorIsLeftOut(t *testing.T) {
	h := hostWith(t, nil)
	for number, fault := range []string{"0\n", "1\n", "", "2\n"} {
		name := "chip" + string(rune('a'+number))
		dir := hwmon(t, h, number, "platform/"+name+"/hwmon", name, "30000")
		if fault == "" {
			continue
		}
		for _, file := range []string{"temp1_fault", "fan1_fault"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(fault), 0o600))
		}
	}
	assert.Equal(t, []string{"platform/chipa/chipa/temp1", "platform/chipc/chipc/temp1"}, ids(t, h))
	fans, err := h.Fans(false)
	require.NoError(t, err)
	require.Len(t, fans, 2)
	// The fault comes and goes without the sensors being looked for again.
	require.NoError(t, os.WriteFile(h.Path("sys/devices/platform/chipa/hwmon/hwmon0/temp1_fault"), []byte("1\n"), 0o600))
	require.NoError(t, os.WriteFile(h.Path("sys/devices/platform/chipb/hwmon/hwmon1/temp1_fault"), []byte("0\n"), 0o600))
	assert.Equal(t, []string{"platform/chipb/chipb/temp1", "platform/chipc/chipc/temp1"}, ids(t, h))
}

// TestThermalZonesThatNoChipShows: each is a sensor of its own, beside whatever chips there are, and none is shown twice.
func TestThermalZonesThatNoChipShows(t *testing.T) {
	h := hostWith(t, nil)
	zone := func(entry, kind, celsius string) {
		put(t, h.Root(), "sys/class/thermal/"+entry+"/type", kind+"\n")
		put(t, h.Root(), "sys/class/thermal/"+entry+"/temp", celsius+"\n")
	}
	hwmon(t, h, 0, "platform/soc/ina226/hwmon", "ina226", "41000")
	zone("thermal_zone0", "cpu-thermal", "86000")
	assert.Equal(t, []string{"platform/soc/ina226/ina226/temp1", "thermal/cpu-thermal"}, ids(t, h), "a board with one chip")

	h = hostWith(t, nil)
	hwmon(t, h, 0, "platform/coretemp.0/hwmon", "coretemp", "61000")
	hwmon(t, h, 1, "virtual/thermal/thermal_zone0", "acpitz", "28000")
	hwmon(t, h, 2, "virtual/thermal/thermal_zone3", "gpu_thermal", "50000")
	zone("thermal_zone0", "acpitz", "28000")          // Its chip has the same name.
	zone("thermal_zone1", "acpitz", "30000")          // It is the second sensor of this chip.
	zone("thermal_zone2", "x86_pkg_temp", "61000")    // coretemp has it.
	zone("thermal_zone3", "gpu-thermal", "50000")     // Names of chips have no hyphens.
	zone("thermal_zone4", "gpu-thermal", "51000")     // As above.
	zone("thermal_zone5", "odd.name", "33000")        // A chip lies below it, whatever its name is.
	zone("thermal_zone6", "INT3400 Thermal", "20000") // No sensor.
	zone("thermal_zone7", "TCPU", "62000")
	zone("thermal_zone8", "open", "-274000")
	put(t, h.Root(), "sys/class/thermal/thermal_zone5/hwmon9/name", "oddname\n")
	assert.Equal(t, []string{
		"platform/coretemp.0/coretemp/temp1", "thermal/TCPU", "virtual/acpitz/temp1", "virtual/gpu_thermal/temp1",
	}, ids(t, h))

	h = hostWith(t, nil)
	zone("thermal_zone0", "one", "61000")
	zone("thermal_zone1", "two", "61000")
	put(t, h.Root(), "sys/class/thermal/thermal_zone0/mode", "disabled\n")
	put(t, h.Root(), "sys/class/thermal/thermal_zone1/mode", "enabled\n")
	assert.Equal(t, []string{"thermal/two"}, ids(t, h), "a disabled zone is not looked at")
	put(t, h.Root(), "sys/class/thermal/thermal_zone0/mode", "enabled\n")
	assert.Equal(t, []string{"thermal/one", "thermal/two"}, ids(t, h), "the mode changes")

	h = hostWith(t, nil)
	zone("thermal_zone0", "x86_pkg_temp", "61000")
	assert.Equal(t, []string{"thermal/x86_pkg_temp"}, ids(t, h), "without coretemp nothing else has it")
}

func TestWhatIsNoTemperatureAndNoSpeed(t *testing.T) {
	for reading, want := range map[string]bool{
		"-128000": false, "-128001": false, "-273150": false, "-274000": false, "-200000": false, "255000": false, "65261850": false, "65535000": false,
		"2147483647": false, "-2147483648": false, "1000000": false, "65535": false,
		"-127000": false, "127000": false, "127500": false, "250001": false, "254000": false, "255500": false, "255900": false, "256000": false,
		"-126900": true, "-40000": true, "0": true, "65500": true, "126000": true, "126999": true, "128000": true, "250000": true,
	} {
		h := hostWith(t, nil)
		hwmon(t, h, 0, "platform/a/hwmon", "a", reading)
		assert.Equal(t, want, len(ids(t, h)) == 1, reading)
	}
	for megabits, want := range map[int64]int64{
		-1: absent, 0: absent, 65535: absent, 1<<31 - 1: absent, 1<<32 - 1: absent, 1 << 62: absent,
		10: 10_000_000, 1000: 1_000_000_000, 65534: 65_534_000_000, 100_000: 100_000_000_000, 1_600_000: 1_600_000_000_000,
	} {
		assert.Equal(t, want, linkSpeed(megabits), "%d Mb/s", megabits)
	}
}
