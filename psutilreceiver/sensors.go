package psutilreceiver

import (
	"errors"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

type sensorsScraper struct{ scraperSettings }

func newSensorsScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &sensorsScraper{settings}, nil
}

func (s *sensorsScraper) scrape(t *scrapeContext) error {
	return errors.Join(s.scrapeTemperatures(t), s.scrapeFans(t), s.scrapeBatteries(t))
}

func (s *sensorsScraper) scrapeTemperatures(t *scrapeContext) error {
	limits := s.metrics.HwTemperatureLimit.Enabled
	if !limits && !s.metrics.HwTemperature.Enabled {
		return nil
	}
	temperatures, err := s.host.Temperatures(limits)
	for i := range temperatures {
		r := &temperatures[i]
		s.mb.RecordHwTemperatureDataPoint(t.time, r.Celsius, r.ID, r.Name, locationOf(r.Location)...)
		s.recordLimit(t, r, r.Limits.Max, metadata.AttributeHwLimitTypeHighDegraded)
		s.recordLimit(t, r, r.Limits.Critical, metadata.AttributeHwLimitTypeHighCritical)
		s.recordLimit(t, r, r.Limits.Min, metadata.AttributeHwLimitTypeLowDegraded)
		s.recordLimit(t, r, r.Limits.LowCritical, metadata.AttributeHwLimitTypeLowCritical)
	}
	return err
}

func (s *sensorsScraper) recordLimit(t *scrapeContext, r *host.Temperature, celsius float64, kind metadata.AttributeHwLimitType) {
	if !math.IsNaN(celsius) {
		s.mb.RecordHwTemperatureLimitDataPoint(t.time, celsius, r.ID, r.Name, kind, locationOf(r.Location)...)
	}
}

func (s *sensorsScraper) scrapeFans(t *scrapeContext) error {
	if !s.metrics.HwFanSpeed.Enabled {
		return nil
	}
	fans, err := s.host.Fans()
	for _, f := range fans {
		s.mb.RecordHwFanSpeedDataPoint(t.time, f.RPM, f.ID, f.Name, locationOf(f.Location)...)
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
