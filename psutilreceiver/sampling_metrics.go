package psutilreceiver

import (
	"slices"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// samplingKind is how metrics of a scraper are sampled. It is part of the scraper's row in the table of scrapers.
type samplingKind struct {
	// metrics lists those that can be sampled.
	metrics func(describer) []sampledMetric
	// sources makes what reads those that are chosen, by the configuration of the scraper.
	sources func(*ScrapersConfig, sourceSettings) []source
}

// sourceSettings is what sources are built from.
type sourceSettings struct {
	recorder
	host *host.Host
	boot pcommon.Timestamp
}

// sampledMetric is a metric that can be sampled, as metadata.yaml describes it.
type sampledMetric struct {
	name, unit string
	scraper    string
	counter    bool // its rate is what is sampled
	byDefault  bool
}

// newSampledMetric takes a metric that the generated code has made.
func newSampledMetric(m pmetric.Metric, choice samplingChoice) sampledMetric {
	return sampledMetric{
		name: m.Name(), unit: m.Unit(),
		counter:   m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic(),
		byDefault: choice == samplingByDefault,
	}
}

// sampledMetricsOf lists the metrics of rows that can be sampled. One of several points is listed as often.
func sampledMetricsOf[T any](d describer, rows []pointRow[T]) []sampledMetric {
	var metrics []sampledMetric
	for _, r := range rows {
		if r.sampling != samplingNever {
			m, _ := d.describe(func(mb *builder) { r.zero(mb, new(T)) })
			metrics = append(metrics, newSampledMetric(m, r.sampling))
		}
	}
	return metrics
}

// sampleable lists all that can be sampled, in the order of the table of scrapers.
var sampleable = sync.OnceValue(func() []sampledMetric {
	d := newDescriber()
	var all []sampledMetric
	for _, k := range scraperKinds {
		if k.sampling == nil {
			continue
		}
		for _, m := range k.sampling.metrics(d) {
			if m.scraper = k.name; !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	return all
})

// sampledMetricNamed gives the metric of that name, nil when it can't be sampled.
func sampledMetricNamed(name string) *sampledMetric {
	all := sampleable()
	if i := slices.IndexFunc(all, func(m sampledMetric) bool { return m.name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

// sampledNames lists the names of all that can be sampled, sorted.
func sampledNames() []string {
	var names []string
	for _, m := range sampleable() {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return names
}

// sampledScrapers lists the scrapers of which something can be sampled, in the order of the table.
func sampledScrapers() []string {
	var names []string
	for _, k := range scraperKinds {
		if k.sampling != nil {
			names = append(names, k.name)
		}
	}
	return names
}

// baseName is what the names of the exported metrics begin with.
func (m *sampledMetric) baseName() string {
	if m.counter {
		return stream.RateName(m.name)
	}
	return m.name
}

// sampledUnit is the unit of the samples.
func (m *sampledMetric) sampledUnit() string {
	if m.counter {
		return stream.RateUnit(m.unit)
	}
	return m.unit
}
