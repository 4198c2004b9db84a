package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// A rule that is written in another way is the same rule: what fires goes on, and nothing is said.
func TestAnotherSpellingSaysNothing(t *testing.T) {
	t.Parallel()
	base := func(rc *rules.RuleConfig) {
		rc.GroupBy = []string{"a", "b", "resource.host.name"}
		rc.Match = map[string]any{"a": map[string]any{"in": []any{"x", "1"}}, "b": "7", "resource": map[string]any{"host.name": "db1"}}
		rc.For = new(time.Minute)
	}
	for name, edit := range map[string]func(*rules.RuleConfig){
		"order of group_by": func(rc *rules.RuleConfig) { rc.GroupBy = []string{"resource.host.name", "b", "a"} },
		"order and type in a list": func(rc *rules.RuleConfig) {
			rc.Match["a"] = map[string]any{"in": []any{1, "x", "x"}}
		},
		"quotes":           func(rc *rules.RuleConfig) { rc.Match["b"] = 7 },
		"an empty map":     func(rc *rules.RuleConfig) { rc.Match["scope"] = map[string]any{} },
		"numbers as text":  func(rc *rules.RuleConfig) { rc.Thresholds["warning"] = rules.LevelConfig{Above: "8e1"} },
		"written defaults": func(rc *rules.RuleConfig) { rc.Scale, rc.Lookback, rc.Hysteresis = new(1.0), "auto", new(0.0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(base), nil)
			attrs := []attr.Attr{attr.String("a", "x"), attr.Int("b", 7)}
			for s := 0.0; s <= 60; s += 15 {
				r.observe(s, point{s: s, v: 90, attrs: attrs})
			}
			assert.Equal(t, []string{"fire:warning"}, r.transitions())
			edit(&r.cfg.Rules[0])
			r.restartFrom(store{}, 61, 62)
			r.observe(75, point{s: 75, v: 90, attrs: attrs})
			r.engine.Evaluate(at(75))
			assert.Empty(t, r.transitions())
			r.observe(90, point{s: 90, v: 10, attrs: attrs})
			r.observe(105, point{s: 105, v: 10, attrs: attrs}) // By now another series of the group would have come.
			assert.Equal(t, []string{"resolve"}, r.transitions())
		})
	}
}
