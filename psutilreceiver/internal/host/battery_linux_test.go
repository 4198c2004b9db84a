package host

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// uevent is the text of a battery's uevent file with these properties.
func uevent(properties ...string) string {
	text := "DEVTYPE=power_supply\nPOWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_TYPE=Battery\n"
	for _, p := range properties {
		text += "POWER_SUPPLY_" + p + "\n"
	}
	return text
}

func TestBatteries(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want Battery
	}{
		"discharging, by energy": {
			uevent("STATUS=Discharging", "PRESENT=1", "POWER_NOW=10000000", "ENERGY_FULL=50000000", "ENERGY_NOW=20500000", "CAPACITY=41", "MODEL_NAME=DELL 7VTMN"),
			Battery{Name: "DELL 7VTMN", Charge: 0.41, State: BatteryDischarging, TimeLeft: 2.05 * 3600},
		},
		"charging, by energy": {
			uevent("STATUS=Charging", "POWER_NOW=20000000", "ENERGY_FULL=50000000", "ENERGY_NOW=20000000"),
			Battery{Charge: 0.4, State: BatteryCharging, TimeLeft: 1.5 * 3600},
		},
		"discharging, by charge and a negative current": {
			uevent("STATUS=Discharging", "CURRENT_NOW=-500000", "CHARGE_FULL=4000000", "CHARGE_NOW=3000000", "CAPACITY=75"),
			Battery{Charge: 0.75, State: BatteryDischarging, TimeLeft: 6 * 3600},
		},
		"the driver's own estimate goes first": {
			uevent("STATUS=Discharging", "POWER_NOW=10000000", "ENERGY_FULL=50000000", "ENERGY_NOW=20000000", "TIME_TO_EMPTY_NOW=5400"),
			Battery{Charge: 0.4, State: BatteryDischarging, TimeLeft: 5400},
		},
		"nothing flows yet": {
			uevent("STATUS=Discharging", "POWER_NOW=0", "ENERGY_FULL=50000000", "ENERGY_NOW=20000000"),
			Battery{Charge: 0.4, State: BatteryDischarging, TimeLeft: -1},
		},
		"full, and more than when it was measured": {
			uevent("STATUS=Full", "POWER_NOW=0", "ENERGY_FULL=50000000", "ENERGY_NOW=50100000", "CAPACITY=100"),
			Battery{Charge: 1, TimeLeft: -1},
		},
		"a percentage is all there is": {
			uevent("STATUS=Charging", "CAPACITY=37"),
			Battery{Charge: 0.37, State: BatteryCharging, TimeLeft: -1},
		},
		"nothing is known": {
			uevent("STATUS=Unknown", "CAPACITY=", "ENERGY_NOW=x"),
			Battery{Charge: -1, TimeLeft: -1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hostWith(t, map[string]string{powerSupplyDir + "/BAT0/uevent": tc.text}).Batteries()
			require.NoError(t, err)
			require.Len(t, got, 1)
			tc.want.ID = "power_supply/BAT0"
			if tc.want.Name == "" {
				tc.want.Name = "BAT0"
			}
			assert.InDelta(t, tc.want.Charge, got[0].Charge, 1e-12)
			assert.InDelta(t, tc.want.TimeLeft, got[0].TimeLeft, 1e-6)
			got[0].Charge, got[0].TimeLeft = tc.want.Charge, tc.want.TimeLeft
			assert.Equal(t, tc.want, got[0])
		})
	}
}

// TestBatteryNumbersThatCantBe gives a battery numbers that it can't have: the next source counts in their place, or nothing is known.
func TestBatteryNumbersThatCantBe(t *testing.T) {
	const percent = 0.5
	for _, odd := range []string{"-1", "-5", "-9223372036854775807", "9223372036854775808", "x", ""} {
		for name, properties := range map[string][]string{
			"charge": {"CHARGE_NOW=" + odd, "CHARGE_FULL=100"}, "charge when full": {"CHARGE_NOW=5", "CHARGE_FULL=" + odd},
			"energy": {"ENERGY_NOW=" + odd, "ENERGY_FULL=100"}, "energy when full": {"ENERGY_NOW=5", "ENERGY_FULL=" + odd},
		} {
			b := batteryOf(t, properties...)
			assert.InDelta(t, -1, b.Charge, 0, "%s %s", name, odd)
			b = batteryOf(t, append(properties, "CAPACITY=50")...)
			assert.InDelta(t, percent, b.Charge, 0, "%s %s", name, odd)
		}
		assert.InDelta(t, -1, batteryOf(t, "CAPACITY="+odd).Charge, 0, odd)
	}
	for _, odd := range []string{"101", "255", "256", "65535"} {
		assert.InDelta(t, -1, batteryOf(t, "CAPACITY="+odd).Charge, 0, odd)
	}
	for _, kind := range []string{"ENERGY", "CHARGE"} {
		assert.InDelta(t, -1, batteryOf(t, kind+"_NOW=9000", kind+"_FULL=100").Charge, 0)
		assert.InDelta(t, percent, batteryOf(t, kind+"_NOW=111", kind+"_FULL=100", "CAPACITY=50").Charge, 0)
		assert.InDelta(t, 1, batteryOf(t, kind+"_NOW=110", kind+"_FULL=100", "CAPACITY=50").Charge, 0)
	}
	assert.InDelta(t, 0.25, batteryOf(t, "ENERGY_NOW=9000", "ENERGY_FULL=100", "CHARGE_NOW=25", "CHARGE_FULL=100").Charge, 0)
	for _, odd := range []string{"-1", "x"} {
		b := batteryOf(t, "STATUS=Discharging", "TIME_TO_EMPTY_NOW="+odd, "CHARGE_NOW=50", "CHARGE_FULL=100", "CURRENT_NOW=-50")
		assert.InDelta(t, 3600, b.TimeLeft, 0, "by the current in place of the estimate")
	}
}

func TestBatteryCapacityIsAFile(t *testing.T) {
	for text, want := range map[string]float64{"37\n": 0.37, "-5\n": -1, "101\n": -1, "": -1} {
		for _, properties := range [][]string{{}, {"CAPACITY=-1"}, {"CHARGE_NOW=-5", "CHARGE_FULL=100"}} {
			got, err := hostWith(t, map[string]string{powerSupplyDir + "/BAT0/uevent": uevent(properties...), powerSupplyDir + "/BAT0/capacity": text}).Batteries()
			require.NoError(t, err)
			assert.InDelta(t, want, got[0].Charge, 0, "%q %v", text, properties)
		}
	}
}

func batteryOf(t *testing.T, properties ...string) Battery {
	t.Helper()
	got, err := hostWith(t, map[string]string{powerSupplyDir + "/BAT0/uevent": uevent(properties...)}).Batteries()
	require.NoError(t, err)
	require.Len(t, got, 1)
	return got[0]
}

func TestBatteriesOfTheHostOnly(t *testing.T) {
	h := hostWith(t, map[string]string{
		powerSupplyDir + "/AC/uevent":              strings.Replace(uevent("ONLINE=1"), "Battery", "Mains", 1),
		powerSupplyDir + "/hidpp_battery_0/uevent": uevent("SCOPE=Device", "CAPACITY=55", "STATUS=Discharging"),
		powerSupplyDir + "/BAT1/uevent":            uevent("PRESENT=1", "CAPACITY=80"),
		powerSupplyDir + "/BAT0/uevent":            uevent("PRESENT=0"),
	})
	got, err := h.Batteries()
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, "power_supply/BAT1", got[0].ID)

	put(t, h.Root(), powerSupplyDir+"/BAT0/uevent", uevent("PRESENT=1", "CAPACITY=20"))
	h.Begin()
	got, err = h.Batteries()
	require.NoError(t, err)
	require.Len(t, got, 2, "put into its bay")
	assert.Equal(t, "power_supply/BAT0", got[0].ID)
}

func FuzzParsePowerSupply(f *testing.F) {
	for _, seed := range []string{
		"", uevent("STATUS=Discharging", "POWER_NOW=1", "ENERGY_FULL=3", "ENERGY_NOW=2"), uevent("STATUS=Charging", "CURRENT_NOW=-9223372036854775807"),
		uevent("STATUS=Charging", "ENERGY_NOW=9223372036854775807", "ENERGY_FULL=1", "POWER_NOW=1"), "POWER_SUPPLY_", "POWER_SUPPLY_STATUS",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := parsePowerSupply(text)
		b := p.battery("id", "name")
		assert.True(t, b.Charge == -1 || b.Charge >= 0 && b.Charge <= 1, b.Charge)
		assert.True(t, b.TimeLeft == -1 || b.TimeLeft >= 0 && !math.IsInf(b.TimeLeft, 0), b.TimeLeft)
		if b.State == BatteryIdle {
			assert.InDelta(t, -1, b.TimeLeft, 0)
		}
	})
}
