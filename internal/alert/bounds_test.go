package alert

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// limited is a rule on m above shares of the metric limit.
func limited(edit func(*rules.RuleConfig)) []rules.RuleConfig {
	share := func(s float64) map[string]any { return map[string]any{"metric": "limit", "scale": s} }
	rc := rules.RuleConfig{
		Name: "traffic", Metric: "m", Flapping: &rules.FlappingConfig{Enabled: new(bool)},
		Thresholds: map[string]rules.LevelConfig{"warning": {Above: share(0.8), Clear: map[string]any{"scale": 0.7}}, "critical": {Above: share(0.9)}},
	}
	if edit != nil {
		edit(&rc)
	}
	return []rules.RuleConfig{rc}
}

// against feeds the value and its limit, and lets time do its work.
func (r *rig) against(s, v, limit float64) {
	r.t.Helper()
	r.on("limit", s, point{s: s, v: limit})
	r.step(s, v)
}

func TestABoundThatIsAnotherMetric(t *testing.T) {
	t.Parallel()
	t.Run("moves with it, and so does clear", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, limited(nil), nil)
		r.against(0, 85, 100)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		r.against(15, 85, 94) // 0.904 of it.
		assert.Equal(t, []string{"escalate critical threshold"}, r.said())
		r.against(30, 85, 110) // 0.77: a warning that holds.
		assert.Equal(t, []string{"deescalate warning threshold"}, r.said())
		r.against(45, 85, 121)
		assert.Empty(t, r.said(), "0.702 is not clear of 0.7")
		r.against(60, 85, 122)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("an unknown one says nothing, and breaches nothing", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, limited(func(rc *rules.RuleConfig) { rc.For, rc.Lookback = new(30*time.Second), "30s" }), nil)
		r.step(0, 1e9)
		r.step(15, 1e9)
		assert.Empty(t, r.said(), "never seen")
		r.against(30, 95, 100)
		for s := 45.0; s <= 120; s += 15 { // The limit holds until 60.
			r.step(s, 95)
			require.Empty(t, r.said(), "at %vs", s)
		}
		r.against(135, 95, 100) // The time without a limit does not count.
		assert.Equal(t, []string{"fire critical threshold"}, r.said())
		r.step(150, 95)
		for s := 165.0; s < 435; s += 15 {
			r.step(s, 1)
			require.Empty(t, r.said(), "no cure at %vs", s)
		}
		r.step(435, 1)
		assert.Equal(t, []string{"no_data critical no_data"}, r.said())
		r.against(450, 95, 100)
		assert.Equal(t, []string{"data_back critical threshold"}, r.said())
	})
	t.Run("a marker or NaN of it is no value", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, limited(nil), nil)
		r.against(0, 10, 100)
		r.on("limit", 15, point{s: 15, noValue: true})
		r.step(15, 1e9)
		assert.Empty(t, r.said())
	})
	t.Run("belongs to the same group", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, limited(nil), nil)
		r.on("limit", 0, point{s: 0, v: 100, attrs: disk("a")}, point{s: 0, v: 1000, attrs: disk("b")})
		r.observe(0, point{s: 0, v: 95, attrs: disk("a")}, point{s: 0, v: 95, attrs: disk("b")}, point{s: 0, v: 95, attrs: disk("c")})
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, "a", events[0].Group[0].Value.AsString())
		assert.InDelta(t, 90, events[0].Threshold.Float64, 1e-9)
		assert.Equal(t, "traffic a on db1: m is 95 (> 90 = 0.9 × limit)", events[0].Body)
	})
	t.Run("several of one group are an error, unless they are joined", func(t *testing.T) {
		t.Parallel()
		two := func(r *rig) {
			r.on("limit", 0, point{s: 0, v: 100, attrs: disk("a")}, point{s: 0, v: 60, attrs: disk("b")})
			r.observe(0, point{s: 0, v: 70, attrs: disk("a")})
			r.engine.Evaluate(at(0))
		}
		byHost := func(extra map[string]any) []rules.RuleConfig {
			return limited(func(rc *rules.RuleConfig) {
				rc.GroupBy = []string{"resource.host.name"}
				above := map[string]any{"metric": "limit"}
				maps.Copy(above, extra)
				rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: above}}
			})
		}
		r := newRig(t, byHost(nil), nil)
		two(r)
		assert.Equal(t, []string{"alert.rule_error"}, r.transitions())
		r = newRig(t, byHost(map[string]any{"group_aggregate": "min"}), nil)
		two(r)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		r = newRig(t, byHost(map[string]any{"group_aggregate": "sum"}), nil)
		two(r)
		assert.Empty(t, r.transitions())
	})
	t.Run("two-sided", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, limited(func(rc *rules.RuleConfig) {
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Outside: []any{
				map[string]any{"metric": "limit", "offset": -10}, map[string]any{"metric": "limit", "offset": 10},
			}}}
		}), nil)
		r.against(0, 55, 50)
		assert.Empty(t, r.said())
		r.against(15, 55, 40)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		r.against(30, 55, 66)
		assert.Empty(t, r.said(), "below now")
		r.against(45, 55, 60)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("hysteresis is of the moved bound", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, limited(func(rc *rules.RuleConfig) {
			rc.Hysteresis = new(0.1)
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: map[string]any{"metric": "limit"}}}
		}), nil)
		r.against(0, 101, 100)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		r.against(15, 181, 200)
		assert.Empty(t, r.said())
		r.against(30, 179, 200)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
}

// Bounds are converted to the unit of the value, whichever of the two comes first.
func TestUnitsOfABoundThatIsAnotherMetric(t *testing.T) {
	t.Parallel()
	feed := func(r *rig, limitFirst bool, valueUnit, limitUnit string, v, limit float64) {
		value := func() { r.unit = valueUnit; r.observe(0, point{s: 0, v: v}) }
		other := func() { r.unit = limitUnit; r.on("limit", 0, point{s: 0, v: limit}) }
		if limitFirst {
			other()
			value()
		} else {
			value()
			other()
		}
		r.engine.Evaluate(at(0))
		r.unit = valueUnit
		r.observe(15, point{s: 15, v: v})
	}
	for _, limitFirst := range []bool{true, false} {
		r := newRig(t, limited(nil), nil)
		feed(r, limitFirst, "By/s", "Mbit/s", 120e6, 1000)
		events := r.drain()
		require.Len(t, events, 1)
		assert.InDelta(t, 0.9*125e6, events[0].Threshold.Float64, 1e-6)
		assert.Equal(t, "traffic on db1: m is 114.4 MiB/s (> 107.3 MiB/s = 0.9 × limit)", events[0].Body)

		r = newRig(t, limited(nil), nil)
		feed(r, limitFirst, "By", "s", 1e9, 1)
		events = r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.KindRuleError, events[0].Kind)
		assert.Equal(t, `rule "traffic": threshold limit: unit "s" can't be converted to "By"`, events[0].Body)
	}
	// A rate of bytes is compared with bytes a second.
	r := newRig(t, limited(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "rate" }), nil)
	feed(r, true, "By", "Mbit/s", 0, 1000)
	assert.Empty(t, r.drain())
}

// A bound that is read has the unit of what it is read from, so that hosts of several units are told nothing; one of an attribute without a unit has none.
func TestBoundsThatAreReadOfSeveralUnits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		level rules.LevelConfig
		told  bool
	}{
		"above":              {rules.LevelConfig{Above: map[string]any{"metric": "limit", "scale": 0.8}}, false},
		"below":              {rules.LevelConfig{Below: map[string]any{"metric": "limit"}}, false},
		"from 0":             {rules.LevelConfig{Outside: []any{0, map[string]any{"metric": "limit"}}}, false},
		"from a bare number": {rules.LevelConfig{Outside: []any{5, map[string]any{"metric": "limit"}}}, true},
		"to a bare number":   {rules.LevelConfig{Outside: []any{0, 5}}, true},
		"attribute":          {rules.LevelConfig{Above: map[string]any{"attribute": "limit", "unit": "By"}}, false},
		"attribute, bare":    {rules.LevelConfig{Above: map[string]any{"attribute": "limit"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Thresholds: map[string]rules.LevelConfig{"warning": c.level}}}, nil)
			for s := 0.0; s <= 30; s += 15 {
				r.from("a", "KiBy", s, 9)
				r.from("b", "By", s, 9216)
			}
			var told []string
			for _, ev := range r.drain() {
				if ev.Kind == alertschema.KindRuleError {
					told = append(told, ev.Body)
				}
			}
			assert.Equal(t, c.told, len(told) > 0, "%v", told)
		})
	}
}

func speed(name string, v int64) []attr.Attr { return append(disk(name), attr.Int("speed", v)) }

// An attribute of data points is compared with each series of its own, and does not distinguish alerts.
func TestABoundThatIsAnAttribute(t *testing.T) {
	t.Parallel()
	rule := func(edit func(*rules.RuleConfig)) []rules.RuleConfig {
		return limited(func(rc *rules.RuleConfig) {
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: map[string]any{"attribute": "speed", "unit": "Mbit/s", "scale": "90%"}}}
			if edit != nil {
				edit(rc)
			}
		})
	}
	t.Run("of the point, with a unit", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(nil), nil)
		r.unit = "By/s"
		r.observe(0, point{s: 0, v: 120e6, attrs: speed("eth0", 1000)}, point{s: 0, v: 120e6, attrs: speed("eth1", 10000)},
			point{s: 0, v: 1e12, attrs: speed("tun0", -1)}, point{s: 0, v: 1e12, attrs: disk("lo")})
		r.engine.Evaluate(at(0))
		events := r.drain()
		require.Len(t, events, 1, "unknown speeds say nothing")
		assert.Equal(t, []attr.Attr{attr.String("mountpoint", "eth0")}, events[0].Group)
		assert.InDelta(t, 0.9*125e6, events[0].Threshold.Float64, 1e-6)
		assert.Equal(t, "traffic eth0 on db1: m is 114.4 MiB/s (> 107.3 MiB/s = 0.9 × speed)", events[0].Body)
		// The link has been replaced by a faster one: the same alert, and it is over.
		r.observe(15, point{s: 15, v: 130e6, attrs: speed("eth0", 10000)}, point{s: 15, noValue: true, attrs: speed("eth0", 1000)})
		r.engine.Evaluate(at(15))
		again := r.drain()
		require.Len(t, again, 1)
		assert.Equal(t, events[0].AlertID, again[0].AlertID)
		assert.Equal(t, alertschema.TransitionResolve, again[0].Transition)
	})
	t.Run("a slower link is not held against what the faster one carried", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(nil), nil)
		r.unit = "By/s"
		r.observe(0, point{s: 0, v: 100e6, attrs: speed("eth0", 1000)})
		r.observe(15, point{s: 15, v: 1e6, attrs: speed("eth0", 100)}) // The series of before still counts as current.
		r.engine.Evaluate(at(15))
		assert.Empty(t, r.said())
		r.observe(30, point{s: 30, v: 12e6, attrs: speed("eth0", 100)})
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
	t.Run("of the resource", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(func(rc *rules.RuleConfig) {
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: map[string]any{"attribute": "resource.fd.limit", "scale": 0.8}}}
		}), nil)
		r.unit = "{fd}"
		r.step(0, 900)
		assert.Empty(t, r.said())
		r = newRig(t, r.cfg.Rules, nil)
		r.unit = "{fd}"
		r.origin.Resource = append(r.origin.Resource, attr.String("fd.limit", "1024"))
		r.step(0, 819)
		assert.Empty(t, r.said())
		r.step(15, 820)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
	t.Run("of a group whose series are joined", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(func(rc *rules.RuleConfig) {
			rc.GroupBy, rc.GroupAggregate = []string{"resource.host.name"}, "sum"
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: map[string]any{"attribute": "speed", "group_aggregate": "sum"}}}
		}), nil)
		r.observe(0, point{s: 0, v: 60, attrs: speed("a", 50)}, point{s: 0, v: 60, attrs: speed("b", 71)})
		r.engine.Evaluate(at(0))
		assert.Empty(t, r.said(), "120 of 121")
		r.observe(15, point{s: 15, v: 60, attrs: speed("a", 50)}, point{s: 15, v: 62, attrs: speed("b", 71)})
		r.engine.Evaluate(at(15))
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
}

// The series that is deepest beyond its own bound decides: a level is in force when any series breaches its own bound, and stays until all are clear.
func TestEachSeriesHasItsOwnBound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		above := rng.IntN(2) == 0
		scales, clears := []float64{1, 1.2}, []float64{0.9, 1.08}
		if !above {
			scales, clears = []float64{1, 0.8}, []float64{1.1, 0.88}
		}
		levels := map[string]rules.LevelConfig{}
		for i, name := range []string{"warning", "critical"} {
			l := rules.LevelConfig{Clear: map[string]any{"scale": clears[i]}}
			if bound := any(map[string]any{"attribute": "speed", "scale": scales[i]}); above {
				l.Above = bound
			} else {
				l.Below = bound
			}
			levels[name] = l
		}
		r := newRig(t, []rules.RuleConfig{{
			Name: "joined", Metric: "m", GroupBy: []string{"resource.host.name"}, Thresholds: levels, Flapping: &rules.FlappingConfig{Enabled: new(bool)},
		}}, nil)
		var bounds []int64
		for range 1 + rng.IntN(4) {
			bounds = append(bounds, int64(50+rng.IntN(50)))
		}
		level := 0
		for s := 0.0; s < 600; s += 15 {
			var points []point
			for i, b := range bounds {
				points = append(points, point{s: s, v: float64(b) * (0.6 + rng.Float64()*0.8), attrs: speed(fmt.Sprint(i), b)})
			}
			anyBeyond := func(scale float64) bool {
				for i, p := range points {
					if bound := scale * float64(bounds[i]); above && p.v > bound || !above && p.v < bound {
						return true
					}
				}
				return false
			}
			expected := 0
			for i := range scales {
				if anyBeyond(scales[i]) || i < level && anyBeyond(clears[i]) {
					expected = i + 1
				}
			}
			r.observe(s, points...)
			r.engine.Evaluate(at(s))
			level = 0
			for _, a := range r.engine.Active() {
				level = map[string]int{"warning": 1, "critical": 2}[a.Severity]
			}
			require.Equal(t, expected, level, "at %vs", s)
		}
	}
}

func TestThresholdsByGroup(t *testing.T) {
	t.Parallel()
	rule := ladderRule(func(rc *rules.RuleConfig) {
		rc.ThresholdsBy = &rules.ThresholdsByConfig{Attribute: "mountpoint", Groups: []rules.GroupThresholdsConfig{
			{Match: "/data", Thresholds: map[string]any{"warning": 95, "critical": "off"}},
			{Match: map[string]any{"glob": "/var/*"}, Thresholds: map[string]any{"warning": 70}},
			{Match: map[string]any{"regex": "/mnt/.*"}, Thresholds: "off"},
		}}
	})
	r := newRig(t, rule, nil)
	all := func(s, v float64) map[string]string {
		var points []point
		for _, name := range []string{"/", "/data", "/var/log", "/mnt/cd"} {
			points = append(points, point{s: s, v: v, attrs: disk(name)})
		}
		r.observe(s, points...)
		r.engine.Evaluate(at(s))
		out := map[string]string{}
		for _, ev := range r.drain() {
			out[ev.Group[0].Value.AsString()] = fmt.Sprintf("%s %s %v", ev.Transition, ev.Severity, ev.Threshold.Float64)
		}
		return out
	}
	assert.Equal(t, map[string]string{"/var/log": "fire warning 70"}, all(0, 75))
	assert.Equal(t, map[string]string{"/": "fire warning 80"}, all(15, 90))
	assert.Equal(t, map[string]string{"/": "escalate critical 95", "/var/log": "escalate critical 95", "/data": "fire warning 95"}, all(30, 99))
	assert.Equal(t, map[string]string{"/": "resolve critical 80", "/var/log": "deescalate warning 70", "/data": "resolve warning 95"}, all(45, 72))
	assert.Equal(t, map[string]string{"/var/log": "resolve warning 70"}, all(60, 10))
	assert.Empty(t, r.engine.states[0].bounds.last[nil])
}

// The bounds of an alert are known for its records after a restart, and a reload that turns its level off resolves it.
func TestBoundsOverARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, limited(nil), func(c *rules.Config) { c.Defaults.RepeatInterval = time.Hour })
	r.against(0, 95, 100)
	require.Equal(t, []string{"fire:critical"}, r.transitions())
	s := store{}
	s.write(r.engine.Snapshot(at(0)))
	r.restartFrom(s, 0, 30)
	r.engine.Evaluate(at(4000))
	events := r.drain()
	require.NotEmpty(t, events)
	for _, ev := range events {
		assert.True(t, ev.Threshold.Valid, ev.Body)
		expected := 90.0
		if ev.Transition == alertschema.TransitionResolve {
			expected = 70
		}
		assert.InDelta(t, expected, ev.Threshold.Float64, 1e-9, ev.Body)
	}

	r = newRig(t, ladderRule(nil), nil)
	r.observe(0, point{s: 0, v: 99, attrs: disk("/data")})
	require.Equal(t, []string{"fire:critical"}, r.transitions())
	s = store{}
	s.write(r.engine.Snapshot(at(0)))
	r.cfg.Rules[0].ThresholdsBy = &rules.ThresholdsByConfig{Attribute: "mountpoint", Groups: []rules.GroupThresholdsConfig{{Match: "/data", Thresholds: "off"}}}
	r.restartFrom(s, 0, 15)
	events = r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
	assert.Equal(t, alertschema.ReasonRuleChanged, events[0].Reason)
	r.observe(15, point{s: 15, v: 99, attrs: disk("/data")})
	assert.Empty(t, r.transitions())
}

// A rule whose bounds are all written has nothing of this.
func TestWrittenBoundsCostNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	r.step(0, 99)
	assert.Nil(t, r.engine.states[0].bounds)
	assert.Nil(t, r.engine.references)
	assert.Nil(t, r.engine.states[0].order[0].inputs)
}

// What is known of groups, series and alerts goes with them.
func TestBoundsAreForgotten(t *testing.T) {
	t.Parallel()
	rule := limited(func(rc *rules.RuleConfig) {
		rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: map[string]any{"attribute": "speed"}}}
		rc.ThresholdsBy = &rules.ThresholdsByConfig{Attribute: "mountpoint", Groups: []rules.GroupThresholdsConfig{{Match: "x", Thresholds: "off"}}}
	})
	r := newRig(t, rule, nil)
	r.observe(0, point{s: 0, v: 99, attrs: speed("a", 50)})
	b := r.engine.states[0].bounds
	assert.Len(t, b.attributes, 1)
	assert.Len(t, b.last, 1)
	for s := 0.0; s < 7200; s += 60 {
		r.engine.Evaluate(at(s))
	}
	assert.Empty(t, b.attributes)
	assert.Empty(t, b.last)
	assert.Empty(t, b.variantOf)
}
