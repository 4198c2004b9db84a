package psutilreceiver

import (
	"errors"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// pressureScraper reports pressure stall information, for the resources of which any metric is enabled.
type pressureScraper struct {
	scraperSettings
	enabled []pressureResource
	latest  host.Pressure // kept here, so that handing it to the rows allocates nothing
}

// pressureResource is one resource with the points of its pressure.
type pressureResource struct {
	resource host.Resource
	rows     []pointRow[host.Pressure]
}

func newPressureScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	s := &pressureScraper{scraperSettings: settings}
	d := newDescriber()
	for _, p := range pressureResources {
		if anyEnabled(d, p.rows, &settings.metrics) {
			s.enabled = append(s.enabled, p)
		}
	}
	return s, nil
}

func (s *pressureScraper) scrape(t *scrapeContext) error {
	var errs []error
	for i := range s.enabled {
		p := &s.enabled[i]
		var err error
		if s.latest, err = s.host.Pressure(p.resource); err != nil {
			errs = append(errs, err)
		}
		if isLost(err) {
			continue
		}
		recordRows(p.rows, s.mb, t.time, &s.latest)
	}
	return errors.Join(errs...)
}

// recordStall records a point of one kind of stall.
type recordStall = func(*builder, pcommon.Timestamp, float64, metadata.AttributeSystemLinuxPressureStallType)

// pressureResources are all resources of which the kernel reports the pressure.
var pressureResources = []pressureResource{
	{host.ResourceCPU, pressureRows(host.ResourceCPU, samplingByDefault, (*builder).RecordSystemCPULinuxPressureTotalDataPoint,
		(*builder).RecordSystemCPULinuxPressure10sDataPoint, (*builder).RecordSystemCPULinuxPressure1mDataPoint, (*builder).RecordSystemCPULinuxPressure5mDataPoint)},
	{host.ResourceMemory, pressureRows(host.ResourceMemory, samplingByDefault, (*builder).RecordSystemMemoryLinuxPressureTotalDataPoint,
		(*builder).RecordSystemMemoryLinuxPressure10sDataPoint, (*builder).RecordSystemMemoryLinuxPressure1mDataPoint, (*builder).RecordSystemMemoryLinuxPressure5mDataPoint)},
	{host.ResourceIO, pressureRows(host.ResourceIO, samplingByDefault, (*builder).RecordSystemIoLinuxPressureTotalDataPoint,
		(*builder).RecordSystemIoLinuxPressure10sDataPoint, (*builder).RecordSystemIoLinuxPressure1mDataPoint, (*builder).RecordSystemIoLinuxPressure5mDataPoint)},
	{host.ResourceIRQ, pressureRows(host.ResourceIRQ, samplingByName, (*builder).RecordSystemIrqLinuxPressureTotalDataPoint,
		(*builder).RecordSystemIrqLinuxPressure10sDataPoint, (*builder).RecordSystemIrqLinuxPressure1mDataPoint, (*builder).RecordSystemIrqLinuxPressure5mDataPoint)},
}

// pressureRows are the points of the stalls of one resource: those of some task, and those of all. The kernel defines no full stall of CPUs for a
// whole host, and writes zeros.
func pressureRows(resource host.Resource, sampleTotal samplingChoice, total, s10, m1, m5 recordStall) []pointRow[host.Pressure] {
	rows := func(stall func(*host.Pressure) *host.Stall, kind metadata.AttributeSystemLinuxPressureStallType) []pointRow[host.Pressure] {
		row := func(value func(*host.Stall) float64, record recordStall) pointRow[host.Pressure] {
			reported := func(p *host.Pressure) float64 {
				if s := stall(p); s.Reported {
					return value(s)
				}
				return -1
			}
			return doubleRow(reported, func(mb *builder, ts pcommon.Timestamp, v float64, _ *host.Pressure) { record(mb, ts, v, kind) })
		}
		return []pointRow[host.Pressure]{
			row(func(s *host.Stall) float64 { return s.Avg10 }, s10),
			row(func(s *host.Stall) float64 { return s.Avg60 }, m1),
			row(func(s *host.Stall) float64 { return s.Avg300 }, m5),
			row(func(s *host.Stall) float64 { return s.Total }, total).counter().sampled(sampleTotal),
		}
	}
	some := rows(func(p *host.Pressure) *host.Stall { return &p.Some }, metadata.AttributeSystemLinuxPressureStallTypeSome)
	if resource == host.ResourceCPU {
		return some
	}
	full := rows(func(p *host.Pressure) *host.Stall { return &p.Full }, metadata.AttributeSystemLinuxPressureStallTypeFull)
	return slices.Concat(some, full)
}

// pressureSampling samples the resources of which a metric is chosen.
var pressureSampling = samplingKind{
	metrics: func(d describer) []sampledMetric {
		var metrics []sampledMetric
		for _, p := range pressureResources {
			metrics = append(metrics, sampledMetricsOf(d, p.rows)...)
		}
		return metrics
	},
	sources: func(_ *ScrapersConfig, set sourceSettings) []source {
		var sources []source
		for _, p := range pressureResources {
			read := func() (host.Pressure, error) { return set.host.Pressure(p.resource) }
			if l := newLevels(read, p.rows, set.recorder); len(l.rows) > 0 {
				sources = append(sources, l)
			}
		}
		return sources
	},
}
