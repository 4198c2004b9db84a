package rules

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// blockExamples are rules with one block each; "" stands for the rule that they are added to.
var blockExamples = map[string]func(*RuleConfig){
	"ratio": func(rc *RuleConfig) {
		rc.Metric, rc.Ratio = "", &RatioConfig{Numerator: SelectorConfig{Metric: "a"}, Denominator: SelectorConfig{Metric: "b"}}
	},
	"forecast": func(rc *RuleConfig) { rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: time.Hour} },
	"change":   func(rc *RuleConfig) { rc.Change = &ChangeConfig{Since: time.Hour} },
	"absent": func(rc *RuleConfig) {
		rc.Threshold, rc.Absent = nil, &AbsentConfig{For: time.Hour}
	},
	"only_if":     func(rc *RuleConfig) { rc.OnlyIf = &ConditionConfig{Metric: "c", Above: 1} },
	"for_samples": func(rc *RuleConfig) { rc.ForSamples = &ForSamplesConfig{Breached: 2, Of: 3} },
}

// Every two blocks go together, or the table says that they don't.
func TestBlocksGoTogetherOrAreSaidNotTo(t *testing.T) {
	t.Parallel()
	for i, a := range blocks {
		require.Contains(t, blockExamples, a.key)
		for _, b := range blocks[i+1:] {
			excluded := slices.ContainsFunc(exclusions, func(x struct{ a, b, instead string }) bool {
				return x.a == a.key && x.b == b.key || x.a == b.key && x.b == a.key
			})
			ignored := slices.ContainsFunc(ignoredKeys, func(row ignoredKey) bool {
				rc := RuleConfig{}
				blockExamples[a.key](&rc)
				blockExamples[b.key](&rc)
				return row.given(&rc) && (slices.Contains(row.keys, a.key) || slices.Contains(row.keys, b.key))
			})
			cfg := DefaultConfig()
			rc := RuleConfig{Name: "x", Metric: "m", Threshold: 1, Severity: "warning"}
			blockExamples[a.key](&rc)
			blockExamples[b.key](&rc)
			cfg.Rules = []RuleConfig{rc}
			_, err := Compile(cfg)
			switch {
			case ignored:
				require.ErrorContains(t, err, "means nothing beside", "%s beside %s", a.key, b.key)
			case !excluded:
				require.NoError(t, err, "%s beside %s", a.key, b.key)
			default:
				require.ErrorContains(t, err, "exclude each other")
				require.ErrorContains(t, err, a.key)
				require.ErrorContains(t, err, b.key)
			}
		}
	}
	for _, x := range exclusions {
		assert.Contains(t, blockExamples, x.a)
		assert.Contains(t, blockExamples, x.b)
	}
}

func TestKindsHaveTheNamesOfTheirBlocks(t *testing.T) {
	t.Parallel()
	names := []string{"threshold"}
	for _, k := range kinds {
		names = append(names, k.key)
	}
	for i, r := range rulesOfEachKind(t) {
		assert.Equal(t, names[i], r.Kind.Name())
	}
}
