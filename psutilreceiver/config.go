package psutilreceiver

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

const (
	defaultCollectionInterval = 15 * time.Second
	defaultMetadataInterval   = 5 * time.Minute
	// minCollectionInterval catches durations without a unit, which are nanoseconds.
	minCollectionInterval = time.Millisecond
)

// Config is the configuration of one psutil receiver. Without any key, `psutil:`, it monitors this host with the default scrapers.
type Config struct {
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	metadata.MetricsBuilderConfig  `mapstructure:",squash"`

	// RootPath is where the host's / is mounted, for instance /hostfs in a container. Empty is this host. Other receivers
	// of the same Collector are not concerned.
	RootPath string `mapstructure:"root_path"`

	// Temporality is the aggregation temporality of every counter: cumulative (the default) or delta.
	Temporality Temporality `mapstructure:"temporality"`

	// Rates adds, beside counters, gauges of their change per second.
	Rates RatesConfig `mapstructure:"rates"`

	// Sampling reads some metrics between the exports, and exports their distribution between two of these.
	Sampling SamplingConfig `mapstructure:"sampling"`

	// Compat is empty, or hostmetrics: then everything is called as hostmetricsreceiver calls it, and the scrapers show by default what its do.
	Compat string `mapstructure:"compat"`

	// MetadataCollectionInterval is how often a logs pipeline is told of the host, and of processes, as entities.
	MetadataCollectionInterval time.Duration `mapstructure:"metadata_collection_interval"`

	// Entities says of what logs pipelines are told as entities.
	Entities EntitiesConfig `mapstructure:"entities"`

	// Events says what is watched for, and told of in logs pipelines.
	Events EventsConfig `mapstructure:"events"`

	// Scrapers holds one block for each subject. Without the key the default scrapers run; with it, only those named.
	Scrapers ScrapersConfig `mapstructure:"scrapers"`

	notes []string // what is said once of keys that have no effect
	// What the receiver in metrics pipelines and that in logs pipelines share, which have the same Config.
	shown  *shownProcesses
	events *eventWatch
}

// compatHostmetrics is the value of Compat that names everything as hostmetricsreceiver does.
const compatHostmetrics = "hostmetrics"

// Temporality is the aggregation temporality of the counters that the receiver emits.
type Temporality string

// The temporalities of OTLP.
const (
	// TemporalityCumulative is for points with the total since the start of the stream.
	TemporalityCumulative Temporality = "cumulative"
	// TemporalityDelta is for points with what was counted since the previous point of the stream.
	TemporalityDelta Temporality = "delta"
)

// RatesConfig says which counters get a gauge <metric>.rate.
type RatesConfig struct {
	// Enabled adds the gauges.
	Enabled bool `mapstructure:"enabled"`
	// Metrics names the counters; none means all.
	Metrics []string `mapstructure:"metrics"`
}

// validate refuses names of metrics that are not counters.
func (c *RatesConfig) validate() error {
	if len(c.Metrics) == 0 {
		return nil
	}
	metrics := confkeys.Of(reflect.TypeFor[metadata.MetricsConfig]())
	counters, err := counterNames()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range c.Metrics {
		switch {
		case !slices.Contains(metrics, name):
			errs = append(errs, fmt.Errorf("rates::metrics names unknown metric %q: %s", name, suggest.Instead(name, counters)))
		case !slices.Contains(counters, name):
			errs = append(errs, fmt.Errorf("rates::metrics names %q, which is no counter: %s", name, suggest.Instead(name, counters)))
		}
	}
	return errors.Join(errs...)
}

// ScraperConfig has the keys that every scraper has.
type ScraperConfig struct {
	// CollectionInterval is the interval of this scraper. Zero takes that of the receiver.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`
}

func (c ScraperConfig) interval() time.Duration { return c.CollectionInterval }

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = defaultCollectionInterval
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Temporality:          TemporalityCumulative,
		Sampling:             defaultSamplingConfig(),
		Scrapers:             defaultScrapers(),

		MetadataCollectionInterval: defaultMetadataInterval,
		Events:                     EventsConfig{MaxPerMinute: defaultEventsPerMinute},
		shown:                      &shownProcesses{},
		events:                     &eventWatch{},
	}
}

// defaultScrapers has those scrapers present that run when the configuration names none.
func defaultScrapers() ScrapersConfig {
	s := offeredScrapers()
	for _, k := range scraperKinds {
		if k.byDefault {
			k.enable(&s)
		}
	}
	return s
}

// offeredScrapers has no scraper present, and for each the values that its block starts from.
func offeredScrapers() ScrapersConfig {
	var s ScrapersConfig
	for _, k := range scraperKinds {
		k.offer(&s)
	}
	return s
}

// Unmarshal decodes the configuration, which may be one of hostmetricsreceiver. Scrapers that are named replace the default ones, and the error of
// an unknown key names those that are known.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	conf, said, errs := rewriteHostmetrics(conf)
	if err := errors.Join(append(errs, confkeys.Check(conf, c))...); err != nil {
		return err
	}
	c.notes = said.notes
	if compat := conf.Get("compat"); compat != nil {
		c.Compat = fmt.Sprint(compat)
	}
	if conf.IsSet("scrapers") {
		c.Scrapers = offeredScrapers()
	}
	if c.Compat == compatHostmetrics {
		c.offerHostmetrics()
	}
	if err := conf.Unmarshal((*withoutMethods)(c)); err != nil {
		return err
	}
	if c.Compat == compatHostmetrics {
		c.addConnections(conf)
	}
	if len(said.cpusTogether) > 0 {
		c.Scrapers.CPU.Get().together = said.cpusTogether
	}
	return nil
}

// withoutMethods is a Config that the Collector decodes field by field, rather than by calling Unmarshal.
type withoutMethods Config

// Validate checks what spans more than one key; the blocks check themselves.
func (c *Config) Validate() error {
	var errs []error
	if err := host.CheckRoot(c.RootPath); err != nil {
		errs = append(errs, fmt.Errorf("root_path is %q: it must be a directory that holds the host's file system: %w", c.RootPath, err))
	}
	if c.CollectionInterval > 0 && c.CollectionInterval < minCollectionInterval {
		errs = append(errs, fmt.Errorf("collection_interval is %v: it must be at least %v; a duration has a unit, as in 15s",
			c.CollectionInterval, minCollectionInterval))
	}
	if c.InitialDelay < 0 || c.InitialDelay > 0 && c.InitialDelay < minCollectionInterval {
		errs = append(errs, fmt.Errorf("initial_delay is %v: it must be 0 or at least %v; a duration has a unit, as in 1s",
			c.InitialDelay, minCollectionInterval))
	}
	if len(c.Rates.Metrics) > 0 && !c.Rates.Enabled {
		errs = append(errs, errors.New("rates::metrics names counters while rates::enabled is false: set it to true, or leave the list out"))
	}
	if c.Temporality != TemporalityCumulative && c.Temporality != TemporalityDelta {
		errs = append(errs, fmt.Errorf("temporality is %q: allowed are %s, %s", c.Temporality, TemporalityCumulative, TemporalityDelta))
	}
	if c.Compat != "" && c.Compat != compatHostmetrics {
		errs = append(errs, fmt.Errorf("compat is %q: it must be %s, or left out", c.Compat, compatHostmetrics))
	}
	if every := c.MetadataCollectionInterval; every < 0 || every > 0 && every < time.Second {
		errs = append(errs, fmt.Errorf("metadata_collection_interval is %v: it must be 0, for events of changes alone, or at least 1s", every))
	}
	if process := c.Scrapers.Process.Get(); c.Entities.Processes && (process == nil || len(process.GroupBy) > 0) {
		errs = append(errs, errors.New("entities::processes is true, and the process scraper shows no single processes: "+
			"name process under scrapers, without group_by, or leave the key out"))
	}
	errs = append(errs, c.Rates.validate(), c.Events.validate())
	running := 0
	for _, k := range scraperKinds {
		interval, enabled := k.interval(&c.Scrapers)
		if !enabled {
			continue
		}
		running++
		if interval != 0 && interval < minCollectionInterval {
			errs = append(errs, fmt.Errorf("scrapers::%s::collection_interval is %v: it must be positive and at least %v, "+
				"or left out to take the receiver's", k.name, interval, minCollectionInterval))
		}
	}
	errs = append(errs, c.validateSampling())
	if running == 0 {
		errs = append(errs, fmt.Errorf("scrapers names none: name at least one of %s, or leave the key out",
			strings.Join(confkeys.Of(reflect.TypeFor[ScrapersConfig]()), ", ")))
	}
	return errors.Join(errs...)
}

func (c *Config) streamSettings(returning bool) stream.Settings {
	s := stream.Settings{
		Temporality: pmetric.AggregationTemporalityCumulative,
		Rates:       stream.Rates(c.Rates),
		Returning:   returning,
	}
	if c.Temporality == TemporalityDelta {
		s.Temporality = pmetric.AggregationTemporalityDelta
	}
	return s
}
