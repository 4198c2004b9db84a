package psutilreceiver

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden files again")

// TestGoldenHosts compares all that the receiver says of each fixture host, in two scrapes ten seconds apart, with its golden file. The
// files of <host>.later are laid over those of the host before the second.
func TestGoldenHosts(t *testing.T) {
	for _, name := range []string{"server-6.x", "kernel-4.4", "container"} {
		for _, temporality := range []Temporality{TemporalityCumulative, TemporalityDelta} {
			t.Run(name+"/"+string(temporality), func(t *testing.T) {
				got, warnings := scrapeTwice(t, name, temporality)
				require.Empty(t, warnings.All(), "nothing to warn of")
				path := filepath.Join("testdata", "golden", name+"."+string(temporality)+".yaml")
				if *update {
					require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
					require.NoError(t, golden.WriteMetricsToFile(path, got, golden.SkipMetricTimestampNormalization()))
				}
				want, err := golden.ReadMetrics(path)
				require.NoError(t, err)
				// What statfs and adjtimex say is this machine's, whatever the root.
				require.NoError(t, pmetrictest.CompareMetrics(want, got,
					pmetrictest.IgnoreMetricValues("system.filesystem.usage", "system.filesystem.utilization", "system.filesystem.limit",
						"system.clock.offset", "system.clock.synchronized", "system.clock.max_error"),
					pmetrictest.IgnoreResourceMetricsOrder(), pmetrictest.IgnoreMetricsOrder(), pmetrictest.IgnoreMetricDataPointsOrder()))
			})
		}
	}
}

// scrapeTwice runs the whole receiver, every scraper on, over a copy of a fixture host, and gives the second batch and what was logged.
func scrapeTwice(t *testing.T, name string, temporality Temporality, changes ...func(*Config)) (pmetric.Metrics, *observer.ObservedLogs) {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS(fixtureRoot(name))))
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = root
	cfg.Temporality = temporality
	cfg.InitialDelay = 0
	cfg.Metrics.SystemFilesystemInodesUsage.Enabled = false // Not every filesystem of a test machine counts them.
	for _, k := range scraperKinds {
		k.enable(&cfg.Scrapers)
	}
	cfg.Scrapers.Process.Get().CollectionInterval = 0
	cfg.Scrapers.DiskHealth.Get().CollectionInterval = 0
	for _, change := range changes {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())

	core, logs := observer.New(zap.WarnLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	sink := &consumertest.MetricsSink{}
	r, err := newReceiver(set, cfg, sink)
	require.NoError(t, err)
	clock := &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	r.now = clock.read
	ticks := make(chan time.Time)
	r.options = append(r.options, scraperhelper.WithTickerChannel(ticks))
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) == 1 }, time.Minute, time.Millisecond)
	later := os.DirFS(fixtureRoot(name + ".later"))
	require.NoError(t, overlay(root, later))
	clock.step(10 * time.Second)
	ticks <- time.Time{}
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) == 2 }, time.Minute, time.Millisecond)
	require.NoError(t, r.Shutdown(context.Background()))
	return sink.AllMetrics()[1], logs
}
