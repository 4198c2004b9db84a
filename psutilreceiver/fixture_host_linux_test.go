package psutilreceiver

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadatatest"
)

// fixtureHost is a receiver over a copy of a fixture host. It scrapes when a test says so, by a clock that stands still in
// between.
type fixtureHost struct {
	root      string
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs // warnings and worse

	receiver *psutilReceiver
	clock    *steppedClock
	ticks    chan time.Time
	batches  chan pmetric.Metrics
	stopped  chan struct{} // closed when the test has ended: what nobody takes then is let go, for stopping waits for the pipeline
}

// copyServer gives the root of a copy of the fixture host server-6.x that the test may change.
func copyServer(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS(fixtureRoot("server-6.x"))))
	return root
}

// onlyScrapers turns off all scrapers but those named.
func onlyScrapers(names ...string) func(*Config) {
	return func(cfg *Config) {
		cfg.Scrapers = offeredScrapers()
		for _, k := range scraperKinds {
			for _, name := range names {
				if k.name == name {
					k.enable(&cfg.Scrapers)
				}
			}
		}
	}
}

// everyScraper turns every scraper on, all at the receiver's interval, with every process and every metric shown.
func everyScraper(cfg *Config) {
	names := make([]string, 0, len(scraperKinds))
	for _, k := range scraperKinds {
		names = append(names, k.name)
	}
	everyMetricOf(names...)(cfg)
}

// everyMetricOf turns off all scrapers but those named, which run at the receiver's interval with every process and every metric shown.
func everyMetricOf(names ...string) func(*Config) {
	return func(cfg *Config) {
		onlyScrapers(names...)(cfg)
		if process := cfg.Scrapers.Process.Get(); process != nil {
			process.CollectionInterval = 0
			process.Top.N = 0
		}
		if health := cfg.Scrapers.DiskHealth.Get(); health != nil {
			health.CollectionInterval = 0
		}
		if hardware := cfg.Scrapers.Hardware.Get(); hardware != nil {
			hardware.PCIErrors = true
		}
		for _, metric := range reflect.ValueOf(&cfg.Metrics).Elem().Fields() {
			metric.FieldByName("Enabled").SetBool(true)
		}
	}
}

// startFixtureHost starts the receiver over the root, an empty one being that of this host; its first scrape is to be waited for.
func startFixtureHost(t *testing.T, root string, configure ...func(*Config)) *fixtureHost {
	t.Helper()
	return startAnsweredHost(t, root, func(*fixtureHost) error { return nil }, configure...)
}

// startAnsweredHost is startFixtureHost with a consumer that answers each batch, when the test has taken it.
func startAnsweredHost(t *testing.T, root string, answer func(*fixtureHost) error, configure ...func(*Config)) *fixtureHost {
	t.Helper()
	core, logs := observer.New(zap.WarnLevel)
	f := &fixtureHost{
		root: root, telemetry: componenttest.NewTelemetry(), logs: logs,
		clock: &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		ticks: make(chan time.Time), batches: make(chan pmetric.Metrics, 1), stopped: make(chan struct{}),
	}
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = root
	cfg.InitialDelay = 0
	for _, c := range configure {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	set := metadatatest.NewSettings(f.telemetry)
	set.Logger = zap.New(core)
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		select {
		case f.batches <- md:
			return answer(f)
		case <-f.stopped:
			return nil
		}
	})
	require.NoError(t, err)
	f.receiver, err = newReceiver(set, cfg, next)
	require.NoError(t, err)
	f.receiver.now = f.clock.read
	f.receiver.options = append(f.receiver.options, scraperhelper.WithTickerChannel(f.ticks))
	require.NoError(t, f.receiver.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		close(f.stopped)
		require.NoError(t, f.receiver.Shutdown(context.Background()))
		require.NoError(t, f.telemetry.Shutdown(context.Background()))
	})
	return f
}

// first waits for the scrape that starting brings.
func (f *fixtureHost) first(t *testing.T) {
	t.Helper()
	within(t, f.batches)
}

// after steps the clock and gives the batch of the scrape that follows.
func (f *fixtureHost) after(t *testing.T, d time.Duration) pmetric.Metrics {
	t.Helper()
	f.clock.step(d)
	f.ticks <- time.Time{}
	return within(t, f.batches)
}

// write gives a file of the host another text.
func (f *fixtureHost) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(f.root, name), []byte(text), 0o600))
}

// warnings lists what was logged at warn level or above, by scraper and class of fault.
func (f *fixtureHost) warnings() map[string]int {
	said := make(map[string]int)
	for _, entry := range f.logs.All() {
		fields := entry.ContextMap()
		scraper, _ := fields["scraper"].(string)
		class, _ := fields["class"].(string)
		said[scraper+": "+strings.TrimSpace(class+" "+entry.Message)]++
	}
	return said
}

// pointValues gives the value of every number point by the process or group that it belongs to, its metric and its attributes.
func pointValues(t *testing.T, md pmetric.Metrics) map[string]float64 {
	t.Helper()
	found := make(map[string]float64)
	for _, rm := range md.ResourceMetrics().All() {
		of := ""
		for _, key := range []string{"process.pid", "process.group.name", "linux.cgroup.path"} {
			if v, ok := rm.Resource().Attributes().Get(key); ok {
				of = v.AsString() + " "
			}
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, p := range numberPointsOf(m).All() {
					key := of + m.Name() + attributesOf(p.Attributes())
					_, duplicate := found[key]
					require.False(t, duplicate, "duplicate %s", key)
					found[key] = p.DoubleValue()
					if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
						found[key] = float64(p.IntValue())
					}
				}
			}
		}
	}
	return found
}
