package rules

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

func simpleRule(name string, edit func(*RuleConfig)) RuleConfig {
	rc := RuleConfig{Name: name, Metric: "m", Thresholds: map[string]LevelConfig{"warning": {Above: 80}}}
	if edit != nil {
		edit(&rc)
	}
	return rc
}

func compileAll(rcs ...RuleConfig) (*Set, error) {
	cfg := DefaultConfig()
	cfg.Rules = rcs
	return Compile(cfg)
}

func TestReferencesThatAreRefused(t *testing.T) {
	t.Parallel()
	unless := func(f ReferenceConfig) func(*RuleConfig) { return func(rc *RuleConfig) { rc.Unless = &f } }
	and := func(f ReferenceConfig) func(*RuleConfig) { return func(rc *RuleConfig) { rc.And = &f } }
	for _, c := range []struct {
		want string
		of   []RuleConfig
	}{
		{`rules[0] "a": unless.rule is required`, []RuleConfig{simpleRule("a", unless(ReferenceConfig{}))}},
		{
			`rules[0] "a": unless.rule: there is no rule "hots" (did you mean "host"?)`,
			[]RuleConfig{simpleRule("a", unless(ReferenceConfig{Rule: "hots"})), simpleRule("host", nil)},
		},
		{`rules[0] "a": and.rule: a rule can't refer to itself`, []RuleConfig{simpleRule("a", and(ReferenceConfig{Rule: "a"}))}},
		{
			`rules[0] "a": rules refer to each other in a circle by and or unless: "a" → "b" → "c" → "a"`,
			[]RuleConfig{
				simpleRule("a", and(ReferenceConfig{Rule: "b"})), simpleRule("b", unless(ReferenceConfig{Rule: "c"})),
				simpleRule("c", unless(ReferenceConfig{Rule: "a"})),
			},
		},
		{
			`rules[0] "a": and.severity: rule "b" has no level of severity "critical" or above`,
			[]RuleConfig{simpleRule("a", and(ReferenceConfig{Rule: "b", Severity: "critical"})), simpleRule("b", nil)},
		},
		{
			`rules[0] "a": unless.equal: "x" is empty or a duplicate`,
			[]RuleConfig{simpleRule("a", unless(ReferenceConfig{Rule: "b", Equal: []string{"x", "x"}})), simpleRule("b", nil)},
		},
		{
			`rules[0] "a": unless.equal: alerts of rule "b" never have "cpu": it is neither in group_by, nor can it be an attribute of one resource`,
			[]RuleConfig{
				simpleRule("a", unless(ReferenceConfig{Rule: "b", Equal: []string{"cpu"}})),
				simpleRule("b", func(rc *RuleConfig) {
					rc.GroupBy, rc.Match = []string{"resource.host.name"}, map[string]any{"cpu": map[string]any{"exists": true}}
				}),
			},
		},
	} {
		_, err := compileAll(c.of...)
		require.EqualError(t, err, c.want)
	}
}

// Rules are evaluated after those that they refer to, and otherwise as they stand.
func TestTheOrderOfEvaluation(t *testing.T) {
	t.Parallel()
	beside := func(name string) func(*RuleConfig) {
		return func(rc *RuleConfig) { rc.And = &ReferenceConfig{Rule: name} }
	}
	set, err := compileAll(simpleRule("a", beside("c")), simpleRule("b", nil), simpleRule("c", beside("d")), simpleRule("d", nil), simpleRule("e", beside("a")))
	require.NoError(t, err)
	assert.Equal(t, []int{3, 2, 0, 1, 4}, set.Order)
	set, err = compileAll(simpleRule("a", nil), simpleRule("b", nil), simpleRule("c", nil))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, set.Order)
}

func TestMovingBoundsThatAreRefused(t *testing.T) {
	t.Parallel()
	limit := func(extra map[string]any) map[string]any {
		m := map[string]any{"metric": "limit"}
		maps.Copy(m, extra)
		return m
	}
	level := func(l LevelConfig) func(*RuleConfig) {
		return func(rc *RuleConfig) { rc.Thresholds = map[string]LevelConfig{"warning": l} }
	}
	for want, edit := range map[string]func(*RuleConfig){
		`level warning: set "metric" or "attribute"`:                            level(LevelConfig{Above: map[string]any{"scale": 2}}),
		`level warning: "attribute" excludes "metric", "match" and "statistic"`: level(LevelConfig{Above: limit(map[string]any{"attribute": "x"})}),
		`level warning: unknown key "scales" (did you mean "scale"?)`:           level(LevelConfig{Above: limit(map[string]any{"scales": 2})}),
		`level warning: scale must be > 0`:                                      level(LevelConfig{Above: limit(map[string]any{"scale": -1})}),
		`level warning: scale: expected a number or a percentage`:               level(LevelConfig{Above: limit(map[string]any{"scale": "5GiB"})}),
		`level warning: "unit" is for attributes: a metric has its own`:         level(LevelConfig{Above: limit(map[string]any{"unit": "By"})}),
		`level warning: unit "furlong" is not known: write one as metrics have it, such as By/s or Mbit/s`: level(LevelConfig{
			Above: map[string]any{"attribute": "x", "unit": "furlong"},
		}),
		`level warning: threshold.metric is required`: level(LevelConfig{Above: map[string]any{"match": map[string]any{"a": "b"}}}),
		`clear of level warning: a bound that is read from limit is cleared by one, too: write {scale: …}, or use hysteresis`: level(LevelConfig{
			Above: limit(nil), Clear: 70,
		}),
		`clear 0.95 × limit of level warning is on the wrong side of threshold 0.9 × limit`: level(LevelConfig{
			Above: limit(map[string]any{"scale": "90%"}), Clear: map[string]any{"scale": 0.95},
		}),
		`clear: level warning: the bounds of a rule are read from one metric or attribute, not from limit and other`: level(LevelConfig{
			Above: limit(nil), Clear: map[string]any{"metric": "other"},
		}),
		`level critical: the bounds of a rule are read from one metric or attribute, not from limit and other`: func(rc *RuleConfig) {
			rc.Thresholds = map[string]LevelConfig{"warning": {Above: limit(nil)}, "critical": {Above: map[string]any{"metric": "other"}}}
		},
		`ladder is not monotone: critical above 0.8 × limit must be stricter than warning above 0.9 × limit`: func(rc *RuleConfig) {
			rc.Thresholds = map[string]LevelConfig{
				"warning": {Above: limit(map[string]any{"scale": 0.9})}, "critical": {Above: limit(map[string]any{"scale": 0.8})},
			}
		},
		`only_if: its bound is a number: one that is read from a metric or an attribute is for thresholds`: func(rc *RuleConfig) {
			rc.OnlyIf = &ConditionConfig{Metric: "up", Above: limit(nil)}
		},
	} {
		_, err := compileAll(simpleRule("r", edit))
		require.EqualError(t, err, `rules[0] "r": `+want)
	}
}

func mountTable(groups ...GroupThresholdsConfig) *ThresholdsByConfig {
	return &ThresholdsByConfig{Attribute: "mountpoint", Groups: groups}
}

func TestThresholdsByThatAreRefused(t *testing.T) {
	t.Parallel()
	off := GroupThresholdsConfig{Match: "/data", Thresholds: "off"}
	glob := func(g string) map[string]any { return map[string]any{"glob": g} }
	with := func(t *ThresholdsByConfig) func(*RuleConfig) { return func(rc *RuleConfig) { rc.ThresholdsBy = t } }
	many := make([]GroupThresholdsConfig, maxGroupThresholds+1)
	for want, edit := range map[string]func(*RuleConfig){
		"attribute is required":              with(&ThresholdsByConfig{Groups: []GroupThresholdsConfig{off}}),
		"groups: expected 1 to 256, got 0":   with(mountTable()),
		"groups: expected 1 to 256, got 257": with(mountTable(many...)),
		"mountpoint is not in group_by, so no group has a value of it": func(rc *RuleConfig) {
			rc.ThresholdsBy, rc.GroupBy = mountTable(off), []string{"disk"}
		},
		"mountpoint has one value by match, so no group has a value of it": func(rc *RuleConfig) {
			rc.ThresholdsBy, rc.Match = mountTable(off), map[string]any{"mountpoint": "/data"}
		},
		"mountpoint is no part of the group: name it in group_by, so no group has a value of it": func(rc *RuleConfig) {
			rc.ThresholdsBy, rc.GroupAggregate = mountTable(off), "sum"
		},
		"groups[0]: match is required": with(mountTable(GroupThresholdsConfig{Thresholds: "off"})),
		`groups[0]: thresholds: expected thresholds by severity, or "off", got <nil>`: with(mountTable(GroupThresholdsConfig{Match: "/data"})),
		`groups[0]: thresholds: the rule has no level "critical" (known: warning)`: with(mountTable(GroupThresholdsConfig{
			Match: "/data", Thresholds: map[string]any{"critical": 1},
		})),
		`groups[0]: level warning: expected "above", as the rule has it, and clear`: with(mountTable(GroupThresholdsConfig{
			Match: "/data", Thresholds: map[string]any{"warning": map[string]any{"below": 1}},
		})),
		`groups[0]: level warning: "for" can't be set for a group: expected "above" and clear`: with(mountTable(GroupThresholdsConfig{
			Match: "/data", Thresholds: map[string]any{"warning": map[string]any{"above": 1, "for": "1m"}},
		})),
		"groups[1]: match /data can't match: groups[0] is the same":                       with(mountTable(off, off)),
		"groups[1]: match /data can't match: groups[0] comes before it":                   with(mountTable(GroupThresholdsConfig{Match: glob("/d*"), Thresholds: "off"}, off)),
		"groups[1]: match /data can't match: groups[0] matches everything":                with(mountTable(GroupThresholdsConfig{Match: glob("*"), Thresholds: "off"}, off)),
		"groups[0]: match of mountpoint: in: [] matches nothing: name at least one value": with(mountTable(GroupThresholdsConfig{Match: map[string]any{"in": []any{}}, Thresholds: "off"})),
		"groups[0]: match /data can't match: match of the rule leaves it out": func(rc *RuleConfig) {
			rc.ThresholdsBy, rc.Match = mountTable(off), map[string]any{"mountpoint": map[string]any{"not_regex": "^/data$"}}
		},
	} {
		_, err := compileAll(simpleRule("r", edit))
		require.EqualError(t, err, `rules[0] "r": thresholds_by: `+want)
	}
}

// The first entry that matches counts; a level that is turned off is never breached; clear stays as far from the bound as the rule's.
func TestThresholdsByAreAskedInOrder(t *testing.T) {
	t.Parallel()
	set, err := compileAll(simpleRule("r", func(rc *RuleConfig) {
		rc.Thresholds = map[string]LevelConfig{"warning": {Above: "80%", Clear: "75%"}, "critical": {Above: "90%"}}
		rc.ThresholdsBy = mountTable(
			GroupThresholdsConfig{Match: "/data/x", Thresholds: map[string]any{"warning": "60%", "critical": false}},
			GroupThresholdsConfig{Match: map[string]any{"glob": "/data/*"}, Thresholds: map[string]any{"critical": map[string]any{"above": "99%", "clear": "97%"}}},
			GroupThresholdsConfig{Match: map[string]any{"regex": "^/data"}, Thresholds: "off"},
		)
	}))
	require.NoError(t, err)
	table := set.Rules[0].ThresholdsBy
	for value, want := range map[string]int{"/data/x": 0, "/data/y": 1, "/data": 2, "/": -1} {
		assert.Equal(t, want, table.Find(attr.StringValue(value), true), value)
	}
	assert.Equal(t, -1, table.Find(attr.Value{}, false))
	resolve := func(entry, level int) [2]float64 {
		l, err := table.Entries[entry].Levels[level].Resolve("1")
		require.NoError(t, err)
		assert.False(t, l.Raised(0.1))
		return [2]float64{l.Low, l.ClearLow}
	}
	assert.InDeltaSlice(t, []float64{0.6, 0.55}, slices.Collect(values(resolve(0, 0))), 1e-9)
	assert.InDeltaSlice(t, []float64{0.99, 0.97}, slices.Collect(values(resolve(1, 1))), 1e-9)
	for _, l := range table.Entries[2].Levels {
		off, err := l.Resolve("1")
		require.NoError(t, err)
		for _, v := range []float64{-1e300, 0, 1e300} {
			assert.False(t, off.Raised(v))
			assert.False(t, off.Held(v))
		}
	}
}

func values(of [2]float64) func(yield func(float64) bool) {
	return func(yield func(float64) bool) { _ = yield(of[0]) && yield(of[1]) }
}

// A level that is off is breached by nothing, whatever its comparison.
func TestALevelThatIsOff(t *testing.T) {
	t.Parallel()
	for key, l := range map[string]LevelConfig{"above": {Above: 1}, "below": {Below: 1}, "outside": {Outside: []any{1, 2}}, "inside": {Inside: []any{1, 2}}} {
		set, err := compileAll(simpleRule("r", func(rc *RuleConfig) {
			rc.Thresholds = map[string]LevelConfig{"warning": l}
			rc.ThresholdsBy = mountTable(GroupThresholdsConfig{Match: "/", Thresholds: map[string]any{"warning": "off"}})
		}))
		require.NoError(t, err)
		level, err := set.Rules[0].ThresholdsBy.Entries[0].Levels[0].Resolve("By")
		require.NoError(t, err)
		for _, v := range []float64{-1e300, -1, 0, 1, 1.5, 2, 1e300} {
			assert.False(t, level.Raised(v), "%s %v", key, v)
			assert.False(t, level.Held(v), "%s %v", key, v)
		}
	}
}

// What is only about when records are announced is no part of the version; what decides is.
func TestVersionsOfConditions(t *testing.T) {
	t.Parallel()
	version := func(edit func(*RuleConfig)) string {
		set, err := compileAll(simpleRule("r", edit), simpleRule("other", nil))
		require.NoError(t, err)
		assert.NotContains(t, set.Rules[0].Selection, "limit")
		return set.Rules[0].Version
	}
	plain := version(nil)
	assert.Equal(t, plain, version(func(rc *RuleConfig) { rc.Active = &ActiveConfig{Days: "mon-fri"} }))
	assert.Equal(t, plain, version(func(rc *RuleConfig) { rc.Unless = &ReferenceConfig{Rule: "other"} }))
	seen := map[string]string{plain: "plain"}
	differ := func(what string, edit func(*RuleConfig)) {
		v := version(edit)
		assert.NotContains(t, seen, v, what)
		seen[v] = what
	}
	differ("and", func(rc *RuleConfig) { rc.And = &ReferenceConfig{Rule: "other"} })
	differ("and equal", func(rc *RuleConfig) { rc.And = &ReferenceConfig{Rule: "other", Equal: []string{"host.name"}} })
	differ("and severity", func(rc *RuleConfig) { rc.And = &ReferenceConfig{Rule: "other", Severity: "warning"} })
	for i, above := range []map[string]any{
		{"metric": "limit"},
		{"metric": "limit", "scale": 0.9},
		{"metric": "limit", "offset": 1},
		{"metric": "limit", "match": map[string]any{"a": "b"}},
		{"metric": "limit", "group_aggregate": "min"},
		{"metric": "limit", "statistic": "p99"},
		{"attribute": "limit"},
		{"attribute": "resource.limit"},
		{"attribute": "limit", "unit": "By"},
	} {
		differ(fmt.Sprint("source ", i), func(rc *RuleConfig) { rc.Thresholds = map[string]LevelConfig{"warning": {Above: above}} })
	}
	for i, group := range []GroupThresholdsConfig{
		{Match: "/", Thresholds: "off"},
		{Match: "/data", Thresholds: "off"},
		{Match: "/", Thresholds: map[string]any{"warning": 90}},
		{Match: "/", Thresholds: map[string]any{"warning": map[string]any{"above": 90, "clear": 70}}},
		{Match: map[string]any{"glob": "/*"}, Thresholds: "off"},
	} {
		differ(fmt.Sprint("table ", i), func(rc *RuleConfig) { rc.ThresholdsBy = mountTable(group) })
	}
	written := func(v any) string {
		return version(func(rc *RuleConfig) {
			rc.ThresholdsBy = mountTable(GroupThresholdsConfig{Match: "/", Thresholds: map[string]any{"warning": v}})
		})
	}
	assert.Equal(t, written(90), written(" 90.0"), "how a number is written means nothing")
}
