package rules

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var updateVersions = flag.Bool("update-versions", false, "write testdata/rule_versions.json again; never for rules that have been released")

// versionedRules are rules that use, one each, what versions and selections are made of.
func versionedRules() []RuleConfig {
	base := func(edit func(*RuleConfig)) RuleConfig {
		rc := RuleConfig{Metric: "system.cpu.utilization", Thresholds: map[string]LevelConfig{"warning": {Above: 0.8}}}
		edit(&rc)
		return rc
	}
	var out []RuleConfig
	add := func(name string, edit func(*RuleConfig)) {
		rc := base(edit)
		rc.Name = name
		out = append(out, rc)
	}
	add("plain", func(*RuleConfig) {})
	add("texts do not count", func(rc *RuleConfig) {
		rc.Description, rc.Labels, rc.Annotations, rc.Top = "d", map[string]string{"a": "b"}, map[string]string{"c": "d"}, 3
		rc.Message, rc.Lookback, rc.MinSamples, rc.FullWindow = "m", "1m", new(3), new(true)
	})
	for name, match := range map[string]map[string]any{
		"empty":     {},
		"text":      {"cpu.mode": "idle", "cpu": "0"},
		"quotes":    {"a": "say \"hi\"\\\n`x`\u00e9\u2028\x00"},
		"ints":      {"a": 5, "b": int64(-7)},
		"floats":    {"a": 1.0, "b": 0.25, "c": 1e21, "d": 1e20, "e": 1e-7, "f": -2.5, "g": 123456789.0, "h": math.MaxFloat64},
		"bools":     {"a": true, "b": false},
		"operators": {"a": map[string]any{"regex": "^a|b$"}, "b": map[string]any{"not_regex": "x"}, "c": map[string]any{"glob": "*"}},
		"in":        {"a": map[string]any{"in": []any{"x", 1, 2.5, true}}, "b": map[string]any{"in": []any{}}},
		"exists":    {"a": map[string]any{"exists": true}, "b": map[string]any{"exists": false}},
		"nested":    {"resource": map[string]any{"host.name": "db1"}, "scope": map[string]any{"name": map[string]any{"glob": "otel*"}}, "x": "y"},
		"no ops":    {"a": map[string]any{}},
		"key text":  {"a \"b\"": "c"},
	} {
		add("match "+name, func(rc *RuleConfig) { rc.Match = match })
	}
	add("group by nothing", func(rc *RuleConfig) { rc.GroupBy = []string{} })
	add("group by sources", func(rc *RuleConfig) { rc.GroupBy = []string{"cpu", "resource.host.name", "scope.name"} })
	add("group by resource", func(rc *RuleConfig) { rc.GroupBy = []string{"resource", "cpu"} })
	for _, agg := range []string{"sum", "avg", "min", "max", "count"} {
		add("group "+agg, func(rc *RuleConfig) { rc.GroupAggregate = agg })
	}
	for _, agg := range []string{"last", "avg", "min", "max", "sum", "count", "stddev", "p50", "p99.9", "rate", "increase"} {
		add("aggregate "+agg, func(rc *RuleConfig) { rc.Window, rc.Aggregate = 5*time.Minute, agg })
	}
	add("scale", func(rc *RuleConfig) { rc.Scale, rc.Offset = new(-1.0), 1 })
	add("scale of odd numbers", func(rc *RuleConfig) { rc.Scale, rc.Offset = new(1e21), 1e-9 })
	add("forecast", func(rc *RuleConfig) { rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: 4 * time.Hour} })
	add("forecast with coverage", func(rc *RuleConfig) {
		rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: 4 * time.Hour, MinCoverage: new(0.9)}
		rc.Thresholds["critical"] = LevelConfig{Above: 0.8, Horizon: time.Hour}
	})
	absent := func(name string, a AbsentConfig, edit func(*RuleConfig)) {
		add(name, func(rc *RuleConfig) {
			rc.Thresholds, rc.Severity, rc.Absent = nil, "critical", &a
			edit(rc)
		})
	}
	absent("absent", AbsentConfig{For: 5 * time.Minute}, func(*RuleConfig) {})
	absent("absent expected", AbsentConfig{For: 5 * time.Minute, Expect: true, StartGrace: new(time.Minute)}, func(*RuleConfig) {})
	absent("absent by group", AbsentConfig{For: 5 * time.Minute}, func(rc *RuleConfig) { rc.GroupBy = []string{"resource"} })
	absent("absent with forecast", AbsentConfig{For: time.Hour}, func(rc *RuleConfig) {
		rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: time.Hour}
	})
	absent("absent with window", AbsentConfig{For: time.Hour}, func(rc *RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "max" })
	absent("absent point", AbsentConfig{For: time.Hour}, func(rc *RuleConfig) { rc.Statistic = "p95" })
	for _, point := range []string{"min", "max", "avg", "sum", "count", "p50", "p99.9"} {
		add("point "+point, func(rc *RuleConfig) { rc.Statistic = point })
	}
	ratio := func(name string, r RatioConfig, edit func(*RuleConfig)) {
		add(name, func(rc *RuleConfig) {
			rc.Metric, rc.Ratio = "", &r
			edit(rc)
		})
	}
	errors, all := SelectorConfig{Metric: "errors", Match: map[string]any{"code": "500"}}, SelectorConfig{Metric: "requests"}
	ratio("ratio", RatioConfig{Numerator: errors, Denominator: all}, func(*RuleConfig) {})
	ratio("ratio of one metric", RatioConfig{Numerator: errors, Denominator: SelectorConfig{Metric: "errors"}}, func(rc *RuleConfig) { rc.GroupAggregate = "max" })
	ratio("ratio of points", RatioConfig{Numerator: SelectorConfig{Metric: "a", Statistic: "sum"}, Denominator: SelectorConfig{Metric: "a", Statistic: "count"}},
		func(rc *RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "rate" })
	add("only if", func(rc *RuleConfig) {
		rc.OnlyIf = &ConditionConfig{Metric: "up", Match: map[string]any{"job": "x"}, Outside: []any{1, "2"}, Statistic: "p90"}
	})
	for name, l := range map[string]LevelConfig{
		"percent": {Above: "80%"}, "bytes": {Above: "5GiB"}, "below": {Below: 1}, "outside": {Outside: []any{1, 2}},
		"inside": {Inside: []any{"10%", "20%"}}, "clear": {Above: 80, Clear: 70}, "outside clear": {Outside: []any{1, 9}, Clear: []any{2, 8}},
		"for": {Above: 1, For: new(time.Minute)}, "keep": {Above: 1, KeepFiringFor: new(90 * time.Second)},
	} {
		add("level "+name, func(rc *RuleConfig) { rc.Thresholds = map[string]LevelConfig{"critical": l} })
	}
	add("hysteresis", func(rc *RuleConfig) { rc.Hysteresis = new(0.1) })
	add("ladder", func(rc *RuleConfig) {
		rc.Thresholds = map[string]LevelConfig{"info": {Above: 1}, "warning": {Above: 2, Clear: 1.5}, "critical": {Above: 3}}
	})
	return out
}

// TestRuleVersionsAreThoseOfStoredAlerts: an alert of another version or selection is another rule's, and is closed when it is restored.
func TestRuleVersionsAreThoseOfStoredAlerts(t *testing.T) {
	t.Parallel()
	type stored struct{ Version, Selection string }
	got := map[string]stored{}
	add := func(cfg Config) {
		ruleSet, err := Compile(cfg)
		require.NoError(t, err)
		for _, r := range ruleSet.Rules {
			got[r.Name] = stored{r.Version, r.Selection}
		}
	}
	for _, rc := range versionedRules() {
		cfg := DefaultConfig()
		cfg.Rules = []RuleConfig{rc}
		add(cfg)
	}
	cfg := DefaultConfig()
	cfg.Preset = "host"
	add(cfg)
	path := filepath.Join("testdata", "rule_versions.json")
	if *updateVersions {
		text, err := json.MarshalIndent(got, "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var want map[string]stored
	require.NoError(t, json.Unmarshal(text, &want))
	for name, w := range want {
		assert.Equal(t, w, got[name], name)
	}
	assert.Len(t, got, len(want), "rules without a stored version: %s", path)
}
