package psutilreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// load decodes and validates the named receiver of testdata/config.yaml, as the Collector would.
func load(t *testing.T, name string) (*Config, error) {
	t.Helper()
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := file.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func names(kinds []scraperKind, s *ScrapersConfig) []string {
	var out []string
	for _, k := range kinds {
		if _, enabled := k.interval(s); enabled {
			out = append(out, k.name)
		}
	}
	return out
}

func TestConfigThatIsValid(t *testing.T) {
	t.Run("nothing but the name runs the default scrapers", func(t *testing.T) {
		cfg, err := load(t, "alone")
		require.NoError(t, err)
		assert.Equal(t, createDefaultConfig(), cfg)
		want := []string{"cpu", "load", "memory", "paging", "disk", "filesystem", "raid", "zfs", "btrfs", "network", "netstat", "pressure", "hardware", "processes", "process", "clock", "system"}
		assert.ElementsMatch(t, want, names(scraperKinds, &cfg.Scrapers))
		assert.Equal(t, 15*time.Second, cfg.CollectionInterval)
	})
	t.Run("named scrapers replace the default ones", func(t *testing.T) {
		cfg, err := load(t, "named")
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"cpu", "memory", "sensors"}, names(scraperKinds, &cfg.Scrapers))
		assert.True(t, cfg.Scrapers.CPU.Get().PerCPU)
		assert.Equal(t, time.Minute, cfg.Scrapers.Memory.Get().CollectionInterval)
		assert.Equal(t, TemporalityDelta, cfg.Temporality)
	})
}

func TestConfigThatIsRefused(t *testing.T) {
	for name, want := range map[string][]string{
		"unknown_key":          {`unknown key "interval"`, "collection_interval", "root_path"},
		"unknown_scraper":      {`scrapers: unknown key "cpus" (did you mean "cpu"?)`},
		"unknown_scraper_key":  {`scrapers::cpu: unknown key "per_core" (did you mean "per_cpu"?)`},
		"unknown_nested_key":   {`scrapers::process::top: unknown key "sort" (known: by, hysteresis, n)`},
		"metric_not_a_block":   {"metrics::system.cpu.time is false", "allowed are enabled"},
		"interval_no_unit":     {"collection_interval is 15: a duration has a unit, as in 15s"},
		"negative_delay":       {"initial_delay is -1s"},
		"rates_not_enabled":    {"rates::enabled is false"},
		"unknown_metric":       {`metrics: unknown key "system.cpu.times" (did you mean "system.cpu.time"?)`},
		"metric_renamed":       {`metrics: unknown key "process.group.count" (it is called "process.group.process.count" now)`},
		"unknown_resource":     {`resource_attributes: unknown key "host.hostname" (did you mean "host.name"?)`},
		"negative_interval":    {"collection_interval", "negative"},
		"scraper_interval":     {"scrapers::memory::collection_interval is -5s", "must not be negative"},
		"no_scraper":           {"scrapers names none", "cpu, disk"},
		"root_path":            {`root_path is "/does/not/exist"`, "must be a directory"},
		"temporality":          {`temporality is "diff"`, "allowed are cumulative, delta"},
		"rate_of_unknown":      {`rates::metrics names unknown metric "system.disk.bytes"`, "system.disk.io"},
		"rate_of_gauge":        {`rates::metrics names "system.memory.usage", which is no counter`, "of the", "that are allowed"},
		"disk_regexp":          {"disk", "include", "(sd"},
		"process_match_type":   {"process", "exclude", `match_type is "glob": allowed are strict, regexp`},
		"process_reader":       {"process", `reader is "ebpf": allowed are auto, proc, bpf`},
		"network_match_type":   {"match_type", "glob", "strict, regexp"},
		"filesystem_timeout":   {"filesystem", "timeout", "-1s"},
		"not_a_block":          {"scrapers is cpu: it must be a block of keys"},
		"interval_not_a_time":  {"collection_interval", "invalid duration"},
		"several_at_once":      {`metrics: unknown key "nope"`, `scrapers: unknown key "nope"`},
		"interval_zero_metric": {"collection_interval"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, name)
			require.Error(t, err)
			for _, part := range want {
				assert.ErrorContains(t, err, part)
			}
		})
	}
}
