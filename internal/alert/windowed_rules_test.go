package alert

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

func TestRateRule(t *testing.T) {
	t.Parallel()
	ruleSet := []rules.RuleConfig{{Name: "errors", Metric: "m", Window: time.Minute, Aggregate: "rate", Threshold: 10, Severity: "warning"}}
	r := newRig(t, ruleSet, nil)
	r.kind = window.CumulativeCounter
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

func TestForecastWaitsForCoverage(t *testing.T) {
	t.Parallel()
	ruleSet := []rules.RuleConfig{{
		Name: "full_soon", Metric: "m", Forecast: &rules.ForecastConfig{Window: 10 * time.Minute, Horizon: time.Hour},
		Thresholds: map[string]rules.LevelConfig{"warning": {Below: 0}},
	}}
	r := newRig(t, ruleSet, nil)
	for s := 0.0; s < 240; s += 60 {
		r.step(s, 100-s)
		assert.Empty(t, r.transitions())
	}
	r.step(240, -140)
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

func TestFullWindowAndMinSamples(t *testing.T) {
	t.Parallel()
	full := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate, rc.FullWindow = time.Minute, "avg", new(true) }), nil)
	few := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate, rc.MinSamples = time.Minute, "avg", new(3) }), nil)
	young := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.NewSeriesDelay = new(30 * time.Second) }), nil)
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

// TestSilenceDoesNotDrainAWindow stops the samples of a firing alert. Until its policy for missing data applies the alert stays
// what the last samples made it, whatever the aggregate; only a lookback that is set lets the window move on, as PromQL does.
func TestSilenceDoesNotDrainAWindow(t *testing.T) {
	t.Parallel()
	for aggregate, threshold := range map[string]int{"rate": 50, "increase": 3000, "sum": 3, "count": 3, "avg": 3, "p90": 3} {
		for _, lookback := range []time.Duration{0, 45 * time.Second} {
			t.Run(fmt.Sprintf("%s/lookback=%v", aggregate, lookback), func(t *testing.T) {
				t.Parallel()
				rule := rules.RuleConfig{
					Name: "r", Metric: "m", Window: time.Minute, Aggregate: aggregate, Threshold: threshold, Severity: "warning",
					NoData: &rules.NoDataConfig{After: 10 * time.Minute},
				}
				if lookback != 0 {
					rule.Lookback = lookback.String()
				}
				r := newRig(t, []rules.RuleConfig{rule}, nil)
				if aggregate == "rate" || aggregate == "increase" {
					r.kind = window.CumulativeCounter
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

func TestForecastRule(t *testing.T) {
	t.Parallel()
	ruleSet := []rules.RuleConfig{{
		Name: "full_soon", Metric: "m", Forecast: &rules.ForecastConfig{Window: 10 * time.Minute, Horizon: time.Hour},
		Thresholds: map[string]rules.LevelConfig{"warning": {Below: 0}, "critical": {Below: 0, Horizon: 10 * time.Minute}},
	}}
	r := newRig(t, ruleSet, nil)
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
