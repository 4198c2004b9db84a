package host

import "math"

// meterFile is a sensor of a voltage, a current, a power or an energy.
type meterFile struct {
	id, name, location string
	gpu                bool
	input, fault       string

	max, critical, min, lowCritical string // paths of the limits; empty for those that do not exist
}

// alarmFile is a sensor that has alarms.
type alarmFile struct {
	id, name, location string
	kind               SensorKind
	failed, degraded   []string // paths
	min, max           string   // paths of the limits; empty for those that do not exist
}

// supplyFile is a connection to the mains.
type supplyFile struct{ id, name, online string }

// unitsOf are the units of the files of a kind: how many of them are one of the unit of a Sensor.
var unitsOf = [sensorKinds]float64{
	SensorTemperature: 1e3, SensorFan: 1, SensorVoltage: 1e3, SensorCurrent: 1e3, SensorPower: 1e6, SensorEnergy: 1e6,
}

// Sensors gives the sensors of a kind that have a reading, by ID, from /sys/class/hwmon: of voltages, currents, powers and energies. Otherwise as
// Temperatures.
func (h *Host) Sensors(kind SensorKind, limits bool) ([]Sensor, error) {
	s := h.discoverSensors()
	if len(s.meterFiles[kind]) == 0 {
		return nil, ErrUnsupported
	}
	s.meters = s.meters[:0]
	for i := range s.meterFiles[kind] {
		f := &s.meterFiles[kind][i]
		value, ok := s.meter(f.input, kind)
		if !ok || s.isBroken(f.fault) || kind == SensorEnergy && value < 0 {
			continue
		}
		m := Sensor{ID: f.id, Name: f.name, Location: f.location, GPU: f.gpu, Value: value, Limits: noLimits}
		if limits {
			m.Limits = s.limitsOf(f, kind)
		}
		s.meters = append(s.meters, m)
	}
	return s.meters, nil
}

func (s *sensors) meter(path string, kind SensorKind) (float64, bool) {
	if path == "" {
		return math.NaN(), false
	}
	n, ok := s.number(path)
	if !ok || n <= math.MinInt32 && kind != SensorEnergy || kind != SensorEnergy && n >= maxReading {
		return math.NaN(), false
	}
	return float64(n) / unitsOf[kind], true
}

// maxReading is more than any voltage in mV, current in mA or power in µW: 1 MW.
const maxReading = 1_000_000_000_000

// limitsOf gives the limits of a sensor. Where the lower one is not below the upper one nobody has set them.
func (s *sensors) limitsOf(f *meterFile, kind SensorKind) SensorLimits {
	read := func(path string) float64 {
		v, _ := s.meter(path, kind)
		return v
	}
	l := SensorLimits{Max: read(f.max), Critical: read(f.critical), Min: read(f.min), LowCritical: read(f.lowCritical)}
	if l.Min >= l.Max {
		l.Min, l.Max = math.NaN(), math.NaN()
	}
	return l
}

// speed gives a limit of a fan; 0 where there is none.
func (s *sensors) speed(path string) int64 {
	if path == "" {
		return 0
	}
	rpm, ok := s.number(path)
	if !ok || rpm < 0 || rpm >= noSpeed {
		return 0
	}
	return rpm
}

// SensorStatuses gives the state of the components whose sensors have alarms, by ID, from /sys/class/hwmon. Otherwise as Temperatures.
func (h *Host) SensorStatuses() ([]SensorStatus, error) {
	s := h.discoverSensors()
	if len(s.alarmFiles) == 0 {
		return nil, ErrUnsupported
	}
	s.statuses = s.statuses[:0]
	for i := range s.alarmFiles {
		f := &s.alarmFiles[i]
		if state, ok := s.stateOf(f); ok {
			s.statuses = append(s.statuses, SensorStatus{ID: f.id, Name: f.name, Location: f.location, Kind: f.kind, State: state})
		}
	}
	return s.statuses, nil
}

// stateOf is the worst of what the alarms say. It reports false if none of them can be read, or means anything.
func (s *sensors) stateOf(f *alarmFile) (state SensorState, known bool) {
	for _, path := range f.failed {
		n, ok := s.number(path)
		if known = known || ok; ok && n != 0 {
			return SensorFailed, true
		}
	}
	if len(f.degraded) == 0 || !s.hasLimits(f) {
		return SensorOK, known
	}
	for _, path := range f.degraded {
		n, ok := s.number(path)
		if known = known || ok; ok && n != 0 {
			return SensorDegraded, true
		}
	}
	return SensorOK, known
}

// hasLimits tells whether an alarm means anything. On many boards inputs are not connected and limits are not set: all are 0, or the lower one is not below
// the upper one, and the chip raises the alarm for ever.
func (s *sensors) hasLimits(f *alarmFile) bool {
	low, hasLow := s.limitNumber(f.min)
	high, hasHigh := s.limitNumber(f.max)
	switch {
	case f.kind == SensorFan:
		return !hasLow || low > 0
	case hasLow && hasHigh:
		return low < high
	case hasHigh && f.kind == SensorTemperature:
		return high > 0 && plausible(float64(high)/1000)
	case hasHigh:
		return high > 0
	}
	return true
}

func (s *sensors) limitNumber(path string) (int64, bool) {
	if path == "" {
		return 0, false
	}
	return s.number(path)
}

// PowerSupplies gives the connections to the mains, by ID, from /sys/class/power_supply. ErrUnsupported on hosts without any that say so, as most servers.
func (h *Host) PowerSupplies() ([]PowerSupply, error) {
	s := h.discoverSensors()
	if len(s.supplyFiles) == 0 {
		return nil, ErrUnsupported
	}
	s.supplies = s.supplies[:0]
	for _, f := range s.supplyFiles {
		if n, ok := s.number(f.online); ok {
			s.supplies = append(s.supplies, PowerSupply{ID: f.id, Name: f.name, Online: n != 0})
		}
	}
	return s.supplies, nil
}
