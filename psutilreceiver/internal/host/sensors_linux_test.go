package host

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

func TestTemperaturesOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	got, err := h.Temperatures(false)
	require.NoError(t, err)
	type row struct {
		id, name string
		celsius  float64
	}
	var rows []row
	for _, s := range got {
		rows = append(rows, row{s.ID, s.Name + " " + s.Location, s.Celsius})
		assert.True(t, math.IsNaN(s.Limits.Max) && math.IsNaN(s.Limits.Critical), "limits that were not requested")
	}
	// The zone of the thermal framework is the CPU package over again, and is left out.
	assert.Equal(t, []row{
		{"pci0000_00/0000_00_1d.0/0000_03_00.0/nvme/temp1", "nvme Composite", 41.85},
		{"pci0000_00/0000_00_1d.0/0000_03_00.0/nvme/temp2", "nvme Sensor 1", 44.85},
		{"pci0000_00/0000_00_1d.4/0000_04_00.0/nvme/temp1", "nvme Composite", 37.85},
		{"platform/coretemp.0/coretemp/temp1", "coretemp Package id 0", 61},
		{"platform/coretemp.0/coretemp/temp2", "coretemp Core 0", 58},
		{"platform/coretemp.0/coretemp/temp3", "coretemp Core 1", 61},
		{"platform/nct6775.656/nct6798/temp1", "nct6798 SYSTIN", 34},
	}, rows)

	got, err = h.Temperatures(true)
	require.NoError(t, err)
	assert.InDelta(t, 81.85, got[0].Limits.Max, 1e-9)
	assert.InDelta(t, 84.85, got[0].Limits.Critical, 1e-9)
	assert.True(t, math.IsNaN(got[0].Limits.Min), "-273.15 °C is what a disk reports when no limit is set")
	assert.True(t, math.IsNaN(got[1].Limits.Max), "a sensor without limits")
	assert.InDelta(t, 100, got[3].Limits.Critical, 0)
}

func TestFansOfServer(t *testing.T) {
	got, err := fixtureHost(t, "server-6.x").Fans(false)
	require.NoError(t, err)
	assert.Equal(t, []Fan{
		{ID: "platform/nct6775.656/nct6798/fan1", Name: "nct6798", Location: "fan1", RPM: 1204},
		{ID: "platform/nct6775.656/nct6798/fan2", Name: "nct6798", Location: "CHA_FAN2", RPM: 0},
	}, got)
}

func TestHostsWithoutSensors(t *testing.T) {
	for _, name := range []string{"kernel-4.4", "container"} {
		h := fixtureHost(t, name)
		_, err := h.Temperatures(true)
		require.ErrorIs(t, err, ErrUnsupported, name)
		_, err = h.Fans(false)
		require.ErrorIs(t, err, ErrUnsupported, name)
		_, err = h.Batteries()
		require.ErrorIs(t, err, ErrUnsupported, name)
	}
}

// hwmon puts a chip with one temperature and one fan where the kernel has it, and links to it from the class.
func hwmon(t *testing.T, h *Host, number int, device, name, celsius string) string {
	t.Helper()
	entry := "hwmon" + strconv.Itoa(number)
	dir := "sys/devices/" + device + "/" + entry
	put(t, h.Root(), dir+"/name", name+"\n")
	put(t, h.Root(), dir+"/temp1_input", celsius+"\n")
	put(t, h.Root(), dir+"/fan1_input", "900\n")
	link(t, h.Root(), "sys/class/hwmon/"+entry, "../../devices/"+device+"/"+entry)
	return filepath.Join(h.Root(), dir)
}

func ids(t *testing.T, h *Host) []string {
	t.Helper()
	found, err := h.Temperatures(false)
	require.NoError(t, err)
	var all []string
	for _, s := range found {
		all = append(all, s.ID)
	}
	return all
}

func TestSensorIDsOutliveTheNumbersOfARestart(t *testing.T) {
	devices := []string{
		"pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0",
		"pci0000:00/0000:00:1d.4/0000:04:00.0/nvme/nvme1",
		"platform/coretemp.0/hwmon",
		"pci0000:00/0000:00:1f.4/i2c-0/0-0018/hwmon",
		"virtual/thermal/thermal_zone0",
	}
	afterBoot := func(order []int, renamed string) []string {
		h := hostWith(t, nil)
		for number, i := range order {
			device := devices[i]
			if i == 1 {
				device = filepath.Dir(device) + "/" + renamed
			}
			hwmon(t, h, number, device, []string{"nvme", "nvme", "coretemp", "jc42", "acpitz"}[i], "40000")
		}
		return ids(t, h)
	}
	first := afterBoot([]int{0, 1, 2, 3, 4}, "nvme1")
	assert.Equal(t, []string{
		"pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/temp1",
		"pci0000:00/0000:00:1d.4/0000:04:00.0/nvme/temp1",
		"pci0000:00/0000:00:1f.4/i2c-0/0-0018/jc42/temp1",
		"platform/coretemp.0/coretemp/temp1",
		"virtual/acpitz/temp1",
	}, first)
	assert.Equal(t, first, afterBoot([]int{4, 2, 1, 0, 3}, "nvme7"))
}

func TestSensorIDsAreUnique(t *testing.T) {
	h := hostWith(t, nil)
	for i := range 3 {
		hwmon(t, h, i, "virtual/hwmon", "dimm", "30000")
	}
	assert.Equal(t, []string{"virtual/dimm/temp1", "virtual/dimm/temp1#2", "virtual/dimm/temp1#3"}, ids(t, h))
}

func TestASensorWithoutAReadingCostsOnlyItself(t *testing.T) {
	h := hostWith(t, nil)
	hwmon(t, h, 0, "platform/good.0/hwmon", "good", "30000")
	hwmon(t, h, 1, "platform/cut.0/hwmon", "cut", "")
	hwmon(t, h, 2, "platform/open.0/hwmon", "open", "-128000000")
	hwmon(t, h, 3, "platform/word.0/hwmon", "word", "N/A")
	hwmon(t, h, 4, "platform/cold.0/hwmon", "cold", "-12500")
	// A file that is there and answers each read with an error, as those of sleeping devices do.
	sleeping := hwmon(t, h, 5, "platform/sleeping.0/hwmon", "sleeping", "1")
	for _, input := range []string{"temp1_input", "fan1_input"} {
		require.NoError(t, os.Remove(filepath.Join(sleeping, input)))
		require.NoError(t, os.Mkdir(filepath.Join(sleeping, input), 0o755))
	}
	got, err := h.Temperatures(true)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "platform/cold.0/cold/temp1", got[0].ID)
	assert.InDelta(t, -12.5, got[0].Celsius, 0)
	assert.Equal(t, "platform/good.0/good/temp1", got[1].ID)

	fans, err := h.Fans(false)
	require.NoError(t, err)
	assert.Len(t, fans, 5)
}

func TestSensorsAreFoundAnew(t *testing.T) {
	h := hostWith(t, nil)
	gone := hwmon(t, h, 0, "platform/gone.0/hwmon", "gone", "30000")
	assert.Equal(t, []string{"platform/gone.0/gone/temp1"}, ids(t, h))

	// The driver is loaded again: its files disappear, and appear again under another number.
	require.NoError(t, os.RemoveAll(gone))
	require.NoError(t, os.Remove(h.Path("sys/class/hwmon/hwmon0")))
	hwmon(t, h, 1, "platform/gone.0/hwmon", "gone", "31000")
	h.Begin()
	assert.Empty(t, ids(t, h), "a file that has gone is noticed")
	h.Begin()
	assert.Equal(t, []string{"platform/gone.0/gone/temp1"}, ids(t, h))

	hwmon(t, h, 2, "platform/new.0/hwmon", "new", "30000")
	for range rediscoverAfter - 1 {
		h.Begin()
		require.Len(t, ids(t, h), 1, "looking takes many reads and is rare")
	}
	h.Begin()
	assert.Equal(t, []string{"platform/gone.0/gone/temp1", "platform/new.0/new/temp1"}, ids(t, h))
}

func TestSensorsOfOldDriversLieInTheDevice(t *testing.T) {
	h := hostWith(t, map[string]string{
		"sys/devices/platform/w83627hf.656/name":                  "w83627hf\n",
		"sys/devices/platform/w83627hf.656/temp1_input":           "35000\n",
		"sys/devices/platform/w83627hf.656/hwmon/hwmon0/dev_type": "x\n",
	})
	link(t, h.Root(), "sys/devices/platform/w83627hf.656/hwmon/hwmon0/device", "../../../w83627hf.656")
	link(t, h.Root(), "sys/class/hwmon/hwmon0", "../../devices/platform/w83627hf.656/hwmon/hwmon0")
	got, err := h.Temperatures(false)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, "platform/w83627hf.656/w83627hf/temp1", got[0].ID)
	assert.Equal(t, "w83627hf", got[0].Name)
	assert.Equal(t, "temp1", got[0].Location)
}

func TestThermalZonesStandInForHwmon(t *testing.T) {
	h := hostWith(t, map[string]string{
		"sys/class/thermal/thermal_zone0/type":              "cpu-thermal\n",
		"sys/class/thermal/thermal_zone0/temp":              "47774\n",
		"sys/class/thermal/thermal_zone0/trip_point_0_type": "passive\n",
		"sys/class/thermal/thermal_zone0/trip_point_0_temp": "80000\n",
		"sys/class/thermal/thermal_zone0/trip_point_1_type": "critical\n",
		"sys/class/thermal/thermal_zone0/trip_point_1_temp": "110000\n",
		"sys/class/thermal/thermal_zone1/type":              "soc\n",
		"sys/class/thermal/thermal_zone1/temp":              "45000\n",
		"sys/class/thermal/thermal_zone2/type":              "soc\n",
		"sys/class/thermal/thermal_zone2/temp":              "46000\n",
		"sys/class/thermal/cooling_device0/type":            "Processor\n",
		"sys/class/hwmon/hwmon0/name":                       "fan-only\n",
		"sys/class/hwmon/hwmon0/fan1_input":                 "700\n",
	})
	got, err := h.Temperatures(true)
	require.NoError(t, err)
	require.Len(t, got, 3)
	assert.Equal(t, "thermal/cpu-thermal", got[0].ID)
	assert.Equal(t, "cpu-thermal", got[0].Name)
	assert.Empty(t, got[0].Location)
	assert.InDelta(t, 47.774, got[0].Celsius, 1e-9)
	assert.InDelta(t, 110, got[0].Limits.Critical, 0)
	assert.True(t, math.IsNaN(got[0].Limits.Max))
	assert.Equal(t, "thermal/soc", got[1].ID)
	assert.Equal(t, "thermal/soc#2", got[2].ID)

	fans, err := h.Fans(false)
	require.NoError(t, err)
	assert.Equal(t, []Fan{{ID: "hwmon/fan-only/fan1", Name: "fan-only", Location: "fan1", RPM: 700}}, fans)
}

func TestSensorsAreReadWithoutAllocating(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	_, err := h.Temperatures(false)
	require.NoError(t, err)
	perSensor := testing.AllocsPerRun(20, func() { _, err = h.Temperatures(false) }) / 7
	require.NoError(t, err)
	assert.LessOrEqual(t, perSensor, 1.0, "the path for the system call is the only one")
}

func FuzzParseReading(f *testing.F) {
	for _, seed := range []string{"", "-", "-1\n", "61000\n", "-9223372036854775808", "9223372036854775807"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, ok := parseReading(text)
		word, _ := proctext.Field(text)
		want, err := strconv.ParseInt(string(word), 10, 64)
		if ok {
			require.NoError(t, err)
			assert.Equal(t, want, v)
		}
	})
}
