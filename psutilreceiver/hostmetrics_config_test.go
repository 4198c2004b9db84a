package psutilreceiver

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"go.yaml.in/yaml/v3"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// decodeText decodes the text of a receiver's block as the Collector does.
func decodeText(t *testing.T, cfg *Config, text string) error {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw))
	if err := confmap.NewFromStringMap(raw).Unmarshal(cfg); err != nil {
		return err
	}
	return confmap.Validate(cfg)
}

// hostmetricsText is a block that has one key of hostmetricsreceiver.
func hostmetricsText(t *testing.T, path, value string) string {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(value), &v))
	for _, key := range slices.Backward(strings.Split(path, confmap.KeyDelimiter)) {
		v = map[string]any{key: v}
	}
	if block := v.(map[string]any); block["scrapers"] == nil {
		block["scrapers"] = map[string]any{"cpu": nil}
	}
	text, err := yaml.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// TestEveryKeyOfHostmetricsIsAccepted goes through all keys that hostmetricsreceiver v0.165.1 has, as its configuration structs list them.
func TestEveryKeyOfHostmetricsIsAccepted(t *testing.T) {
	list, err := os.ReadFile(filepath.Join("testdata", "hostmetrics-0.165.1-keys.txt"))
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		path, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		text := hostmetricsText(t, path, value)
		for name, cfg := range map[string]*Config{"psutil": createDefaultConfig().(*Config), "hostmetrics": createHostmetricsConfig().(*Config)} {
			require.NoError(t, decodeText(t, cfg, text), "%s: %s", name, line)
			keys := strings.Split(path, confmap.KeyDelimiter)
			if len(keys) > 1 {
				assert.True(t, slices.Contains(names(scraperKinds, &cfg.Scrapers), keys[1]), "%s: %s", name, line)
			}
			if len(keys) == 5 && keys[4] == "enabled" {
				assertSwitched(t, cfg, keys[2], keys[3], value == "true", line)
			}
		}
	}
}

// assertSwitched checks that a metric or a resource attribute is on or off in the configuration.
func assertSwitched(t *testing.T, cfg *Config, block, name string, on bool, line string) {
	t.Helper()
	name = strings.TrimSuffix(name, "@v1")
	var have any = cfg.Metrics
	if block == "resource_attributes" {
		have = cfg.ResourceAttributes
		if name == "process.cgroup" {
			name = "process.linux.cgroup"
		}
	}
	name, _ = nameToday(name)
	v := reflect.ValueOf(have)
	for i, f := range reflect.VisibleFields(v.Type()) {
		if f.Tag.Get("mapstructure") == name {
			assert.Equal(t, on, v.Field(i).FieldByName("Enabled").Bool(), line)
			return
		}
	}
	assert.Equal(t, "process.disk.operations", name, "a metric that is not emitted: %s", line)
}

func TestHostmetricsShapeMeans(t *testing.T) {
	decode := func(t *testing.T, text string) *Config {
		t.Helper()
		cfg := createHostmetricsConfig().(*Config)
		require.NoError(t, decodeText(t, cfg, text))
		return cfg
	}
	t.Run("the defaults are the old ones", func(t *testing.T) {
		cfg := decode(t, "scrapers: {cpu: , disk: , network: , process: }")
		assert.Equal(t, time.Minute, cfg.CollectionInterval)
		assert.Equal(t, "hostmetrics", cfg.Compat)
		assert.ElementsMatch(t, []string{"cpu", "disk", "network", "connections", "process"}, names(scraperKinds, &cfg.Scrapers))
		process := cfg.Scrapers.Process.Get()
		assert.Zero(t, process.CollectionInterval)
		assert.Zero(t, process.Top.N)
		assert.False(t, process.Other)
		assert.True(t, cfg.Scrapers.Disk.Get().Partitions)
		assert.True(t, cfg.ResourceAttributes.ProcessCommandLine.Enabled)
	})
	t.Run("the same with the key compat", func(t *testing.T) {
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, decodeText(t, cfg, "{compat: hostmetrics, scrapers: {process: {top: {n: 5}}}}"))
		process := cfg.Scrapers.Process.Get()
		assert.Equal(t, 5, process.Top.N)
		assert.False(t, process.Other)
		assert.Equal(t, 15*time.Second, cfg.CollectionInterval)
		require.NoError(t, decodeText(t, createDefaultConfig().(*Config), "compat: hostmetrics"))
	})
	t.Run("connections are off where their metric is, or where they are configured", func(t *testing.T) {
		cfg := decode(t, "scrapers: {network: {metrics: {system.network.connections: {enabled: false}}}}")
		assert.False(t, cfg.Scrapers.Connections.HasValue())
		cfg = decode(t, "scrapers: {network: , connections: {collection_interval: 5m}}")
		assert.Equal(t, 5*time.Minute, cfg.Scrapers.Connections.Get().CollectionInterval)
	})
	t.Run("a delay is a minimum age", func(t *testing.T) {
		assert.Equal(t, 30*time.Second, decode(t, "scrapers: {process: {scrape_process_delay: 30s}}").Scrapers.Process.Get().MinAge)
	})
	t.Run("points by CPU", func(t *testing.T) {
		assert.True(t, decode(t, "scrapers: {cpu: {metrics: {system.cpu.time: {attributes: [cpu, state]}}}}").Scrapers.CPU.Get().PerCPU)
		assert.False(t, decode(t, "scrapers: {cpu: {metrics: {system.cpu.time: {attributes: [state]}}}}").Scrapers.CPU.Get().PerCPU)
		assert.False(t, decode(t, "scrapers: {cpu: {per_cpu: false, metrics: {system.cpu.time: {attributes: [cpu, state]}}}}").Scrapers.CPU.Get().PerCPU)
	})
	t.Run("a name of today in the place of old", func(t *testing.T) {
		cfg := decode(t, "scrapers: {network: {metrics: {system.network.packet.count: {enabled: false}}}}")
		assert.False(t, cfg.Metrics.SystemNetworkPacketCount.Enabled)
	})
	t.Run("an old name in the place of today", func(t *testing.T) {
		cfg := decode(t, "{scrapers: {network: }, metrics: {system.network.packets: {enabled: false}}}")
		assert.False(t, cfg.Metrics.SystemNetworkPacketCount.Enabled)
	})
	t.Run("two names of one metric, of which v1 gives way", func(t *testing.T) {
		cfg := decode(t, "scrapers: {process: {metrics: {process.cpu.time: {enabled: true}, process.cpu.time@v1: {enabled: false}}}}")
		assert.True(t, cfg.Metrics.ProcessCPUTime.Enabled)
	})
}

func TestHostmetricsShapeThatIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"an attribute is left out": {
			"scrapers: {disk: {metrics: {system.disk.io: {attributes: [direction], aggregation_strategy: avg}}}}",
			`scrapers::disk::metrics::system.disk.io::attributes leaves out "device": this receiver does not aggregate over attributes. Leave the key out, ` +
				`and put into a transform processor, under metric_statements: aggregate_on_attributes("mean", ["direction"]) where metric.name == "system.disk.io"`,
		},
		"an attribute of another metric": {
			"scrapers: {disk: {metrics: {system.disk.io: {attributes: [state]}}}}",
			`scrapers::disk::metrics::system.disk.io::attributes names "state", which the metric does not have: allowed are device, direction`,
		},
		"attributes that are no list": {"scrapers: {disk: {metrics: {system.disk.io: {attributes: device}}}}", "it must be a list of attributes"},
		"an unknown metric":           {"scrapers: {disk: {metrics: {system.disk.oi: {enabled: true}}}}", `scrapers::disk::metrics: unknown metric "system.disk.oi" (did you mean "system.disk.io"?)`},
		"an unknown key of a metric":  {"scrapers: {disk: {metrics: {system.disk.io: {enable: true}}}}", `scrapers::disk::metrics::system.disk.io: unknown key "enable" (did you mean "enabled"?)`},
		"a switch that is none":       {"scrapers: {disk: {metrics: {system.disk.io: {enabled: 5}}}}", `scrapers::disk::metrics::system.disk.io::enabled is 5: it must be true or false`},
		"a metric without a block":    {"scrapers: {disk: {metrics: {system.disk.io: true}}}", "scrapers::disk::metrics::system.disk.io is true: it must be a block of keys"},
		"unknown resource attribute":  {"scrapers: {process: {resource_attributes: {process.pidd: {enabled: true}}}}", `unknown resource attribute "process.pidd" (did you mean "process.pid"?)`},
		"two values": {
			"{metrics: {system.network.packet.count: {enabled: true}}, scrapers: {network: {metrics: {system.network.packets: {enabled: false}}}}}",
			"scrapers::network::metrics::system.network.packets::enabled is false, and metrics::system.network.packet.count::enabled, which is the same, is true: leave one of them out",
		},
		"metrics that are no block":    {"scrapers: {cpu: {metrics: true}}", "scrapers::cpu::metrics is true: it must be a block of keys"},
		"attributes that are no block": {"scrapers: {process: {resource_attributes: [a]}}", "scrapers::process::resource_attributes is [a]: it must be a block of keys"},
		"an unknown key of a scraper":  {"scrapers: {process: {mute_process_errors: true}}", `scrapers::process: unknown key "mute_process_errors"`},
		"a block that is none":         {"scrapers: {process: {include: a}}", "include"},
		"two delays":                   {"scrapers: {process: {scrape_process_delay: 30s, min_age: 20s}}", "leave one of them out"},
		"an unknown compat":            {"compat: hostmetric", `compat is "hostmetric": it must be hostmetrics, or left out`},
		"a delay without a unit":       {"scrapers: {process: {scrape_process_delay: 30}}", "scrapers::process::scrape_process_delay is 30: a duration has a unit, as in 30s"},
	} {
		assert.ErrorContains(t, decodeText(t, createDefaultConfig().(*Config), tt.text), tt.want, name)
	}
}

// TestKeysWithoutEffectAreToldOnce holds that what an old configuration has and nothing comes of is in the log, at the start and once.
func TestKeysWithoutEffectAreToldOnce(t *testing.T) {
	cfg := createHostmetricsConfig().(*Config)
	require.NoError(t, decodeText(t, cfg, `
initial_delay: 1h
scrapers:
  disk: {exclude: {devices: [a], match_type: regexp, regexp: {cacheenabled: true}}}
  process: {mute_process_all_errors: true, mute_process_name_error: true, metrics: {process.disk.operations: {enabled: true}}}
`))
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(hostmetricsType)
	set.Logger = zap.New(core)
	r, err := NewHostmetricsFactory().CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, r.Shutdown(t.Context()))
	var told []string
	for _, e := range logs.All() {
		if text, ok := strings.CutPrefix(e.Message, "Configuration of hostmetricsreceiver: "); ok {
			told = append(told, text)
		}
	}
	require.Len(t, told, 3)
	assert.Contains(t, told[0], "scrapers::disk::exclude::regexp has no effect")
	assert.Contains(t, told[1], "process.disk.operations has no effect")
	assert.Contains(t, told[2], "scrapers::process: mute_process_all_errors, mute_process_name_error without effect")
}

// TestHostmetricsKeysThatStayAreNotTouched holds that blocks that become empty are still there, and that what the Collector gave is left as it is.
func TestHostmetricsKeysThatStayAreNotTouched(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{"scrapers": map[string]any{
		"process": map[string]any{"mute_process_all_errors": true}, "cpu": map[string]any{"metrics": map[string]any{}},
	}})
	before := conf.ToStringMap()
	rewritten, _, errs := rewriteHostmetrics(conf)
	require.Empty(t, errs)
	assert.Equal(t, before, conf.ToStringMap(), "the configuration of the Collector is not changed")
	assert.Equal(t, map[string]any{"scrapers": map[string]any{"process": nil, "cpu": nil}}, rewritten.ToStringMap())
}
