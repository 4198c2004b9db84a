package rules

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kindsOfRules are rules of each kind that are valid.
func kindsOfRules() map[string]RuleConfig {
	levels := map[string]LevelConfig{"warning": {Above: 1}, "critical": {Above: 2}}
	sides := &RatioConfig{Numerator: SelectorConfig{Metric: "a"}, Denominator: SelectorConfig{Metric: "b"}}
	return map[string]RuleConfig{
		"newest":   {Name: "r", Metric: "m", Thresholds: levels},
		"flat":     {Name: "r", Metric: "m", Threshold: 1, Severity: "warning"},
		"window":   {Name: "r", Metric: "m", Window: 5 * time.Minute, Aggregate: "avg", Thresholds: levels},
		"cleared":  {Name: "r", Metric: "m", Threshold: 1, Severity: "warning", LevelConfig: LevelConfig{Clear: 0.5}},
		"forecast": {Name: "r", Metric: "m", Forecast: &ForecastConfig{Window: time.Hour, Horizon: time.Hour}, Thresholds: levels},
		"ratio":    {Name: "r", Ratio: sides, Thresholds: levels},
		"change":   {Name: "r", Metric: "m", Change: &ChangeConfig{Since: time.Hour}, Thresholds: levels},
		"absent":   {Name: "r", Metric: "m", Absent: &AbsentConfig{For: time.Minute}, Severity: "warning"},
	}
}

// valuesOfKeys has a value for each key of a rule that means something on its own.
func valuesOfKeys() map[string]func(*RuleConfig) {
	span := 3 * time.Minute
	return map[string]func(*RuleConfig){
		"description": func(rc *RuleConfig) { rc.Description = "d" }, "statistic": func(rc *RuleConfig) { rc.Statistic = "p95" },
		"only_if": func(rc *RuleConfig) { rc.OnlyIf = &ConditionConfig{Metric: "x", Above: 1} },
		"match":   func(rc *RuleConfig) { rc.Match = map[string]any{"a": "b"} }, "group_by": func(rc *RuleConfig) { rc.GroupBy = []string{"a"} },
		"identity":        func(rc *RuleConfig) { rc.Identity = []string{"host.name"} },
		"group_aggregate": func(rc *RuleConfig) { rc.GroupAggregate = "sum" }, "window": func(rc *RuleConfig) { rc.Window = span },
		"aggregate": func(rc *RuleConfig) { rc.Aggregate = "max" }, "scale": func(rc *RuleConfig) { rc.Scale = new(2.0) },
		"offset": func(rc *RuleConfig) { rc.Offset = 1 }, "labels": func(rc *RuleConfig) { rc.Labels = map[string]string{"a": "b"} },
		"annotations": func(rc *RuleConfig) { rc.Annotations = map[string]string{"a": "b"} }, "top": func(rc *RuleConfig) { rc.Top = 3 },
		"hysteresis": func(rc *RuleConfig) { rc.Hysteresis = new(0.1) }, "lookback": func(rc *RuleConfig) { rc.Lookback = "2m" },
		"no_data":            func(rc *RuleConfig) { rc.NoData = &NoDataConfig{After: span} },
		"stale_series_after": func(rc *RuleConfig) { rc.StaleSeriesAfter = new(time.Hour) },
		"new_series_delay":   func(rc *RuleConfig) { rc.NewSeriesDelay = &span }, "min_samples": func(rc *RuleConfig) { rc.MinSamples = new(2) },
		"full_window": func(rc *RuleConfig) { rc.FullWindow = new(true) }, "repeat_interval": func(rc *RuleConfig) { rc.RepeatInterval = &span },
		"flapping": func(rc *RuleConfig) { rc.Flapping = &FlappingConfig{Transitions: 5} },
		"clear":    func(rc *RuleConfig) { rc.Clear = 0.5 }, "for": func(rc *RuleConfig) { rc.For = &span },
		"keep_firing_for": func(rc *RuleConfig) { rc.KeepFiringFor = &span }, "horizon": func(rc *RuleConfig) { rc.Horizon = span },
		"message":     func(rc *RuleConfig) { rc.Message = "x" },
		"change":      func(rc *RuleConfig) { rc.Change = &ChangeConfig{Since: time.Hour} },
		"for_samples": func(rc *RuleConfig) { rc.ForSamples = &ForSamplesConfig{Breached: 2, Of: 3} },
		"and":         func(rc *RuleConfig) { rc.And = &ReferenceConfig{Rule: "other"} },
		"unless":      func(rc *RuleConfig) { rc.Unless = &ReferenceConfig{Rule: "other"} },
		"active":      func(rc *RuleConfig) { rc.Active = &ActiveConfig{Days: "mon-fri"} },
		"thresholds_by": func(rc *RuleConfig) {
			rc.ThresholdsBy = &ThresholdsByConfig{Attribute: "disk", Groups: []GroupThresholdsConfig{{Match: "sda", Thresholds: "off"}}}
			if rc.Ratio != nil {
				rc.GroupBy = []string{"disk"}
			}
		},
		"forecast": func(rc *RuleConfig) { rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: time.Hour} },
	}
}

// TestNoKeyOfARuleIsIgnored tries every key beside every kind of rule: it is used, or it is refused.
func TestNoKeyOfARuleIsIgnored(t *testing.T) {
	// What makes a rule one of a kind, and what the tests of these kinds are about.
	structural := []string{"name", "metric", "ratio", "absent", "thresholds", "threshold", "severity", "above", "below", "outside", "inside"}
	refused := map[string][]string{
		"newest":   {"min_samples", "clear", "window", "aggregate", "horizon"},
		"flat":     {"min_samples", "window", "aggregate", "horizon"},
		"cleared":  {"min_samples", "window", "aggregate", "horizon", "hysteresis"},
		"window":   {"clear", "horizon", "forecast"},
		"forecast": {"clear", "window", "aggregate", "change"},
		"change":   {"min_samples", "clear", "window", "aggregate", "horizon", "forecast"},
		"ratio":    {"min_samples", "clear", "window", "aggregate", "horizon", "match", "statistic", "forecast"},
		"absent": {
			"for", "clear", "horizon", "hysteresis", "window", "aggregate", "forecast", "scale", "offset", "group_aggregate", "full_window", "min_samples",
			"new_series_delay", "lookback", "no_data", "only_if", "change", "for_samples", "thresholds_by", "identity",
		},
	}
	values := valuesOfKeys()
	for kind, rc := range kindsOfRules() {
		cfg := DefaultConfig()
		cfg.Rules = []RuleConfig{rc, {Name: "other", Metric: "o", Threshold: 1, Severity: "warning"}}
		_, err := Compile(cfg)
		require.NoError(t, err, kind)
		for key, set := range values {
			with := rc
			set(&with)
			cfg.Rules = []RuleConfig{with, {Name: "other", Metric: "m", Threshold: 1, Severity: "warning"}}
			if kind == "cleared" && key == "clear" || kind == "forecast" && key == "forecast" {
				continue
			}
			_, err := Compile(cfg)
			if slices.Contains(refused[kind], key) {
				if assert.Error(t, err, "%s: %s is ignored", kind, key) {
					assert.Contains(t, err.Error(), key, kind)
				}
				continue
			}
			require.NoError(t, err, "%s: %s", kind, key)
		}
	}
	var all func(reflect.Type) []string
	all = func(block reflect.Type) []string {
		var keys []string
		for f := range block.Fields() {
			key, options, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
			if options == "squash" {
				keys = append(keys, all(f.Type)...)
			} else if key != "" {
				keys = append(keys, key)
			}
		}
		return keys
	}
	for _, key := range all(reflect.TypeFor[RuleConfig]()) {
		assert.True(t, values[key] != nil || slices.Contains(structural, key), "%s has no value here: say beside what it is used", key)
	}
}

func TestKeysThatMeanNothing(t *testing.T) {
	for text, edit := range map[string]func(*RuleConfig){
		`rules[0] "r": "for" means nothing beside "absent": how long is said by "absent.for"`: func(rc *RuleConfig) { rc.For = new(time.Minute) },
		`rules[0] "r": "absent.start_grace" means nothing without "absent.expect: true" or "absent.expected": what was never seen is not missed`: func(rc *RuleConfig) {
			rc.Absent = &AbsentConfig{For: time.Minute, StartGrace: new(time.Minute)}
		},
	} {
		cfg := DefaultConfig()
		rc := kindsOfRules()["absent"]
		edit(&rc)
		cfg.Rules = []RuleConfig{rc}
		_, err := Compile(cfg)
		assert.EqualError(t, err, text)
	}
}

func TestDoubtfulRulesAreWarnedAbout(t *testing.T) {
	for want, edit := range map[string]func(*Config, *RuleConfig){
		`rules[0] "r": match.k: regex "^sd" has to match the whole value, as in Prometheus: for a part of it write "sd.*"`: func(_ *Config, rc *RuleConfig) {
			rc.Match = map[string]any{"k": map[string]any{"regex": "^sd"}}
		},
		`rules[0] "r": match.resource.k: not_regex "1$" has to match the whole value, as in Prometheus: for a part of it write ".*1"`: func(_ *Config, rc *RuleConfig) {
			rc.Match = map[string]any{"resource": map[string]any{"k": map[string]any{"not_regex": "1$"}}}
		},
		`rules[0] "r": match.k: regex "postgres" has to match the whole value, as in Prometheus: for a part of it write ".*postgres.*"`: func(_ *Config, rc *RuleConfig) {
			rc.Match = map[string]any{"k": map[string]any{"regex": "postgres"}}
		},
		`rules[0] "r": only_if.match.k: {} tests nothing: write a value, or an operator of regex, not_regex, glob, in, exists`: func(_ *Config, rc *RuleConfig) {
			rc.OnlyIf = &ConditionConfig{Metric: "x", Above: 1, Match: map[string]any{"k": map[string]any{}}}
		},
		`rules[0] "r": message: "> {{ .Threshold }}" is not true of every record, for on the way down the value is on the other side: write {{ .Condition }}`: func(_ *Config, rc *RuleConfig) {
			rc.Message = "m is {{ .Value }} (> {{ .Threshold }})"
		},
		`rules[0] "r": annotations.summary: "above {{ percent .Threshold }}" is not true of every record, for on the way down the value is on the other side: write {{ .Condition }}`: func(_ *Config, rc *RuleConfig) {
			rc.Annotations = map[string]string{"summary": "above {{ percent .Threshold }}", "other": "the threshold is {{ .Threshold }}, {{ .Condition }}"}
		},
		`rules[0] "r": top 500 is beyond limits::alerts_per_rule, so that 200 groups are announced at a time`: func(_ *Config, rc *RuleConfig) { rc.Top = 500 },
		`rules[0] "r": no_data.after 30m never comes: a series that is silent for stale_series_after, 15m, is forgotten, and its alert resolved`: func(_ *Config, rc *RuleConfig) {
			rc.NoData = &NoDataConfig{After: 30 * time.Minute}
		},
		`defaults: no_data.after 1h never comes: a series that is silent for stale_series_after, 15m, is forgotten, and its alert resolved`: func(c *Config, _ *RuleConfig) {
			c.Defaults.NoData.After = time.Hour
		},
		`silences[0]: match.host.name: regex "^db" has to match the whole value, as in Prometheus: for a part of it write "db.*"`: func(c *Config, _ *RuleConfig) {
			c.Silences = []SilenceConfig{{Match: map[string]any{"host.name": map[string]any{"regex": "^db"}}, To: "2027-01-01T00:00:00Z"}}
		},
	} {
		cfg := DefaultConfig()
		rc := kindsOfRules()["newest"]
		edit(&cfg, &rc)
		cfg.Rules = []RuleConfig{rc}
		set, err := Compile(cfg)
		require.NoError(t, err, want)
		assert.Equal(t, []string{want}, set.Warnings)
	}
	for _, pattern := range []string{"sd.*", ".*1", "^sd.*", "^sd1$", "eth0|eth1", "^a|b$", "sd[ab]", ".*", "", `a\.b.*`} {
		assert.Empty(t, partialHint(pattern), pattern)
	}
}
