package alert

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// A step feeds a value at a time and names what must be announced there.
type machineStep struct {
	s, v float64
	want []string
}

var none = math.Inf(-1) // A step without a sample: time passes.

func TestPaths(t *testing.T) {
	t.Parallel()
	minute := time.Minute
	cases := []struct {
		name  string
		edit  func(*rules.RuleConfig)
		steps []machineStep
	}{
		{name: "inactive=>firing=>resolved", steps: []machineStep{
			{0, 50, nil}, {15, 81, []string{"fire:warning"}}, {30, 82, nil}, {45, 80, []string{"resolve"}}, {60, 10, nil},
		}},
		{name: "inactive=>pending=>firing=>resolved", edit: func(r *rules.RuleConfig) { r.For = &minute }, steps: []machineStep{
			{0, 81, nil}, {30, 85, nil}, {45, 85, nil}, {60, 85, []string{"fire:warning"}}, {75, 20, []string{"resolve"}},
		}},
		{name: "inactive=>pending=>inactive", edit: func(r *rules.RuleConfig) { r.For = &minute }, steps: []machineStep{
			{0, 81, nil}, {30, 85, nil}, {45, 79, nil}, {60, 85, nil}, {105, 85, nil}, {120, 85, []string{"fire:warning"}},
		}},
		{name: "inactive=>critical at once, never a warning beside it", steps: []machineStep{
			{0, 50, nil}, {15, 99, []string{"fire:critical"}}, {30, 10, []string{"resolve"}},
		}},
		{name: "warning=>critical=>warning=>resolved is one alert", steps: []machineStep{
			{0, 81, []string{"fire:warning"}},
			{15, 96, []string{"escalate:critical"}},
			{30, 90, []string{"deescalate:warning"}},
			{45, 50, []string{"resolve"}},
		}},
		{name: "clear: falls below the threshold, and holds until clear", edit: func(r *rules.RuleConfig) {
			r.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 80, Clear: 70}, "critical": {Above: 95, Clear: 85}}
		}, steps: []machineStep{
			{0, 96, []string{"fire:critical"}},
			{15, 90, nil},
			{30, 85, []string{"deescalate:warning"}},
			{45, 71, nil},
			{60, 96, []string{"escalate:critical"}},
			{75, 70, []string{"resolve"}},
		}},
		{name: "keep_firing_for: the recovery must last", edit: func(r *rules.RuleConfig) { r.KeepFiringFor = &minute }, steps: []machineStep{
			{0, 81, []string{"fire:warning"}},
			{15, 10, nil},
			{60, 10, nil},
			{65, 90, nil},
			{80, 10, nil},
			{125, 10, nil},
			{140, 10, []string{"resolve"}},
		}},
		{name: "critical waits its own for while the warning fires", edit: func(r *rules.RuleConfig) {
			r.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 80}, "critical": {Above: 95, For: &minute}}
		}, steps: []machineStep{
			{0, 96, []string{"fire:warning"}}, {30, 96, nil}, {60, 96, []string{"escalate:critical"}}, {75, 50, []string{"resolve"}},
		}},
		{name: "hysteresis stands in for clear", edit: func(r *rules.RuleConfig) { r.Hysteresis = new(0.1) }, steps: []machineStep{
			{0, 81, []string{"fire:warning"}}, {15, 73, nil}, {30, 72, []string{"resolve"}},
		}},
		{name: "below", edit: func(r *rules.RuleConfig) {
			r.Thresholds = map[string]rules.LevelConfig{"warning": {Below: 20, Clear: 25}, "critical": {Below: 5}}
		}, steps: []machineStep{
			{0, 20, nil},
			{15, 19, []string{"fire:warning"}},
			{30, 4, []string{"escalate:critical"}},
			{45, 24, []string{"deescalate:warning"}},
			{60, 25, []string{"resolve"}},
		}},
		{name: "outside", edit: func(r *rules.RuleConfig) {
			r.Thresholds = map[string]rules.LevelConfig{"warning": {Outside: []any{10, 20}}, "critical": {Outside: []any{5, 25}}}
		}, steps: []machineStep{
			{0, 20, nil}, {15, 21, []string{"fire:warning"}}, {30, 4, []string{"escalate:critical"}}, {45, 10, []string{"resolve"}},
		}},
		{name: "inside", edit: func(r *rules.RuleConfig) {
			r.Thresholds = map[string]rules.LevelConfig{"warning": {Inside: []any{10, 20}, Clear: []any{8, 22}}}
		}, steps: []machineStep{
			{0, 9, nil}, {15, 10, []string{"fire:warning"}}, {30, 9, nil}, {45, 7, []string{"resolve"}},
		}},
		{name: "infinity compares like any number", steps: []machineStep{
			{0, math.Inf(1), []string{"fire:critical"}}, {15, 10, []string{"resolve"}},
		}},
		{name: "scale and offset: used is one minus idle", edit: func(r *rules.RuleConfig) {
			r.Scale, r.Offset = new(-1.0), 100
		}, steps: []machineStep{
			{0, 30, nil}, {15, 4, []string{"fire:critical"}}, {30, 50, []string{"resolve"}},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(c.edit), nil)
			for _, s := range c.steps {
				if s.v == none {
					r.engine.Evaluate(at(s.s))
				} else {
					r.step(s.s, s.v)
				}
				require.Equal(t, s.want, r.transitions(), "at %vs", s.s)
			}
		})
	}
}

func TestMissingTimeDoesNotCount(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For, rc.Lookback = new(2*time.Minute), "30s" }), nil)
	r.step(0, 90)
	r.step(15, 90) // Current until 45s.
	r.engine.Evaluate(at(60))
	r.step(135, 90) // 90 s were missing: 135−90 is 45 s of the two minutes.
	assert.Empty(t, r.transitions())
	for s := 150.0; s < 210; s += 15 {
		r.step(s, 90)
		assert.Empty(t, r.transitions(), "at %vs", s)
	}
	r.step(210, 90)
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

func TestHeldValue(t *testing.T) {
	t.Parallel()
	t.Run("explicit lookback: every evaluation counts, as in Prometheus", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For, rc.Lookback = new(30*time.Second), "5m" }), nil)
		r.step(0, 90)
		r.engine.Evaluate(at(15))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(30))
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
	t.Run("auto lookback: the sample that is due decides, not the tick before it", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For = new(30 * time.Second) }), nil)
		r.step(0, 10)
		r.step(60, 10)
		r.step(120, 90)
		r.engine.Evaluate(at(150))
		r.engine.Evaluate(at(179))
		assert.Empty(t, r.transitions())
		r.step(180, 10)
		assert.Empty(t, r.transitions())
	})
	t.Run("auto lookback: an overdue sample leaves the held value in charge", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For = new(30 * time.Second) }), nil)
		r.step(0, 10)
		r.step(60, 10)
		r.step(120, 90)
		r.engine.Evaluate(at(215))
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
}

func TestNoData(t *testing.T) {
	t.Parallel()
	rule := func(action string, edit func(*rules.RuleConfig)) []rules.RuleConfig {
		return ladderRule(func(rc *rules.RuleConfig) {
			rc.Lookback, rc.NoData = "1m", &rules.NoDataConfig{After: 2 * time.Minute, Action: action}
			if edit != nil {
				edit(rc)
			}
		})
	}
	t.Run("keep: firing=>no_data=>firing, said once each", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("keep", nil), nil)
		r.step(0, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		for s := 15.0; s < 120; s += 15 {
			r.engine.Evaluate(at(s))
		}
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(120))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionNoData, events[0].Transition)
		assert.Equal(t, alertschema.StateNoData, events[0].State)
		assert.Equal(t, alertschema.StateFiring, events[0].Previous)
		assert.Equal(t, alertschema.ReasonNoData, events[0].Reason)
		r.engine.Evaluate(at(135))
		assert.Empty(t, r.transitions())
		r.step(150, 91)
		assert.Equal(t, []string{"data_back:warning"}, r.transitions())
	})
	t.Run("keep: back with a good value is a resolve alone", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("keep", nil), nil)
		r.step(0, 90)
		r.engine.Evaluate(at(120))
		assert.Equal(t, []string{"fire:warning", "no_data:warning"}, r.transitions())
		r.step(150, 9)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
		assert.Equal(t, alertschema.StateNoData, events[0].Previous)
	})
	t.Run("keep: pending ends silently", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("keep", func(rc *rules.RuleConfig) { rc.For = new(5 * time.Minute) }), nil)
		r.step(0, 90)
		r.engine.Evaluate(at(120))
		assert.Zero(t, r.engine.Stats(at(120)).Alerts)
		assert.Empty(t, r.transitions())
	})
	t.Run("resolve: reason stale, after keep_firing_for", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("resolve", func(rc *rules.RuleConfig) { rc.KeepFiringFor = new(30 * time.Second) }), nil)
		r.step(0, 90)
		r.engine.Evaluate(at(120))
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		r.engine.Evaluate(at(150))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
		assert.Equal(t, alertschema.ReasonStale, events[0].Reason)
	})
	t.Run("ok: closes at once, whatever keep_firing_for says", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("close", func(rc *rules.RuleConfig) { rc.KeepFiringFor = new(time.Hour) }), nil)
		r.step(0, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		r.engine.Evaluate(at(120))
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("alert: inactive=>firing=>resolved", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("alert", nil), nil)
		r.step(0, 10)
		r.engine.Evaluate(at(120))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionFire, events[0].Transition)
		assert.Equal(t, alertschema.ReasonNoData, events[0].Reason)
		assert.False(t, events[0].Value.Valid)
		r.engine.Evaluate(at(3600)) // Silence is the condition itself, so it does not go stale.
		assert.Empty(t, r.transitions())
		r.step(3615, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("a marker ends the value at once", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("resolve", func(rc *rules.RuleConfig) { rc.NoData.After = time.Minute }), nil)
		r.step(0, 90)
		r.drain()
		r.observe(15, point{s: 15, noValue: true})
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("NaN is missing, and counted", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("keep", nil), nil)
		r.step(0, 90)
		r.drain()
		r.step(15, math.NaN())
		r.step(30, math.NaN())
		assert.Empty(t, r.transitions())
		assert.EqualValues(t, 2, r.engine.Stats(at(30)).SamplesIgnored["nan"])
	})
	t.Run("a forgotten series closes its alert with reason stale", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule("keep", nil), nil)
		r.step(0, 90)
		r.engine.Evaluate(at(120))
		r.drain()
		r.engine.Evaluate(at(901))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
		assert.Equal(t, alertschema.ReasonStale, events[0].Reason)
		r.engine.Evaluate(at(1600))
		r.engine.Evaluate(at(1615))
		stats := r.engine.Stats(at(1615))
		assert.Zero(t, stats.Series)
		assert.Zero(t, stats.Groups)
		assert.Zero(t, stats.Alerts)
	})
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	rule := func(expect bool) []rules.RuleConfig {
		return []rules.RuleConfig{{
			Name: "postgres_gone", Metric: "process.cpu.time", Severity: "critical",
			Match:  map[string]any{"resource": map[string]any{"process.executable.name": "postgres"}},
			Absent: &rules.AbsentConfig{For: time.Minute, Expect: expect},
		}}
	}
	postgres := []attr.Attr{attr.String("process.executable.name", "postgres"), attr.Int("process.pid", 7)}
	t.Run("seen=>gone=>fire=>back under another pid=>resolve", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(false), nil)
		r.origin.Resource = postgres
		r.step(0, 1)
		r.engine.Evaluate(at(59))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(60))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.ReasonAbsent, events[0].Reason)
		assert.Equal(t, "absent", events[0].Comparison)
		assert.Equal(t, "postgres_gone postgres: no process.cpu.time for 1m", events[0].Body)
		r.engine.Evaluate(at(4000))
		assert.Empty(t, r.transitions())
		r.origin.Reset()
		r.origin.Resource = []attr.Attr{attr.String("process.executable.name", "postgres"), attr.Int("process.pid", 9)}
		r.step(4010, 1)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("never seen and not expected: no word", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(false), nil)
		r.engine.Evaluate(at(10000))
		assert.Empty(t, r.transitions())
	})
	t.Run("never seen but expected: fires after the grace", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(true), nil)
		r.engine.Evaluate(at(119))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(120))
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
	})
}

func TestSamplesOutOfOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "max" }), nil)
	r.observe(300, point{s: 300, v: 1})
	r.observe(300, point{s: 300, v: 99}) // Duplicate: the first one stands.
	r.observe(300, point{s: 361, v: 99}) // More than a minute ahead.
	r.observe(300, point{s: -1, v: 99})  // Older than five minutes.
	r.observe(300, point{s: 230, v: 99}) // Late, and outside the window.
	assert.Empty(t, r.transitions())
	ignored := r.engine.Stats(at(300)).SamplesIgnored
	assert.EqualValues(t, 1, ignored["duplicate"])
	assert.EqualValues(t, 1, ignored["future"])
	assert.EqualValues(t, 2, ignored["late"])

	r.observe(300, point{s: 290, v: 99}) // Late but inside: counted from the next evaluation on.
	assert.Empty(t, r.transitions())
	r.observe(315, point{s: 315, v: 1})
	assert.Equal(t, []string{"fire:critical"}, r.transitions())
}

func TestOneBatchWithSeveralTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For = new(30 * time.Second) }), nil)
	r.observe(60, point{s: 15, v: 90}, point{s: 30, v: 90}, point{s: 45, v: 90}, point{s: 60, v: 90})
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, at(45).UnixNano(), events[0].Time, "fires at the sample that completes the 30 s")
}

func TestSplitBatchGivesNoPartialSum(t *testing.T) {
	t.Parallel()
	ruleSet := []rules.RuleConfig{{Name: "total", Metric: "m", GroupAggregate: "sum", Severity: "warning", LevelConfig: rules.LevelConfig{Below: 100}}}
	r := newRig(t, ruleSet, nil)
	a, b := disk("/a"), disk("/b")
	r.observe(0, point{s: 0, v: 60, attrs: a})
	r.observe(0.1, point{s: 0, v: 60, attrs: b})
	r.engine.Evaluate(at(1))
	assert.Empty(t, r.transitions())
	for s := 15.0; s <= 60; s += 15 {
		r.observe(s, point{s: s, v: 60, attrs: a}) // The half alone would be below 100.
		r.observe(s+0.1, point{s: s, v: 60, attrs: b})
		assert.Empty(t, r.transitions())
	}
	r.observe(75, point{s: 75, v: 30, attrs: a})
	assert.Empty(t, r.transitions())
	r.observe(75.1, point{s: 75, v: 30, attrs: b})
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
	r.observe(90, point{s: 90, v: 70, attrs: a})
	r.engine.Evaluate(at(95)) // The tick does not wait: 70 and the held 30.
	assert.Equal(t, []string{"resolve"}, r.transitions())
}
