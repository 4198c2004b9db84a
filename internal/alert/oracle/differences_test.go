package oracle

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// Each test here is one deliberate difference from Prometheus: what it does, what we do, and why.

// Prometheus takes the end of a series for a cure, and says "resolved" of a host that has died. With us silence is a state of
// its own; who wants Prometheus' way writes no_data: {action: resolve}.
func TestNoDataIsNoCure(t *testing.T) {
	t.Parallel()
	c := written(t, above(50), "60x3 _x40 60")
	assert.Equal(t, []string{"0s warning", "5m45s none", "11m0s warning"}, c.theirs(t))
	assert.Equal(t, []string{"0s warning", "5m45s no_data", "11m0s warning"}, c.ours(t, func(cfg *rules.Config) {
		cfg.Defaults.NoData = rules.DefaultConfig().Defaults.NoData
	}))
}

// Prometheus lets the last value stand for five minutes, so an outage of four counts towards for. By default we let it stand
// for four intervals, and the time without a value does not count.
func TestLookbackFollowsTheSeries(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.levels[0].forDuration = 4 * time.Minute
	c := written(t, rule, "60x4 _x11 60x12") // One minute of values, three without, and three more.
	assert.Equal(t, []string{"4m0s warning"}, c.theirs(t))
	assert.Equal(t, []string{"6m0s warning"}, c.ours(t, func(cfg *rules.Config) { cfg.Defaults.Lookback = "auto" }),
		"the last value counts for a minute of the gap, the two others are made up for")
}

// A NaN in a window spoils every sum and average over it with Prometheus. We take it for what it is: no value.
func TestNaNSpoilsNoWindow(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.window, rule.aggregate = time.Minute, "avg"
	c := written(t, rule, "60x3 NaN 60x9")
	p := c.prometheus(t)
	p.memory.series[0].samples[4] = number{time.Minute.Milliseconds(), math.NaN()} // The comparison has put a marker there.
	var none int
	for at := time.Minute; at < 2*time.Minute; at += 15 * time.Second {
		firing, err := p.evaluate(at)
		require.NoError(t, err)
		if len(firing) == 0 {
			none++
		}
	}
	assert.Equal(t, 4, none, "as long as the NaN is in the window")
	assert.Equal(t, []string{"0s warning", "1m0s none", "1m15s warning"}, c.ours(t, nil))
}

// A marker ends a series. Prometheus' windows do not look at markers and go on with what the series was before.
func TestMarkerEndsWindows(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.window, rule.aggregate = 2*time.Minute, "avg"
	c := written(t, rule, "60x3 stale _x12")
	p := newProm(t, rule.lookback, []promLevel{{severity: "warning", expr: "avg_over_time(m[2m]) > 50"}})
	p.memory = c.prometheus(t).memory
	assert.Equal(t, []string{"0s warning", "1m0s none"}, c.ours(t, nil))
	firing, err := p.evaluate(2*time.Minute + 30*time.Second)
	require.NoError(t, err)
	assert.NotEmpty(t, firing)
	firing, err = p.evaluate(2*time.Minute + 45*time.Second)
	require.NoError(t, err)
	assert.Empty(t, firing)
}

// The same in a group: with Prometheus a series that has ended goes on in the windowed sum of its group, at what it was, until its
// last sample has left the window. With us the sum is that of the series that are there. Where Prometheus is told to look at
// them alone, as the random comparison tells it, both say the same.
func TestEndedSeriesLeavesWindowedGroupSums(t *testing.T) {
	t.Parallel()
	rule := above(100)
	rule.window, rule.aggregate = 2*time.Minute, "avg"
	rule.groupBy, rule.groupAgg = []string{"shelf"}, "sum"
	c := written(t, rule, "60x20", "60x3 stale _x16")
	assert.Equal(t, []string{"0s warning", "1m0s none"}, c.ours(t, nil))
	assert.Equal(t, []string{"0s warning", "1m0s none"}, c.theirs(t), "(avg_over_time(m[2m]) and m)")
	p := newProm(t, rule.lookback, []promLevel{{severity: "warning", expr: "sum by (shelf) (avg_over_time(m[2m])) > 100"}})
	p.memory = c.prometheus(t).memory
	for at, fires := range map[time.Duration]bool{45 * time.Second: true, time.Minute: true, 2*time.Minute + 30*time.Second: true, 2*time.Minute + 45*time.Second: false} {
		firing, err := p.evaluate(at)
		require.NoError(t, err)
		assert.Equal(t, fires, len(firing) > 0, "at %s: as it stands, until the window has passed", at)
	}
}

// Between equal values Prometheus interpolates, and rounding may lift a plateau above itself. We see that they are equal.
func TestPercentileOfAPlateauIsThePlateau(t *testing.T) {
	t.Parallel()
	rule := above(0.9)
	rule.window, rule.aggregate = time.Minute, "p90"
	c := written(t, rule, "0.9x9")
	assert.NotEmpty(t, c.theirs(t), "0.9 is not above 0.9")
	assert.Empty(t, c.ours(t, nil))
}

// Prometheus' rate extends what it saw to the edges of the window: a counter that rose by 30 within 15 seconds is said to have
// risen by more. We report what was counted; Prometheus' own anchored rate agrees.
func TestRateDoesNotExtrapolate(t *testing.T) {
	t.Parallel()
	rule := above(31)
	rule.window, rule.aggregate = time.Minute, "increase"
	c := written(t, rule, "_ _ _ 1000 1030 _ _ _ _ _")
	p := newProm(t, rule.lookback, []promLevel{{severity: "warning", expr: "increase(m[1m]) > 31"}})
	p.memory = c.prometheus(t).memory
	firing, err := p.evaluate(time.Minute)
	require.NoError(t, err)
	assert.NotEmpty(t, firing, "30 was counted")
	assert.Empty(t, c.theirs(t), "anchored")
	assert.Empty(t, c.ours(t, nil))
}

// One point makes no line. Prometheus takes that for a cure, we keep what is until there is a line again.
func TestForecastHoldsWithoutALine(t *testing.T) {
	t.Parallel()
	rule := above(100)
	rule.window, rule.horizon = time.Minute, time.Hour
	c := written(t, rule, "10 20 _ _ 50 _ _ _ 90 100")
	p := newProm(t, rule.lookback, []promLevel{{severity: "warning", expr: "predict_linear(m[1m], 3600) > 100"}})
	p.memory = c.prometheus(t).memory
	firing, err := p.evaluate(75 * time.Second)
	require.NoError(t, err)
	assert.Empty(t, firing)
	assert.Equal(t, []string{"15s warning"}, c.ours(t, nil))
}

// An infinity less an infinity is no number. Prometheus takes that for a cure, we for a value that is missing, and the alert
// stays.
func TestInfinitiesThatCancelSayNothing(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.groupBy, rule.groupAgg = []string{"shelf"}, "sum"
	c := written(t, rule, "60 Inf 60", "60 -Inf 60")
	assert.Equal(t, []string{"0s warning", "15s none", "30s warning"}, c.theirs(t))
	assert.Equal(t, []string{"0s warning"}, c.ours(t, nil))
}

// With Prometheus two levels are two rules, and the lower one fires when its own for has passed. Our alert is one: when the
// higher level has taken hold, what it steps down to needs no for of its own.
func TestLadderStepsDownWithoutWaiting(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.levels[0].forDuration = 2 * time.Minute
	rule.levels = append(rule.levels, ladderLevel{severity: "critical", lo: 80})
	c := written(t, rule, "90 60x9 10")
	assert.Equal(t, []string{"0s critical", "15s none", "2m0s warning", "2m45s none"}, c.theirs(t))
	assert.Equal(t, []string{"0s critical", "15s warning", "2m45s none"}, c.ours(t, nil))
}

// keep_firing_for belongs to the level in force. When it has passed, an alert that is well is over; with Prometheus the rule of
// the lower level, which was breached for longer, goes on keeping for a while.
func TestKeepOfALadderBelongsToItsTop(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.levels[0].keepFiringFor = time.Minute
	rule.levels = append(rule.levels, ladderLevel{severity: "critical", lo: 80, keepFiringFor: time.Minute})
	c := written(t, rule, "90 60x1 10x9")
	assert.Equal(t, []string{"0s critical", "1m15s warning", "1m45s none"}, c.theirs(t))
	assert.Equal(t, []string{"0s critical", "1m15s none"}, c.ours(t, nil))
}

// The clear of a wide band may hold the alert while a narrower band inside it is well for a moment. When the wide one lets go, we
// look at what is breached now; Prometheus' rule of the narrow band starts over with its for.
func TestLadderStepsDownToWhatHolds(t *testing.T) {
	t.Parallel()
	rule := spec{cmp: "outside", scale: 1, lookback: 5 * time.Minute, levels: []ladderLevel{
		{severity: "info", lo: 37, hi: 38, forDuration: 45 * time.Second},
		{severity: "warning", lo: 36, hi: 52, hasClear: true, clearLo: 38.2, clearHi: 49.8, forDuration: 45 * time.Second},
	}}
	c := written(t, rule, "30x3 37 40x9")
	assert.Equal(t, []string{"45s warning", "1m15s none", "2m0s info"}, c.theirs(t))
	assert.Equal(t, []string{"45s warning", "1m15s info"}, c.ours(t, nil))
}

// Prometheus sees what is there when it looks. We see every sample.
func TestSamplesBetweenTheTicksCount(t *testing.T) {
	t.Parallel()
	c := written(t, above(50), "10 90 10 10 90 10 10")
	c.interval, c.evaluation, c.until = 5*time.Second, 15*time.Second, 30*time.Second
	p := c.prometheus(t)
	for at := time.Duration(0); at <= c.until; at += c.evaluation {
		firing, err := p.evaluate(at)
		require.NoError(t, err)
		assert.Empty(t, firing)
	}
	assert.Equal(t, []string{"5s warning", "10s none", "20s warning", "25s none"}, c.ours(t, nil))
}

// Prometheus does not see a gap that begins and ends between two evaluations. We know when the value was too old to count, and
// that time does not count towards for.
func TestGapBetweenEvaluationsDoesNotCount(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.lookback, rule.levels[0].forDuration = time.Minute, 90*time.Second
	c := written(t, rule, "_x4 60 _x12 60x9")
	c.interval, c.until = 5*time.Second, 2*time.Minute // Nothing from 80 s to 85 s, and looked at 75 s and 90 s.
	assert.Equal(t, []string{"1m50s warning"}, c.theirs(t))
	assert.Equal(t, []string{"1m55s warning"}, c.ours(t, nil))
}

// The first time that a group comes we do not know how many series it has, and more of them may be on their way: its sum waits
// for the tick. Prometheus has the whole scrape or nothing.
func TestFirstSumWaitsForTheTick(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.groupBy, rule.groupAgg = []string{"shelf"}, "sum"
	c := written(t, rule, "_ 60 60 60 60")
	c.interval, c.evaluation, c.until = 10*time.Second, 15*time.Second, 30*time.Second
	assert.Equal(t, []string{"10s warning"}, c.theirs(t))
	assert.Equal(t, []string{"15s warning"}, c.ours(t, nil))
}

// absent() fires for what has never been there, so a rule for an optional service fires for ever. We fire when something that
// was seen is gone, and for what was never seen only if told to expect it, after a grace for the start.
func TestAbsentKnowsWhatItExpects(t *testing.T) {
	t.Parallel()
	rule := spec{scale: 1, lookback: 5 * time.Minute, absentFor: time.Minute, levels: []ladderLevel{{severity: "critical"}}}
	c := written(t, rule, "_x12")
	p := newProm(t, rule.lookback, []promLevel{{severity: "critical", expr: "absent_over_time(m[1m])"}})
	firing, err := p.evaluate(0)
	require.NoError(t, err)
	assert.NotEmpty(t, firing)
	assert.Empty(t, c.ours(t, nil))
	assert.Equal(t, []string{"2m0s critical"}, c.ours(t, func(cfg *rules.Config) {
		cfg.Rules[0].Absent = &rules.AbsentConfig{For: time.Minute, Expect: true}
	}))
}

// Prometheus resolves and fires again each time that a value crosses the line. After six changes in ten minutes we say that it is
// flapping, and stop.
func TestFlappingIsSaidOnce(t *testing.T) {
	t.Parallel()
	c := written(t, above(50), "60 40 60 40 60 40 60 40 60 40 60 40 60 40 60 40 60 40 60 40")
	assert.Len(t, c.theirs(t), 20)
	said := c.ours(t, func(cfg *rules.Config) { cfg.Defaults.Flapping = rules.DefaultConfig().Defaults.Flapping })
	assert.Len(t, said, 6)
}

// A window that is not seen as a whole says nothing with us, unless what is missing can't change it. Prometheus takes what samples there are,
// so that the first one after a start decides of five minutes. The comparison says full_window: false, which is Prometheus' way.
func TestPartialWindowsWait(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.window, rule.aggregate = time.Minute, "avg"
	c := written(t, rule, "60x9")
	assert.Equal(t, []string{"0s warning"}, c.theirs(t))
	assert.Equal(t, []string{"0s warning"}, c.ours(t, nil))
	assert.Equal(t, []string{"45s warning"}, c.ours(t, func(cfg *rules.Config) { cfg.Defaults.FullWindow = nil }))
	rule.cmp, rule.aggregate, rule.levels[0].lo = "below", "count", 3
	c = written(t, rule, "60x9")
	assert.Equal(t, []string{"0s warning", "30s none"}, c.theirs(t))
	assert.Empty(t, c.ours(t, func(cfg *rules.Config) { cfg.Defaults.FullWindow = nil }))
}

// When all series of a group have gone Prometheus has no group to count, and says nothing of none. With us none of those that were seen is 0.
func TestNoneIsCounted(t *testing.T) {
	t.Parallel()
	rule := spec{cmp: "below", scale: 1, lookback: time.Minute, groupBy: []string{"shelf"}, groupAgg: "count", levels: []ladderLevel{{severity: "warning", lo: 1}}}
	c := written(t, rule, "60x3 _x12")
	p := newProm(t, rule.lookback, []promLevel{{severity: "warning", expr: "count by (shelf) (m) < 1"}})
	p.memory = c.prometheus(t).memory
	for at := time.Duration(0); at <= c.until; at += c.evaluation {
		firing, err := p.evaluate(at)
		require.NoError(t, err)
		assert.Empty(t, firing)
	}
	assert.Equal(t, []string{"1m45s warning"}, c.ours(t, nil))
}
