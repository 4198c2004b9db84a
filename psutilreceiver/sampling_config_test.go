package psutilreceiver

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func namesOf(metrics []*sampledMetric) []string {
	var names []string
	for _, m := range metrics {
		names = append(names, m.name)
	}
	return names
}

func TestSamplingThatIsValid(t *testing.T) {
	cfg, err := load(t, "sampled")
	require.NoError(t, err)
	want := SamplingConfig{
		Interval: time.Second, Format: SamplingGauges, Temporality: TemporalityDelta,
		Metrics: []string{"system.disk.io_time", "system.cpu.utilization", "system.cpu.utilization"},
	}
	assert.Equal(t, want, cfg.Sampling)
	assert.Equal(t, []string{"system.cpu.utilization", "system.disk.io_time"}, namesOf(cfg.sampledMetrics()))

	cfg, err = load(t, "sampled_by_default")
	require.NoError(t, err)
	assert.Equal(t, SamplingHistogram, cfg.Sampling.Format)
	assert.Equal(t, []string{"system.cpu.utilization", "system.cpu.load_average.1m", "system.disk.io", "system.disk.operations"},
		namesOf(cfg.sampledMetrics()), "of the default set what the scrapers show")

	cfg, err = load(t, "alone")
	require.NoError(t, err)
	assert.Empty(t, cfg.sampledMetrics(), "off by default")
}

func TestSamplingThatIsRefused(t *testing.T) {
	for name, want := range map[string][]string{
		"sampling_no_unit":          {"sampling::interval is 1: a duration has a unit, as in 1s"},
		"sampling_negative":         {"interval is -1s", "must not be negative"},
		"sampling_off_with_metrics": {"sampling", "metrics names some while interval is 0s"},
		"sampling_format":           {`format is "histogram"`, "allowed are exponential_histogram, gauges"},
		"sampling_as":               {`sampling: unknown key "as" (it is called "format" now)`},
		"sampling_temporality":      {`temporality is "none"`, "allowed are delta, cumulative"},
		"sampling_unknown_metric":   {`sampling::metrics names unknown metric "system.disk.bytes"`, "system.disk.io"},
		"sampling_other_metric":     {`sampling::metrics names "system.filesystem.usage", which is not read between exports`, fmt.Sprintf("the most similar of the %d", len(sampledNames()))},
		"sampling_scraper_off":      {`sampling::metrics names "system.disk.io", but the disk scraper does not run`},
		"sampling_metric_off": {
			`sampling::metrics names "system.memory.linux.writeback", which is not enabled`, "set metrics::system.memory.linux.writeback::enabled",
		},
		"sampling_nothing":     {"sampling::interval is 1s while no metric that is sampled by default is enabled", "cpu, load, memory, disk, network"},
		"sampling_too_seldom":  {"sampling::interval is 10s: it must be shorter than the 10s in which the memory scraper collects"},
		"sampling_unknown_key": {`sampling: unknown key "percentiles" (known: format, interval, metrics, temporality)`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, name)
			require.Error(t, err)
			for _, part := range want {
				assert.ErrorContains(t, err, part)
			}
		})
	}
	_, err := load(t, "sampling_too_seldom")
	assert.NotContains(t, err.Error(), "disk scraper", "fifteen seconds are longer than ten")
}

func TestEverythingSampleableIsAMetric(t *testing.T) {
	known := confkeys.Of(reflect.TypeFor[metadata.MetricsConfig]())
	for _, m := range sampleable() {
		assert.Contains(t, known, m.name)
	}
	assert.Equal(t, []string{"cpu", "load", "memory", "disk", "network", "pressure"}, sampledScrapers())
	assert.Subset(t, sampledNames(), []string{"system.cpu.time", "system.disk.io", "system.irq.linux.pressure.total", "system.memory.linux.writeback"})
	assert.GreaterOrEqual(t, len(sampledNames()), 26)
	var byDefault []string
	for _, m := range sampleable() {
		if m.byDefault && !slices.Contains(byDefault, m.name) {
			byDefault = append(byDefault, m.name)
		}
	}
	assert.ElementsMatch(t, []string{
		"system.cpu.utilization", "system.cpu.load_average.1m", "system.memory.utilization", "system.disk.io", "system.disk.operations",
		"system.network.io", "system.cpu.linux.pressure.total", "system.memory.linux.pressure.total", "system.io.linux.pressure.total",
	}, byDefault, "what docs/sampling.md names as the default")
}
