package psutilreceiver

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadatatest"
)

func samplingOwnHost() *Config {
	cfg := ownHost()
	cfg.Sampling.Interval = time.Second
	return cfg
}

// TestAnExportThatHangsDelaysNoSample holds the consumer up while the sampler goes on.
func TestAnExportThatHangsDelaysNoSample(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	batches := make(chan pmetric.Metrics, 10)
	var first sync.Once
	r := newTestReceiver(t, samplingOwnHost(), func(ctx context.Context, md pmetric.Metrics) error {
		first.Do(func() {
			close(entered)
			<-release
		})
		return into(batches)(ctx, md)
	})
	clock := &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	r.now = clock.read
	sampled, scraped := make(chan time.Time), make(chan time.Time)
	r.sampleTicks = sampled
	r.options = append(r.options, scraperhelper.WithTickerChannel(scraped))
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	within(t, entered)
	const samples = 40
	for range samples {
		clock.step(time.Second)
		sampled <- time.Time{} // Taken at once, or the test would hang here.
	}
	sampled <- time.Time{} // When this one is taken the sample before is complete.
	close(release)
	within(t, batches)
	scraped <- time.Time{}
	points := histogramsOf(t, within(t, batches), pmetric.AggregationTemporalityDelta)
	used := points["system.memory.utilization.distribution{system.memory.state=used}"]
	assert.GreaterOrEqual(t, used.Count(), uint64(samples))
	assert.Equal(t, time.Duration(samples)*time.Second, used.Timestamp().AsTime().Sub(used.StartTimestamp().AsTime()))
	require.NoError(t, r.Shutdown(context.Background()))
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestSamplingByItsOwnTicker(t *testing.T) {
	cfg := samplingOwnHost()
	cfg.CollectionInterval = 50 * time.Millisecond
	cfg.Sampling.Interval = 10 * time.Millisecond
	batches := make(chan pmetric.Metrics)
	stopping := make(chan struct{})
	r := newTestReceiver(t, cfg, func(_ context.Context, md pmetric.Metrics) error {
		select {
		case batches <- md:
		case <-stopping:
		}
		return nil
	})
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	var count uint64
	for count < 20 {
		points := histogramsOf(t, within(t, batches), pmetric.AggregationTemporalityDelta)
		if p, ok := points["system.memory.utilization.distribution{system.memory.state=free}"]; ok {
			count += p.Count()
		}
	}
	close(stopping)
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestWithoutSamplingThereIsNoSampler(t *testing.T) {
	batches := make(chan pmetric.Metrics, 1)
	r := newTestReceiver(t, ownHost(), into(batches))
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	assert.Nil(t, r.sampler)
	for name := range metricsOf(within(t, batches)) {
		assert.NotContains(t, name, "distribution")
	}
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestSamplesAreCounted(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("load"), func(cfg *Config) { cfg.Sampling.Interval = time.Second })
	f.first(t)
	sample := func(d time.Duration) {
		f.clock.step(d)
		f.receiver.sampler.sample()
	}
	for range 5 {
		sample(time.Second)
	}
	sample(1400 * time.Millisecond)
	sample(1600 * time.Millisecond) // Late by more than half an interval.
	sample(5 * time.Second)         // Four ticks went by without one.
	f.after(t, time.Second)
	metadatatest.AssertEqualPsutilSamples(t, f.telemetry, counts{count(9)}, untimed...)
	metadatatest.AssertEqualPsutilSamplesLate(t, f.telemetry, counts{count(5)}, untimed...)
}

func TestScrapersOfDifferentIntervalsExportEachTheirOwn(t *testing.T) {
	h := newSampledHost(t, newKernelModel(t), func(cfg *Config) { cfg.Scrapers.Memory.Get().CollectionInterval = 10 * time.Second })
	require.Len(t, h.receiver.groups, 2)
	memory, others := h.receiver.groups[0], h.receiver.groups[1]
	export := func(g *scrapeGroup) map[string]pmetric.ExponentialHistogramDataPoint {
		points := make(map[string]pmetric.ExponentialHistogramDataPoint)
		for _, run := range g.runs {
			md, err := run.scrape(context.Background())
			require.NoError(t, err)
			maps.Copy(points, histogramsOf(t, md, pmetric.AggregationTemporalityDelta))
		}
		return points
	}
	const used = "system.memory.utilization.distribution{system.memory.state=used}"
	h.run(t, 10, activity{busy: 0.5})
	assert.Equal(t, uint64(11), export(memory)[used].Count(), "with the first")
	for range 5 {
		h.run(t, 10, activity{busy: 0.5})
		assert.Equal(t, uint64(10), export(memory)[used].Count())
	}
	points := export(others)
	assert.NotContains(t, points, used)
	assert.Equal(t, uint64(60), points["system.cpu.utilization.distribution{cpu.mode=user}"].Count())
}
