package host

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sensorDir is where the files of the one chip of a host are.
const sensorDir = "sys/devices/platform/chip/hwmon/hwmon0/"

// chipWith is a host with one chip that has these files: in words "file=text".
func chipWith(t *testing.T, files string) *Host {
	t.Helper()
	h := hostWith(t, nil)
	put(t, h.Root(), sensorDir+"name", "chip\n")
	for word := range strings.FieldsSeq(files) {
		file, text, _ := strings.Cut(word, "=")
		put(t, h.Root(), sensorDir+file, text+"\n")
	}
	link(t, h.Root(), "sys/class/hwmon/hwmon0", "../../devices/platform/chip/hwmon/hwmon0")
	return h
}

func TestStatusOfASensor(t *testing.T) {
	for files, want := range map[string]string{
		"temp1_input=40000":                                                              "",
		"temp1_input=40000 temp1_crit_alarm=0":                                           "ok",
		"temp1_input=40000 temp1_crit_alarm=1":                                           "failed",
		"temp1_input=40000 temp1_emergency_alarm=1":                                      "failed",
		"temp1_input=1 temp1_lcrit_alarm=1":                                              "failed",
		"temp1_input=-128000 temp1_fault=1":                                              "failed",
		"temp1_input=90000 temp1_max_alarm=1 temp1_max=80000 temp1_crit_alarm=0":         "degraded",
		"temp1_input=90000 temp1_max_alarm=1 temp1_max=80000 temp1_crit_alarm=1":         "failed",
		"temp1_input=90000 temp1_alarm=1 temp1_max=0":                                    "",
		"temp1_input=90000 temp1_alarm=1 temp1_max=-128000":                              "",
		"temp1_input=90000 temp1_alarm=1 temp1_max=80000 temp1_min=80000":                "",
		"temp1_input=90000 temp1_alarm=1":                                                "degraded",
		"temp1_input=90000 temp1_alarm=x":                                                "",
		"temp1_input=90000 temp1_alarm=x temp1_crit_alarm=0":                             "ok",
		"fan1_input=0 fan1_alarm=1 fan1_min=600":                                         "degraded",
		"fan1_input=0 fan1_alarm=1 fan1_min=0":                                           "",
		"fan1_input=0 fan1_alarm=1":                                                      "degraded",
		"fan1_input=900 fan1_fault=0 fan1_alarm=1 fan1_min=0":                            "ok",
		"fan1_input=0 fan1_fault=1 fan1_min=0":                                           "failed",
		"in0_input=12000 in0_alarm=1 in0_min=0 in0_max=0":                                "",
		"in0_input=12000 in0_alarm=1 in0_min=10800 in0_max=11400":                        "degraded",
		"in0_input=12000 in0_min_alarm=0 in0_max_alarm=1 in0_min=10800 in0_max=11400":    "degraded",
		"in0_input=-12000 in0_min_alarm=0 in0_max_alarm=1 in0_min=-13200 in0_max=-10800": "degraded",
		"curr1_input=1 curr1_crit_alarm=1":                                               "failed",
		"power1_input=1 power1_alarm=1":                                                  "degraded",
		"power1_average=1 power1_crit_alarm=1":                                           "failed",
		"power1_input=1 power1_cap_alarm=1":                                              "",
		"intrusion0_alarm=1":                                                             "",
	} {
		statuses, err := chipWith(t, files).SensorStatuses()
		got := ""
		if len(statuses) > 0 {
			require.NoError(t, err)
			require.Len(t, statuses, 1)
			got = [...]string{"ok", "degraded", "failed"}[statuses[0].State]
		}
		assert.Equal(t, want, got, files)
	}
}

func TestMeters(t *testing.T) {
	one := func(h *Host, kind SensorKind) []float64 {
		meters, err := h.Sensors(kind, true)
		if err != nil {
			require.ErrorIs(t, err, ErrUnsupported)
		}
		var values []float64
		for _, m := range meters {
			values = append(values, m.Value)
		}
		return values
	}
	h := chipWith(t, "in0_input=12096 in1_input=-5000 in2_input=x in3_input=3300 in3_fault=1 curr1_input=-250 power1_input=65000000 power2_average=1500000 "+
		"power2_average_interval=1000 energy1_input=9007199254740992 energy2_input=-1 in4_input=99999999999999999")
	assert.Equal(t, []float64{12.096, -5}, one(h, SensorVoltage))
	assert.Equal(t, []float64{-0.25}, one(h, SensorCurrent))
	assert.Equal(t, []float64{65, 1.5}, one(h, SensorPower))
	assert.Equal(t, []float64{9007199254.740992}, one(h, SensorEnergy))
	assert.Empty(t, one(hostWith(t, nil), SensorPower))
	power, err := h.Sensors(SensorPower, false)
	require.NoError(t, err)
	assert.Equal(t, "platform/chip/chip/power2", power[1].ID)
	assert.False(t, power[1].GPU)

	fans, err := chipWith(t, "fan1_input=900 fan1_min=600 fan1_max=65535 fan2_input=100").Fans(true)
	require.NoError(t, err)
	assert.Equal(t, [][2]int64{{600, 0}, {0, 0}}, [][2]int64{{fans[0].Min, fans[0].Max}, {fans[1].Min, fans[1].Max}})
}

func TestPowerSupplies(t *testing.T) {
	h := hostWith(t, map[string]string{
		"sys/class/power_supply/AC/uevent":     "POWER_SUPPLY_NAME=AC\nPOWER_SUPPLY_TYPE=Mains\nPOWER_SUPPLY_ONLINE=0\n",
		"sys/class/power_supply/AC/online":     "0\n",
		"sys/class/power_supply/ADP1/uevent":   "POWER_SUPPLY_NAME=ADP1\n",
		"sys/class/power_supply/ADP1/type":     "Mains\n",
		"sys/class/power_supply/ADP1/online":   "1\n",
		"sys/class/power_supply/usb1/uevent":   "POWER_SUPPLY_TYPE=USB\nPOWER_SUPPLY_ONLINE=0\n",
		"sys/class/power_supply/usb1/online":   "0\n",
		"sys/class/power_supply/broken/uevent": "POWER_SUPPLY_TYPE=Mains\n",
	})
	got, err := h.PowerSupplies()
	require.NoError(t, err)
	assert.Equal(t, []PowerSupply{{"power_supply/AC", "AC", false}, {"power_supply/ADP1", "ADP1", true}}, got)
	_, err = hostWith(t, nil).PowerSupplies()
	require.ErrorIs(t, err, ErrUnsupported)
}

func TestEnergyZones(t *testing.T) {
	h := hostWith(t, nil)
	set := func(entry, name, energy string) {
		put(t, h.Root(), "sys/class/powercap/"+entry+"/name", name+"\n")
		put(t, h.Root(), "sys/class/powercap/"+entry+"/energy_uj", energy+"\n")
		put(t, h.Root(), "sys/class/powercap/"+entry+"/max_energy_range_uj", "1000000000\n")
	}
	set("intel-rapl:0", "package-0", "999000000")
	set("intel-rapl:0:0", "dram", "5")
	set("intel-rapl:1", "psys", "7000000")
	set("intel-rapl-mmio:0", "package-0", "1")
	put(t, h.Root(), "sys/class/powercap/intel-rapl/enabled", "1\n")
	zones := NewEnergyZones(h)
	read := func() map[string]float64 {
		got, err := zones.Read()
		require.NoError(t, err)
		joules := make(map[string]float64)
		for _, z := range got {
			joules[z.ID+"<"+z.Parent] = z.Joules
		}
		return joules
	}
	assert.Equal(t, map[string]float64{"powercap/package-0<": 0, "powercap/package-0/dram<powercap/package-0": 0, "powercap/psys<": 0}, read())
	set("intel-rapl:0", "package-0", "999500000")
	assert.InDelta(t, 0.5, read()["powercap/package-0<"], 1e-9)
	set("intel-rapl:0", "package-0", "500000")
	assert.InDelta(t, 1.5, read()["powercap/package-0<"], 1e-9, "it wraps")
	for range rediscoverAfter {
		assert.InDelta(t, 1.5, read()["powercap/package-0<"], 1e-9, "looking for zones loses none")
	}
	put(t, h.Root(), "sys/class/powercap/intel-rapl:1/energy_uj", "x\n")
	assert.Len(t, read(), 2)
	_, err := NewEnergyZones(hostWith(t, nil)).Read()
	require.ErrorIs(t, err, ErrUnsupported)
}

func TestGrownEnergyNeverFalls(t *testing.T) {
	for _, c := range [][4]int64{
		{absent, 5, 100, 0}, {5, 5, 100, 0}, {5, 9, 100, 4}, {90, 10, 100, 20}, {90, 10, absent, 0}, {90, 10, 50, 0}, {90, 10, 90, 0},
	} {
		assert.Equal(t, c[3], grownEnergy(c[0], c[1], c[2]), "%v", c)
	}
}
