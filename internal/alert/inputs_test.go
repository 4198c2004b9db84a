package alert

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/windowtest"
)

// on feeds points of another metric than the rig's own.
func (r *rig) on(metric string, now float64, points ...point) {
	r.t.Helper()
	own := r.metric
	r.metric = metric
	r.observe(now, points...)
	r.metric = own
}

// said drains the events and returns transition, level and reason of each.
func (r *rig) said() []string {
	var out []string
	for _, ev := range r.drain() {
		out = append(out, fmt.Sprintf("%s %s %s", ev.Transition, ev.Severity, ev.Reason))
	}
	return out
}

// guarded is a ladder on m that is in force only while c is above 60 %.
func guarded(edit func(*rules.RuleConfig)) []rules.RuleConfig {
	return ladderRule(func(rc *rules.RuleConfig) {
		rc.OnlyIf = &rules.ConditionConfig{Metric: "c", Above: "60%"}
		rc.Flapping = &rules.FlappingConfig{Enabled: new(bool)}
		if edit != nil {
			edit(rc)
		}
	})
}

func TestOnlyIf(t *testing.T) {
	t.Parallel()
	both := func(r *rig, s, v, c float64) {
		r.on("c", s, point{s: s, v: c})
		r.step(s, v)
	}
	t.Run("nothing fires while the condition is false or unknown", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(nil), nil)
		r.step(0, 99)
		assert.Empty(t, r.said(), "unknown")
		both(r, 15, 99, 0.6)
		assert.Empty(t, r.said(), "not above")
		both(r, 30, 99, 0.61)
		assert.Equal(t, []string{"fire critical threshold"}, r.said())
		both(r, 45, 90, 0.7)
		assert.Equal(t, []string{"deescalate warning threshold"}, r.said())
		both(r, 60, 9, 0.7)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("for begins when the condition does", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(func(rc *rules.RuleConfig) { rc.For = new(30 * time.Second) }), nil)
		both(r, 0, 90, 0.1)
		both(r, 15, 90, 0.9)
		both(r, 30, 90, 0.9)
		assert.Empty(t, r.said())
		both(r, 45, 90, 0.9)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
	t.Run("a condition that turns false is a cure, and keep_firing_for holds", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(func(rc *rules.RuleConfig) { rc.KeepFiringFor = new(30 * time.Second) }), nil)
		both(r, 0, 90, 0.9)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		both(r, 15, 90, 0.1)
		both(r, 30, 90, 0.1)
		assert.Empty(t, r.said())
		both(r, 45, 90, 0.1)
		assert.Equal(t, []string{"resolve warning only_if"}, r.said())
	})
	t.Run("a condition that is no longer known is no cure: no data", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(func(rc *rules.RuleConfig) { rc.Lookback = "1m" }), nil)
		both(r, 0, 90, 0.9)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		for s := 15.0; s < 300; s += 15 {
			r.step(s, 90)
			require.Empty(t, r.said(), "at %vs", s)
		}
		for s := 300.0; s < 375; s += 15 { // Held for a minute, and gone for five.
			r.step(s, 90)
		}
		assert.Equal(t, []string{"no_data warning no_data"}, r.said())
		both(r, 375, 90, 0.9)
		assert.Equal(t, []string{"data_back warning threshold"}, r.said())
		both(r, 390, 90, 0.1)
		assert.Equal(t, []string{"resolve warning only_if"}, r.said())
	})
	t.Run("time without knowing the condition does not count towards for", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(func(rc *rules.RuleConfig) { rc.For, rc.Lookback = new(60*time.Second), "20s" }), nil)
		both(r, 0, 90, 0.9)
		for s := 15.0; s <= 90; s += 15 {
			r.step(s, 90)
		}
		both(r, 105, 90, 0.9) // Known for 20 s of the 105.
		both(r, 120, 90, 0.9)
		both(r, 135, 90, 0.9)
		assert.Empty(t, r.said())
		both(r, 150, 90, 0.9)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
	t.Run("each group has a condition of its own, and one series that meets it is enough", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(func(rc *rules.RuleConfig) {
			rc.GroupBy = []string{"mountpoint"}
			rc.OnlyIf.Match = map[string]any{"state": "used"}
		}), nil)
		used := func(disk, part, state string) []attr.Attr {
			return []attr.Attr{attr.String("mountpoint", disk), attr.String("part", part), attr.String("state", state)}
		}
		r.on("c", 0, point{v: 0.1, attrs: used("/", "x", "used")}, point{v: 0.9, attrs: used("/", "y", "used")},
			point{v: 0.1, attrs: used("/home", "x", "used")}, point{v: 0.9, attrs: used("/home", "x", "free")})
		r.observe(0, point{v: 90, attrs: disk("/")}, point{v: 90, attrs: disk("/home")})
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, disk("/"), events[0].Group)
	})
	t.Run("the order within a round does not matter", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(nil), nil)
		r.engine.Begin(at(0))
		for _, x := range []struct {
			metric string
			v      float64
		}{{"m", 90}, {"c", 0.9}} {
			m := r.engine.Matcher(x.metric)
			require.True(t, m.Select(&r.origin, Stream{Unit: "1"}))
			m.Observe(&Point{Time: at(0).UnixNano(), Value: x.v})
		}
		r.engine.Flush(at(0))
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
	t.Run("firing=>restart: held until the condition is known again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(nil), nil)
		both(r, 0, 90, 0.9)
		r.drain()
		r.restartFrom(store{}, 10, 60)
		r.step(60, 90)
		r.step(75, 9)
		assert.Empty(t, r.said(), "what the rule compares with is not known")
		both(r, 90, 90, 0.1)
		assert.Equal(t, []string{"resolve warning only_if"}, r.said())
	})
	t.Run("firing=>restart: a condition that never comes again is no data", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(nil), nil)
		both(r, 0, 90, 0.9)
		r.drain()
		r.restartFrom(store{}, 10, 60)
		for s := 60.0; s < 360; s += 15 {
			r.step(s, 90)
			require.Empty(t, r.said(), "at %vs", s)
		}
		r.step(360, 90)
		assert.Equal(t, []string{"no_data warning no_data"}, r.said())
	})
	t.Run("a bound that does not fit the metric is said, and nothing fires", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(nil), nil)
		r.unit = "By"
		r.on("c", 0, point{v: 99})
		r.unit = "1"
		r.step(0, 99)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, `rule "load": metric c of host.name db1: threshold 60% needs a metric of unit "1" or "%", not "By"; what comes with other units is watched`, events[0].Body)
	})
	t.Run("on a statistic of a histogram", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(func(rc *rules.RuleConfig) { rc.OnlyIf.Statistic = "max" }), nil)
		r.metric = "c"
		r.distribution(0, window.DeltaCounter, windowtest.Exponential(8, 0, 0.1, 0.9))
		r.metric = "m"
		r.step(0, 90)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
	t.Run("on a histogram without saying which statistic", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(nil), nil)
		r.metric = "c"
		r.distribution(0, window.DeltaCounter, windowtest.Exponential(8, 0, 0.1, 0.9))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, `rule "load": metric c is an exponential histogram: set "only_if.statistic" to one of its statistics (min, max, avg, sum, count, pNN)`,
			events[0].Body)
	})
	t.Run("silent series are forgotten in every role", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, guarded(nil), nil)
		both(r, 0, 10, 0.9)
		assert.Equal(t, 2, r.engine.Stats(at(0)).Series)
		r.engine.Evaluate(at(901))
		r.engine.Evaluate(at(916))
		stats := r.engine.Stats(at(916))
		assert.Zero(t, stats.Series)
		assert.Zero(t, stats.Groups)
	})
}

func TestCompanionsHoldNoMoreThanTheyNeed(t *testing.T) {
	t.Parallel()
	ruleSet := guarded(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Hour, "avg" })
	ruleSet = append(ruleSet, rules.RuleConfig{
		Name: "share", Threshold: 1, Severity: "warning", Window: time.Minute, Aggregate: "avg",
		Ratio: &rules.RatioConfig{Numerator: rules.SelectorConfig{Metric: "m"}, Denominator: rules.SelectorConfig{Metric: "d"}},
	})
	r := newRig(t, ruleSet, nil)
	for s := 0.0; s < 3600; s += 15 {
		r.on("c", s, point{s: s, v: 0.9})
		r.on("d", s, point{s: s, v: 2})
		r.step(s, 1)
	}
	held := map[string]int{}
	for metric, m := range r.engine.matchers {
		for _, s := range m.series {
			held[metric] = s.Samples.Len()
		}
	}
	assert.Equal(t, map[string]int{"m": 240, "c": 1, "d": 5}, held)
}

func TestRatio(t *testing.T) {
	t.Parallel()
	rule := func(edit func(*rules.RuleConfig)) []rules.RuleConfig {
		rc := rules.RuleConfig{
			Name: "errors", GroupBy: []string{"mountpoint"},
			Ratio:      &rules.RatioConfig{Numerator: rules.SelectorConfig{Metric: "e"}, Denominator: rules.SelectorConfig{Metric: "p"}},
			Thresholds: map[string]rules.LevelConfig{"warning": {Above: "1%"}, "critical": {Above: "10%"}},
			Flapping:   &rules.FlappingConfig{Enabled: new(bool)},
		}
		if edit != nil {
			edit(&rc)
		}
		return []rules.RuleConfig{rc}
	}
	part := func(n int) []attr.Attr {
		return append(disk("/"), attr.Int("part", int64(n)))
	}
	failed := func(r *rig, s, n float64) {
		r.unit = "{error}"
		r.on("e", s, point{s: s, v: n, attrs: part(1)})
	}
	sent := func(r *rig, s, n float64) {
		r.unit = "{packet}"
		r.on("p", s, point{s: s, v: n, attrs: part(1)})
	}
	both := func(r *rig, s, e, p float64) {
		failed(r, s, e)
		sent(r, s, p)
		r.engine.Evaluate(at(s))
	}
	t.Run("the quotient is compared", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(nil), nil)
		both(r, 0, 5, 100)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, "errors /: e / p is 5.0% (> 1%)", events[0].Body)
		assert.Equal(t, "e / p", events[0].Metric)
		assert.Equal(t, "1", events[0].Unit)
		assert.Equal(t, attr.Number{Float64: 0.05, Valid: true}, events[0].Value)
		both(r, 15, 50, 100)
		assert.Equal(t, []string{"escalate critical threshold"}, r.said())
		both(r, 30, 1, 100)
		assert.Equal(t, []string{"resolve critical threshold"}, r.said())
	})
	t.Run("both sides are joined first, by the sum", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(nil), nil)
		r.on("e", 0, point{v: 1, attrs: part(1)}, point{v: 9, attrs: part(2)})
		r.on("p", 0, point{v: 10, attrs: part(1)}, point{v: 40, attrs: part(2)})
		r.engine.Evaluate(at(0))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, attr.Number{Float64: 0.2, Valid: true}, events[0].Value)
	})
	t.Run("over windows of counters", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "rate" }), nil)
		r.kind = window.CumulativeCounter
		for i := range 5 {
			both(r, float64(i*15), float64(1000+i), float64(5000+20*i))
		}
		events := r.drain()
		require.Len(t, events, 1)
		assert.InDelta(t, 0.05, events[0].Value.Float64, 1e-12)
	})
	t.Run("one round is not compared with half of another", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(nil), nil)
		both(r, 0, 0, 100)
		failed(r, 15, 2)
		assert.Empty(t, r.said(), "what it is divided by is still to come")
		sent(r, 15, 400)
		r.engine.Evaluate(at(15))
		assert.Empty(t, r.said())
		failed(r, 30, 20)
		sent(r, 30, 400)
		assert.Equal(t, []string{"fire warning threshold"}, r.said(), "without waiting for the tick")
	})
	t.Run("division by zero is no value: nothing fires, nothing resolves, and for long it is no data", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(nil), nil)
		both(r, 0, 5, 0)
		both(r, 15, 5, 100)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		for s := 30.0; s < 315; s += 15 {
			both(r, s, 0, 0)
			require.Empty(t, r.said(), "at %vs", s)
		}
		both(r, 315, 0, 0)
		assert.Equal(t, []string{"no_data warning no_data"}, r.said())
		both(r, 330, 0, 100)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("the divisor stops", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(func(rc *rules.RuleConfig) { rc.NoData = &rules.NoDataConfig{After: time.Minute, Action: "resolve"} }), nil)
		both(r, 0, 5, 100)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		for s := 15.0; s < 360 && r.engine.Pending() == 0; s += 15 {
			failed(r, s, 5)
			r.engine.Evaluate(at(s))
		}
		assert.Equal(t, []string{"resolve warning stale"}, r.said())
	})
	t.Run("by default a group is what both sides leave open", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(func(rc *rules.RuleConfig) {
			rc.GroupBy = nil
			rc.Ratio.Numerator = rules.SelectorConfig{Metric: "e", Match: map[string]any{"state": "used"}}
			rc.Ratio.Denominator = rules.SelectorConfig{Metric: "e", Match: map[string]any{"state": "free"}}
		}), nil)
		state := func(disk, state string) []attr.Attr {
			return []attr.Attr{attr.String("mountpoint", disk), attr.String("state", state)}
		}
		r.on("e", 0, point{v: 1, attrs: state("/", "used")}, point{v: 100, attrs: state("/", "free")},
			point{v: 9, attrs: state("/home", "used")}, point{v: 100, attrs: state("/home", "free")})
		r.engine.Evaluate(at(0))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, disk("/home"), events[0].Group)
	})
	t.Run("firing=>restart=>cured", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(nil), nil)
		both(r, 0, 5, 100)
		r.drain()
		r.restartFrom(store{}, 10, 60)
		both(r, 60, 5, 100)
		assert.Empty(t, r.said())
		both(r, 75, 0, 100)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("firing=>restart: a window that fills again is not no data", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 10*time.Minute, "avg" }), nil)
		for s := -600.0; s <= 0; s += 15 {
			both(r, s, 5, 100)
		}
		require.NotEmpty(t, r.said())
		r.restartFrom(store{}, 10, 60)
		for s := 60.0; s < 630; s += 15 {
			both(r, s, 0, 100)
			require.Empty(t, r.said(), "at %vs", s)
		}
		both(r, 660, 0, 100)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("with a condition", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(func(rc *rules.RuleConfig) { rc.OnlyIf = &rules.ConditionConfig{Metric: "p", Above: 1000} }), nil)
		both(r, 0, 5, 10)
		assert.Empty(t, r.said(), "half of ten packets prove nothing")
		both(r, 15, 500, 2000)
		assert.Equal(t, []string{"fire critical threshold"}, r.said())
	})
}

func TestConditionsThatNeverHoldAreNoticed(t *testing.T) {
	t.Parallel()
	r := newRig(t, guarded(func(rc *rules.RuleConfig) {
		rc.OnlyIf = &rules.ConditionConfig{Metric: "system.disk.utilization", Above: 60}
	}), nil)
	r.on("system.disk.utilization", 0, point{v: 0.9})
	assert.Equal(t, []string{`rule "load" never fires: only_if above 60 never holds, because system.disk.utilization is a ratio; did you mean 60%?`},
		r.engine.TakeNotices())
}

func TestRulesThatNeverSeeAllTheyNeedSaySo(t *testing.T) {
	t.Parallel()
	r := newRig(t, guarded(func(rc *rules.RuleConfig) { rc.GroupBy = []string{"mountpoint"} }), nil)
	for s := 0.0; s <= 600; s += 15 {
		r.on("c", s, point{s: s, v: 0.9})
		r.observe(s, point{s: s, v: 90, attrs: disk("/")})
		r.engine.Evaluate(at(s))
	}
	assert.Empty(t, r.said())
	assert.Equal(t, []string{`rule "load" has had no group with all that it looks at for 10m: check the other metric, and that group_by ` +
		`makes the same groups of both`}, r.engine.TakeNotices())
}
