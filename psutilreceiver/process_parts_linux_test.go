package psutilreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// TestAScrapeOfManyProcessesComesInParts lets 600 processes work. What comes in parts is what would come whole, and counts as accepted.
func TestAScrapeOfManyProcessesComesInParts(t *testing.T) {
	const processes = 600
	h := newTaskHost(t, 1)
	for len(h.tasks) < processes {
		h.add("app", 100)
	}
	h.show(t)
	all := func(cfg *Config) {
		onlyScrapers("process")(cfg)
		cfg.Temporality = TemporalityDelta
		process := cfg.Scrapers.Process.Get()
		process.CollectionInterval, process.Top.N = 0, 0
	}
	f := startFixtureHost(t, h.root, all)
	whole := newOneScraper(t, f.clock, func(cfg *Config) { all(cfg); cfg.RootPath = h.root }).group.runs[0]
	points := 0
	for i := range 3 {
		if i > 0 {
			f.clock.step(10 * time.Second)
			f.ticks <- time.Time{}
		}
		got := make(map[string]float64)
		for _, resources := range []int{maxResourcesInPart, maxResourcesInPart, processes - 2*maxResourcesInPart + 1} { // and the remainder
			part := within(t, f.batches)
			assert.Equal(t, resources, part.ResourceMetrics().Len())
			points += part.DataPointCount()
			for name, v := range figures(t, part) {
				_, twice := got[name]
				require.False(t, twice, "%s is in two parts", name)
				got[name] = v
			}
		}
		md, err := whole.scrape(context.Background())
		require.NoError(t, err)
		assert.Equal(t, figures(t, md), got)
		for _, k := range h.tasks {
			h.use(k, 1+k.pid%7, k.pid%5, 4096*k.pid, k.pid)
		}
		h.show(t)
	}
	accepted, err := f.telemetry.GetMetric("otelcol_receiver_accepted_metric_points")
	require.NoError(t, err)
	assert.EqualValues(t, points, accepted.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}
