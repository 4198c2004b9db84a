package psutilreceiver

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadatatest"
)

// count is a point of the receiver's own telemetry, its attributes given as key and value in turn.
func count(n int64, attributes ...string) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Value: n, Attributes: attributesFrom(attributes)}
}

func attributesFrom(pairs []string) attribute.Set {
	var kvs []attribute.KeyValue
	for i := 0; i+1 < len(pairs); i += 2 {
		kvs = append(kvs, attribute.String(pairs[i], pairs[i+1]))
	}
	return attribute.NewSet(kvs...)
}

type counts = []metricdata.DataPoint[int64]

// untimed leaves out when something was recorded, and in which trace.
var untimed = []metricdatatest.Option{metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars()}

// requireNone asserts that nothing was ever recorded of a metric.
func (f *fixtureHost) requireNone(t *testing.T, metric string) {
	t.Helper()
	_, err := f.telemetry.GetMetric(metric)
	require.Error(t, err, "%s was recorded", metric)
}

func TestScrapeDurationIsByScraper(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("cpu", "load"))
	f.first(t)
	f.after(t, 15*time.Second)
	// The clock stands still during a scrape: all fall into the lowest bucket.
	bounds := []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	var want []metricdata.HistogramDataPoint[float64]
	for _, scraper := range []string{"cpu", "load"} {
		want = append(want, metricdata.HistogramDataPoint[float64]{
			Attributes: attributesFrom([]string{"scraper", scraper}), Count: 2, Bounds: bounds,
			BucketCounts: append([]uint64{2}, make([]uint64, len(bounds))...),
			Min:          metricdata.NewExtrema(0.0), Max: metricdata.NewExtrema(0.0),
		})
	}
	metadatatest.AssertEqualPsutilScrapeDuration(t, f.telemetry, want, untimed...)
}

func TestUnreadableFilesAreCountedAtEveryScrape(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("load", "pressure", "processes", "memory"))
	f.first(t)
	f.requireNone(t, "otelcol_psutil_files_unreadable")

	f.write(t, "proc/loadavg", "garbage\n")
	require.NoError(t, os.Remove(filepath.Join(f.root, "proc/meminfo")))
	f.write(t, "proc/pressure/cpu", "garbage\n")
	f.write(t, "proc/pressure/io", "garbage\n")
	f.after(t, 15*time.Second)
	f.after(t, 15*time.Second)
	metadatatest.AssertEqualPsutilFilesUnreadable(t, f.telemetry, counts{
		count(2, "scraper", "load", "class", "malformed"),
		count(2, "scraper", "processes", "class", "malformed"), // The number of threads is in the same file.
		count(2, "scraper", "memory", "class", "missing"),
		count(4, "scraper", "pressure", "class", "malformed"),
	}, untimed...)
}

func TestWhichFaultsLeaveAScrapeComplete(t *testing.T) {
	bad, worse := errors.New("bad"), errors.New("worse")
	for _, tc := range []struct {
		err      error
		complete bool
		counted  int64
	}{
		{nil, true, 0},
		{host.ErrUnsupported, true, 0},
		{bad, false, 1},
		{errors.Join(host.ErrUnsupported, bad), false, 1},
		{auxiliary(bad), true, 1},
		{auxiliary(host.ErrUnsupported), true, 0},
		{auxiliary(errors.Join(bad)), true, 1},
		{auxiliary(errors.Join(bad, host.ErrUnsupported, worse)), true, 2},
		{errors.Join(auxiliary(errors.Join(bad, worse)), auxiliary(bad)), true, 3},
		{errors.Join(auxiliary(errors.Join(bad, worse)), worse), false, 3},
	} {
		telemetry := componenttest.NewTelemetry()
		builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
		require.NoError(t, err)
		f := faults{logger: zap.NewNop(), scraper: "any", warned: make(map[string]time.Time)}
		assert.Equal(t, tc.complete, f.report(t.Context(), time.Now(), tc.err, builder), "%v", tc.err)
		if tc.counted > 0 {
			metadatatest.AssertEqualPsutilFilesUnreadable(t, telemetry, counts{count(tc.counted, "scraper", "any", "class", "other")}, untimed...)
		}
		require.NoError(t, telemetry.Shutdown(t.Context()))
	}
}

// TestMalformedConntrackDoesNotAffectInterfaces: what is gone is forgotten, and what is new begins at the scrape before.
func TestMalformedConntrackDoesNotAffectInterfaces(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("network"))
	f.write(t, "proc/sys/net/netfilter/nf_conntrack_max", "garbage\n")
	f.first(t)
	f.after(t, 15*time.Second)
	previous := pcommon.NewTimestampFromTime(f.clock.read())
	text, err := os.ReadFile(filepath.Join(f.root, "proc/1/net/dev"))
	require.NoError(t, err)
	renamed := strings.Replace(string(text), "   wg0:", " fresh:", 1)
	require.NotEqual(t, string(text), renamed)
	f.write(t, "proc/1/net/dev", renamed)
	got := f.after(t, 15*time.Second)
	metadatatest.AssertEqualPsutilTrackedStreams(t, f.telemetry, counts{count(43, "scraper", "network")}, untimed...)
	for _, p := range metricsOf(got)["system.network.io"].Sum().DataPoints().All() {
		if name, _ := p.Attributes().Get("network.interface.name"); name.Str() == "fresh" {
			assert.Equal(t, previous, p.StartTimestamp())
		} else {
			assert.Equal(t, f.receiver.groups[0].boot, p.StartTimestamp())
		}
	}
}

func TestStreamsResetsAndDroppedPoints(t *testing.T) {
	delta := func(cfg *Config) { cfg.Temporality = TemporalityDelta }
	f := startFixtureHost(t, copyServer(t), onlyScrapers("cpu", "load", "paging", "network"), delta)
	f.first(t)
	// CPU times in seven modes, paging faults and operations of two kinds each, and of three interfaces four counters in two directions.
	streams := counts{
		count(9, "scraper", "cpu"), count(0, "scraper", "load"), count(4, "scraper", "paging"), count(33, "scraper", "network"),
	}
	metadatatest.AssertEqualPsutilTrackedStreams(t, f.telemetry, streams, untimed...)
	baselines := counts{
		count(9, "scraper", "cpu", "reason", "baseline"), count(4, "scraper", "paging", "reason", "baseline"),
		count(33, "scraper", "network", "reason", "baseline"),
	}
	metadatatest.AssertEqualPsutilPointsDropped(t, f.telemetry, baselines, untimed...)
	f.requireNone(t, "otelcol_psutil_resets")

	// Another interface gets the name of one that was there, and swapping counts from zero again.
	f.write(t, "sys/class/net/eno2/ifindex", "4711\n")
	f.write(t, "proc/vmstat", "pgfault 5000000000\npgmajfault 0\npswpin 0\npswpout 0\n")
	before := pointValues(t, f.after(t, 15*time.Second))
	assert.NotEmpty(t, before)
	lower := count(3, "scraper", "paging", "reason", "lower_value")
	changed := count(11, "scraper", "network", "reason", "start_changed")
	metadatatest.AssertEqualPsutilResets(t, f.telemetry, counts{lower, changed}, untimed...)
	metadatatest.AssertEqualPsutilTrackedStreams(t, f.telemetry, streams, untimed...)

	// The clock stands still: points of the same time can't be distinguished.
	f.after(t, 0)
	metadatatest.AssertEqualPsutilPointsDropped(t, f.telemetry, append(baselines,
		count(9, "scraper", "cpu", "reason", "held"), count(4, "scraper", "paging", "reason", "held"),
		count(33, "scraper", "network", "reason", "held"),
	), untimed...)
}

func TestScrapesLate(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("load"))
	f.first(t)
	f.after(t, 15*time.Second)
	f.after(t, 22*time.Second)
	f.requireNone(t, "otelcol_psutil_scrapes_late")
	f.after(t, 23*time.Second)
	f.after(t, 15*time.Second)
	f.after(t, time.Hour)
	metadatatest.AssertEqualPsutilScrapesLate(t, f.telemetry, counts{count(2)}, untimed...)
}

func TestProcessesSeenShownAndExcluded(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("process"), func(cfg *Config) {
		p := cfg.Scrapers.Process.Get()
		p.Top = ProcessTop{N: 2, By: []string{"memory"}, Hysteresis: 1}
		p.Exclude.Names = []string{"postgres"}
	})
	f.first(t)
	metadatatest.AssertEqualPsutilProcesses(t, f.telemetry, counts{
		count(14, "state", "seen"), count(2, "state", "shown"), count(2, "state", "excluded"),
	}, untimed...)
}

func TestReadsOfProcessesThatFailed(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("process"))
	f.first(t)
	f.requireNone(t, "otelcol_psutil_process_reads_failed")

	f.write(t, "proc/1/io", "garbage\n")
	f.write(t, "proc/1204/io", "garbage\n")
	f.write(t, "proc/902/stat", "garbage\n")
	io := filepath.Join(f.root, "proc/2048/io")
	require.NoError(t, os.Remove(io))
	require.NoError(t, os.Mkdir(io, 0o755))
	require.NoError(t, os.RemoveAll(filepath.Join(f.root, "proc/611"))) // It ended: no failure.
	f.after(t, time.Minute)
	metadatatest.AssertEqualPsutilProcessReadsFailed(t, f.telemetry, counts{
		count(2, "file", "io", "reason", "malformed"),
		count(1, "file", "io", "reason", "other"),
		count(1, "file", "stat", "reason", "malformed"),
	}, untimed...)
	f.requireNone(t, "otelcol_psutil_files_unreadable")
	assert.Empty(t, f.logs.All(), "what can't be read of single processes is never logged")
}

func TestStuckMountsAreNoneOnAHealthyHost(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("filesystem"))
	f.first(t)
	metadatatest.AssertEqualPsutilStuckMounts(t, f.telemetry, counts{count(0)}, untimed...)
}
