package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// bodies plays values, one a minute, nil for none, and returns the bodies of the records that came.
func (r *rig) bodies(values ...any) []string {
	r.t.Helper()
	var out []string
	for i, v := range values {
		s := float64(60 * i)
		switch x := v.(type) {
		case float64:
			r.observe(s, point{s: s, v: x, attrs: []attr.Attr{attr.String("system.memory.state", "used")}})
		case int:
			r.observe(s, point{s: s, v: float64(x), attrs: []attr.Attr{attr.String("system.memory.state", "used")}})
		}
		r.engine.Evaluate(at(s))
		for _, ev := range r.drain() {
			out = append(out, ev.Body)
		}
	}
	return out
}

// Messages say what is true of the value at every transition, with templates of the preset as without any.
func TestMessagesAreTrueAtEveryTransition(t *testing.T) {
	t.Parallel()
	const n = "none"
	updown := []any{0.5, 0.9, 0.99, 0.93, 0.83, 0.7}
	memory := func(edit func(*rules.Config)) func(*testing.T) *rig {
		return func(t *testing.T) *rig {
			t.Helper()
			r := newRig(t, nil, func(c *rules.Config) {
				c.Preset = presetAtOnce()
				if edit != nil {
					edit(c)
				}
			})
			r.metric = "system.memory.utilization"
			return r
		}
	}
	plain := func(unit string, rc rules.RuleConfig, edit func(*rules.Config)) func(*testing.T) *rig {
		return func(t *testing.T) *rig {
			t.Helper()
			rc.Name, rc.Metric = "r", "m"
			r := newRig(t, []rules.RuleConfig{rc}, edit)
			r.unit = unit
			return r
		}
	}
	ladder := rules.RuleConfig{Thresholds: map[string]rules.LevelConfig{"warning": {Above: "80%", Clear: "70%"}, "critical": {Above: "95%", Clear: "85%"}}}
	for name, c := range map[string]struct {
		rig    func(*testing.T) *rig
		values []any
		want   []string
	}{
		"preset": {memory(nil), updown, []string{
			"memory on db1 is 90.0% used (> 85.0%)", "memory on db1 is 99.0% used (> 95.0%)",
			"memory on db1 is 83.0% used (≤ 85.0%, clears at ≤ 80.0%)",
			"resolved: memory on db1 is 70.0% used (≤ 80.0%) (was firing for 4m, worst: critical)",
		}},
		"preset at the bound": {memory(nil), []any{0.85001}, []string{"memory on db1 is 85.001% used (> 85.0%)"}},
		"preset without data": {memory(nil), []any{0.9, n, n, n, n, n, n, 0.83}, []string{
			"memory on db1 is 90.0% used (> 85.0%)", "no data, last: memory on db1 is 90.0% used (> 85.0%)",
			"data is back: memory on db1 is 83.0% used (≤ 85.0%, clears at ≤ 80.0%)",
		}},
		"preset that alerts on no data": {memory(func(c *rules.Config) { c.Defaults.NoData.Action = "alert" }), []any{0.5, n, n, n, n, n, n, 0.5}, []string{
			"no data: memory on db1 has no value", "resolved: memory on db1 is 50.0% used (≤ 80.0%) (was firing for 2m, worst: warning)",
		}},
		"preset gone stale": {memory(func(c *rules.Config) { c.Defaults.StaleSeriesAfter = 2 * time.Minute }), []any{0.9, n, n, n, n}, []string{
			"memory on db1 is 90.0% used (> 85.0%)", "resolved, no data any more, last: memory on db1 is 90.0% used (> 85.0%) (was firing for 2m, worst: warning)",
		}},
		"plain": {plain("1", ladder, nil), []any{0.9, 0.99, 0.75, 0.6}, []string{
			"r used on db1: m is 90.0% (> 80%)", "r used on db1: m is 99.0% (> 95%)", "r used on db1: m is 75.0% (≤ 80%, clears at ≤ 70%)",
			"resolved: r used on db1: m is 60.0% (≤ 70%) (was firing for 3m, worst: critical)",
		}},
		"repeated between bound and clear": {
			plain("1", ladder, func(c *rules.Config) { c.Defaults.RepeatInterval = 2 * time.Minute }),
			[]any{0.9, 0.75, 0.75},
			[]string{"r used on db1: m is 90.0% (> 80%)", "still firing for 2m: r used on db1: m is 75.0% (≤ 80%, clears at ≤ 70%)"},
		},
		"flapping": {
			plain("1", ladder, func(c *rules.Config) { c.Defaults.Flapping.Transitions = 3 }),
			[]any{0.9, 0.5, 0.9, 0.5},
			[]string{
				"r used on db1: m is 90.0% (> 80%)", "resolved: r used on db1: m is 50.0% (≤ 70%) (was firing for 1m, worst: warning)",
				"r used on db1: m is 90.0% (> 80%)",
				"flapping, changes are held back until it is stable for 10m: r used on db1: m is 50.0% (≤ 70%)",
			},
		},
		"increase": {
			plain("By", rules.RuleConfig{Window: 2 * time.Minute, Aggregate: "increase", Thresholds: map[string]rules.LevelConfig{"warning": {Above: "100MiB", Clear: "50MiB"}}}, nil),
			[]any{0, 0, 200 << 20, 270 << 20, 340 << 20, 340 << 20, 340 << 20},
			[]string{"r used on db1: m rose by 200.0 MiB in 2m (> 100MiB)", "resolved: r used on db1: m rose by 0 B in 2m (≤ 50MiB) (was firing for 4m)"},
		},
		"released from a silence between bound and clear": {
			plain("1", ladder, func(c *rules.Config) {
				c.Silences = []rules.SilenceConfig{{All: true, To: "2026-01-01T00:01:30Z"}}
			}),
			[]any{0.9, 0.75, 0.75},
			[]string{"r used on db1: m is 75.0% (≤ 80%, clears at ≤ 70%)"},
		},
		"absent": {
			plain("", rules.RuleConfig{Absent: &rules.AbsentConfig{For: 2 * time.Minute}, Severity: "critical"}, nil),
			[]any{1, n, n, n, 1},
			[]string{"r: no m for 2m", "resolved: r: m is there again (was firing for 2m)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.rig(t).bodies(c.values...))
		})
	}
}
