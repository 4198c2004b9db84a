package psutilreceiver

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// SamplingConfig says what is read between the exports, and how its distribution between two of them is exported.
type SamplingConfig struct {
	// Interval is the time between samples; 0 for no sampling.
	Interval time.Duration `mapstructure:"interval"`
	// Metrics names the gauges and the counters that are sampled, counters as rates. Empty means those of a default set that are
	// enabled.
	Metrics []string `mapstructure:"metrics"`
	// Format is how the samples are exported.
	Format SamplingFormat `mapstructure:"format"`
	// Temporality is that of the histograms: delta (the default), each of one interval, or cumulative, for backends that take no
	// other.
	Temporality Temporality `mapstructure:"temporality"`
}

// minSamplingInterval catches durations without a unit. It is the tick of 10 ms in which the kernel counts CPU time.
const minSamplingInterval = 10 * time.Millisecond

func defaultSamplingConfig() SamplingConfig {
	return SamplingConfig{Format: SamplingHistogram, Temporality: TemporalityDelta}
}

// Validate checks what does not depend on the scrapers.
func (s *SamplingConfig) Validate() error {
	var errs []error
	if s.Interval != 0 && s.Interval < minSamplingInterval {
		errs = append(errs, fmt.Errorf("interval is %v: it must be at least %v, or 0s for no sampling; a duration has a unit, as in 1s",
			s.Interval, minSamplingInterval))
	}
	if s.Interval == 0 && len(s.Metrics) > 0 {
		errs = append(errs, errors.New("metrics names some while interval is 0s: set it, for instance to 1s, or leave the list out"))
	}
	if s.Format.writer() == nil {
		errs = append(errs, fmt.Errorf("format is %q: allowed are %s", s.Format, strings.Join(samplingFormatNames(), ", ")))
	}
	if s.Temporality != TemporalityDelta && s.Temporality != TemporalityCumulative {
		errs = append(errs, fmt.Errorf("temporality is %q: allowed are %s, %s", s.Temporality, TemporalityDelta, TemporalityCumulative))
	}
	return errors.Join(errs...)
}

// validateSampling checks sampling against the scrapers and metrics that are enabled.
func (c *Config) validateSampling() error {
	if c.Sampling.Interval == 0 {
		return nil
	}
	var errs []error
	for _, name := range c.Sampling.Metrics {
		errs = append(errs, c.validateSampled(name))
	}
	chosen := c.sampledMetrics()
	if len(chosen) == 0 && len(c.Sampling.Metrics) == 0 {
		errs = append(errs, fmt.Errorf("sampling::interval is %v while no metric that is sampled by default is enabled: "+
			"name some in sampling::metrics, or run one of the scrapers %s", c.Sampling.Interval, strings.Join(sampledScrapers(), ", ")))
	}
	for _, scraper := range sampledScrapers() {
		of := func(m *sampledMetric) bool { return m.scraper == scraper }
		if every := c.intervalOf(scraper); slices.ContainsFunc(chosen, of) && c.Sampling.Interval >= every {
			errs = append(errs, fmt.Errorf("sampling::interval is %v: it must be shorter than the %v in which the %s scraper collects",
				c.Sampling.Interval, every, scraper))
		}
	}
	return errors.Join(errs...)
}

// validateSampled refuses the name of a metric that can't be sampled, or is not emitted.
func (c *Config) validateSampled(name string) error {
	m := sampledMetricNamed(name)
	switch {
	case m == nil && slices.Contains(confkeys.Of(reflect.TypeFor[metadata.MetricsConfig]()), name):
		return fmt.Errorf("sampling::metrics names %q, which is not read between exports: %s", name, suggest.Instead(name, sampledNames()))
	case m == nil:
		return fmt.Errorf("sampling::metrics names unknown metric %q: %s", name, suggest.Instead(name, sampledNames()))
	case c.intervalOf(m.scraper) == 0:
		return fmt.Errorf("sampling::metrics names %q, but the %s scraper does not run: name it under scrapers, or leave the metric out",
			name, m.scraper)
	case !isEnabled(&c.Metrics, name):
		return fmt.Errorf("sampling::metrics names %q, which is not enabled: set metrics::%s::enabled to true, or leave it out", name, name)
	}
	return nil
}

// intervalOf gives the interval of a scraper, 0 for one that does not run.
func (c *Config) intervalOf(scraper string) time.Duration {
	for _, k := range scraperKinds {
		if k.name != scraper {
			continue
		}
		switch interval, enabled := k.interval(&c.Scrapers); {
		case !enabled:
			return 0
		case interval != 0:
			return interval
		}
		return c.CollectionInterval
	}
	return 0
}

// sampledMetrics lists what is sampled: the metrics that are named, or those of the default set, that are enabled.
func (c *Config) sampledMetrics() []*sampledMetric {
	if c.Sampling.Interval == 0 {
		return nil
	}
	var chosen []*sampledMetric
	for i := range sampleable() {
		m := &sampleable()[i]
		named := slices.Contains(c.Sampling.Metrics, m.name) || len(c.Sampling.Metrics) == 0 && m.byDefault
		if named && c.intervalOf(m.scraper) != 0 && isEnabled(&c.Metrics, m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// isEnabled is whether the metric of that name is enabled.
func isEnabled(metrics *metadata.MetricsConfig, name string) bool {
	for field, value := range reflect.ValueOf(metrics).Elem().Fields() {
		if field.Tag.Get("mapstructure") == name {
			return value.FieldByName("Enabled").Bool()
		}
	}
	return false
}
