package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// What the comparison with Prometheus in internal/alert/oracle brought to light.

func TestEndedSeriesLeavesTheWindowsOfItsGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{
		Name: "busy", Metric: "m", GroupBy: []string{"pool"}, GroupAggregate: "sum", Window: 2 * time.Minute, Aggregate: "avg",
		Threshold: 100, Severity: "warning", FullWindow: new(false),
	}}, nil)
	for s := 0.0; s < 60; s += 15 {
		r.observe(s, point{s: s, v: 60, attrs: disk("a")}, point{s: s, v: 60, attrs: disk("b")})
		r.engine.Evaluate(at(s))
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
	r.observe(60, point{s: 60, v: 60, attrs: disk("a")}, point{s: 60, noValue: true, attrs: disk("b")})
	assert.Equal(t, []string{"resolve"}, r.transitions(), "what b was before it ended does not count beside what a is")
	r.observe(75, point{s: 75, v: 60, attrs: disk("a")}, point{s: 75, v: 60, attrs: disk("b")})
	assert.Equal(t, []string{"fire:warning"}, r.transitions(), "it is back, and so is its window")
}

func TestWindowedAlertKeepsWhileItsSeriesHasEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate, rc.FullWindow = 5*time.Minute, "min", new(false) }), nil)
	for s := 0.0; s < 60; s += 15 {
		r.step(s, 90)
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
	r.observe(60, point{s: 60, noValue: true})
	for s := 75.0; s < 300; s += 15 {
		r.engine.Evaluate(at(s))
		assert.Empty(t, r.transitions(), "at %vs", s)
	}
	r.engine.Evaluate(at(360))
	assert.Equal(t, []string{"no_data:warning"}, r.transitions())
}

// The series that is farthest from the middle of one band need not be the one that is outside another.
func TestEveryBandLooksAtEverySeries(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "band", Metric: "m", GroupBy: []string{"rack"}, Thresholds: map[string]rules.LevelConfig{
		"warning":  {Outside: []any{10, 20}},
		"critical": {Outside: []any{0, 100}, Clear: []any{5, 60}},
	}}}, nil)
	r.observe(0, point{v: -1, attrs: disk("a")}, point{v: 40, attrs: disk("b")})
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, "critical", events[0].Severity, "b is farther from 15, but a is below 0")
	assert.Equal(t, []attr.Number{{Float64: -1, Valid: true}}, []attr.Number{events[0].Value})
	r.observe(15, point{s: 15, v: 15, attrs: disk("a")}, point{s: 15, v: 61, attrs: disk("b")})
	assert.Empty(t, r.transitions(), "b is not clear of 60")
	r.observe(30, point{s: 30, v: 6, attrs: disk("a")}, point{s: 30, v: 25, attrs: disk("b")})
	assert.Equal(t, []string{"deescalate:warning"}, r.transitions())
}

func TestMarkerOfAnUnknownSeriesIsNoAbsence(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: time.Minute}}}, nil)
	r.observe(0, point{noValue: true})
	for s := 0.0; s < 300; s += 15 {
		r.engine.Evaluate(at(s))
	}
	assert.Empty(t, r.transitions(), "nothing was ever seen that could be gone")
	r.step(300, 1)
	r.engine.Evaluate(at(359))
	assert.Empty(t, r.transitions())
	r.engine.Evaluate(at(360))
	assert.Equal(t, []string{"fire:critical"}, r.transitions())
}

func TestAbsenceCountsFromTheLastSampleWhenTheSeriesIsForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 20 * time.Minute}}}, nil)
	r.step(0, 1)
	r.observe(600, point{s: 600, noValue: true})
	r.engine.Evaluate(at(1199))
	assert.Empty(t, r.transitions())
	r.engine.Evaluate(at(1200))
	assert.Equal(t, []string{"fire:critical"}, r.transitions())
	for s := 1215.0; s < 4000; s += 15 { // At 1500 s the series has been silent for stale_series_after.
		r.engine.Evaluate(at(s))
		require.Empty(t, r.transitions(), "at %vs", s)
	}
	assert.Zero(t, r.engine.Stats(at(4000)).Series)
	r.step(4000, 1)
	assert.Equal(t, []string{"resolve"}, r.transitions())
}
