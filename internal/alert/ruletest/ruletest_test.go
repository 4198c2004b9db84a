package ruletest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

func TestParseValues(t *testing.T) {
	t.Parallel()
	v := func(values ...float64) []Sample {
		var out []Sample
		for _, x := range values {
			out = append(out, Sample{Value: x})
		}
		return out
	}
	missing, stale := Sample{Missing: true}, Sample{Stale: true}
	for text, want := range map[string][]Sample{
		"":               nil,
		"1":              v(1),
		"1 2.5 -3e2":     v(1, 2.5, -300),
		"1+2x3":          v(1, 3, 5, 7),
		"1-2x3":          v(1, -1, -3, -5),
		"-2+4x3":         v(-2, 2, 6, 10),
		"-2-4x1":         v(-2, -6),
		"1x3":            v(1, 1, 1, 1),
		"1+0x1":          v(1, 1),
		"1e-1+1e+1x1":    v(0.1, 10.1),
		"Inf -Inf":       v(math.Inf(1), math.Inf(-1)),
		"1 _ stale 2":    {{Value: 1}, missing, stale, {Value: 2}},
		"_x2 7":          {missing, missing, {Value: 7}},
		"  1 \n 2  \t 3": v(1, 2, 3),
	} {
		got, err := ParseValues(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	got, err := ParseValues("NaNx1")
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.True(t, math.IsNaN(got[1].Value))
	for text, want := range map[string]string{
		"1+2":           `parsing "1+2": expected a number, got "1+2"`,
		"1+2x":          `parsing "1+2x": expected a count after x, got ""`,
		"1+x3":          `parsing "1+x3": expected a number, got ""`,
		"1 two":         `parsing "two": expected a number, got "two"`,
		"stalex3":       `parsing "stalex3": stale cannot be repeated`,
		"{{schema:1}}":  `parsing "{{schema:1}}": histograms are not supported`,
		"1+1x999999999": `parsing "1+1x999999999": more than 1000000 samples`,
	} {
		_, err := ParseValues(text)
		require.EqualError(t, err, want)
	}
}

func FuzzParseValues(f *testing.F) {
	for _, s := range []string{"1+2x3", "_x5 stale", "NaN Inf -Inf", "1e5-1e-5x2", "{{}}", "x", "1x", "+", "0x1p-2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		samples, err := ParseValues(text)
		if err != nil {
			assert.Nil(t, samples)
			return
		}
		assert.LessOrEqual(t, len(samples), maxSamples)
		for _, s := range samples {
			if s.Missing || s.Stale {
				assert.Zero(t, s.Value)
			}
		}
	})
}

func TestParseSelector(t *testing.T) {
	t.Parallel()
	a := func(k, v string) attr.Attr { return attr.Attr{Key: k, Value: attr.StringValue(v)} }
	for text, want := range map[string]Selector{
		`up`:   {Metric: "up"},
		`up{}`: {Metric: "up"},
		`system.cpu.utilization{cpu.mode="idle", cpu="0",}`: {
			Metric: "system.cpu.utilization", Attributes: []attr.Attr{a("cpu.mode", "idle"), a("cpu", "0")},
		},
		`{"system.cpu.time", "cpu.mode"="a\"b,}"}`: {Metric: "system.cpu.time", Attributes: []attr.Attr{a("cpu.mode", `a"b,}`)}},
		`m{resource.host.name="db1",scope.name="x",k="v"}`: {
			Metric: "m", Attributes: []attr.Attr{a("k", "v")}, Resource: []attr.Attr{a("host.name", "db1")}, Scope: []attr.Attr{a("name", "x")},
		},
	} {
		got, err := ParseSelector(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{``, `{}`, `m{`, `m{a}`, `m{a=}`, `m{a="b"`, `m{a="b"} x`, `m{a="b" c="d"}`, `m{a="b",a="c"}`, `{="b"}`} {
		_, err := ParseSelector(text)
		require.Error(t, err, text)
	}
}

func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{`up`, `m{a="b"}`, `{"m","k"="v"}`, `m{resource.a="b"`, `m{,}`, "m{a=`b`}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelector(text)
		if err != nil {
			assert.Zero(t, s)
			return
		}
		assert.NotEmpty(t, s.Metric)
	})
}

func compile(t *testing.T, rc rules.RuleConfig) *rules.Set {
	t.Helper()
	cfg := rules.DefaultConfig()
	cfg.EvaluationInterval = time.Minute
	cfg.Rules = []rules.RuleConfig{rc}
	rules, err := rules.Compile(cfg)
	require.NoError(t, err)
	return rules
}

func story(r *Result) []string {
	var out []string
	for _, tr := range r.Transitions {
		out = append(out, fmt.Sprintf("%s %s", tr.At, tr.Event.Transition))
	}
	return out
}

func minutes(n int) *time.Duration {
	d := time.Duration(n) * time.Minute
	return &d
}

// The stories that Prometheus' own tests tell of alerting rules.
func TestPrometheusStories(t *testing.T) {
	t.Parallel()
	like := func(edit func(*rules.RuleConfig)) rules.RuleConfig {
		off := false
		rc := rules.RuleConfig{
			Name: "HTTPRequestRateLow", Metric: "http_requests", Severity: "critical", Lookback: "5m",
			NoData:      &rules.NoDataConfig{After: 5 * time.Minute, Action: "resolve"},
			LevelConfig: rules.LevelConfig{Below: 100},
			Flapping:    &rules.FlappingConfig{Enabled: &off},
		}
		edit(&rc)
		return rc
	}
	cases := []struct {
		name   string
		rule   rules.RuleConfig
		values string
		want   []string
	}{
		{
			"keep_firing_for holds until it has passed, and the return resets it",
			like(func(rc *rules.RuleConfig) { rc.KeepFiringFor = minutes(5) }),
			"75 85 95 115 125 90 60 105 110 115 120 125 130 135",
			[]string{"0s fire", "12m0s resolve"},
		},
		{
			"for and keep_firing_for together",
			like(func(rc *rules.RuleConfig) { rc.For, rc.KeepFiringFor = minutes(1), minutes(1) }),
			"75 80 110 90 85 120 115 130",
			[]string{"1m0s fire", "6m0s resolve"},
		},
		{"a stale series resolves at once", like(func(*rules.RuleConfig) {}), "50x3 stale _x4", []string{"0s fire", "4m0s resolve"}},
		{"a series that just ends resolves after the lookback", like(func(*rules.RuleConfig) {}), "50x3 _x8", []string{"0s fire", "8m0s resolve"}},
		{"a gap shorter than the lookback is none", like(func(rc *rules.RuleConfig) { rc.For = minutes(3) }), "50 _ _ 50 150", []string{"3m0s fire", "4m0s resolve"}},
		{"one good value resets for", like(func(rc *rules.RuleConfig) { rc.For = minutes(2) }), "50 50 150 50 50 50 50", []string{"5m0s fire"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := Run(compile(t, c.rule), Test{Interval: time.Minute, Series: []Series{{Series: `http_requests{job="app"}`, Values: c.values}}})
			require.NoError(t, err)
			assert.Equal(t, c.want, story(r))
		})
	}
}

func TestRunOfGroupsAndRates(t *testing.T) {
	t.Parallel()
	rc := rules.RuleConfig{
		Name: "errors", Metric: "system.network.errors", Window: 5 * time.Minute, Aggregate: "rate", GroupBy: []string{"network.interface.name"},
		GroupAggregate: "sum", Thresholds: map[string]rules.LevelConfig{"warning": {Above: 10, Clear: 1}},
	}
	r, err := Run(compile(t, rc), Test{Interval: time.Minute, Series: []Series{
		{Series: `system.network.errors{network.interface.name="eth0",network.io.direction="receive"}`, Values: "0+360x10 3600x10"},
		{Series: `system.network.errors{network.interface.name="eth0",network.io.direction="transmit"}`, Values: "0+300x10 3000x10"},
		{Series: `system.network.errors{network.interface.name="eth1",network.io.direction="receive"}`, Values: "0+600x20"},
	}})
	require.NoError(t, err)
	assert.Equal(t, []string{"5m0s fire", "15m0s resolve"}, story(r), "eth0 alone: 11 a second in sum; eth1 stays at exactly 10")
	assert.Len(t, r.FiringAt(9*time.Minute), 1)
	assert.Equal(t, "eth0", r.FiringAt(9 * time.Minute)[0].Identity[0].Value.AsString())
	assert.Empty(t, r.FiringAt(4*time.Minute))
	assert.Empty(t, r.FiringAt(time.Hour))
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	rules := compile(t, rules.RuleConfig{Name: "x", Metric: "m", Threshold: 1, Severity: "warning"})
	for _, test := range []Test{
		{},
		{Interval: time.Minute, Series: []Series{{Series: "m{", Values: "1"}}},
		{Interval: time.Minute, Series: []Series{{Series: "m", Values: "one"}}},
		{Interval: time.Nanosecond, Until: time.Hour},
	} {
		_, err := Run(rules, test)
		require.Error(t, err)
	}
}
