package psutilreceiver

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/sampling"
)

// sampledHost is a receiver over a kernel model that samples and scrapes when a test says so.
type sampledHost struct {
	receiver *psutilReceiver
	kernel   *kernelModel
}

func newSampledHost(t *testing.T, k *kernelModel, configure ...func(*Config)) *sampledHost {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = k.root
	cfg.CollectionInterval = time.Minute
	cfg.Sampling.Interval = time.Second
	onlyScrapers(sampledScrapers()...)(cfg)
	for _, c := range configure {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	require.NoError(t, cfg.Sampling.Validate())
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	r.now = k.clock.read
	r.groups, err = r.buildGroups()
	require.NoError(t, err)
	r.sampler, err = r.newSampler(r.groups)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	h := &sampledHost{receiver: r, kernel: k}
	h.receiver.sampler.sample()
	return h
}

// run lets seconds go by, with a sample after each.
func (h *sampledHost) run(t *testing.T, seconds int, a activity) {
	t.Helper()
	for range seconds {
		h.kernel.pass(t, time.Second, a)
		h.receiver.sampler.sample()
	}
}

// scrape gives what one scrape of all scrapers emits, merged as the pipeline gets it.
func (h *sampledHost) scrape(t *testing.T) pmetric.Metrics {
	t.Helper()
	var merged pmetric.Metrics
	all := pmetric.NewMetrics()
	for _, g := range h.receiver.groups {
		for _, run := range g.runs {
			md, err := run.scrape(context.Background())
			require.NoError(t, err)
			md.ResourceMetrics().MoveAndAppendTo(all.ResourceMetrics())
		}
	}
	require.NoError(t, h.receiver.groups[0].mergeHostResource(func(_ context.Context, md pmetric.Metrics) error {
		merged = md
		return nil
	})(context.Background(), all))
	return merged
}

// histogramsOf gives every exponential histogram point by its metric and attributes.
func histogramsOf(t *testing.T, md pmetric.Metrics, temporality pmetric.AggregationTemporality) map[string]pmetric.ExponentialHistogramDataPoint {
	t.Helper()
	points := make(map[string]pmetric.ExponentialHistogramDataPoint)
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Type() != pmetric.MetricTypeExponentialHistogram {
				continue
			}
			assert.Equal(t, temporality, m.ExponentialHistogram().AggregationTemporality(), m.Name())
			for _, p := range m.ExponentialHistogram().DataPoints().All() {
				key := m.Name() + attributesOf(p.Attributes())
				require.NotContains(t, points, key, "duplicate point")
				points[key] = p
				total := p.ZeroCount()
				for _, n := range p.Positive().BucketCounts().AsRaw() {
					total += n
				}
				assert.Equal(t, p.Count(), total, key)
				assert.Zero(t, p.Negative().BucketCounts().Len(), key)
			}
		}
	}
	return points
}

// numbersOf gives the number points of the metrics that are no histograms.
func numbersOf(md pmetric.Metrics) map[string]float64 {
	points := make(map[string]float64)
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Type() == pmetric.MetricTypeExponentialHistogram {
				continue
			}
			for _, p := range numberPointsOf(m).All() {
				v := p.DoubleValue()
				if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
					v = float64(p.IntValue())
				}
				points[m.Name()+attributesOf(p.Attributes())] = v
			}
		}
	}
	return points
}

func mean(p pmetric.ExponentialHistogramDataPoint) float64 { return p.Sum() / float64(p.Count()) }

const (
	userShare = "system.cpu.utilization%s{cpu.mode=user}"
	received  = "system.network.io.rate%s{network.interface.name=eth0,network.io.direction=receive}"
	written   = "system.disk.io.rate%s{disk.io.direction=write,system.device=sda}"
	ioStall   = "system.io.linux.pressure.total.rate%s{system.linux.pressure.stall_type=some}"
)

// minuteWithABurst is a quiet minute with two seconds in it in which everything happens at once.
func (h *sampledHost) minuteWithABurst(t *testing.T) {
	t.Helper()
	quiet := activity{busy: 0.05, written: 8192, received: 20_000, stalled: 0.001}
	h.run(t, 31, quiet)
	h.run(t, 2, activity{busy: 1, written: 400 << 20, received: 110e6, stalled: 0.8})
	h.run(t, 27, quiet)
}

func TestABurstOfTwoSecondsShowsInAMinute(t *testing.T) {
	k := newKernelModel(t)
	h := newSampledHost(t, k)
	before := numbersOf(h.scrape(t))
	h.minuteWithABurst(t)
	md := h.scrape(t)
	after, points := numbersOf(md), histogramsOf(t, md, pmetric.AggregationTemporalityDelta)

	for name, want := range map[string]struct{ max, p50, counters float64 }{
		userShare: {1, 0.05, after[fmt.Sprintf(userShare, "")]},
		received: {110e6, 20_000, (after["system.network.io{network.interface.name=eth0,network.io.direction=receive}"] -
			before["system.network.io{network.interface.name=eth0,network.io.direction=receive}"]) / 60},
		written: {400 << 20, 8192, (after["system.disk.io{disk.io.direction=write,system.device=sda}"] -
			before["system.disk.io{disk.io.direction=write,system.device=sda}"]) / 60},
		ioStall: {0.8, 0.001, (after["system.io.linux.pressure.total{system.linux.pressure.stall_type=some}"] -
			before["system.io.linux.pressure.total{system.linux.pressure.stall_type=some}"]) / 60},
	} {
		p, ok := points[fmt.Sprintf(name, ".distribution")]
		require.True(t, ok, name)
		assert.Equal(t, uint64(60), p.Count(), name)
		assert.InEpsilon(t, want.max, p.Max(), 0.001, "%s: the burst shows", name)
		assert.InEpsilon(t, want.counters, mean(p), 1e-6, "%s: the mean is what the counters say", name)
		assert.InEpsilon(t, want.p50, p.Min(), 0.001, name)
		assert.Less(t, want.counters, want.max/10, "%s: the plain metric does not show it", name)
		assert.Equal(t, pcommon.NewTimestampFromTime(k.clock.read()), p.Timestamp(), name)
		assert.Equal(t, pcommon.NewTimestampFromTime(k.clock.read().Add(-time.Minute)), p.StartTimestamp(), name)
	}
	h.run(t, 60, activity{busy: 0.1})
	next := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)[fmt.Sprintf(userShare, ".distribution")]
	assert.InDelta(t, 0.1, next.Max(), 1e-9, "each interval stands alone")
	assert.Equal(t, points[fmt.Sprintf(userShare, ".distribution")].Timestamp(), next.StartTimestamp())
	idle := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)
	assert.Empty(t, idle, "no sample, no point")
}

func TestGaugesOfTheSameBurst(t *testing.T) {
	h := newSampledHost(t, newKernelModel(t), func(cfg *Config) { cfg.Sampling.Format = SamplingGauges })
	h.scrape(t)
	h.minuteWithABurst(t)
	md := h.scrape(t)
	assert.Empty(t, histogramsOf(t, md, pmetric.AggregationTemporalityDelta))
	points := numbersOf(md)
	for suffix, want := range map[string]struct{ share, bytes float64 }{
		".avg": {(58*0.05 + 2) / 60, (58*20_000 + 2*110e6) / 60}, ".min": {0.05, 20_000}, ".max": {1, 110e6},
		".p50": {0.05, 20_000}, ".p95": {0.05, 20_000}, ".p99": {1, 110e6},
	} {
		assert.InEpsilon(t, want.share, points[fmt.Sprintf(userShare, suffix)], 0.01, suffix)
		assert.InEpsilon(t, want.bytes, points[fmt.Sprintf(received, suffix)], 0.01, suffix)
	}
}

func TestCumulativeHistogramsAddUp(t *testing.T) {
	h := newSampledHost(t, newKernelModel(t), func(cfg *Config) { cfg.Sampling.Temporality = TemporalityCumulative })
	begun := pcommon.NewTimestampFromTime(h.kernel.clock.read())
	for minute := range 3 {
		h.minuteWithABurst(t)
		p := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityCumulative)[fmt.Sprintf(received, ".distribution")]
		assert.Equal(t, uint64(60*(minute+1)), p.Count())
		assert.Equal(t, begun, p.StartTimestamp(), "one start for all intervals")
		assert.InEpsilon(t, float64(minute+1)*(58*20_000+2*110e6), p.Sum(), 1e-6)
		counts := p.Positive().BucketCounts().AsRaw()
		assert.Equal(t, uint64(2*(minute+1)), counts[len(counts)-1], "the bursts")
	}
}

// TestASumThatIdlesNeverFalls adds idle intervals to a busy one: a sum that falls is read as a reset.
func TestASumThatIdlesNeverFalls(t *testing.T) {
	var x sampledSeries
	highest := 0.0
	for interval := range 500 {
		var h sampling.Histogram
		for i := range 60 {
			v := 0.0
			if interval < 5 {
				v = 1e6 + math.Sqrt(float64(interval*60+i))*1e5
			}
			h.Observe(v, 1.001)
		}
		sum := x.cumulate(&h, 1, pcommon.Timestamp(interval+2)).sum
		require.GreaterOrEqual(t, sum, highest)
		highest = sum
	}
	assert.InEpsilon(t, x.since.Sum(), highest, 1e-12)
}

// TestSamplesWithinATickCountInTheMean samples CPU time more often than it is counted.
func TestSamplesWithinATickCountInTheMean(t *testing.T) {
	h := newSampledHost(t, newKernelModel(t), func(cfg *Config) {
		cfg.Sampling.Interval, cfg.Sampling.Metrics = 10*time.Millisecond, []string{"system.cpu.time"}
	})
	h.scrape(t)
	for range 50 {
		h.kernel.pass(t, 2*time.Millisecond, activity{}) // No tick yet.
		h.receiver.sampler.sample()
		h.kernel.pass(t, 18*time.Millisecond, activity{busy: 1})
		h.receiver.sampler.sample()
	}
	p := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)["system.cpu.time.rate.distribution{cpu.mode=user}"]
	assert.Equal(t, uint64(100), p.Count())
	assert.InDelta(t, 2, mean(p), 1e-6, "two CPUs, all of the second: four ticks in 20 ms")
}

func TestALateSampleHasTheTrueRateAndMean(t *testing.T) {
	h := newSampledHost(t, newKernelModel(t))
	h.scrape(t)
	h.run(t, 10, activity{received: 1000})
	h.kernel.pass(t, 20*time.Second, activity{received: 7000}) // No sample meanwhile.
	h.receiver.sampler.sample()
	h.run(t, 10, activity{received: 1000})
	assert.Equal(t, uint64(19), h.receiver.sampler.late.Load(), "ticks without a sample")
	p := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)[fmt.Sprintf(received, ".distribution")]
	assert.Equal(t, uint64(21), p.Count())
	assert.InDelta(t, 7000, p.Max(), 1e-6, "by the time that has passed, not by the interval")
	assert.InDelta(t, 4000, mean(p), 1e-6, "as the counters say: half of the time at either rate")
}

func TestDevicesThatComeAndGo(t *testing.T) {
	k := newKernelModel(t)
	h := newSampledHost(t, k)
	h.scrape(t)
	network := func(lines ...string) {
		k.put(t, map[string]string{"proc/net/dev": "Inter-|\n face |\n" + strings.Join(lines, "")})
		k.clock.step(time.Second)
		h.receiver.sampler.sample()
	}
	of := func(md pmetric.Metrics) map[string]uint64 {
		counts := make(map[string]uint64)
		for name, p := range histogramsOf(t, md, pmetric.AggregationTemporalityDelta) {
			if rest, ok := strings.CutPrefix(name, "system.network.io.rate.distribution"); ok && strings.Contains(rest, "receive") {
				iface, _ := p.Attributes().Get("network.interface.name")
				counts[iface.Str()] = p.Count()
			}
		}
		return counts
	}
	line := func(name string, bytes int64) string {
		return fmt.Sprintf("%s: %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", name, bytes)
	}
	network(line("eth0", 1<<41), line("wg0", 1<<30))
	network(line("eth0", 1<<41), line("wg0", 1<<30+500))
	assert.Equal(t, map[string]uint64{"eth0": 2, "wg0": 1}, of(h.scrape(t)), "what appears begins with a baseline")

	network(line("eth0", 1<<41), line("wg0", 1<<30+900))
	network(line("eth0", 1<<41))
	network(line("eth0", 1<<41), line("wg0", 77))
	network(line("eth0", 1<<41), line("wg0", 87))
	md := h.scrape(t)
	assert.Equal(t, map[string]uint64{"eth0": 4, "wg0": 2}, of(md), "one that returns goes on with one series, from a baseline")
	wg0 := histogramsOf(t, md, pmetric.AggregationTemporalityDelta)["system.network.io.rate.distribution{network.interface.name=wg0,network.io.direction=receive}"]
	assert.InDelta(t, 400, wg0.Max(), 1e-9)
	assert.InDelta(t, 10, wg0.Min(), 1e-9)

	network(line("eth0", 5000)) // The driver was loaded again.
	network(line("eth0", 5300))
	p := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)[fmt.Sprintf(received, ".distribution")]
	assert.Equal(t, uint64(1), p.Count(), "a reset gives no rate")
	assert.InDelta(t, 300, p.Max(), 1e-9)
	network(line("eth0", 5300))
	network(line("eth0", 5300))
	network(line("eth0", 5300), line("wg0", 1))
	network(line("eth0", 5300), line("wg0", 3))
	assert.Equal(t, map[string]uint64{"eth0": 4, "wg0": 1}, of(h.scrape(t)), "one that was forgotten is new")
}
