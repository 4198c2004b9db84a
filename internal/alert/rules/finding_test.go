package rules

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// found compiles a rule, and makes the finding that its first level has the value, of a metric of the unit.
func found(t *testing.T, rc RuleConfig, unit string, v float64) Finding {
	t.Helper()
	rc.Name = "r"
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{rc}
	set, err := Compile(cfg)
	require.NoError(t, err)
	r := set.Rules[0]
	bounds, err := r.Levels[0].Resolve(unit)
	require.NoError(t, err)
	return Finding{Rule: r, Value: attr.Number{Float64: v, Valid: true}, Unit: unit, Level: &r.Levels[0], Bounds: bounds}
}

func TestTextsOfKinds(t *testing.T) {
	hour := time.Hour
	flat := func(metric string, above any, edit func(*RuleConfig)) RuleConfig {
		rc := RuleConfig{Metric: metric, Severity: "warning", LevelConfig: LevelConfig{Above: above}}
		if edit != nil {
			edit(&rc)
		}
		return rc
	}
	aggregated := func(aggregate string, window time.Duration) func(*RuleConfig) {
		return func(rc *RuleConfig) { rc.Aggregate, rc.Window = aggregate, window }
	}
	const mib = 1 << 20
	for _, c := range []struct {
		rule RuleConfig
		unit string
		v    float64
		want string
	}{
		{flat("m", 80, nil), "", 90, ": m is 90 (> 80)"},
		{flat("m", 80, nil), "", 70, ": m is 70 (≤ 80)"},
		{flat("m", 80, func(rc *RuleConfig) { rc.Clear = 70 }), "", 75, ": m is 75 (≤ 80, clears at ≤ 70)"},
		{flat("m", 80, func(rc *RuleConfig) { rc.Clear = 70 }), "", 70, ": m is 70 (≤ 70)"},
		{flat("m", 80, func(rc *RuleConfig) { rc.Hysteresis = new(0.25) }), "", 75, ": m is 75 (≤ 80, clears at ≤ 60)"},
		{flat("system.cpu.utilization", "80%", func(rc *RuleConfig) { rc.Clear = "70%" }), "1", 0.759, ": system.cpu.utilization is 75.9% (≤ 80%, clears at ≤ 70%)"},
		{flat("system.cpu.utilization", 0.8, nil), "1", 0.9, ": system.cpu.utilization is 90.0% (> 80.0%)"},
		{flat("m", "80%", nil), "%", 80.02, ": m is 80.02% (> 80%)"},
		{flat("m", 0.5, nil), "1", 0.75, ": m is 0.75 (> 0.5)"},
		{flat("m", "100MiB", nil), "By", 97 * mib, ": m is 97.0 MiB (≤ 100MiB)"},
		{flat("m", "5GB", nil), "By", 5.2e9, ": m is 5.2 GB (> 5GB)"},
		{flat("m", 104857600, nil), "By", 200 * mib, ": m is 200.0 MiB (> 100.0 MiB)"},
		{flat("m", 300, nil), "s", 360, ": m is 6m (> 5m)"},
		{flat("m", 2e9, nil), "Hz", 3.5e9, ": m is 3500000000 Hz (> 2000000000 Hz)"},
		{flat("m", 90, nil), "Cel", 95.5, ": m is 95.5 Cel (> 90 Cel)"},
		{flat("m", 100, nil), "{packet}", 120, ": m is 120 (> 100)"},
		{flat("m", "100MiB", aggregated("increase", hour)), "By", 197 * mib, ": m rose by 197.0 MiB in 1h (> 100MiB)"},
		{flat("m", "100MiB", aggregated("increase", hour)), "By", 97 * mib, ": m rose by 97.0 MiB in 1h (≤ 100MiB)"},
		{flat("m", "100MiB", aggregated("increase", hour)), "By", -97 * mib, ": m fell by 97.0 MiB in 1h (-97.0 MiB ≤ 100MiB)"},
		{flat("m", "1MB", aggregated("rate", 5*time.Minute)), "By", 2e6, ": rate of m over 5m is 2.0 MB/s (> 1MB)"},
		{flat("m", 5, aggregated("rate", 5*time.Minute)), "{error}", 11.666666, ": rate of m over 5m is 11.6667/s (> 5/s)"},
		{flat("m", 3, aggregated("rate", 5*time.Minute)), "s", 3.5, ": rate of m over 5m is 3.5 (> 3)"},
		{flat("m", "80%", aggregated("avg", 5*time.Minute)), "1", 0.9, ": avg of m over 5m is 90.0% (> 80%)"},
		{flat("m", "80%", aggregated("p95", 5*time.Minute)), "1", 0.9, ": p95 of m over 5m is 90.0% (> 80%)"},
		{flat("m", 3, aggregated("count", 5*time.Minute)), "By", 4, ": number of samples of m in 5m is 4 (> 3)"},
		{flat("m", 3, aggregated("last", 5*time.Minute)), "", 4, ": m is 4 (> 3)"},
		{flat("m", 3, func(rc *RuleConfig) { rc.GroupAggregate = "sum" }), "", 4, ": sum of m is 4 (> 3)"},
		{flat("m", 3, func(rc *RuleConfig) { rc.GroupAggregate = "count" }), "By", 4, ": number of series of m is 4 (> 3)"},
		{flat("m", 3, func(rc *RuleConfig) { rc.GroupAggregate = "max"; aggregated("increase", hour)(rc) }), "", 4, ": max of increase of m in 1h is 4 (> 3)"},
		{flat("m", "80%", func(rc *RuleConfig) { rc.Scale, rc.Offset = new(-1.0), 1 }), "1", 0.9, ": 1 - m is 90.0% (> 80%)"},
		{flat("m", 8, func(rc *RuleConfig) { rc.Scale = new(8.0) }), "", 9, ": 8 × m is 9 (> 8)"},
		{flat("m", 1, func(rc *RuleConfig) { rc.Statistic = "p99" }), "s", 0.493, ": p99 of m is 493ms (≤ 1s)"},
		{
			flat("m", "95%", func(rc *RuleConfig) { rc.Forecast = &ForecastConfig{Window: hour, Horizon: 4 * hour} }), "1", 0.97,
			": m is forecast to be 97.0% in 4h (> 95%)",
		},
		{RuleConfig{
			Severity: "warning", LevelConfig: LevelConfig{Above: "1%"}, Window: 5 * time.Minute, Aggregate: "increase",
			Ratio: &RatioConfig{Numerator: SelectorConfig{Metric: "e"}, Denominator: SelectorConfig{Metric: "p"}},
		}, "1", 0.05, ": e / p (increase over 5m) is 5.0% (> 1%)"},
		{RuleConfig{Metric: "m", Severity: "warning", LevelConfig: LevelConfig{Below: 10}}, "", 12, ": m is 12 (≥ 10)"},
		{RuleConfig{Metric: "m", Severity: "warning", LevelConfig: LevelConfig{Outside: []any{10, 20}, Clear: []any{12, 18}}}, "", 11, ": m is 11 (inside [10, 20], clears at inside [12, 18])"},
		{RuleConfig{Metric: "m", Severity: "warning", LevelConfig: LevelConfig{Inside: []any{10, 20}}}, "", 21, ": m is 21 (outside [10, 20])"},
	} {
		f := found(t, c.rule, c.unit, c.v)
		assert.Equal(t, c.want, f.Rule.Kind.Text(f))
	}
	f := found(t, flat("m", 80, nil), "", 0)
	f.Value.Valid = false
	assert.Equal(t, ": m has no value", f.Rule.Kind.Text(f))
	assert.Empty(t, f.ValueText()+f.Condition())
	r := kindsOfRules()["absent"]
	f = found(t, r, "", 0)
	f.Reason = alertschema.ReasonAbsent
	assert.Equal(t, ": no m for 1m", f.Rule.Kind.Text(f))
	f.Over = true
	assert.Equal(t, ": m is there again", f.Rule.Kind.Text(f))
}

// TestConditionsAreTrue holds, for every comparison, unit and side of the bounds, that the condition says what is true of the value, that the value
// can be told from a bound that it does not equal, and that both are in one unit.
func TestConditionsAreTrue(t *testing.T) {
	levels := map[string]LevelConfig{
		"above": {Above: "B20"}, "above with clear": {Above: "B20", Clear: "B12"}, "below": {Below: "B12"}, "below with clear": {Below: "B12", Clear: "B20"},
		"outside": {Outside: []any{"B12", "B20"}}, "outside with clear": {Outside: []any{"B12", "B20"}, Clear: []any{"B14", "B18"}},
		"inside": {Inside: []any{"B12", "B20"}}, "inside with clear": {Inside: []any{"B12", "B20"}, Clear: []any{"B10", "B22"}},
	}
	units := []struct {
		unit, suffix, shown string
		factor              float64
	}{
		{"", "", "", 1},
		{"1", "%", "%", 0.01},
		{"%", "%", "%", 1},
		{"By", "MiB", "MiB", 1 << 20},
		{"By", "MB", "MB", 1e6},
		{"By", "", "B", 1},
		{"By/s", "kB", "kB/s", 1e3},
		{"Hz", "", "Hz", 1},
	}
	for name, lc := range levels {
		for _, u := range units {
			written := func(v any) any {
				text, one := v.(string)
				if !one {
					return v
				}
				return strings.Replace(text, "B", "", 1) + u.suffix
			}
			var pair func(any) any
			pair = func(v any) any {
				if list, ok := v.([]any); ok {
					return []any{pair(list[0]), pair(list[1])}
				}
				return written(v)
			}
			of := LevelConfig{Above: pair(lc.Above), Below: pair(lc.Below), Outside: pair(lc.Outside), Inside: pair(lc.Inside), Clear: pair(lc.Clear)}
			for _, v := range []float64{9, 10, 11, 11.9999, 12, 12.0001, 13, 14, 16, 18, 19, 19.999, 20, 20.00004, 21, 22, 23} {
				f := found(t, RuleConfig{Metric: "m", Severity: "warning", LevelConfig: of}, u.unit, v*u.factor)
				for _, condition := range []string{f.condition(true), f.Condition()} {
					breached := strings.HasPrefix(condition, f.Bounds.Comparison.Symbol()+" ")
					assert.Equal(t, f.Bounds.Raised(f.Value.Float64), breached, "%s: %v %s: %s", name, v, u.unit, condition)
					held := !f.Bounds.Raised(f.Value.Float64) && f.Bounds.Held(f.Value.Float64)
					assert.Equal(t, held, strings.Contains(condition, "clears at"), "%s: %v: %s", name, v, condition)
					value := f.ValueText()
					assert.True(t, strings.HasSuffix(value, u.shown), "%s in %s", value, u.shown)
					for _, bound := range regexp.MustCompile(`-?[0-9.]+`).FindAllString(condition, -1) {
						if number := strings.TrimRight(strings.TrimSuffix(value, u.shown), " "); number == bound || number == bound+".0" || number+".0" == bound {
							assert.Contains(t, []float64{10, 12, 14, 18, 20, 22}, v, "%s looks like the bound %s", value, condition)
						}
					}
				}
			}
		}
	}
}
