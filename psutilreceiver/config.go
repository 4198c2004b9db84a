package psutilreceiver

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

const defaultCollectionInterval = 15 * time.Second

// Config is the configuration of one psutil receiver. Its zero form, `psutil:`, monitors this host in full.
type Config struct {
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	metadata.MetricsBuilderConfig  `mapstructure:",squash"`

	// RootPath is where the host's / is mounted, for instance /hostfs in a container. It is a value of this receiver alone.
	RootPath string `mapstructure:"root_path"`

	// Scrapers holds one block a subject. Without the key all run but connections and sensors; with it, only those named.
	Scrapers ScrapersConfig `mapstructure:"scrapers"`
}

// ScrapersConfig has one optional block for each scraper.
type ScrapersConfig struct {
	CPU    configoptional.Optional[CPUConfig]     `mapstructure:"cpu"`
	Memory configoptional.Optional[ScraperConfig] `mapstructure:"memory"`
	Paging configoptional.Optional[ScraperConfig] `mapstructure:"paging"`
}

// ScraperConfig is what every scraper can be told.
type ScraperConfig struct {
	// CollectionInterval of this scraper. Zero takes that of the receiver.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`
}

func (c ScraperConfig) interval() time.Duration { return c.CollectionInterval }

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = defaultCollectionInterval
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Scrapers:             defaultScrapers(),
	}
}

// defaultScrapers are those that run when the configuration names none.
func defaultScrapers() ScrapersConfig {
	s := offeredScrapers()
	for _, k := range scraperKinds {
		if k.byDefault {
			k.enable(&s)
		}
	}
	return s
}

// offeredScrapers has no scraper running, and for each the values that its block starts from.
func offeredScrapers() ScrapersConfig {
	return ScrapersConfig{
		CPU:    configoptional.Default(CPUConfig{}),
		Memory: configoptional.Default(ScraperConfig{}),
		Paging: configoptional.Default(ScraperConfig{}),
	}
}

// Unmarshal decodes the configuration. It is written out because scrapers that are named replace the default set, and because
// an unknown key deserves the list of the known ones.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := checkKeys(conf); err != nil {
		return err
	}
	if conf.IsSet("scrapers") {
		c.Scrapers = offeredScrapers()
	}
	return conf.Unmarshal(c)
}

// Validate checks what spans more than one key; the blocks check themselves.
func (c *Config) Validate() error {
	var errs []error
	if err := host.CheckRoot(c.RootPath); err != nil {
		errs = append(errs, fmt.Errorf("root_path is %q: it must be a directory that holds the host's file system: %w", c.RootPath, err))
	}
	running := 0
	for _, k := range scraperKinds {
		interval, enabled := k.interval(&c.Scrapers)
		if !enabled {
			continue
		}
		running++
		if interval < 0 {
			errs = append(errs, fmt.Errorf(
				"scrapers::%s::collection_interval is %v: it must be positive, or left out to take the receiver's", k.name, interval))
		}
	}
	if running == 0 {
		errs = append(errs, fmt.Errorf("scrapers names none: name at least one of %s, or leave the key out",
			listOf(keysOf(reflect.TypeFor[ScrapersConfig]()))))
	}
	return errors.Join(errs...)
}
