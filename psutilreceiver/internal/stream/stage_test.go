package stream

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// step is one scrape of a scraper with a single stream, in seconds.
type step struct {
	story   string
	at      float64
	mono    float64 // monotonic clock; where zero it reads the same as the wall clock
	start   float64
	total   any  // int or float64; nil: the stream is absent
	partial bool // the scrape is incomplete
	// Expected of the point, as "start-time value", empty where there is none.
	cumulative, delta string
	rate              string
}

// show formats the one point that is left of a scrape, and its rate.
func show(md pmetric.Metrics) (point, rate string) {
	eachMetric(md, func(_ pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
		if m.Type() == pmetric.MetricTypeGauge {
			rate += fmt.Sprintf("%g", m.Gauge().DataPoints().At(0).DoubleValue())
			return
		}
		for _, p := range m.Sum().DataPoints().All() {
			total, _ := totalOf(p)
			point += fmt.Sprintf("%g-%g %g", seconds(p.StartTimestamp()), seconds(p.Timestamp()), total.float())
		}
	})
	return point, rate
}

// monoSince returns the monotonic time since the first step.
func monoSince(first step, mono float64) time.Duration {
	if first.mono != 0 {
		return time.Duration(timestamp(mono)) - time.Duration(timestamp(first.mono))
	}
	return time.Duration(timestamp(mono)) - time.Duration(timestamp(first.at))
}

func seconds(t pcommon.Timestamp) float64     { return float64(t) / 1e9 }
func timestamp(sec float64) pcommon.Timestamp { return pcommon.Timestamp(math.Round(sec * 1e9)) }

// scrapeOf returns a scrape of one metric with one point.
func scrapeOf(st step) pmetric.Metrics {
	md := pmetric.NewMetrics()
	if st.total == nil {
		return md
	}
	sm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	p := appendSum(sm, "system.network.io", "By").AppendEmpty()
	p.Attributes().PutStr("network.interface.name", "eth0")
	p.SetStartTimestamp(timestamp(st.start))
	p.SetTimestamp(timestamp(st.at))
	switch v := st.total.(type) {
	case int:
		p.SetIntValue(int64(v))
	case float64:
		p.SetDoubleValue(v)
	}
	return md
}

var stories = map[string][]step{
	"since_boot": {
		{story: "first sight: the past is unknown to a delta", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{story: "steady", at: 115, start: 5, total: 1030, cumulative: "5-115 1030", delta: "100-115 30", rate: "2"},
		{story: "idle counts too", at: 130, start: 5, total: 1030, cumulative: "5-130 1030", delta: "115-130 0", rate: "0"},
	},
	"born_in_view": {
		{story: "the first scrape has nothing", at: 100},
		{
			story: "a process born at 107 counts in full; only the wall clock dates its birth", at: 115, start: 107, total: 40,
			cumulative: "107-115 40", delta: "107-115 40",
		},
		{story: "then on", at: 130, start: 107, total: 55, cumulative: "107-130 55", delta: "115-130 15", rate: "1"},
	},
	"hot_plugged": {
		{story: "the first scrape has nothing", at: 100},
		{story: "a disk that was not there at 100", at: 115, start: 100, total: 8, cumulative: "100-115 8", delta: "100-115 8"},
	},
	"born_before_the_first_complete_scrape": {
		{story: "the first scrape is partial", at: 100, partial: true},
		{story: "so a birth after it proves nothing", at: 115, start: 107, total: 40, cumulative: "107-115 40"},
		{story: "steady", at: 130, start: 107, total: 41, cumulative: "107-130 41", delta: "115-130 1", rate: "0.06666666666666667"},
	},
	"lower_value": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{story: "the driver was loaded again", at: 110, start: 5, total: 20, cumulative: "100-110 20", delta: "100-110 20"},
		{story: "the new start stays", at: 120, start: 5, total: 50, cumulative: "100-120 50", delta: "110-120 30", rate: "3"},
		{story: "and again", at: 130, start: 5, total: 0, cumulative: "120-130 0", delta: "120-130 0"},
	},
	"start_changed": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{
			story: "another interface of that name, by chance with a higher total", at: 110, start: 100, total: 2000,
			cumulative: "100-110 2000", delta: "100-110 2000",
		},
		{story: "a pid that is used again", at: 120, start: 117, total: 9, cumulative: "117-120 9", delta: "117-120 9"},
		{story: "a start that claims time already counted", at: 130, start: 119, total: 4, cumulative: "120-130 4", delta: "120-130 4"},
		{story: "a start in the future", at: 140, start: 150, total: 5, cumulative: "130-140 5", delta: "130-140 5"},
	},
	"start_jitters": {
		{story: "a boot time that is estimated", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{story: "a second later than before: no reset", at: 110, start: 6, total: 1010, cumulative: "5-110 1010", delta: "100-110 10", rate: "1"},
		{story: "unless the value says so", at: 120, start: 5, total: 3, cumulative: "110-120 3", delta: "110-120 3"},
	},
	"gap": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{story: "a partial scrape without it", at: 110, partial: true},
		{story: "one delta over the whole time", at: 120, start: 5, total: 1080, cumulative: "5-120 1080", delta: "100-120 80", rate: "4"},
		{story: "a complete scrape without it", at: 130},
		{story: "back, with a past that is unknown", at: 140, start: 5, total: 2000, cumulative: "5-140 2000"},
	},
	"suspended_host": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{
			story: "an hour later, of which the host was awake for 10 s", at: 3700, mono: 110, start: 5, total: 1040,
			cumulative: "5-3700 1040", delta: "100-3700 40", rate: "4",
		},
	},
	"clock_steps_forward": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{
			story: "a rate is taken by the monotonic clock", at: 1000, mono: 110, start: 5, total: 1030,
			cumulative: "5-1000 1030", delta: "100-1000 30", rate: "3",
		},
	},
	"clock_steps_back_a_little": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{story: "back 4 s", at: 106, mono: 110, start: 5, total: 1030, cumulative: "5-106 1030", delta: "100-106 30", rate: "3"},
	},
	"clock_steps_back_and_points_are_held": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{story: "back 15 s: not after the previous point", at: 95, mono: 110, start: 5, total: 1010},
		{story: "the same time again", at: 100, mono: 115, start: 5, total: 1015},
		{story: "caught up: all of it over the true time", at: 105, mono: 120, start: 5, total: 1060, cumulative: "5-105 1060", delta: "100-105 60", rate: "3"},
	},
	"clock_steps_back_too_far_to_wait": {
		{story: "the clock is an hour ahead", at: 3700, mono: 100, start: 5, total: 1000, cumulative: "5-3700 1000"},
		{
			story: "corrected: the stream goes on upon the new clock", at: 110, mono: 110, start: 5, total: 1020,
			cumulative: "5-110 1020", delta: "100-110 20", rate: "2",
		},
		{story: "steady", at: 120, mono: 120, start: 5, total: 1030, cumulative: "5-120 1030", delta: "110-120 10", rate: "1"},
	},
	"born_before_a_clock_step_back": {
		{story: "the clock is an hour ahead", at: 3700, mono: 100},
		{story: "a birth by that clock", at: 3710, mono: 110, start: 3705, total: 6, cumulative: "3705-3710 6", delta: "3705-3710 6"},
		{
			story: "corrected: the stream keeps its age of 5 s before the previous point", at: 120, mono: 120, start: 3705, total: 16,
			cumulative: "105-120 16", delta: "110-120 10", rate: "1",
		},
	},
	"start_not_before_the_point": {
		{story: "in the first scrape there is nothing else to go by", at: 100, start: 100, total: 1, cumulative: "99.999999999-100 1"},
		{story: "steady", at: 110, start: 100, total: 2, cumulative: "99.999999999-110 2", delta: "100-110 1", rate: "0.1"},
	},
	"start_in_the_future_of_a_clock_that_stepped_back": {
		{story: "nothing", at: 100},
		{story: "the scrape before stands in for it", at: 110, start: 200, total: 7, cumulative: "100-110 7", delta: "100-110 7"},
		{story: "steady", at: 120, start: 200, total: 8, cumulative: "100-120 8", delta: "110-120 1", rate: "0.1"},
	},
	"no_time_elapsed": {
		{story: "first sight", at: 100, start: 5, total: 1000, cumulative: "5-100 1000"},
		{story: "the same scrape again", at: 100, start: 5, total: 1000},
		{story: "time by the wall clock alone gives no rate", at: 110, mono: 100, start: 5, total: 1001, cumulative: "5-110 1001", delta: "100-110 1"},
		{story: "a monotonic clock that runs back", at: 120, mono: 90, start: 5, total: 1002, cumulative: "5-120 1002", delta: "110-120 1"},
	},
	"doubles": {
		{story: "first sight", at: 100, start: 5, total: 12.5, cumulative: "5-100 12.5"},
		{story: "steady", at: 110, start: 5, total: 14.0, cumulative: "5-110 14", delta: "100-110 1.5", rate: "0.15"},
		{story: "reset", at: 120, start: 5, total: 0.25, cumulative: "110-120 0.25", delta: "110-120 0.25"},
	},
	"no_totals": {
		{story: "first sight", at: 100, start: 5, total: 1.0, cumulative: "5-100 1"},
		{story: "not a number", at: 110, start: 5, total: math.NaN()},
		{story: "infinite", at: 120, start: 5, total: math.Inf(1)},
		{story: "negative", at: 130, start: 5, total: -3.0},
		{story: "a total again, of the same stream", at: 140, start: 5, total: 3.0, cumulative: "5-140 3", delta: "100-140 2", rate: "0.05"},
	},
}

func TestStageStories(t *testing.T) {
	t.Parallel()
	for name, steps := range stories {
		for _, temporality := range []pmetric.AggregationTemporality{
			pmetric.AggregationTemporalityCumulative, pmetric.AggregationTemporalityDelta,
		} {
			t.Run(name+"/"+temporality.String(), func(t *testing.T) {
				t.Parallel()
				stage := NewStage(Settings{Temporality: temporality, Rates: Rates{Enabled: true}})
				for _, st := range steps {
					md := scrapeOf(st)
					mono := st.mono
					if mono == 0 {
						mono = st.at
					}
					stage.process(md, timestamp(st.at), monoSince(steps[0], mono), !st.partial)
					want := st.cumulative
					if temporality == pmetric.AggregationTemporalityDelta {
						want = st.delta
					}
					point, rate := show(md)
					assert.Equal(t, want, point, st.story)
					assert.Equal(t, st.rate, rate, "rate: %s", st.story)
					if want == "" {
						assert.Zero(t, md.ResourceMetrics().Len(), "%s: nothing empty may stay", st.story)
					}
				}
			})
		}
	}
}

// A process that leaves the top and comes back must not count its life twice.
func TestReturningStreamsCountOnce(t *testing.T) {
	t.Parallel()
	steps := []step{
		{story: "nothing", at: 100},
		{story: "born at 105 and among the top at once", at: 110, start: 105, total: 50, delta: "105-110 50"},
		{story: "among the rest", at: 120},
		{story: "back: most of its total was counted before", at: 130, start: 105, total: 90},
		{story: "steady", at: 140, start: 105, total: 95, delta: "130-140 5"},
		{story: "another process of the same pid, while the first was still known", at: 150, start: 144, total: 3, delta: "144-150 3"},
	}
	stage := NewStage(Settings{Temporality: pmetric.AggregationTemporalityDelta, Returning: true})
	for _, st := range steps {
		md := scrapeOf(st)
		stage.process(md, timestamp(st.at), time.Duration(timestamp(st.at)), true)
		point, _ := show(md)
		assert.Equal(t, st.delta, point, st.story)
	}
}

func TestAScrapeTakesBothReadingsOfTheClock(t *testing.T) {
	t.Parallel()
	stage := NewStage(Settings{Temporality: pmetric.AggregationTemporalityDelta, Rates: Rates{Enabled: true}})
	now := time.Now()
	md := processBatch(seriesPerProcess)
	stamp(md, now, 100)
	stage.processWhole(md, now)
	assert.Zero(t, md.ResourceMetrics().Len())
	assert.Equal(t, Dropped{Baseline: seriesPerProcess}, stage.Dropped())

	md = processBatch(seriesPerProcess)
	now = now.Add(4 * time.Second)
	stamp(md, now, 108)
	stage.processWhole(md, now)
	got := map[string]float64{}
	eachMetric(md, func(_ pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
		if m.Type() == pmetric.MetricTypeGauge {
			got[m.Name()] = m.Gauge().DataPoints().At(0).DoubleValue()
		}
	})
	assert.InDeltaMapValues(t, map[string]float64{
		"process.cpu.time.rate": 0.02, "process.disk.io.rate": 2, "process.context_switches.rate": 2,
	}, got, 1e-9)
}

func TestCounters(t *testing.T) {
	t.Parallel()
	stage := NewStage(Settings{})
	for _, st := range []step{
		{at: 3700, mono: 100, start: 5, total: 10},
		{at: 3700, mono: 110, start: 5, total: 11},  // held
		{at: 110, mono: 120, start: 5, total: 12},   // the clock was corrected
		{at: 120, mono: 130, start: 5, total: 1},    // lower
		{at: 130, mono: 140, start: 125, total: 2},  // another process
		{at: 140, mono: 150, start: 125, total: -2}, // nonsense
	} {
		stage.process(scrapeOf(st), timestamp(st.at), time.Duration(timestamp(st.mono)), true)
	}
	assert.Equal(t, 1, stage.Tracked())
	assert.Equal(t, Resets{LowerValue: 1, StartChanged: 1, ClockStepped: 1}, stage.Resets())
	assert.Equal(t, Dropped{Held: 1, Invalid: 1}, stage.Dropped())
}

func TestRateMetrics(t *testing.T) {
	t.Parallel()
	units := map[string]string{"By": "By/s", "{packet}": "{packet}/s", "1": "1/s", "": "1/s", "s": "1", "ms": "ms/s"}
	for unit, want := range units {
		assert.Equal(t, want, RateUnit(unit), "of %q", unit)
	}

	stage := NewStage(Settings{Rates: Rates{Enabled: true, Metrics: []string{"process.cpu.time", "nowhere"}}})
	md := processBatch(2 * seriesPerProcess)
	start := time.Now()
	stamp(md, start, 100)
	stage.processWhole(md, start)
	md = processBatch(2 * seriesPerProcess)
	stamp(md, start.Add(10*time.Second), 1100)
	stage.processWhole(md, start.Add(10*time.Second))
	var seen int
	eachMetric(md, func(_ pmetric.ResourceMetrics, sm pmetric.ScopeMetrics, m pmetric.Metric) {
		require.Equal(t, 4, sm.Metrics().Len(), "three sums and one rate")
		if m.Type() != pmetric.MetricTypeGauge {
			return
		}
		seen++
		assert.Equal(t, "process.cpu.time.rate", m.Name())
		assert.Equal(t, "1", m.Unit())
		points := m.Gauge().DataPoints()
		require.Equal(t, 2, points.Len())
		for i, mode := range []string{"user", "system"} {
			assert.Equal(t, map[string]any{"cpu.mode": mode}, points.At(i).Attributes().AsRaw())
			assert.Zero(t, points.At(i).StartTimestamp())
			assert.Equal(t, pcommon.NewTimestampFromTime(start.Add(10*time.Second)), points.At(i).Timestamp())
			assert.InDelta(t, 1, points.At(i).DoubleValue(), 1e-9)
		}
	})
	assert.Equal(t, 2, seen)
}

func TestOnlyMonotonicCumulativeSumsAreTouched(t *testing.T) {
	t.Parallel()
	untouched := func() pmetric.Metrics {
		md := pmetric.NewMetrics()
		md.ResourceMetrics().AppendEmpty()
		sm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
		sm.Metrics().AppendEmpty().SetName("nothing")
		gauge := sm.Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
		gauge.SetTimestamp(100)
		gauge.SetStartTimestamp(200)
		gauge.SetDoubleValue(math.Inf(-1))
		appendSum(sm, "updown", "1").AppendEmpty().SetIntValue(-4)
		sm.Metrics().At(2).Sum().SetIsMonotonic(false)
		appendSum(sm, "delta", "1").AppendEmpty().SetIntValue(4)
		sm.Metrics().At(3).Sum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		sm.Metrics().AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty().SetCount(3)
		sm.Metrics().AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty().SetCount(3)
		sm.Metrics().AppendEmpty().SetEmptySummary().DataPoints().AppendEmpty().SetCount(3)
		return md
	}
	stage := NewStage(Settings{Temporality: pmetric.AggregationTemporalityDelta, Rates: Rates{Enabled: true}})
	for i := range 3 {
		md := untouched()
		stage.process(md, timestamp(100), time.Duration(i), true)
		assert.Equal(t, untouched(), md)
	}
	assert.Zero(t, stage.Tracked())
}

// Streams are distinguished by everything that identifies them and by nothing else.
func TestIdentity(t *testing.T) {
	t.Parallel()
	build := func(edit func(rm pmetric.ResourceMetrics, p pmetric.NumberDataPoint)) pmetric.Metrics {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		p := appendSum(rm.ScopeMetrics().AppendEmpty(), "m", "1").AppendEmpty()
		rm.Resource().Attributes().PutStr("host", "a")
		p.SetIntValue(1)
		p.SetTimestamp(1)
		edit(rm, p)
		return md
	}
	edits := []func(rm pmetric.ResourceMetrics, p pmetric.NumberDataPoint){
		func(pmetric.ResourceMetrics, pmetric.NumberDataPoint) {},
		func(rm pmetric.ResourceMetrics, _ pmetric.NumberDataPoint) {
			rm.Resource().Attributes().PutStr("host", "b")
		},
		func(rm pmetric.ResourceMetrics, _ pmetric.NumberDataPoint) {
			rm.ScopeMetrics().At(0).Scope().SetName("other")
		},
		func(rm pmetric.ResourceMetrics, _ pmetric.NumberDataPoint) {
			rm.ScopeMetrics().At(0).Scope().SetVersion("other")
		},
		func(rm pmetric.ResourceMetrics, _ pmetric.NumberDataPoint) {
			rm.ScopeMetrics().At(0).Metrics().At(0).SetName("other")
		},
		func(_ pmetric.ResourceMetrics, p pmetric.NumberDataPoint) { p.SetDoubleValue(1) },
	}
	for _, raw := range []map[string]any{
		{"ab": "c"},
		{"a": "bc"},
		{"a": ""},
		{"": "a"},
		{"a": "1"},
		{"a": 1},
		{"a": 1.0},
		{"a": true},
		{"a": false},
		{"a": 0},
		{"a": nil},
		{"a": "x", "b": "y"},
		{"a": "y", "b": "x"},
		{"a": map[string]any{"b": "c"}},
		{"a": map[string]any{"b": "d"}},
		{"a": map[string]any{}},
		{"a": []any{"x", "y"}},
		{"a": []any{"y", "x"}},
		{"a": []any{}},
		{"a": []byte("xy")},
		{"a": []byte("yx")},
		{"a": "xy"},
	} {
		edits = append(edits, func(_ pmetric.ResourceMetrics, p pmetric.NumberDataPoint) {
			require.NoError(t, p.Attributes().FromRaw(raw))
		})
	}
	stage := NewStage(Settings{})
	for i, edit := range edits {
		stage.process(build(edit), 1, 0, false)
		assert.Equal(t, i+1, stage.Tracked(), "edit %d is a stream of its own", i)
	}

	ordered, reversed := pcommon.NewMap(), pcommon.NewMap()
	for i := range 9 {
		ordered.PutInt(fmt.Sprint(i), int64(i))
		reversed.PutInt(fmt.Sprint(8-i), int64(8-i))
	}
	assert.Equal(t, stage.hash.attributes(ordered), stage.hash.attributes(reversed))
}
