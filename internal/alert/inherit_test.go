package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// A rule about silence knows still what it had seen when it gets another name or asks for the same thing in other words, and knows nothing of
// another thing.
func TestAbsentRulesKeepWhatTheyHadSeen(t *testing.T) {
	t.Parallel()
	resource := func(match map[string]any) map[string]any { return map[string]any{"resource": match} }
	cases := map[string]struct {
		before, after func(*rules.RuleConfig)
		fires         bool
	}{
		"another name":             {nil, func(rc *rules.RuleConfig) { rc.Name = "lost" }, true},
		"a match of the same host": {nil, func(rc *rules.RuleConfig) { rc.Match = resource(map[string]any{"host.name": "db1"}) }, true},
		"a match by pattern": {nil, func(rc *rules.RuleConfig) {
			rc.Match = resource(map[string]any{"host.name": map[string]any{"glob": "db*"}})
		}, true},
		"name and match":                      {nil, func(rc *rules.RuleConfig) { rc.Name, rc.Match = "lost", resource(map[string]any{"host.name": "db1"}) }, true},
		"a match of another host":             {nil, func(rc *rules.RuleConfig) { rc.Match = resource(map[string]any{"host.name": "db2"}) }, false},
		"a match of another point":            {func(rc *rules.RuleConfig) { rc.Match = map[string]any{"k": "a"} }, func(rc *rules.RuleConfig) { rc.Match["k"] = "b" }, false},
		"a match of more points":              {func(rc *rules.RuleConfig) { rc.Match = map[string]any{"k": "a"} }, func(rc *rules.RuleConfig) { rc.Match = nil }, true},
		"another metric":                      {nil, func(rc *rules.RuleConfig) { rc.Metric = "n" }, false},
		"groups":                              {nil, func(rc *rules.RuleConfig) { rc.GroupBy = []string{"resource.host.name"} }, true},
		"groups of what is not known":         {nil, func(rc *rules.RuleConfig) { rc.GroupBy = []string{"k"} }, false},
		"another name of a rule with groups":  {func(rc *rules.RuleConfig) { rc.GroupBy = []string{"k"} }, func(rc *rules.RuleConfig) { rc.Name = "lost" }, true},
		"another match of a rule with groups": {func(rc *rules.RuleConfig) { rc.GroupBy = []string{"k"} }, func(rc *rules.RuleConfig) { rc.Match = map[string]any{"k": map[string]any{"regex": "a"}} }, true},
		"by resource":                         {func(rc *rules.RuleConfig) { rc.GroupBy = []string{"resource"} }, func(rc *rules.RuleConfig) { rc.Name = "lost" }, true},
		"a rule about values":                 {nil, func(rc *rules.RuleConfig) { rc.Absent, rc.Threshold = nil, 5 }, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 4 * time.Minute}}}, nil)
			if c.before != nil {
				c.before(&r.cfg.Rules[0])
				r.restart(0)
			}
			r.observe(0, point{s: 0, v: 1, attrs: []attr.Attr{attr.String("k", "a")}})
			for s := 15.0; s <= 180; s += 15 {
				r.engine.Evaluate(at(s))
			}
			c.after(&r.cfg.Rules[0])
			r.restartFrom(store{}, 180, 181)
			r.engine.Evaluate(at(238))
			assert.Empty(t, r.transitions(), "the time before the reload counts, and no other")
			r.engine.Evaluate(at(245))
			want := []string{"fire:critical"}
			if !c.fires {
				want = nil
			}
			assert.Equal(t, want, r.transitions())
		})
	}
}

// What fires for its silence is resolved with its old name and fires with its new one.
func TestAbsentRuleIsRenamedWhileItFires(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: time.Minute}}}, nil)
	r.step(0, 1)
	r.engine.Evaluate(at(60))
	assert.Equal(t, []string{"fire:critical"}, r.transitions())
	r.cfg.Rules[0].Name = "lost"
	r.restartFrom(store{}, 61, 62)
	assert.Equal(t, []string{"resolve"}, r.transitions())
	r.engine.Evaluate(at(75))
	events := r.drain()
	if assert.Len(t, events, 1) {
		assert.Equal(t, "lost", events[0].Rule)
	}
	r.step(90, 1)
	assert.Equal(t, []string{"resolve"}, r.transitions())
}

// A rule that becomes one of another kind closes what it had: silence says nothing of values.
func TestAnotherKindOfRuleClosesAlerts(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Severity: "critical", Threshold: 5, GroupBy: []string{"resource.host.name"}}}, nil)
	r.step(0, 9)
	assert.Equal(t, []string{"fire:critical"}, r.transitions())
	r.cfg.Rules[0].Threshold, r.cfg.Rules[0].Absent = nil, &rules.AbsentConfig{For: time.Minute}
	r.restartFrom(store{}, 1, 2)
	assert.Equal(t, []string{"resolve"}, r.transitions())
	r.step(15, 9)
	assert.Empty(t, r.transitions())
}
