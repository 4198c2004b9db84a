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

// SamplingConfig says what is read between the exports, to tell averages, peaks and percentiles of each interval.
type SamplingConfig struct {
	// Interval is the time between samples. Zero takes none.
	Interval time.Duration `mapstructure:"interval"`
	// Metrics names the gauges, and the counters of which the rate is wanted; none means those of a default set that the
	// scrapers show.
	Metrics []string `mapstructure:"metrics"`
	// Format is the form of what is exported.
	Format SamplingFormat `mapstructure:"format"`
	// Temporality of the histograms: delta (the default), each of one interval, or cumulative, for backends that know no other.
	Temporality Temporality `mapstructure:"temporality"`
}

// minSamplingInterval catches durations without a unit, and is the tick in which the kernel counts CPU time.
const minSamplingInterval = 10 * time.Millisecond

func defaultSamplingConfig() SamplingConfig {
	return SamplingConfig{Format: SamplingHistogram, Temporality: TemporalityDelta}
}

// Validate checks what needs no look at the scrapers.
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

// validateSampling checks sampling against the scrapers and metrics that it reads.
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

// sampledMetrics lists what is sampled: the metrics that are named, or those of the default set that are shown.
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

// isEnabled tells whether the metric of that name is switched on.
func isEnabled(metrics *metadata.MetricsConfig, name string) bool {
	for field, value := range reflect.ValueOf(metrics).Elem().Fields() {
		if field.Tag.Get("mapstructure") == name {
			return value.FieldByName("Enabled").Bool()
		}
	}
	return false
}
