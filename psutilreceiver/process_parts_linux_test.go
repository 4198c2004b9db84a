package psutilreceiver

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// crowdedHost has so many processes.
func crowdedHost(t *testing.T, processes int) *taskHost {
	t.Helper()
	h := newTaskHost(t, 1)
	for len(h.tasks) < processes {
		h.add("app", 100)
	}
	h.show(t)
	return h
}

// work lets every process use up something.
func (h *taskHost) work(t *testing.T) {
	t.Helper()
	for _, k := range h.tasks {
		h.use(k, 1+k.pid%7, k.pid%5, 4096*k.pid, k.pid)
	}
	h.show(t)
}

// showAll shows every process as deltas, beside the scrapers named.
func showAll(beside ...string) func(*Config) {
	return func(cfg *Config) {
		onlyScrapers(append(beside, "process")...)(cfg)
		cfg.Temporality = TemporalityDelta
		process := cfg.Scrapers.Process.Get()
		process.CollectionInterval, process.Top.N = 0, 0
	}
}

// requireParts waits for the batches of one scrape, each of so many resources, and returns their values. None is in two of them.
func (f *fixtureHost) requireParts(t *testing.T, resources ...int) (values map[string]float64, parts []pmetric.Metrics) {
	t.Helper()
	all := make(map[string]float64)
	for _, n := range resources {
		part := within(t, f.batches)
		require.Equal(t, n, part.ResourceMetrics().Len())
		for name, v := range pointValues(t, part) {
			_, twice := all[name]
			require.False(t, twice, "%s is in two parts", name)
			all[name] = v
		}
		parts = append(parts, part)
	}
	return all, parts
}

// tick steps the clock and begins a scrape.
func (f *fixtureHost) tick() {
	f.clock.step(10 * time.Second)
	f.ticks <- time.Time{}
}

// sumOf is what the receiver has counted under a name.
func (f *fixtureHost) sumOf(t *testing.T, name string) int64 {
	t.Helper()
	counted, err := f.telemetry.GetMetric(name)
	require.NoError(t, err)
	return counted.Data.(metricdata.Sum[int64]).DataPoints[0].Value
}

// TestAScrapeOfManyProcessesComesInParts: what comes in parts is what would come whole, and counts as accepted.
func TestAScrapeOfManyProcessesComesInParts(t *testing.T) {
	const processes = 2*maxResourcesInPart + 20
	h := crowdedHost(t, processes)
	whole, inParts := make(map[string]*oneScraper), make(map[string]*fixtureHost)
	for name, more := range map[string]func(*Config){
		"delta":                 func(*Config) {},
		"delta with rates":      func(cfg *Config) { cfg.Rates.Enabled = true },
		"cumulative with rates": func(cfg *Config) { cfg.Temporality, cfg.Rates.Enabled = TemporalityCumulative, true },
	} {
		inParts[name] = startFixtureHost(t, h.root, showAll(), more)
		whole[name] = newOneScraper(t, inParts[name].clock, func(cfg *Config) { showAll()(cfg); more(cfg); cfg.RootPath = h.root })
	}
	points := make(map[string]int)
	for n := range 3 {
		for name, f := range inParts {
			if n > 0 {
				f.tick()
			}
			got, parts := f.requireParts(t, maxResourcesInPart, maxResourcesInPart, 20+1) // and the remainder
			for _, part := range parts {
				points[name] += part.DataPointCount()
			}
			md, err := whole[name].group.runs[0].scrape(context.Background())
			require.NoError(t, err)
			require.Equal(t, pointValues(t, md), got, name)
			_, hasRate := got["2 process.cpu.time.rate{cpu.mode=user}"]
			assert.Equal(t, n > 0 && name != "delta", hasRate, name)
		}
		h.work(t)
	}
	for name, f := range inParts {
		require.NoError(t, f.receiver.Shutdown(context.Background())) // The last part is counted when the consumer has returned.
		assert.EqualValues(t, points[name], f.sumOf(t, "otelcol_receiver_accepted_metric_points"), name)
	}
}

func TestWhereAPartEnds(t *testing.T) {
	h := crowdedHost(t, maxResourcesInPart-2)
	f := startFixtureHost(t, h.root, showAll())
	f.requireParts(t, maxResourcesInPart-1) // with the remainder
	h.add("app", 100)
	h.show(t)
	f.tick()
	f.requireParts(t, maxResourcesInPart) // What is left of the scrape is nothing, which is not passed on.
	h.add("app", 100)
	h.show(t)
	f.tick()
	f.requireParts(t, maxResourcesInPart, 1)
}

// TestARefusedPartIsCountedAndNotMadeUpFor: the points of the second part of the second scrape are lost, and the deltas of the third begin at
// the second all the same.
func TestARefusedPartIsCountedAndNotMadeUpFor(t *testing.T) {
	h := crowdedHost(t, maxResourcesInPart+10)
	answered := 0
	f := startAnsweredHost(t, h.root, func(*fixtureHost) error {
		if answered++; answered == 2+2 {
			return errors.New("queue is full")
		}
		return nil
	}, showAll())
	whole := newOneScraper(t, f.clock, func(cfg *Config) { showAll()(cfg); cfg.RootPath = h.root })
	scrape := func() []pmetric.Metrics {
		got, parts := f.requireParts(t, maxResourcesInPart, 10+1)
		md, err := whole.group.runs[0].scrape(context.Background())
		require.NoError(t, err)
		require.Equal(t, pointValues(t, md), got)
		return parts
	}
	scrape()
	h.work(t)
	f.tick()
	refused := scrape()[1]
	second := pcommon.NewTimestampFromTime(f.clock.read())
	h.work(t)
	f.tick()
	for _, part := range scrape() {
		for _, p := range metricsOf(part)["process.cpu.time"].Sum().DataPoints().All() {
			assert.Equal(t, second, p.StartTimestamp())
		}
	}
	require.NoError(t, f.receiver.Shutdown(context.Background()))
	assert.EqualValues(t, refused.DataPointCount(), f.sumOf(t, "otelcol_receiver_refused_metric_points"))
}

// TestShutdownWaitsForThePartThatIsHeld, and for the rest of that scrape.
func TestShutdownWaitsForThePartThatIsHeld(t *testing.T) {
	h := crowdedHost(t, maxResourcesInPart)
	release := make(chan struct{})
	f := startAnsweredHost(t, h.root, func(*fixtureHost) error { <-release; return nil }, showAll())
	f.requireParts(t, maxResourcesInPart)
	ended := make(chan error, 1)
	go func() { ended <- f.receiver.Shutdown(context.Background()) }()
	assert.Empty(t, ended, "the consumer has a part")
	close(release)
	f.requireParts(t, 1)
	require.NoError(t, within(t, ended))
}

// TestAPartThatIsHeldUpDelaysNoRead: what the other scrapers of the interval report was read before the consumer got the first part, and its time
// is not in the duration of the scrape.
func TestAPartThatIsHeldUpDelaysNoRead(t *testing.T) {
	h := crowdedHost(t, maxResourcesInPart)
	h.write(t, "uptime", "5000.00 7000.00\n")
	release := make(chan struct{})
	f := startAnsweredHost(t, h.root, func(f *fixtureHost) error {
		<-release
		f.clock.step(7 * time.Second)
		return nil
	}, showAll("system"))
	f.requireParts(t, maxResourcesInPart)
	h.write(t, "uptime", "5007.00 7014.00\n")
	close(release)
	got, _ := f.requireParts(t, 2) // the remainder and the host
	assert.InDelta(t, 5000, got["system.uptime"], 1e-9)
	require.NoError(t, f.receiver.Shutdown(context.Background()))
	durations, err := f.telemetry.GetMetric("otelcol_psutil_scrape_duration")
	require.NoError(t, err)
	for _, p := range durations.Data.(metricdata.Histogram[float64]).DataPoints {
		assert.Zero(t, p.Sum, "%v", p.Attributes)
	}
}

// Only the last scraper may wait for the pipeline, which may last: those behind it would read late.
func TestTheScraperThatPassesPartsIsTheLast(t *testing.T) {
	assert.Equal(t, "process", scraperKinds[len(scraperKinds)-1].name)
}
