package host

import (
	"math"
	"strconv"
)

// rediscoverAfter is the number of scrapes after which the sensors are looked for again, and what else seldom comes or goes.
const rediscoverAfter = 60

// Temperature is the reading of one temperature sensor.
type Temperature struct {
	// ID names the sensor by its place in the hardware, such as platform/coretemp.0/coretemp/temp1: unique on the host, and the
	// same after a restart.
	ID   string
	Name string // of the driver, or the type of the thermal zone, such as coretemp
	// Location is the label that the driver gives the sensor, such as "Package id 0", or else its name, such as temp1. A thermal zone has none.
	Location string
	Celsius  float64
	Limits   TemperatureLimits // all unknown unless requested
}

// TemperatureLimits are the limits of a sensor in °C, as its driver reports them; NaN where it does not.
type TemperatureLimits struct {
	Max         float64 // tempN_max: above it the device is too warm
	Critical    float64 // tempN_crit: above it the device suffers or shuts down
	Min         float64 // tempN_min
	LowCritical float64 // tempN_lcrit
}

// noLimits is what is known of the limits when nothing is.
var noLimits = TemperatureLimits{Max: math.NaN(), Critical: math.NaN(), Min: math.NaN(), LowCritical: math.NaN()}

// Fan is the reading of one fan.
type Fan struct {
	ID       string // as of Temperature
	Name     string // as of Temperature
	Location string // as of Temperature
	RPM      int64  // 0 when it stands still
}

// BatteryState is the direction in which the energy flows.
type BatteryState int

// The states of a battery.
const (
	BatteryIdle BatteryState = iota // full, or kept as it is, or not known
	BatteryCharging
	BatteryDischarging
)

// Battery is the state of a battery that powers the host. Those of mice and the like are not reported.
type Battery struct {
	ID       string
	Name     string  // model, or the name of the device
	Charge   float64 // 0 to 1; -1 when not known
	State    BatteryState
	TimeLeft float64 // seconds until it is full or empty at the present power; -1 when idle or not known
}

// Readings that are not between these are no temperatures but the marks of a sensor that is not connected, or of a limit that is not set: -128 is the
// lowest number of 8 bits, -273.15 is 0 K, and 65261.85 is 65535 K. So are -127, 127 and 127.5, at which the range of such chips ends, what is near 255,
// all 8 bits set, and 65.535, which is 65535 before it is divided: no sensor is as fine as that.
const (
	coldest = -127.0
	hottest = 250.0
	noByte  = 127.0
	noHalf  = 127.5
	noWord  = 65.535
	noSpeed = 65535 // of a fan, in rpm: all 16 bits set
)

func plausible(celsius float64) bool {
	return celsius > coldest && celsius <= hottest && celsius != noByte && celsius != noHalf && celsius != noWord
}

// uniqueIDs gives each ID once: later ones of the same text get a number.
type uniqueIDs map[string]int

func (u uniqueIDs) of(id string) string {
	u[id]++
	if n := u[id]; n > 1 {
		return u.of(id + "#" + strconv.Itoa(n))
	}
	return id
}
