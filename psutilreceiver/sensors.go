package psutilreceiver

import (
	"errors"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// sensorsScraper reports what sensors measure and what their alarms say, batteries, power supplies, and the energy that processors consume.
type sensorsScraper struct {
	scraperSettings
	energy *host.EnergyZones
	since  map[string]pcommon.Timestamp // first read of each zone of RAPL
}

func newSensorsScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &sensorsScraper{
		scraperSettings: settings, energy: host.NewEnergyZones(settings.host), since: make(map[string]pcommon.Timestamp),
	}, nil
}

func (s *sensorsScraper) close() error { return s.energy.Close() }

func (s *sensorsScraper) scrape(t *scrapeContext) error {
	return errors.Join(
		s.scrapeTemperatures(t), s.scrapeFans(t), s.scrapeMeters(t), s.scrapeStatuses(t), s.scrapeBatteries(t), s.scrapePowerSupplies(t), s.scrapeZones(t),
	)
}

func (s *sensorsScraper) scrapeTemperatures(t *scrapeContext) error {
	limits := s.metrics.HwTemperatureLimit.Enabled
	if !limits && !s.metrics.HwTemperature.Enabled {
		return nil
	}
	temperatures, err := s.host.Temperatures(limits)
	for i := range temperatures {
		r := &temperatures[i]
		at := locationOf(r.Location)
		s.mb.RecordHwTemperatureDataPoint(t.time, r.Celsius, r.ID, r.Name, at...)
		recordLimits(&r.Limits, func(v float64, kind metadata.AttributeHwLimitType) {
			s.mb.RecordHwTemperatureLimitDataPoint(t.time, v, r.ID, r.Name, kind, at...)
		})
	}
	return err
}

// recordLimits records those of the limits that are known.
func recordLimits(l *host.SensorLimits, record func(float64, metadata.AttributeHwLimitType)) {
	for _, limit := range [...]struct {
		value float64
		kind  metadata.AttributeHwLimitType
	}{
		{l.Max, metadata.AttributeHwLimitTypeHighDegraded},
		{l.Critical, metadata.AttributeHwLimitTypeHighCritical},
		{l.Min, metadata.AttributeHwLimitTypeLowDegraded},
		{l.LowCritical, metadata.AttributeHwLimitTypeLowCritical},
	} {
		if !math.IsNaN(limit.value) {
			record(limit.value, limit.kind)
		}
	}
}

func (s *sensorsScraper) scrapeFans(t *scrapeContext) error {
	limits := s.metrics.HwFanSpeedLimit.Enabled
	if !limits && !s.metrics.HwFanSpeed.Enabled {
		return nil
	}
	fans, err := s.host.Fans(limits)
	for _, f := range fans {
		at := locationOf(f.Location)
		s.mb.RecordHwFanSpeedDataPoint(t.time, f.RPM, f.ID, f.Name, at...)
		if f.Min > 0 {
			s.mb.RecordHwFanSpeedLimitDataPoint(t.time, f.Min, f.ID, f.Name, metadata.AttributeHwLimitTypeLowDegraded, at...)
		}
		if f.Max > 0 {
			s.mb.RecordHwFanSpeedLimitDataPoint(t.time, f.Max, f.ID, f.Name, metadata.AttributeHwLimitTypeHighDegraded, at...)
		}
	}
	return err
}

// locationOf is the attribute of where a sensor is, if that is known.
func locationOf(location string) []metadata.MetricAttributeOption {
	if location == "" {
		return nil
	}
	return []metadata.MetricAttributeOption{metadata.WithHwSensorLocationMetricAttribute(location)}
}

// scrapeMeters records voltages, currents, powers and energies.
func (s *sensorsScraper) scrapeMeters(t *scrapeContext) error {
	m := &s.metrics
	return errors.Join(
		s.scrapeMeter(m.HwVoltage.Enabled || m.HwVoltageLimit.Enabled, host.SensorVoltage, func(v *host.Sensor, at ...metadata.MetricAttributeOption) {
			s.mb.RecordHwVoltageDataPoint(t.time, v.Value, v.ID, v.Name, at...)
			recordLimits(&v.Limits, func(volts float64, kind metadata.AttributeHwLimitType) {
				s.mb.RecordHwVoltageLimitDataPoint(t.time, volts, v.ID, v.Name, kind, at...)
			})
		}),
		s.scrapeMeter(m.HwCurrent.Enabled, host.SensorCurrent, func(v *host.Sensor, at ...metadata.MetricAttributeOption) {
			s.mb.RecordHwCurrentDataPoint(t.time, v.Value, v.ID, v.Name, at...)
		}),
		s.scrapeMeter(m.HwPower.Enabled, host.SensorPower, func(v *host.Sensor, at ...metadata.MetricAttributeOption) {
			s.mb.RecordHwPowerDataPoint(t.time, v.Value, v.ID, v.Name, meterType(v), at...)
		}),
		s.scrapeMeter(m.HwEnergy.Enabled, host.SensorEnergy, func(v *host.Sensor, at ...metadata.MetricAttributeOption) {
			s.mb.Reset(metadata.WithStartTime(s.starts.Start(v.ID, 0)))
			s.mb.RecordHwEnergyDataPoint(t.time, v.Value, v.ID, v.Name, meterType(v), at...)
			s.mb.Reset(metadata.WithStartTime(t.boot))
		}),
	)
}

func (s *sensorsScraper) scrapeMeter(enabled bool, kind host.SensorKind, record func(*host.Sensor, ...metadata.MetricAttributeOption)) error {
	if !enabled {
		return nil
	}
	sensors, err := s.host.Sensors(kind, kind == host.SensorVoltage && s.metrics.HwVoltageLimit.Enabled)
	for i := range sensors {
		record(&sensors[i], locationOf(sensors[i].Location)...)
	}
	return err
}

// meterType is the type of what a sensor of power or energy belongs to. Hwmon does not say what most of them measure.
func meterType(v *host.Sensor) metadata.AttributeHwType {
	if v.GPU {
		return metadata.AttributeHwTypeGpu
	}
	return metadata.AttributeHwTypePower
}

// sensorTypes are the values of hw.type for what a sensor watches.
var sensorTypes = [...]metadata.AttributeHwType{
	host.SensorTemperature: metadata.AttributeHwTypeTemperature,
	host.SensorFan:         metadata.AttributeHwTypeFan,
	host.SensorVoltage:     metadata.AttributeHwTypeVoltage,
	host.SensorCurrent:     metadata.AttributeHwTypeCurrent,
	host.SensorPower:       metadata.AttributeHwTypePower,
	host.SensorEnergy:      metadata.AttributeHwTypePower,
}

// sensorStates are the values of hw.state.
var sensorStates = [...]metadata.AttributeHwState{
	host.SensorOK: metadata.AttributeHwStateOk, host.SensorDegraded: metadata.AttributeHwStateDegraded, host.SensorFailed: metadata.AttributeHwStateFailed,
}

func (s *sensorsScraper) scrapeStatuses(t *scrapeContext) error {
	if !s.metrics.HwStatus.Enabled {
		return nil
	}
	statuses, err := s.host.SensorStatuses()
	for i := range statuses {
		r := &statuses[i]
		at := locationOf(r.Location)
		for state, value := range sensorStates {
			s.mb.RecordHwStatusDataPoint(t.time, oneIf(r.State == host.SensorState(state)), r.ID, r.Name, value, sensorTypes[r.Kind], at...)
		}
	}
	return err
}

func (s *sensorsScraper) scrapeBatteries(t *scrapeContext) error {
	if !s.metrics.HwBatteryCharge.Enabled && !s.metrics.HwBatteryTimeLeft.Enabled {
		return nil
	}
	batteries, err := s.host.Batteries()
	for _, b := range batteries {
		if b.Charge >= 0 {
			s.mb.RecordHwBatteryChargeDataPoint(t.time, b.Charge, b.ID, b.Name)
		}
		state := metadata.AttributeHwBatteryStateDischarging
		if b.State == host.BatteryCharging {
			state = metadata.AttributeHwBatteryStateCharging
		}
		if b.TimeLeft >= 0 {
			s.mb.RecordHwBatteryTimeLeftDataPoint(t.time, b.TimeLeft, b.ID, b.Name, state)
		}
	}
	return err
}

func (s *sensorsScraper) scrapePowerSupplies(t *scrapeContext) error {
	if !s.metrics.HwPowerSupplyOnline.Enabled {
		return nil
	}
	supplies, err := s.host.PowerSupplies()
	for _, p := range supplies {
		s.mb.RecordHwPowerSupplyOnlineDataPoint(t.time, oneIf(p.Online), p.ID, p.Name)
	}
	return err
}

// scrapeZones records the energy that processors have consumed since they were first read: what they had consumed before has wrapped who knows how often.
func (s *sensorsScraper) scrapeZones(t *scrapeContext) error {
	if !s.metrics.HwEnergy.Enabled {
		return nil
	}
	zones, err := s.energy.Read()
	for i := range zones {
		z := &zones[i]
		since, ok := s.since[z.ID]
		if !ok {
			s.since[z.ID] = t.time
			continue
		}
		s.mb.Reset(metadata.WithStartTime(since))
		var options []metadata.MetricAttributeOption
		if z.Parent != "" {
			options = append(options, metadata.WithHwParentMetricAttribute(z.Parent))
		}
		s.mb.RecordHwEnergyDataPoint(t.time, z.Joules, z.ID, z.Name, zoneType(z), options...)
	}
	s.mb.Reset(metadata.WithStartTime(t.boot))
	return err
}

func zoneType(z *host.EnergyZone) metadata.AttributeHwType {
	switch {
	case z.Memory:
		return metadata.AttributeHwTypeMemory
	case z.Whole:
		return metadata.AttributeHwTypeEnclosure
	}
	return metadata.AttributeHwTypeCPU
}
