package psutilreceiver

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// countedSource counts the passes over the processes, and fails if told so.
type countedSource struct {
	read.Source
	scans *int
	fails bool
}

var errNoList = errors.New("no list of processes")

func (c *countedSource) Scan(visit func(*read.Sample)) error {
	*c.scans++
	if c.fails {
		return errNoList
	}
	return c.Source.Scan(visit)
}

// passHost is a host whose passes over the processes are counted.
type passHost struct {
	*taskHost
	groups  []*scrapeGroup
	scans   int
	process *countedSource // of the process scraper, nil without
}

func newPassHost(t *testing.T, configure func(*Config)) *passHost {
	t.Helper()
	h := &passHost{taskHost: crowdedHost(t, 30)}
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = h.root
	configure(cfg)
	require.NoError(t, cfg.Validate())
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	r.now = h.clock.read
	h.groups, err = r.buildGroups()
	require.NoError(t, err)
	for _, g := range h.groups {
		t.Cleanup(func() { require.NoError(t, g.close()) })
		for _, run := range g.runs {
			switch s := run.scraper.(type) {
			case *processesScraper:
				s.reader = &countedSource{Source: s.reader, scans: &h.scans}
			case *processScraper:
				h.process = &countedSource{Source: read.New(h.root), scans: &h.scans}
				require.NoError(t, s.tracker.Close())
				s.tracker, err = process.NewTracker(h.process, s.cfg.options(s.metrics, s.attributes))
				require.NoError(t, err)
			}
		}
	}
	return h
}

// scrape is one tick of a group: the values of all scrapers.
func (h *passHost) scrape(t *testing.T, g *scrapeGroup) map[string]float64 {
	t.Helper()
	got := make(map[string]float64)
	for _, run := range g.runs {
		md, err := run.scrape(context.Background())
		require.NoError(t, err)
		maps.Copy(got, pointValues(t, md))
	}
	return got
}

// stateCounts are the values of system.process.count.
func stateCounts(got map[string]float64) map[string]float64 {
	counts := make(map[string]float64)
	for _, state := range processStates {
		name := "system.process.count{process.state=" + state.String() + "}"
		if v, ok := got[name]; ok {
			counts[state.String()] = v
		}
	}
	return counts
}

func TestOneTickIsOnePassOverTheProcesses(t *testing.T) {
	atOneInterval := func(cfg *Config) { cfg.Scrapers.Process.Get().CollectionInterval = 0 }
	cases := map[string]struct {
		scrapers  []string
		configure func(*Config)
		groups    int
		passes    int // in a tick of all groups
	}{
		"both":             {[]string{"processes", "process"}, atOneInterval, 1, 1},
		"processes alone":  {[]string{"processes"}, func(*Config) {}, 1, 1},
		"process alone":    {[]string{"process"}, atOneInterval, 1, 1},
		"at two intervals": {[]string{"processes", "process"}, func(*Config) {}, 2, 2},
		"nobody counts": {[]string{"processes", "process"}, func(cfg *Config) {
			atOneInterval(cfg)
			cfg.Metrics.SystemProcessCount.Enabled = false
		}, 1, 1},
		"no process is included": {[]string{"processes", "process"}, func(cfg *Config) {
			atOneInterval(cfg)
			cfg.Scrapers.Process.Get().Include.Names = []string{"nobody"}
		}, 1, 1},
	}
	var alone map[string]float64
	for _, name := range []string{"processes alone", "both", "process alone", "at two intervals", "nobody counts", "no process is included"} {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			h := newPassHost(t, func(cfg *Config) {
				onlyScrapers(c.scrapers...)(cfg)
				c.configure(cfg)
			})
			require.Len(t, h.groups, c.groups)
			for range 3 {
				h.scans = 0
				got := make(map[string]float64)
				for _, g := range h.groups {
					maps.Copy(got, h.scrape(t, g))
				}
				assert.Equal(t, c.passes, h.scans)
				counts := stateCounts(got)
				switch name {
				case "processes alone":
					require.NotEmpty(t, counts)
					alone = counts
				case "process alone", "nobody counts":
					assert.Empty(t, counts)
				default:
					assert.Equal(t, alone, counts, "all processes are counted")
				}
				h.clock.step(h.groups[0].interval)
			}
		})
	}
}

func TestAPassThatFailsFailsForAllWhoShareIt(t *testing.T) {
	h := newPassHost(t, func(cfg *Config) {
		onlyScrapers("processes", "process")(cfg)
		cfg.Scrapers.Process.Get().CollectionInterval = 0
	})
	want := h.scrape(t, h.groups[0])
	require.NotEmpty(t, stateCounts(want))
	h.clock.step(h.groups[0].interval)
	h.process.fails = true
	h.scans = 0
	got := h.scrape(t, h.groups[0])
	assert.Equal(t, 1, h.scans)
	assert.Empty(t, stateCounts(got))
	assert.NotContains(t, got, "other process.group.process.count")
	h.clock.step(h.groups[0].interval)
	h.process.fails = false
	h.scans = 0
	got = h.scrape(t, h.groups[0])
	assert.Equal(t, stateCounts(want), stateCounts(got))
	assert.Contains(t, got, "other process.group.process.count")
	assert.Equal(t, 1, h.scans)
}

// TestAPassTakesTheTimeOfTheProcessScraper: psutil_scrape_duration says what a scraper costs, whoever comes first.
func TestAPassTakesTheTimeOfTheProcessScraper(t *testing.T) {
	h := newPassHost(t, func(cfg *Config) {
		onlyScrapers("processes", "process")(cfg)
		cfg.Scrapers.Process.Get().CollectionInterval = 0
	})
	g := h.groups[0]
	h.process.Source = slowSource{h.process.Source, h.clock}
	counting, following := fixtureScrape(), fixtureScrape()
	_, err := g.processes.scan(counting)
	require.NoError(t, err)
	require.NoError(t, g.processes.scraper.scrape(following))
	assert.Equal(t, 3*time.Second, counting.forOthers)
	assert.Equal(t, -3*time.Second, following.forOthers)
	assert.Equal(t, 1, h.scans)
}

// slowSource takes three seconds for a pass.
type slowSource struct {
	read.Source
	clock *steppedClock
}

func (s slowSource) Scan(visit func(*read.Sample)) error {
	s.clock.step(3 * time.Second)
	return s.Source.Scan(visit)
}
