package psutilreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// pressureScraper reports pressure stall information, for the resources of which any metric is wanted.
type pressureScraper struct {
	scraperSettings
	wanted []pressureMetrics
}

type recordStall func(*metadata.MetricsBuilder, pcommon.Timestamp, float64, metadata.AttributeSystemLinuxPressureStallType)

// pressureMetrics are the metrics of one resource.
type pressureMetrics struct {
	resource           host.Resource
	enabled            bool
	s10, m1, m5, total recordStall
}

func newPressureScraper(_ ScraperConfig, env scraperSettings) (scraper, error) {
	s := &pressureScraper{scraperSettings: env}
	for _, p := range pressureMetricsOf(&env.metrics) {
		if p.enabled {
			s.wanted = append(s.wanted, p)
		}
	}
	return s, nil
}

func pressureMetricsOf(m *metadata.MetricsConfig) []pressureMetrics {
	type builder = metadata.MetricsBuilder
	return []pressureMetrics{
		{
			resource: host.ResourceCPU,
			enabled: m.SystemCPULinuxPressure10s.Enabled || m.SystemCPULinuxPressure1m.Enabled || m.SystemCPULinuxPressure5m.Enabled ||
				m.SystemCPULinuxPressureTotal.Enabled,
			s10:   (*builder).RecordSystemCPULinuxPressure10sDataPoint,
			m1:    (*builder).RecordSystemCPULinuxPressure1mDataPoint,
			m5:    (*builder).RecordSystemCPULinuxPressure5mDataPoint,
			total: (*builder).RecordSystemCPULinuxPressureTotalDataPoint,
		},
		{
			resource: host.ResourceMemory,
			enabled: m.SystemMemoryLinuxPressure10s.Enabled || m.SystemMemoryLinuxPressure1m.Enabled ||
				m.SystemMemoryLinuxPressure5m.Enabled || m.SystemMemoryLinuxPressureTotal.Enabled,
			s10:   (*builder).RecordSystemMemoryLinuxPressure10sDataPoint,
			m1:    (*builder).RecordSystemMemoryLinuxPressure1mDataPoint,
			m5:    (*builder).RecordSystemMemoryLinuxPressure5mDataPoint,
			total: (*builder).RecordSystemMemoryLinuxPressureTotalDataPoint,
		},
		{
			resource: host.ResourceIO,
			enabled: m.SystemIoLinuxPressure10s.Enabled || m.SystemIoLinuxPressure1m.Enabled || m.SystemIoLinuxPressure5m.Enabled ||
				m.SystemIoLinuxPressureTotal.Enabled,
			s10:   (*builder).RecordSystemIoLinuxPressure10sDataPoint,
			m1:    (*builder).RecordSystemIoLinuxPressure1mDataPoint,
			m5:    (*builder).RecordSystemIoLinuxPressure5mDataPoint,
			total: (*builder).RecordSystemIoLinuxPressureTotalDataPoint,
		},
		{
			resource: host.ResourceIRQ,
			enabled: m.SystemIrqLinuxPressure10s.Enabled || m.SystemIrqLinuxPressure1m.Enabled || m.SystemIrqLinuxPressure5m.Enabled ||
				m.SystemIrqLinuxPressureTotal.Enabled,
			s10:   (*builder).RecordSystemIrqLinuxPressure10sDataPoint,
			m1:    (*builder).RecordSystemIrqLinuxPressure1mDataPoint,
			m5:    (*builder).RecordSystemIrqLinuxPressure5mDataPoint,
			total: (*builder).RecordSystemIrqLinuxPressureTotalDataPoint,
		},
	}
}

func (s *pressureScraper) scrape(t *scrapeContext) error {
	var errs []error
	for i := range s.wanted {
		p := &s.wanted[i]
		pressure, err := s.host.Pressure(p.resource)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.record(t, p, &pressure.Some, metadata.AttributeSystemLinuxPressureStallTypeSome)
		if p.resource == host.ResourceCPU {
			continue // The kernel defines no full stall of CPUs for a whole host, and writes zeros.
		}
		s.record(t, p, &pressure.Full, metadata.AttributeSystemLinuxPressureStallTypeFull)
	}
	return errors.Join(errs...)
}

func (s *pressureScraper) record(t *scrapeContext, p *pressureMetrics, stall *host.Stall, kind metadata.AttributeSystemLinuxPressureStallType) {
	if !stall.Reported {
		return
	}
	p.s10(s.mb, t.time, stall.Avg10, kind)
	p.m1(s.mb, t.time, stall.Avg60, kind)
	p.m5(s.mb, t.time, stall.Avg300, kind)
	p.total(s.mb, t.time, stall.Total, kind)
}
