package psutilreceiver

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	scraperapi "go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// ownHost is a configuration with three scrapers that every system has.
func ownHost() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.InitialDelay = 0
	cfg.Scrapers = offeredScrapers()
	cfg.Scrapers.CPU.GetOrInsertDefault()
	cfg.Scrapers.Memory.GetOrInsertDefault()
	cfg.Scrapers.System.GetOrInsertDefault()
	return cfg
}

func newTestReceiver(t *testing.T, cfg *Config, consume consumer.ConsumeMetricsFunc) *psutilReceiver {
	t.Helper()
	require.NoError(t, cfg.Validate())
	next, err := consumer.NewMetrics(consume)
	require.NoError(t, err)
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	return r
}

// into passes batches to a channel.
func into(batches chan<- pmetric.Metrics) consumer.ConsumeMetricsFunc {
	return func(_ context.Context, md pmetric.Metrics) error {
		batches <- md
		return nil
	}
}

// within waits for something that must come, long enough for a busy machine.
func within[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		require.FailNow(t, "nothing came within a minute")
	}
	panic("unreachable")
}

// metricsOf gives the metrics of a batch by name.
func metricsOf(md pmetric.Metrics) map[string]pmetric.Metric {
	metrics := make(map[string]pmetric.Metric)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				metrics[m.Name()] = m
			}
		}
	}
	return metrics
}

func TestScrapersOfOneIntervalComeInOneBatch(t *testing.T) {
	batches, ticks := make(chan pmetric.Metrics, 1), make(chan time.Time)
	r := newTestReceiver(t, ownHost(), into(batches))
	r.options = append(r.options, scraperhelper.WithTickerChannel(ticks))
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	first := within(t, batches)
	ticks <- time.Time{}
	second := within(t, batches)
	require.NoError(t, r.Shutdown(context.Background()))

	for _, md := range []pmetric.Metrics{first, second} {
		require.Equal(t, 1, md.ResourceMetrics().Len(), "one resource, that of the host")
		rm := md.ResourceMetrics().At(0)
		require.Equal(t, 1, rm.ScopeMetrics().Len())
		name, ok := rm.Resource().Attributes().Get("host.name")
		assert.True(t, ok)
		assert.NotEmpty(t, name.Str())
		metrics := metricsOf(md)
		assert.Contains(t, metrics, "system.cpu.logical.count")
		assert.Contains(t, metrics, "system.memory.usage")
		require.Contains(t, metrics, "system.uptime")
		at := metrics["system.uptime"].Gauge().DataPoints().At(0).Timestamp()
		for name, m := range metrics {
			for _, p := range numberPointsOf(m).All() {
				assert.Equal(t, at, p.Timestamp(), name)
			}
		}
	}
	require.Equal(t, first.ResourceMetrics().At(0).Resource().Attributes().AsRaw(), second.ResourceMetrics().At(0).Resource().Attributes().AsRaw())
}

// TestASlowConsumerOfOneIntervalDelaysNoOther holds up the batches of one interval. Those of the other go on.
func TestASlowConsumerOfOneIntervalDelaysNoOther(t *testing.T) {
	cfg := ownHost()
	cfg.CollectionInterval = time.Millisecond
	cfg.Scrapers.System.Get().CollectionInterval = 2 * time.Millisecond
	release, held, others := make(chan struct{}), make(chan struct{}, 1), make(chan pmetric.Metrics)
	r := newTestReceiver(t, cfg, func(_ context.Context, md pmetric.Metrics) error {
		if _, ok := metricsOf(md)["system.uptime"]; ok {
			select {
			case held <- struct{}{}:
			default:
			}
			<-release
			return nil
		}
		select {
		case others <- md:
		case <-release:
		}
		return nil
	})
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	within(t, held)
	for range 3 {
		metrics := metricsOf(within(t, others))
		assert.Contains(t, metrics, "system.cpu.logical.count")
		assert.Contains(t, metrics, "system.memory.usage")
	}
	close(release)
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestAnErrorOfTheConsumerDoesNotEndTheScraping(t *testing.T) {
	batches, ticks := make(chan pmetric.Metrics, 1), make(chan time.Time)
	r := newTestReceiver(t, ownHost(), func(_ context.Context, md pmetric.Metrics) error {
		batches <- md
		return errors.New("queue is full")
	})
	r.options = append(r.options, scraperhelper.WithTickerChannel(ticks))
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	for range 3 {
		assert.Contains(t, metricsOf(within(t, batches)), "system.memory.usage")
		ticks <- time.Time{}
	}
	within(t, batches)
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestShutdownWithoutStartAndTwice(t *testing.T) {
	r := newTestReceiver(t, ownHost(), into(nil))
	require.NoError(t, r.Shutdown(context.Background()))
	require.NoError(t, r.Shutdown(context.Background()))

	batches := make(chan pmetric.Metrics, 1)
	r = newTestReceiver(t, ownHost(), into(batches))
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	within(t, batches)
	require.NoError(t, r.Shutdown(context.Background()))
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestAStartThatFailsOnTheWayUnwinds(t *testing.T) {
	cfg := ownHost()
	cfg.Scrapers.System.Get().CollectionInterval = time.Hour // A second controller, which is the one that fails.
	var started, stopped, controllers int
	beside := scraperapi.NewFactory(component.MustNewType("beside"), nil, scraperapi.WithMetrics(
		func(context.Context, scraperapi.Settings, component.Config) (scraperapi.Metrics, error) {
			if controllers++; controllers == 2 {
				return nil, errors.New("no more scrapers")
			}
			return scraperapi.NewMetrics(
				func(context.Context) (pmetric.Metrics, error) { return pmetric.NewMetrics(), nil },
				scraperapi.WithStart(func(context.Context, component.Host) error { started++; return nil }),
				scraperapi.WithShutdown(func(context.Context) error { stopped++; return nil }),
			)
		}, component.StabilityLevelDevelopment))
	r := newTestReceiver(t, cfg, consumertest.NewNop().ConsumeMetrics)
	r.options = append(r.options, scraperhelper.AddFactoryWithConfig(beside, nil))
	require.EqualError(t, r.Start(context.Background(), componenttest.NewNopHost()), "no more scrapers")
	assert.Equal(t, 2, controllers)
	assert.Equal(t, 1, started)
	assert.Equal(t, 1, stopped, "what had been started is stopped")
	require.NoError(t, r.Shutdown(context.Background()), "the Collector stops what failed to start, too")
}

func TestAStartWithoutARootNamesTheKey(t *testing.T) {
	cfg := ownHost()
	r := newTestReceiver(t, cfg, into(nil))
	cfg.RootPath = filepath.Join(t.TempDir(), "unmounted") // Gone since the configuration was checked.
	err := r.Start(context.Background(), componenttest.NewNopHost())
	require.ErrorContains(t, err, "root_path: ")
	require.ErrorContains(t, err, "unmounted")
	require.NoError(t, r.Shutdown(context.Background()))
}

func numberPointsOf(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}
