package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// quorum is a rule that fires when fewer than two members of a pool are there.
func quorum(edit func(*rules.RuleConfig)) []rules.RuleConfig {
	rc := rules.RuleConfig{Name: "quorum", Metric: "m", GroupBy: []string{"pool"}, GroupAggregate: "count", Thresholds: map[string]rules.LevelConfig{
		"warning": {Below: 2},
	}}
	if edit != nil {
		edit(&rc)
	}
	return []rules.RuleConfig{rc}
}

func member(host string) []attr.Attr { return []attr.Attr{attr.String("host", host)} }

func (r *rig) ticks(from, to float64) {
	for s := from; s <= to; s += 15 {
		r.engine.Evaluate(at(s))
	}
}

// TestCountOfNone stops all members of a group at once: none of them is a number, with every policy, window and for, and it stays one when
// the series are forgotten.
func TestCountOfNone(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*rules.RuleConfig){
		"plain":    nil,
		"for":      func(rc *rules.RuleConfig) { rc.For = new(2 * time.Minute) },
		"window":   func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "avg" },
		"ladder":   func(rc *rules.RuleConfig) { rc.Thresholds["critical"] = rules.LevelConfig{Below: 1} },
		"close":    func(rc *rules.RuleConfig) { rc.NoData = &rules.NoDataConfig{Action: "close"} },
		"resolve":  func(rc *rules.RuleConfig) { rc.NoData = &rules.NoDataConfig{Action: "resolve"} },
		"lookback": func(rc *rules.RuleConfig) { rc.Lookback = "1m" },
		"inside": func(rc *rules.RuleConfig) {
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Inside: []any{0, 1}}}
		},
		"scaled": func(rc *rules.RuleConfig) {
			rc.Scale, rc.Offset, rc.Thresholds = new(-1.0), 3, map[string]rules.LevelConfig{"warning": {Above: 1}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, quorum(edit), nil)
			for s := 0.0; s <= 120; s += 15 {
				r.observe(s, point{s: s, v: 1, attrs: member("a")}, point{s: s, v: 1, attrs: member("b")})
				r.engine.Evaluate(at(s))
			}
			require.Empty(t, r.transitions())
			r.ticks(135, 420)
			events := r.drain()
			require.Len(t, events, 1)
			assert.Equal(t, "fire", events[0].Transition.String())
			if name != "scaled" {
				assert.InDelta(t, 0, events[0].Value.Float64, 0)
				assert.True(t, events[0].Value.Valid)
			}
			assert.NotEmpty(t, events[0].Resource, "of those that were there")
			r.ticks(435, 3600)
			assert.Empty(t, r.transitions(), "it stays what it is when the series are forgotten")
			for s := 3615.0; s <= 3660; s += 15 {
				r.observe(s, point{s: s, v: 1, attrs: member("a")}, point{s: s, v: 1, attrs: member("b")})
				r.engine.Evaluate(at(s))
			}
			if name != "window" {
				assert.Equal(t, []string{"resolve"}, r.transitions())
			}
		})
	}
}

func TestSumOfNoneIsNoData(t *testing.T) {
	t.Parallel()
	r := newRig(t, quorum(func(rc *rules.RuleConfig) { rc.GroupAggregate = "sum" }), nil)
	for s := 0.0; s <= 120; s += 15 {
		r.observe(s, point{s: s, v: 1, attrs: member("a")}, point{s: s, v: 1, attrs: member("b")})
		r.engine.Evaluate(at(s))
	}
	r.ticks(135, 600)
	assert.Empty(t, r.transitions())
}

func TestCountOfNoneAboveIsForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t, quorum(func(rc *rules.RuleConfig) { rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 1}} }), nil)
	for s := 0.0; s <= 30; s += 15 {
		r.observe(s, point{s: s, v: 1, attrs: member("a")}, point{s: s, v: 1, attrs: member("b")})
		r.engine.Evaluate(at(s))
	}
	require.Equal(t, []string{"fire:warning"}, r.transitions())
	r.ticks(45, 3600)
	assert.Equal(t, []string{"resolve"}, r.transitions())
	assert.Zero(t, r.engine.Stats(at(3600)).Groups)
}

// TestCountOfNoneAfterARestart restarts while all are there, and nothing comes any more: what was seen is stored.
func TestCountOfNoneAfterARestart(t *testing.T) {
	t.Parallel()
	feed := func(r *rig, from, to float64, members ...string) {
		for s := from; s <= to; s += 15 {
			for i, m := range members {
				when := s + float64(i) // Each comes at its own time.
				r.observe(when, point{s: when, v: 1, attrs: member(m)})
			}
			r.engine.Evaluate(at(s + 5))
		}
	}
	t.Run("nothing comes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, quorum(nil), nil)
		feed(r, 0, 60, "a", "b")
		r.restartFrom(store{}, 70, 1000)
		r.ticks(1000, 1290)
		assert.Empty(t, r.transitions(), "they may be on their way")
		r.ticks(1300, 1400)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
	t.Run("they come one by one", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, quorum(nil), nil)
		feed(r, 0, 60, "a", "b")
		r.restartFrom(store{}, 70, 1000)
		r.observe(1001, point{s: 1001, v: 1, attrs: member("a")})
		r.ticks(1005, 1050)
		r.observe(1059, point{s: 1059, v: 1, attrs: member("b")})
		r.ticks(1060, 1060)
		feed(r, 1061, 1200, "a", "b")
		assert.Empty(t, r.transitions())
	})
	t.Run("firing, and they come one by one", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, quorum(nil), nil)
		feed(r, 0, 60, "a", "b")
		feed(r, 75, 300, "a")
		require.Equal(t, []string{"fire:warning"}, r.transitions())
		r.restartFrom(store{}, 310, 1000)
		feed(r, 1001, 1100, "a")
		assert.Empty(t, r.transitions(), "one of two is what it was")
		feed(r, 1106, 1180, "a", "b")
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
}

// TestGroupsThatGather starts the engine, and the members of a group come one by one within their interval.
func TestGroupsThatGather(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		agg    string
		level  rules.LevelConfig
		values []float64
		fires  bool
	}{
		{"sum", rules.LevelConfig{Below: 250}, []float64{100, 100, 100}, false},
		{"sum", rules.LevelConfig{Above: 250}, []float64{100, 100, 100}, true},
		{"sum", rules.LevelConfig{Above: 50}, []float64{100, 100, -200}, false},
		{"count", rules.LevelConfig{Below: 3}, []float64{1, 1, 1}, false},
		{"count", rules.LevelConfig{Above: 2}, []float64{1, 1, 1}, true},
		{"count", rules.LevelConfig{Outside: []any{3, 9}}, []float64{1, 1, 1}, false},
		{"count", rules.LevelConfig{Inside: []any{1, 2}}, []float64{1, 1, 1}, false},
		{"max", rules.LevelConfig{Below: 50}, []float64{1, 1, 60}, false},
		{"min", rules.LevelConfig{Above: 50}, []float64{60, 60, 1}, false},
	} {
		r := newRig(t, []rules.RuleConfig{{
			Name: "r", Metric: "m", GroupBy: []string{}, GroupAggregate: c.agg, Thresholds: map[string]rules.LevelConfig{"warning": c.level},
		}}, nil)
		for s := 0.0; s < 300; s += 5 {
			if i := int(s/20) % 3; int(s)%20 == 0 { // Each comes once a minute.
				r.observe(s, point{s: s, v: c.values[i], attrs: member(string(rune('a' + i)))})
			}
			r.engine.Evaluate(at(s))
		}
		want := []string(nil)
		if c.fires {
			want = []string{"fire:warning"}
		}
		if c.agg == "sum" && c.values[2] < 0 {
			continue // Between the samples of one minute and the next a sum of both signs is anything.
		}
		assert.Equal(t, want, r.transitions(), "%s %v", c.agg, c.level)
	}
}

// TestCounterBornInTheWindow has the one error that a counter was born with: it counts as one when the start says that it began at zero.
func TestCounterBornInTheWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		start float64
		want  []string
	}{
		{"true start", 590, []string{"fire:warning"}},
		{"no start", 0, nil},
		{"own time, so not known", 600, nil},
		{"long ago", -9000, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, []rules.RuleConfig{{Name: "errors", Metric: "m", Window: 5 * time.Minute, Aggregate: "increase", Threshold: 0, Severity: "warning"}}, nil)
			r.kind = window.CumulativeCounter
			for s := 600.0; s <= 660; s += 15 {
				r.observe(s, point{s: s, v: 1, start: c.start})
			}
			assert.Equal(t, c.want, r.transitions())
		})
	}
}
