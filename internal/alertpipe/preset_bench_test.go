package alertpipe

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// scrapeAt makes the scrape one of another time: points of one time follow each other as those of a receiver do.
func scrapeAt(md pmetric.Metrics, t time.Time) {
	at := pcommon.NewTimestampFromTime(t)
	numbers := func(points pmetric.NumberDataPointSlice, sum bool) {
		for i := range points.Len() {
			dp := points.At(i)
			dp.SetTimestamp(at)
			if sum && dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
				dp.SetIntValue(dp.IntValue() + 1)
			}
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					numbers(m.Gauge().DataPoints(), false)
				case pmetric.MetricTypeSum:
					numbers(m.Sum().DataPoints(), m.Sum().IsMonotonic())
				default:
				}
			}
		}
	}
}

// presetScrape is the scrape of the file that PRESET_SCRAPE names, a line of the file exporter, or of the fixture host.
func presetScrape(tb testing.TB) pmetric.Metrics {
	tb.Helper()
	if file := os.Getenv("PRESET_SCRAPE"); file != "" {
		text, err := os.ReadFile(file)
		require.NoError(tb, err)
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(text)
		require.NoError(tb, err)
		return md
	}
	md, err := golden.ReadMetrics("../../psutilreceiver/testdata/golden/server-6.x.cumulative.yaml")
	require.NoError(tb, err)
	return md
}

// BenchmarkPreset is what the preset costs for each scrape of a host, after an hour and a half of them: what it is fed, and its tick.
func BenchmarkPreset(b *testing.B) {
	for name, preset := range map[string]any{"none": nil, "host": "host"} {
		b.Run(name, func(b *testing.B) {
			cfg := rules.DefaultConfig()
			cfg.Preset = preset
			set, err := rules.Compile(cfg)
			require.NoError(b, err)
			now := feedStart
			engine, f, md := alert.New(set, now), &feeder{}, presetScrape(b)
			round := func() {
				now = now.Add(15 * time.Second)
				scrapeAt(md, now)
			}
			consume := func() {
				engine.Begin(now)
				f.feed(engine, md)
				engine.Flush(now)
				engine.Evaluate(now)
			}
			for range 360 {
				round()
				consume()
			}
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				round()
				start := time.Now()
				consume()
				spent += time.Since(start)
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "consume-ns")
			b.ReportMetric(float64(engine.Stats(now).Series), "series")
		})
	}
}

// BenchmarkPresetOfManyHosts is what a gateway holds for the preset, for each host after 65 minutes of scrapes, and what a scrape of one then costs.
func BenchmarkPresetOfManyHosts(b *testing.B) {
	const hosts, rounds = 100, 260
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	cfg := rules.DefaultConfig()
	cfg.Preset, cfg.Limits.Series, cfg.Limits.MemoryMiB = "host", 1_000_000, 0
	set, err := rules.Compile(cfg)
	require.NoError(b, err)
	now := feedStart
	f, md := &feeder{}, presetScrape(b)
	before := heap()
	engine := alert.New(set, now)
	round := func() {
		now = now.Add(15 * time.Second)
		scrapeAt(md, now)
		for i := range hosts {
			for _, rm := range md.ResourceMetrics().All() {
				rm.Resource().Attributes().PutStr("host.name", fmt.Sprintf("host%04d", i))
				rm.Resource().Attributes().PutStr("host.id", fmt.Sprintf("id%04d", i))
			}
			engine.Begin(now)
			f.feed(engine, md)
			engine.Flush(now)
		}
		engine.Evaluate(now)
	}
	for range rounds {
		round()
	}
	held := heap() - before
	for b.Loop() {
		round()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/hosts, "ns/host")
	b.ReportMetric(float64(held)/(1<<10)/hosts, "KiB/host")
	b.ReportMetric(float64(engine.Stats(now).Series)/hosts, "series/host")
	runtime.KeepAlive(engine)
}
