package alert

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ringOf(values ...float64) *ring {
	var r ring
	for i, v := range values {
		r.insert(sample{int64(i) * second, v})
	}
	return &r
}

func TestRingKeepsOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var r ring
	var model []sample
	for range 5000 {
		switch random.IntN(10) {
		case 0:
			k := random.IntN(r.len() + 1)
			r.dropFront(k)
			model = model[k:]
		case 1:
			boundary := random.Int64N(1000)
			r.trim(boundary)
			k := 0
			for k+1 < len(model) && model[k+1].t <= boundary {
				k++
			}
			model = model[k:]
		default:
			s := sample{random.Int64N(1000), random.Float64()}
			at, found := slices.BinarySearchFunc(model, s, func(a, b sample) int { return int(a.t - b.t) })
			assert.Equal(t, !found, r.insert(s))
			if !found {
				model = slices.Insert(slices.Clone(model), at, s)
			}
		}
		require.Equal(t, len(model), r.len())
		for i := range model {
			require.Equal(t, model[i], r.at(i))
		}
	}
}

func TestAggregates(t *testing.T) {
	t.Parallel()
	r := ringOf(4, 1, 3, 2)
	for name, want := range map[string]float64{
		"last": 2, "avg": 2.5, "min": 1, "max": 4, "sum": 10, "count": 4, "stddev": math.Sqrt(1.25), "p50": 2.5, "p25": 1.75, "p100": 4, "p0.1": 1.003,
	} {
		agg, err := parseAggregate(name)
		require.NoError(t, err)
		got, _ := agg.over(r, 0, 4, nil)
		assert.InDelta(t, want, got, 1e-12, name)
	}
	got, _ := aggregate{kind: aggPercentile, q: 0.5}.over(ringOf(math.Inf(1), math.Inf(1)), 0, 2, nil)
	assert.True(t, math.IsInf(got, 1))
}

func TestSumsKeepTheLowBits(t *testing.T) {
	t.Parallel()
	values := []float64{1e16, 1, 1, 1, 1, -1e16}
	sum, _ := aggregate{kind: aggSum}.over(ringOf(values...), 0, len(values), nil)
	assert.InDelta(t, 4, sum, 0)
	spread, _ := aggregate{kind: aggStddev}.over(ringOf(1e9+1, 1e9+2, 1e9+3), 0, 3, nil)
	assert.InDelta(t, math.Sqrt(2.0/3), spread, 1e-12)
}

func TestIncrease(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		kind   StreamKind
		values []float64
		starts map[int]float64 // Start time in seconds that the sample of that index carries.
		from   int             // First sample inside the window.
		want   float64
	}{
		{"steady counter counts from the anchor", CumulativeCounter, []float64{10, 20, 30, 40}, nil, 1, 30},
		{"a counter born inside the window counts from its first sample", CumulativeCounter, []float64{10, 20, 30}, nil, 0, 20},
		{"a drop is a reset", CumulativeCounter, []float64{100, 120, 5, 15}, nil, 1, 35},
		{"a new start is a reset even when the value rose", CumulativeCounter, []float64{100, 120, 130, 140}, map[int]float64{2: 1.5}, 1, 160},
		{"a start time that jitters is none", CumulativeCounter, []float64{100, 120, 130}, map[int]float64{0: -9, 1: -8.9, 2: -9.1}, 1, 30},
		{"deltas add up", DeltaCounter, []float64{1, 2, 3}, nil, 1, 5},
		{"a gauge may fall", Gauge, []float64{10, 8, 4}, nil, 1, -6},
		{"one sample alone has not risen", CumulativeCounter, []float64{7}, nil, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &windowSeries{kind: c.kind}
			for i, v := range c.values {
				s.samples.insert(sample{int64(i) * second, v})
				s.recordStart(int64(c.starts[i] * 1e9))
			}
			got := s.increase(c.from, len(c.values), int64(c.from)*second-1, maxLookback)
			assert.InDelta(t, c.want, got, 1e-12)
		})
	}
}

func TestAnchorOlderThanLookbackIsNotUsed(t *testing.T) {
	t.Parallel()
	s := &windowSeries{kind: CumulativeCounter}
	s.samples.insert(sample{0, 0})
	s.samples.insert(sample{100 * second, 50})
	s.samples.insert(sample{110 * second, 60})
	assert.InDelta(t, 60, s.increase(1, 3, 90*second, 100*second), 0)
	assert.InDelta(t, 10, s.increase(1, 3, 90*second, 80*second), 0)
}

func TestRateRule(t *testing.T) {
	t.Parallel()
	rules := []RuleConfig{{Name: "errors", Metric: "m", Window: time.Minute, Aggregate: "rate", Threshold: 10, Severity: "warning"}}
	r := newRig(t, rules, nil)
	r.kind = CumulativeCounter
	value := 0.0
	for s := 0.0; s <= 120; s += 15 {
		r.step(s, value)
		value += 150 // Exactly 10 a second.
	}
	assert.Empty(t, r.transitions())
	value += 15
	r.step(135, value)
	events := r.drain()
	require.Len(t, events, 1)
	assert.InDelta(t, 10.25, events[0].Value.Float64, 1e-9)
	assert.Equal(t, "rate", events[0].Aggregation)
	r.observe(150, point{s: 150, v: 3, start: 140}) // Restarted: 150+150+165+3 over the minute.
	assert.Equal(t, []string{"resolve"}, r.transitions())
}

func TestForecast(t *testing.T) {
	t.Parallel()
	line := fitLine(ringOf(10, 8, 6, 4), 0, 4, 3*second)
	assert.InDelta(t, -2, line.slope, 1e-12)
	assert.InDelta(t, 4, line.at(0), 1e-12)
	assert.InDelta(t, -2, line.at(3), 1e-12)
	assert.Zero(t, fitLine(ringOf(0.1, 0.1, 0.1), 0, 3, 0).slope)

	rules := []RuleConfig{{
		Name: "full_soon", Metric: "m", Forecast: &ForecastConfig{Window: 10 * time.Minute, Horizon: time.Hour},
		Thresholds: map[string]LevelConfig{"warning": {Below: 0}, "critical": {Below: 0, Horizon: 10 * time.Minute}},
	}}
	r := newRig(t, rules, nil)
	free := 4000.0
	var got []string
	var stamps []float64
	for s := 0.0; s <= 4000; s += 60 {
		r.step(s, free-s)
		for _, w := range r.transitions() {
			got, stamps = append(got, w), append(stamps, s)
		}
	}
	assert.Equal(t, []string{"fire:warning", "escalate:critical"}, got)
	assert.InDelta(t, 420, stamps[0], 0, "3600 s before empty; at 420 s the line falls below zero")
	assert.InDelta(t, 3420, stamps[1], 0)
}

func TestForecastWaitsForCoverage(t *testing.T) {
	t.Parallel()
	rules := []RuleConfig{{
		Name: "full_soon", Metric: "m", Forecast: &ForecastConfig{Window: 10 * time.Minute, Horizon: time.Hour},
		Thresholds: map[string]LevelConfig{"warning": {Below: 0}},
	}}
	r := newRig(t, rules, nil)
	for s := 0.0; s < 240; s += 60 {
		r.step(s, 100-s)
		assert.Empty(t, r.transitions())
	}
	r.step(240, -140)
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

func TestFullWindowAndMinSamples(t *testing.T) {
	t.Parallel()
	full := newRig(t, ladder(func(rc *RuleConfig) { rc.Window, rc.Aggregate, rc.FullWindow = time.Minute, "avg", new(true) }), nil)
	few := newRig(t, ladder(func(rc *RuleConfig) { rc.Window, rc.Aggregate, rc.MinSamples = time.Minute, "avg", new(3) }), nil)
	young := newRig(t, ladder(func(rc *RuleConfig) { rc.NewSeriesDelay = new(30 * time.Second) }), nil)
	want := map[float64][3]bool{0: {}, 15: {}, 30: {false, true, true}, 45: {true, true, true}}
	fired := [3]bool{}
	for s := 0.0; s <= 45; s += 15 {
		for i, r := range []*rig{full, few, young} {
			r.step(s, 90)
			fired[i] = fired[i] || len(r.transitions()) > 0
		}
		assert.Equal(t, want[s], fired, "at %vs", s)
	}
}

// TestSilenceDoesNotDrainAWindow stops the samples of a firing alert. Until its policy for missing data has its say the alert stays
// what the last samples made it, whatever the aggregate; only a lookback that is set lets the window move on, as PromQL does.
func TestSilenceDoesNotDrainAWindow(t *testing.T) {
	t.Parallel()
	for aggregate, threshold := range map[string]int{"rate": 50, "increase": 3000, "sum": 3, "count": 3, "avg": 3, "p90": 3} {
		for _, lookback := range []time.Duration{0, 45 * time.Second} {
			t.Run(fmt.Sprintf("%s/lookback=%v", aggregate, lookback), func(t *testing.T) {
				t.Parallel()
				rule := RuleConfig{
					Name: "r", Metric: "m", Window: time.Minute, Aggregate: aggregate, Threshold: threshold, Severity: "warning",
					NoData: &NoDataConfig{After: 10 * time.Minute},
				}
				if lookback != 0 {
					rule.Lookback = lookback.String()
				}
				r := newRig(t, []RuleConfig{rule}, nil)
				if aggregate == "rate" || aggregate == "increase" {
					r.kind = CumulativeCounter
				}
				for s := 0.0; s <= 150; s += 15 {
					r.step(s, 100*s)
				}
				require.Equal(t, []string{"fire:warning"}, r.transitions())
				for s := 165.0; s <= 600; s += 15 {
					r.engine.Evaluate(at(s))
				}
				if drains := aggregate == "count" || aggregate == "rate" || aggregate == "increase"; lookback != 0 && drains {
					assert.Equal(t, []string{"resolve"}, r.transitions())
				} else {
					assert.Empty(t, r.transitions())
				}
			})
		}
	}
}
