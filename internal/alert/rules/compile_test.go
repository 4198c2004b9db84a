package rules

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

func TestValidationTexts(t *testing.T) {
	t.Parallel()
	flat := func(edit func(*RuleConfig)) func(*Config) {
		return func(c *Config) {
			rc := RuleConfig{Name: "disk", Metric: "m", Threshold: "80%", Severity: "warning"}
			edit(&rc)
			c.Rules = []RuleConfig{rc}
		}
	}
	levels := func(l map[string]LevelConfig) func(*Config) {
		return flat(func(rc *RuleConfig) { rc.Threshold, rc.Severity, rc.Thresholds = nil, "", l })
	}
	cases := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"no name", flat(func(rc *RuleConfig) { rc.Name = "" }), `rules[0]: name is required`},
		{
			"a name with a verb in it", flat(func(rc *RuleConfig) { rc.Name, rc.Metric = "disk > 90% used", "" }),
			`rules[0] "disk > 90% used": metric is required unless "ratio" is set`,
		},
		{"no metric", flat(func(rc *RuleConfig) { rc.Metric = "" }), `rules[0] "disk": metric is required unless "ratio" is set`},
		{
			"no thresholds", flat(func(rc *RuleConfig) { rc.Threshold = nil }),
			`rules[0] "disk": no thresholds: set "thresholds", or "threshold"+"severity", or "absent"`,
		},
		{
			"no severity", flat(func(rc *RuleConfig) { rc.Severity = "" }),
			`rules[0] "disk": no thresholds: set "thresholds", or "threshold"+"severity", or "absent"`,
		},
		{
			"unknown severity", flat(func(rc *RuleConfig) { rc.Severity = "crit" }),
			`rules[0] "disk": unknown severity "crit" (known: info, warning, critical)`,
		},
		{
			"above and below", levels(map[string]LevelConfig{"warning": {Above: 1, Below: 2}}),
			`rules[0] "disk": both "above" and "below" in level warning: use "outside" or "inside"`,
		},
		{
			"no bound", levels(map[string]LevelConfig{"warning": {}}),
			`rules[0] "disk": level warning has no bound: set "above", "below", "outside" or "inside"`,
		},
		{
			"not monotone", levels(map[string]LevelConfig{"warning": {Above: "95%"}, "critical": {Above: "80%"}}),
			`rules[0] "disk": ladder is not monotone: critical above 80% must be stricter than warning above 95%`,
		},
		{
			"mixed ladder", levels(map[string]LevelConfig{"warning": {Above: 95}, "critical": {Below: 5}}),
			`rules[0] "disk": ladder mixes "above" and "below": use one comparison in a rule`,
		},
		{
			"clear above threshold", levels(map[string]LevelConfig{"warning": {Above: "80%", Clear: "90%"}}),
			`rules[0] "disk": clear 90% must be below threshold 80% for an "above" level`,
		},
		{
			"clear below threshold", levels(map[string]LevelConfig{"warning": {Below: 10, Clear: 5}}),
			`rules[0] "disk": clear 5 must be above threshold 10 for a "below" level`,
		},
		{
			"clear in another unit", levels(map[string]LevelConfig{"warning": {Above: "80%", Clear: 0.7}}),
			`rules[0] "disk": clear 0.7 and threshold 80% are of different units: write both in one`,
		},
		{
			"percentile", flat(func(rc *RuleConfig) { rc.Aggregate, rc.Window = "p101", time.Minute }),
			`rules[0] "disk": aggregate "p101": percentile must be in (0,100]`,
		},
		{
			"unknown aggregate", flat(func(rc *RuleConfig) { rc.Aggregate, rc.Window = "mean", time.Minute }),
			`rules[0] "disk": unknown aggregate "mean" (did you mean "avg"?)`,
		},
		{
			"mistyped aggregate", flat(func(rc *RuleConfig) { rc.Aggregate, rc.Window = "incraese", time.Minute }),
			`rules[0] "disk": unknown aggregate "incraese" (did you mean "increase"?)`,
		},
		{
			"unknown statistic", flat(func(rc *RuleConfig) { rc.Statistic = "mean" }),
			`rules[0] "disk": unknown statistic "mean" (did you mean "avg"?)`,
		},
		{
			"unlike any statistic", flat(func(rc *RuleConfig) { rc.Statistic = "stddev" }),
			`rules[0] "disk": unknown statistic "stddev" (known: min, max, avg, sum, count, pNN)`,
		},
		{
			"statistic beyond all", flat(func(rc *RuleConfig) { rc.Statistic = "p100.1" }),
			`rules[0] "disk": statistic "p100.1": percentile must be in (0,100]`,
		},
		{
			"window without aggregate", flat(func(rc *RuleConfig) { rc.Window = time.Minute }),
			`rules[0] "disk": window 1m has no effect without aggregate: set it to avg, min, max, rate or another`,
		},
		{
			"resource in front of a key", flat(func(rc *RuleConfig) { rc.Match = map[string]any{"resource.host.name": "db1"} }),
			`rules[0] "disk": match.resource.host.name: an attribute of the resource is written {resource: {host.name: …}}`,
		},
		{
			"list without an operator", flat(func(rc *RuleConfig) { rc.Match = map[string]any{"state": []any{"a b", 1}} }),
			`rules[0] "disk": match.state: several values are written {in: [a b, 1]}`,
		},
		{
			"condition without metric", flat(func(rc *RuleConfig) { rc.OnlyIf = &ConditionConfig{Above: 1} }),
			`rules[0] "disk": only_if.metric is required`,
		},
		{
			"condition without bound", flat(func(rc *RuleConfig) { rc.OnlyIf = &ConditionConfig{Metric: "n"} }),
			`rules[0] "disk": only_if has no bound: set "above", "below", "outside" or "inside"`,
		},
		{
			"condition with two bounds", flat(func(rc *RuleConfig) { rc.OnlyIf = &ConditionConfig{Metric: "n", Above: 1, Below: 2} }),
			`rules[0] "disk": both "above" and "below" in only_if: use "outside" or "inside"`,
		},
		{
			"condition with a wrong statistic", flat(func(rc *RuleConfig) { rc.OnlyIf = &ConditionConfig{Metric: "n", Above: 1, Statistic: "maximum"} }),
			`rules[0] "disk": only_if: unknown statistic "maximum" (did you mean "max"?)`,
		},
		{
			"condition with a wrong operator", flat(func(rc *RuleConfig) {
				rc.OnlyIf = &ConditionConfig{Metric: "n", Above: 1, Match: map[string]any{"a": map[string]any{"globs": "x"}}}
			}),
			`rules[0] "disk": only_if.match.a: unknown operator "globs" (did you mean "glob"?)`,
		},
		{
			"condition of an absence", flat(func(rc *RuleConfig) {
				rc.Threshold, rc.Absent, rc.OnlyIf = nil, &AbsentConfig{For: time.Minute}, &ConditionConfig{Metric: "n", Above: 1}
			}),
			`rules[0] "disk": "absent" and "only_if" exclude each other`,
		},
		{
			"ratio of half", flat(func(rc *RuleConfig) { rc.Metric, rc.Ratio = "", &RatioConfig{Numerator: SelectorConfig{Metric: "e"}} }),
			`rules[0] "disk": ratio.denominator.metric is required`,
		},
		{
			"ratio beside metric", flat(func(rc *RuleConfig) {
				rc.Ratio = &RatioConfig{Numerator: SelectorConfig{Metric: "e"}, Denominator: SelectorConfig{Metric: "p"}}
			}),
			`rules[0] "disk": "metric" stands beside "ratio": write it in "ratio.numerator" and "ratio.denominator"`,
		},
		{
			"ratio of bytes", flat(func(rc *RuleConfig) {
				rc.Metric, rc.Threshold = "", "5GiB"
				rc.Ratio = &RatioConfig{Numerator: SelectorConfig{Metric: "e"}, Denominator: SelectorConfig{Metric: "p"}}
			}),
			`rules[0] "disk": threshold 5GiB can't be compared with a ratio: write a number or a percentage`,
		},
		{
			"forecast of a ratio", flat(func(rc *RuleConfig) {
				rc.Metric, rc.Forecast = "", &ForecastConfig{Window: time.Hour, Horizon: time.Hour}
				rc.Ratio = &RatioConfig{Numerator: SelectorConfig{Metric: "e"}, Denominator: SelectorConfig{Metric: "p"}}
			}),
			`rules[0] "disk": "forecast" and "ratio" exclude each other`,
		},
		{
			"wrong operator in a ratio", flat(func(rc *RuleConfig) {
				rc.Metric = ""
				rc.Ratio = &RatioConfig{
					Numerator:   SelectorConfig{Metric: "e", Match: map[string]any{"resource": map[string]any{"a": map[string]any{"exist": true}}}},
					Denominator: SelectorConfig{Metric: "p", Statistic: "p0"},
				}
			}),
			"rules[0] \"disk\": ratio.numerator.match.resource.a: unknown operator \"exist\" (did you mean \"exists\"?)\n" +
				"rules[0] \"disk\": ratio.denominator: statistic \"p0\": percentile must be in (0,100]",
		},
		{
			"unknown group aggregate", flat(func(rc *RuleConfig) { rc.GroupAggregate = "average" }),
			`rules[0] "disk": unknown group_aggregate "average" (did you mean "avg"?)`,
		},
		{
			"rate without window", flat(func(rc *RuleConfig) { rc.Aggregate = "rate" }),
			`rules[0] "disk": window is required for aggregate "rate"`,
		},
		{
			"window too short", flat(func(rc *RuleConfig) { rc.Aggregate, rc.Window = "avg", 5*time.Second }),
			`rules[0] "disk": window 5s is shorter than evaluation_interval 15s`,
		},
		{
			"window too long", flat(func(rc *RuleConfig) { rc.Aggregate, rc.Window = "avg", 24*time.Hour }),
			`rules[0] "disk": window 24h needs ~5760 samples at 15s, limits::samples_per_series is 4096: raise it or shorten the window`,
		},
		{
			"forecast", flat(func(rc *RuleConfig) { rc.Forecast = &ForecastConfig{Window: 30 * time.Second, Horizon: time.Hour} }),
			`rules[0] "disk": forecast.window must be ≥ 45s, 3×evaluation_interval`,
		},
		{
			"value in a label", flat(func(rc *RuleConfig) { rc.Labels = map[string]string{"value": "{{ .Value }}"} }),
			`rules[0] "disk": label "value" uses {{ .Value }}: labels identify the alert; move it to annotations`,
		},
		{
			"value deep in a label", flat(func(rc *RuleConfig) {
				rc.Labels = map[string]string{"v": `{{ if true }}{{ .Value | percent }}{{ end }}`}
			}),
			`rules[0] "disk": label "v" uses {{ .Value }}: labels identify the alert; move it to annotations`,
		},
		{
			"unknown function", flat(func(rc *RuleConfig) { rc.Annotations = map[string]string{"summary": "{{ .Value | percnt }}"} }),
			`rules[0] "disk": template: annotations.summary: function "percnt" not defined`,
		},
		{
			"unknown field", flat(func(rc *RuleConfig) { rc.Message = "{{ .Valeu }}" }),
			`rules[0] "disk": template: message: <.Valeu>: can't evaluate field Valeu`,
		},
		{
			"regex", flat(func(rc *RuleConfig) { rc.Match = map[string]any{"a": map[string]any{"regex": "("}} }),
			"rules[0] \"disk\": match.a: invalid regex \"(\": error parsing regexp: missing closing ): `(`",
		},
		{
			"operator", flat(func(rc *RuleConfig) {
				rc.Match = map[string]any{"resource": map[string]any{"a": map[string]any{"not_regxe": "x"}}}
			}),
			`rules[0] "disk": match.resource.a: unknown operator "not_regxe" (did you mean "not_regex"?)`,
		},
		{
			"two selectors", func(c *Config) {
				c.Rules = []RuleConfig{
					{Name: "disk", Metric: "m", Threshold: 1, Severity: "warning"},
					{Name: "disk", Metric: "n", Threshold: 2, Severity: "critical"},
				}
			},
			`rules[1] "disk": "disk" is defined twice with different selectors; same-named rules are merged into one ladder ` +
				`and must agree on metric, match, group_by, window, aggregate`,
		},
		{
			"one severity twice", func(c *Config) {
				rc := RuleConfig{Name: "disk", Metric: "m", Threshold: 1, Severity: "warning"}
				c.Rules = []RuleConfig{rc, rc}
			},
			`rules[1] "disk": "disk" has severity "warning" twice`,
		},
		{
			"no_data", flat(func(rc *RuleConfig) { rc.NoData = &NoDataConfig{Action: "drop"} }),
			`rules[0] "disk": unknown no_data.action "drop" (known: keep, resolve, alert, close)`,
		},
		{"for", flat(func(rc *RuleConfig) { rc.For = new(-time.Second) }), `rules[0] "disk": for must be ≥ 0`},
		{"keep", flat(func(rc *RuleConfig) { rc.KeepFiringFor = new(-time.Second) }), `rules[0] "disk": keep_firing_for must be ≥ 0`},
		{"repeat", flat(func(rc *RuleConfig) { rc.RepeatInterval = new(-time.Second) }), `rules[0] "disk": repeat_interval must be ≥ 0`},
		{"NaN", flat(func(rc *RuleConfig) { rc.Threshold = math.NaN() }), `rules[0] "disk": threshold NaN`},
		{"NaN text", flat(func(rc *RuleConfig) { rc.Threshold = "NaN" }), `rules[0] "disk": threshold NaN`},
		{
			"threshold text", flat(func(rc *RuleConfig) { rc.Threshold = "lots" }),
			`rules[0] "disk": threshold "lots": expected a number, alone or with a unit, such as 80%, 5GiB, 30s, 100Mbit/s, 10k`,
		},
		{
			"silence", func(c *Config) {
				c.Silences = []SilenceConfig{{All: true, From: "2026-01-02T00:00:00Z", To: "2026-01-01T00:00:00Z"}}
			},
			`silences[0]: to is before from`,
		},
		{"empty silence", func(c *Config) { c.Silences = []SilenceConfig{{All: true}} }, `silences[0]: set from and to, or cron and duration, or active`},
		{
			"cron", func(c *Config) { c.Silences = []SilenceConfig{{All: true, Cron: "0 25 * * *", Duration: time.Hour}} },
			`silences[0]: cron "0 25 * * *": "25" is outside 0-23`,
		},
		{"flapping, once for all rules", func(c *Config) {
			c.Defaults.Flapping.Transitions = 2
			c.Rules = []RuleConfig{{Name: "disk", Metric: "m", Threshold: 1, Severity: "warning"}}
		}, `flapping.transitions must be ≥ 3`},
		{"flapping of a rule", flat(func(rc *RuleConfig) { rc.Flapping = &FlappingConfig{Transitions: 2} }), `rules[0] "disk": flapping.transitions must be ≥ 3`},
		{"interval", func(c *Config) { c.EvaluationInterval = time.Millisecond }, `evaluation_interval must be ≥ 1s`},
		{"limits", func(c *Config) { c.Limits.Series = 0 }, `limits::series must be ≥ 1`},
		{"preset", func(c *Config) { c.Preset = "hots" }, `unknown preset "hots" (did you mean "host"?)`},
		{"lookback without a unit", flat(func(rc *RuleConfig) { rc.Lookback = "30" }), `rules[0] "disk": lookback is 30: a duration has a unit, as in 30s`},
		{"lookback", flat(func(rc *RuleConfig) { rc.Lookback = "soon" }), `rules[0] "disk": lookback "soon": expected "auto" or a duration > 0`},
		{
			"expected groups", flat(func(rc *RuleConfig) {
				rc.Threshold, rc.Absent, rc.GroupBy = nil, &AbsentConfig{For: time.Minute, Expect: true}, []string{"a"}
			}),
			`rules[0] "disk": absent.expect and group_by exclude each other: groups that were never seen are not known; list them in absent.expected`,
		},
		{
			"severities", func(c *Config) { c.Severities = []any{"info", "wibble"} },
			`severities: "wibble" has no severity number of its own: write severities as a map from name to number`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultConfig()
			c.edit(&cfg)
			require.EqualError(t, cfg.Validate(), c.want)
		})
	}
}

func TestEveryProblemIsReported(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{
		{Metric: "m", Threshold: 1, Severity: "warning"},
		{Name: "b", Threshold: 1, Severity: "warn"},
	}
	err := cfg.Validate()
	require.Error(t, err)
	assert.Equal(t, []string{
		`rules[0]: name is required`,
		`rules[1] "b": metric is required unless "ratio" is set`,
		`rules[1] "b": unknown severity "warn" (known: info, warning, critical)`,
	}, strings.Split(err.Error(), "\n"))
}

func TestFlatRulesMergeIntoOneLadder(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{
		{Name: "disk", Metric: "m", Threshold: 95, Severity: "critical", LevelConfig: LevelConfig{Message: "very full"}},
		{Name: "swap", Metric: "s", Threshold: 50, Severity: "warning"},
		{Name: "disk", Metric: "m", Threshold: 85, Severity: "warning", LevelConfig: LevelConfig{Message: "full"}},
	}
	ruleSet, err := Compile(cfg)
	require.NoError(t, err)
	assert.Equal(t, []string{"disk", "swap"}, ruleSet.Names())
	levels := ruleSet.Rules[0].Levels
	require.Len(t, levels, 2)
	assert.Equal(t, "warning", levels[0].Name)
	assert.Equal(t, "critical", levels[1].Name)
	assert.Equal(t, 18, levels[1].Number)
}

func TestSeveritiesAsMap(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Severities = map[string]any{"page": 21, "ticket": 13}
	cfg.Rules = []RuleConfig{{Name: "x", Metric: "m", Thresholds: map[string]LevelConfig{"ticket": {Above: 1}, "page": {Above: 2}}}}
	ruleSet, err := Compile(cfg)
	require.NoError(t, err)
	assert.Equal(t, "ticket", ruleSet.Rules[0].Levels[0].Name)
	assert.Equal(t, 21, ruleSet.Rules[0].Levels[1].Number)
}

func TestRuleVersionIgnoresTexts(t *testing.T) {
	t.Parallel()
	version := func(edit func(*RuleConfig)) string {
		cfg := DefaultConfig()
		cfg.Rules = twoLevels(edit)
		ruleSet, err := Compile(cfg)
		require.NoError(t, err)
		return ruleSet.Rules[0].Version
	}
	plain := version(nil)
	assert.Len(t, plain, 8)
	assert.Equal(t, plain, version(func(rc *RuleConfig) {
		rc.Message, rc.Annotations = "other", map[string]string{"a": "b"}
	}))
	assert.NotEqual(t, plain, version(func(rc *RuleConfig) { rc.For = new(time.Second) }))
	assert.NotEqual(t, plain, version(func(rc *RuleConfig) { rc.Match = map[string]any{"a": "b"} }))
	assert.NotEqual(t, plain, version(func(rc *RuleConfig) { rc.Statistic = "p95" }))
	assert.NotEqual(t, plain, version(func(rc *RuleConfig) { rc.OnlyIf = &ConditionConfig{Metric: "n", Above: 1} }))
	assert.Equal(t, "d73bdb37", plain, "of a rule as it always was")
}

func TestPresetHost(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Preset = "host"
	ruleSet, err := Compile(cfg)
	require.NoError(t, err)
	for _, name := range []string{"cpu", "memory", "disk", "swap"} {
		r := ruleSet.Rules[slices.Index(ruleSet.Names(), name)]
		for i := range r.Levels {
			l, err := r.Levels[i].Resolve("1")
			require.NoError(t, err)
			assert.Less(t, l.ClearLow, l.Low)
		}
	}

	cfg.Rules = []RuleConfig{{Name: "disk", Metric: "mine", Threshold: 1, Severity: "info"}}
	ruleSet, err = Compile(cfg)
	require.NoError(t, err)
	last := ruleSet.Rules[len(ruleSet.Rules)-1]
	assert.Equal(t, []string{"disk", "mine"}, []string{last.Name, last.Metric})
	assert.Equal(t, len(ruleSet.Rules)-1, slices.Index(ruleSet.Names(), "disk"), "the preset's is gone")
}

func TestQuantity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   any
		unit string
		want float64
	}{
		{80, "anything", 80},
		{0.8, "1", 0.8},
		{"80%", "1", 0.8},
		{"80 %", "%", 80},
		{"5GiB", "By", 5 << 30},
		{"10MB", "By/s", 1e7},
		{"1.5 kB", "By", 1500},
		{"12B", "By", 12},
		{"-3", "1", -3},
		{"1e3", "", 1000},
	} {
		q, err := parseQuantity(c.in)
		require.NoError(t, err, c.in)
		v, err := q.In(c.unit)
		require.NoError(t, err, c.in)
		assert.InDelta(t, c.want, v, 0, c.in)
	}
	q, err := parseQuantity("80%")
	require.NoError(t, err)
	_, err = q.In("By")
	require.EqualError(t, err, `threshold 80% needs a metric of unit "1" or "%", not "By"`)
	q, err = parseQuantity("5GiB")
	require.NoError(t, err)
	_, err = q.In("1")
	require.EqualError(t, err, `threshold 5GiB needs a metric of unit "By" or "By/s", not "1"`)
}

func FuzzParseQuantity(f *testing.F) {
	for _, s := range []string{"80%", "5GiB", "1e309", "0x10", "", "%", "-Inf", " 7 kB ", "1_000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := parseQuantity(s)
		if err != nil {
			assert.Zero(t, q)
			return
		}
		assert.False(t, math.IsNaN(q.Number) || math.IsInf(q.Number, 0))
		again, err := parseQuantity(q.Text)
		require.NoError(t, err)
		assert.Equal(t, q, again)
	})
}

func TestMatchers(t *testing.T) {
	t.Parallel()
	attrs := []attr.Attr{attr.String("s", "sda1"), attr.Int("i", 3), attr.Bool("b", true), attr.Double("d", 0.5), attr.String("p", "/run/user/7")}
	for _, c := range []struct {
		match map[string]any
		want  bool
	}{
		{map[string]any{"s": "sda1"}, true},
		{map[string]any{"s": "sda"}, false},
		{map[string]any{"i": 3, "b": true, "d": 0.5}, true},
		{map[string]any{"i": "3"}, true},
		{map[string]any{"none": "x"}, false},
		{map[string]any{"s": map[string]any{"regex": "sd.*"}}, true},
		{map[string]any{"s": map[string]any{"not_regex": "sd.*"}}, false},
		// Patterns match whole values, as in Prometheus.
		{map[string]any{"s": map[string]any{"regex": "^sd"}}, false},
		{map[string]any{"s": map[string]any{"regex": "sd"}}, false},
		{map[string]any{"s": map[string]any{"regex": "1$"}}, false},
		{map[string]any{"s": map[string]any{"regex": "sd|1"}}, false},
		{map[string]any{"s": map[string]any{"regex": "sdb|sda1"}}, true},
		{map[string]any{"s": map[string]any{"not_regex": "^sd"}}, true},
		{map[string]any{"p": map[string]any{"regex": "^/run/.*$"}}, true},
		{map[string]any{"none": map[string]any{"not_regex": "^sd"}}, true},
		{map[string]any{"p": map[string]any{"glob": "/run/*"}}, true},
		{map[string]any{"s": map[string]any{"glob": "sd[!b-z]?"}}, true},
		{map[string]any{"s": map[string]any{"glob": "sd.1"}}, false},
		{map[string]any{"i": map[string]any{"in": []any{1, 3}}}, true},
		{map[string]any{"s": map[string]any{"exists": true}}, true},
		{map[string]any{"s": map[string]any{"exists": false}}, false},
		{map[string]any{"none": map[string]any{"exists": false}}, true},
		{map[string]any{"s": map[string]any{"regex": "^sd.*", "not_regex": ".*1$"}}, false},
	} {
		sel := compileSelector(c.match, "match.", func(format string, args ...any) { t.Errorf(format, args...) })
		assert.Equal(t, c.want, sel.MatchesPoint(attrs), "%v", c.match)
	}
}

func TestDurationsWithoutAUnit(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Rules = twoLevels(func(rc *RuleConfig) { rc.Thresholds["warning"] = LevelConfig{Above: 80, For: new(time.Duration(5))} })
	cfg.Rules = append(cfg.Rules, RuleConfig{Name: "flat", Metric: "m", Threshold: 1, Severity: "warning", LevelConfig: LevelConfig{For: new(time.Duration(-5))}})
	cfg.Defaults.RepeatInterval = 3600
	cfg.Defaults.NoData.After = 300
	_, err := Compile(cfg)
	for _, want := range []string{
		"rules[0].thresholds.warning.for is 5ns: a duration has a unit, as in 5s",
		"rules[1].for is -5ns: a duration has a unit, as in 5s",
		"defaults.repeat_interval is 3.6µs: a duration has a unit, as in 3600s",
		"defaults.no_data.after is 300ns: a duration has a unit, as in 300s",
	} {
		assert.ErrorContains(t, err, want)
	}
}

// twoLevels is a rule with a warning above 80 and a critical above 95.
func twoLevels(edit func(*RuleConfig)) []RuleConfig {
	rc := RuleConfig{Name: "load", Metric: "m", Thresholds: map[string]LevelConfig{
		"warning": {Above: 80}, "critical": {Above: 95},
	}}
	if edit != nil {
		edit(&rc)
	}
	return []RuleConfig{rc}
}
