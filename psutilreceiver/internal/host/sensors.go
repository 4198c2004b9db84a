package host

import (
	"math"
	"strconv"
)

// Temperature is the reading of one temperature sensor.
type Temperature struct {
	// ID names the sensor by its place in the hardware, such as platform/coretemp.0/coretemp/temp1: unique on the host, and the
	// same after a restart.
	ID   string
	Name string // of the driver, or the type of the thermal zone, such as coretemp
	// Location is the label that the driver gives the sensor, such as "Package id 0", or else its name, such as temp1. A thermal zone has none.
	Location string
	Celsius  float64
	Limits   SensorLimits // all unknown unless requested
}

// SensorLimits are the limits of a sensor in the unit of its reading, as its driver reports them; NaN where it does not.
type SensorLimits struct {
	Max         float64 // tempN_max: above it the device is too warm, or the voltage too high
	Critical    float64 // tempN_crit: above it the device suffers or shuts down
	Min         float64 // tempN_min
	LowCritical float64 // tempN_lcrit
}

// noLimits is what is known of the limits when nothing is.
var noLimits = SensorLimits{Max: math.NaN(), Critical: math.NaN(), Min: math.NaN(), LowCritical: math.NaN()}

// Fan is the reading of one fan.
type Fan struct {
	ID       string // as of Temperature
	Name     string // as of Temperature
	Location string // as of Temperature
	RPM      int64  // 0 when it stands still
	Min, Max int64  // limits of the speed, fanN_min and fanN_max; 0 where there is none, or unless requested
}

// SensorKind is what a sensor measures.
type SensorKind uint8

// The kinds of sensors, as hwmon has them.
const (
	SensorTemperature SensorKind = iota // temp
	SensorFan                           // fan
	SensorVoltage                       // in, in V
	SensorCurrent                       // curr, in A
	SensorPower                         // power, in W
	SensorEnergy                        // energy, in J since the driver began
	sensorKinds
)

// Sensor is the reading of a sensor of a voltage, a current, a power or an energy.
type Sensor struct {
	ID, Name, Location string // as of Temperature
	GPU                bool   // of a graphics processor
	Value              float64
	Limits             SensorLimits // all unknown unless requested
}

// SensorState is what a driver says of the state of a component by the alarms of its sensor.
type SensorState uint8

// The states, the worst last.
const (
	SensorOK       SensorState = iota
	SensorDegraded             // beyond a limit
	SensorFailed               // beyond a critical limit, or the sensor is broken
)

// SensorStatus is the state of the component that a sensor watches.
type SensorStatus struct {
	ID, Name, Location string // as of Temperature
	Kind               SensorKind
	State              SensorState
}

// PowerSupply is a connection to the mains.
type PowerSupply struct {
	ID, Name string
	Online   bool
}

// EnergyZone is what a part of the processor has consumed since it was first read, by the running average power limit (RAPL) of Intel and AMD.
type EnergyZone struct {
	ID     string // by the names of the zone and of the one that it is part of: powercap/package-0/dram
	Name   string
	Parent string // ID of the zone that it is part of; empty if it is none's
	Memory bool   // the memory of a processor, rather than itself
	Whole  bool   // the host as a whole (psys), rather than a processor
	Joules float64
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
