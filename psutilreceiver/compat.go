package psutilreceiver

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics/translate"
)

// Compat is another receiver whose form the output has.
type Compat string

const (
	// CompatNone is the form of the semantic conventions.
	CompatNone Compat = ""
	// CompatHostmetrics is the form of hostmetricsreceiver.
	CompatHostmetrics Compat = "hostmetrics"
)

func (c Compat) validate() error {
	if c != CompatNone && c != CompatHostmetrics {
		return fmt.Errorf("compat is %q: allowed is %s, or leave it out for the names of the semantic conventions", string(c), CompatHostmetrics)
	}
	return nil
}

// applyCompatDefaults sets what hostmetricsreceiver has on by default, or shows, so that whoever sets `compat: hostmetrics` loses no series. What the
// configuration sets itself is decoded after that.
func (c *Config) applyCompatDefaults() {
	c.CollectionInterval = time.Minute
	c.ResourceAttributes.ProcessExecutablePath.Enabled = true
	c.ResourceAttributes.ProcessCommandLine.Enabled = true
	c.Scrapers = compatScrapers(c.Scrapers)
}

// compatScrapers are scrapers with the defaults of `compat: hostmetrics`: every process, disk partition and network interface is shown.
func compatScrapers(s ScrapersConfig) ScrapersConfig {
	process := defaultProcessConfig()
	process.CollectionInterval, process.Top.N, process.Other = 0, 0, false
	s.Process = withDefault(&s.Process, process)
	s.Disk = withDefault(&s.Disk, DiskConfig{Partitions: true})
	s.Network = withDefault(&s.Network, NetworkConfig{Virtual: true})
	return s
}

func withDefault[T any](now *configoptional.Optional[T], value T) configoptional.Optional[T] {
	if now.HasValue() {
		return configoptional.Some(value)
	}
	return configoptional.Default(value)
}

// addCompatScrapers runs what is a part of other scrapers in hostmetricsreceiver, unless the configuration has a word of its own about it.
func (c *Config) addCompatScrapers(conf *confmap.Conf) {
	if c.Scrapers.Network.HasValue() && !conf.IsSet("scrapers::connections") {
		c.Scrapers.Connections = configoptional.Some(ScraperConfig{CollectionInterval: c.Scrapers.Network.Get().CollectionInterval})
	}
}

// compatOutput gives what one scraper emits the form of hostmetricsreceiver.
type compatOutput struct {
	translator *translate.Translator
	scope      string
}

// newCompatOutput returns nil if the output keeps its form.
func (c *Config) newCompatOutput(scraper string) *compatOutput {
	if c.Compat != CompatHostmetrics {
		return nil
	}
	return &compatOutput{translator: translate.ToOld(), scope: hostmetrics.ScopeOf(scraper)}
}

// edit changes metrics in place, after the stage.
func (o *compatOutput) edit(md pmetric.Metrics) {
	if o == nil {
		return
	}
	for _, rm := range md.ResourceMetrics().All() {
		rm.SetSchemaUrl(hostmetrics.SchemaURL)
		o.translator.Resource(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			sm.Scope().SetName(o.scope)
			o.translator.Metrics(sm.Metrics())
		}
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool { return sm.Metrics().Len() == 0 })
	}
	md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool { return rm.ScopeMetrics().Len() == 0 })
}

// appendScopes moves the scopes of a resource to those of another. Scopes of one name become one.
func appendScopes(from, to pmetric.ScopeMetricsSlice) {
	for _, sm := range from.All() {
		target, found := scopeNamed(to, sm.Scope().Name())
		if !found {
			target = to.AppendEmpty()
			sm.Scope().CopyTo(target.Scope())
		}
		sm.Metrics().MoveAndAppendTo(target.Metrics())
	}
}

func scopeNamed(scopes pmetric.ScopeMetricsSlice, name string) (pmetric.ScopeMetrics, bool) {
	for _, sm := range scopes.All() {
		if sm.Scope().Name() == name {
			return sm, true
		}
	}
	return pmetric.ScopeMetrics{}, false
}
