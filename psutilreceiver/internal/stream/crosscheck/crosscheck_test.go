// Package crosscheck feeds one history to the stream stage, which makes deltas, and to the Collector's own cumulativetodelta processor, and
// compares what comes out point by point. Where the two differ is a closed list, each entry with the reason why the stage is right.
package crosscheck

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/cumulativetodeltaprocessor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// delta is one point that came out: what was counted from start to time.
type delta struct {
	start, time int64
	value       float64
}

// sighting is one point that went in, with what is known of it and what either side made of it.
type sighting struct {
	point
	stock, ours *delta

	firstSight   bool  // of this life of the stream
	firstScrape  int64 // time of the first complete scrape
	lastComplete int64 // time of the last complete scrape before
	held         bool  // not after what the stage knows of the stream
	afterHeld    bool  // the point before was held
	fell         bool  // below the point before, in the same life
	jittered     bool  // the start has moved in this life
	nonsense     bool  // no total
	afterwards   bool  // the point before was no total
	wasHidden    bool  // among the rest at the scrape before, or at another since the point before
}

// difference is one way in which the two may differ.
type difference struct {
	name, reason string
	applies      func(s *sighting) bool
	// chained says that it remains when the processor is fed with what the stage makes of the history in cumulative temporality, and not
	// with what a scraper records.
	chained bool
}

// differences is the closed list. The first entry that applies explains a point.
var differences = []difference{
	{
		"no_total", "not a number and infinity are no totals: the processor passes the one on and takes a difference with the other",
		func(s *sighting) bool { return s.nonsense && s.ours == nil }, false,
	},
	{
		"after_no_total", "the stage goes on from the last total; the processor takes the next one for a reset, or goes on from infinity",
		func(s *sighting) bool { return s.afterwards }, false,
	},
	{
		"among_the_rest", "what a process used while it was not shown is in the deltas of the rest; the processor counts it once more",
		func(s *sighting) bool {
			return s.wasHidden && s.ours != nil && s.stock != nil && s.stock.value >= s.ours.value
		}, true,
	},
	{
		"among_the_rest_since_long", "the processor drops the first point, as it is older than itself, and with it what was used since the scrape before",
		func(s *sighting) bool { return s.wasHidden && s.ours != nil && s.stock == nil }, true,
	},
	{
		"time_stands_still_at_birth", "the clock was set back between the scrape before and the first sight; its value comes with the next point",
		func(s *sighting) bool { return s.held && s.firstSight && s.ours == nil }, true,
	},
	{
		"time_stands_still", "what is not after the latest point has an interval that is reversed or covered already; its value comes with the next",
		func(s *sighting) bool { return s.held && s.ours == nil && s.stock != nil }, true,
	},
	{
		"after_time_stood_still", "the value that was held is in this interval, which begins at the last point that was not held",
		func(s *sighting) bool { return s.afterHeld && s.ours != nil }, true,
	},
	{
		"before_the_first_scrape", "deltas of all streams begin with the first complete scrape; the processor counts what it takes to be younger than itself",
		func(s *sighting) bool {
			return s.firstSight && s.start < s.firstScrape && s.ours == nil && s.stock != nil
		}, true,
	},
	{
		"before_the_last_complete_scrape", "a birth that is dated so, as the clock was set back, may be no birth: what may have been counted among the rest is not counted twice",
		func(s *sighting) bool {
			return s.firstSight && s.start < s.lastComplete && s.ours == nil && s.stock != nil
		}, true,
	},
	{
		"starts_in_the_future", "a start after the point comes from a clock that was set back; the time of the scrape before stands in for it",
		func(s *sighting) bool { return s.start >= s.time && s.ours != nil && s.ours.start < s.time }, false,
	},
	{
		"start_before_the_last_point", "an interval must not overlap the one before, whatever start the next life of a name claims",
		func(s *sighting) bool {
			return s.ours != nil && s.stock != nil && s.stock.value == s.ours.value && s.stock.start < s.ours.start
		}, false,
	},
	{
		"reset", "what was counted since a reset has been counted; the processor drops it if the start is the same",
		func(s *sighting) bool { return s.fell && s.ours != nil && s.stock == nil && s.ours.value == s.total }, false,
	},
	{
		"start_jitters", "an estimated boot time that moves is no reset; to the processor it is another stream, of which it drops the first point",
		func(s *sighting) bool { return s.jittered && s.ours != nil }, false,
	},
}

// stock runs the Collector's processor.
type stock struct {
	sink      *consumertest.MetricsSink
	processor processor.Metrics
}

func newStock(t *testing.T) *stock {
	t.Helper()
	factory := cumulativetodeltaprocessor.NewFactory()
	s := &stock{sink: &consumertest.MetricsSink{}}
	var err error
	s.processor, err = factory.CreateMetrics(t.Context(), processortest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), s.sink)
	require.NoError(t, err)
	require.NoError(t, s.processor.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, s.processor.Shutdown(context.Background())) })
	return s
}

func (s *stock) convert(t *testing.T, md pmetric.Metrics) pmetric.Metrics {
	t.Helper()
	s.sink.Reset()
	require.NoError(t, s.processor.ConsumeMetrics(t.Context(), md))
	if batches := s.sink.AllMetrics(); len(batches) > 0 {
		return batches[0]
	}
	return pmetric.NewMetrics()
}

func TestDeltasAreThoseOfTheStockProcessor(t *testing.T) {
	for _, chained := range []bool{false, true} {
		name := map[bool]string{false: "what a scraper records", true: "what the stage emits as cumulative"}[chained]
		t.Run(name, func(t *testing.T) {
			seen, same := map[string]int{}, 0
			for seed := range uint64(40) {
				c := &check{stock: newStock(t), chained: chained, seen: seen, lives: map[string]*life{}}
				c.ours = stream.NewStage(stream.Settings{Temporality: pmetric.AggregationTemporalityDelta, Returning: true})
				c.cumulative = stream.NewStage(stream.Settings{Returning: true})
				w := newWorld(seed, time.Now().Add(10*time.Second))
				for n := range 150 {
					points, complete := w.scrape()
					c.scrape(t, fmt.Sprintf("seed %d, scrape %d", seed, n), w, points, complete)
				}
				same += c.same
			}
			for _, d := range differences {
				assert.Equal(t, d.chained || !chained, seen[d.name] > 0, "%s was seen %d times", d.name, seen[d.name])
			}
			assert.Greater(t, same, 10_000, "points on which the two agree")
			t.Logf("%d points are the same; %v", same, seen)
		})
	}
}

// check holds one history through both sides.
type check struct {
	stock            *stock
	ours, cumulative *stream.Stage
	chained          bool
	first, complete  int64 // times of complete scrapes, the first and the last before
	lives            map[string]*life
	seen             map[string]int
	same             int
}

// life is what is remembered of a stream in order to know what happened to it.
type life struct {
	id, start                 int64
	time                      int64 // latest that was not held
	total                     float64
	jittered, held, nonsensed bool
}

// process lets a stage edit what one scrape emitted.
func process(stage *stream.Stage, md pmetric.Metrics, now time.Time, complete bool) {
	stage.Begin(now)
	stage.Edit(md)
	stage.End(complete)
}

func (c *check) scrape(t *testing.T, where string, w *world, points []point, complete bool) {
	t.Helper()
	now := time.Unix(0, w.now)
	fed := metricsOf(points, false)
	if c.chained {
		process(c.cumulative, fed, now, complete)
	}
	stocks := deltasOf(t, c.stock.convert(t, fed))
	md := metricsOf(points, true)
	process(c.ours, md, now, complete)
	ours := deltasOf(t, md)
	if complete && c.first == 0 {
		c.first = w.now
	}
	for _, p := range points {
		s := c.sight(p)
		s.stock, s.ours = stocks[p.key], ours[p.key]
		if s.ours != nil {
			require.Less(t, s.ours.start, s.ours.time, where)
			require.GreaterOrEqual(t, s.ours.value, 0.0, where)
		}
		if s.stock == s.ours || s.stock != nil && s.ours != nil && *s.stock == *s.ours {
			c.same++
			continue
		}
		c.explain(t, where, s)
	}
	if complete {
		c.complete = w.now
	}
}

func (c *check) explain(t *testing.T, where string, s *sighting) {
	t.Helper()
	for _, d := range differences {
		if (d.chained || !c.chained) && d.applies(s) {
			c.seen[d.name]++
			return
		}
	}
	require.Fail(t, "a difference that is not in the list", "%s: %+v\nstock %+v\nours  %+v", where, *s, s.stock, s.ours)
}

// sight finds what is special about a point, from the points of its stream before.
func (c *check) sight(p point) *sighting {
	s := &sighting{point: p, firstScrape: c.first, lastComplete: c.complete, wasHidden: p.base != nil || p.hidden}
	if c.first == 0 {
		s.firstScrape = math.MaxInt64
	}
	s.nonsense = math.IsNaN(p.total) || math.IsInf(p.total, 0)
	l, known := c.lives[p.key]
	if !known || l.id != p.id {
		s.firstSight = true
		before := int64(0)
		if known {
			before = l.time
		}
		l = &life{id: p.id, start: p.start, time: before}
		c.lives[p.key] = l
	}
	if p.base != nil {
		l.time = max(l.time, p.base.time)
	}
	s.held = p.time <= l.time
	s.afterHeld, s.afterwards = l.held, l.nonsensed
	s.fell = !s.firstSight && p.total < l.total
	l.jittered = l.jittered || p.start != l.start
	s.jittered = l.jittered
	l.nonsensed = s.nonsense || l.nonsensed && s.held
	if s.nonsense {
		return s
	}
	l.held = s.held
	if !s.held {
		l.time, l.total = p.time, p.total
	}
	return s
}

// metricsOf gives a scrape as a scraper records it: bases only where deltas are to be made.
func metricsOf(points []point, withBases bool) pmetric.Metrics {
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for _, p := range points {
		m := metrics.AppendEmpty()
		m.SetName(p.key)
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		if withBases && p.base != nil {
			add(sum, &p, p.base.time, p.base.total)
		}
		add(sum, &p, p.time, p.total)
	}
	return md
}

func add(sum pmetric.Sum, p *point, at int64, total float64) {
	dp := sum.DataPoints().AppendEmpty()
	dp.SetStartTimestamp(pcommon.Timestamp(p.start))
	dp.SetTimestamp(pcommon.Timestamp(at))
	if p.double {
		dp.SetDoubleValue(total)
	} else {
		dp.SetIntValue(int64(total))
	}
}

func deltasOf(t *testing.T, md pmetric.Metrics) map[string]*delta {
	t.Helper()
	out := map[string]*delta{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			require.Equal(t, pmetric.AggregationTemporalityDelta, m.Sum().AggregationTemporality())
			require.Equal(t, 1, m.Sum().DataPoints().Len(), m.Name())
			dp := m.Sum().DataPoints().At(0)
			d := &delta{start: int64(dp.StartTimestamp()), time: int64(dp.Timestamp()), value: dp.DoubleValue()}
			if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
				d.value = float64(dp.IntValue())
			}
			out[m.Name()] = d
		}
	}
	return out
}
