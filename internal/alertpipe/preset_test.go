package alertpipe

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// compiledRule decodes settings and gives a rule of theirs.
func compiledRule(t *testing.T, settings, name string) *rules.Rule {
	t.Helper()
	cfg, err := decoded(t, settings)
	require.NoError(t, err)
	set, err := cfg.Compile()
	require.NoError(t, err)
	i := slices.Index(set.Names(), name)
	if i < 0 {
		return nil
	}
	return set.Rules[i]
}

// TestPresetIsChanged: what is not named stays as it is.
func TestPresetIsChanged(t *testing.T) {
	t.Parallel()
	count := func(settings string) int {
		cfg, err := decoded(t, settings)
		require.NoError(t, err)
		set, err := cfg.Compile()
		require.NoError(t, err)
		return len(set.Rules)
	}
	all := count(`preset: host`)
	for _, same := range []string{`preset: {host: }`, `preset: {host: {}}`, `preset: {host: {disable: []}}`, `preset: {host: {override: {}}}`} {
		assert.Equal(t, all, count(same), same)
	}
	assert.Equal(t, all-2, count(`preset: {host: {disable: [swap, entropy]}}`))
	assert.Equal(t, all, count("preset: {host: {disable: [swap]}}\nrules: [{name: swap, metric: m, threshold: 1, severity: info}]"), "a rule of one's own in its place")
	assert.Nil(t, compiledRule(t, `preset: {host: {disable: [swap]}}`, "swap"))

	type level struct{ severity, bound, clear, span string }
	levels := func(override, name string) (out []level) {
		r := compiledRule(t, `preset: {host: {override: {`+name+`: `+override+`}}}`, name)
		for i := range r.Levels {
			l := &r.Levels[i]
			clearAt := ""
			if l.HasClear {
				clearAt = l.Clear[0].Text
			}
			out = append(out, level{l.Name, l.BoundText(), clearAt, rules.FormatDuration(time.Duration(l.ForDuration))})
		}
		return out
	}
	for override, want := range map[string][]level{
		`{}`:                                                   {{"warning", "80%", "70%", "15m"}, {"critical", "95%", "85%", "15m"}},
		`{for: 1h}`:                                            {{"warning", "80%", "70%", "1h"}, {"critical", "95%", "85%", "1h"}},
		`{for: 0s, thresholds: {critical: off}}`:               {{"warning", "80%", "70%", "0s"}},
		`{thresholds: {warning: 90%}}`:                         {{"warning", "90%", "80%", "15m"}, {"critical", "95%", "85%", "15m"}},
		`{thresholds: {warning: {for: 5m}}}`:                   {{"warning", "80%", "70%", "5m"}, {"critical", "95%", "85%", "15m"}},
		`{thresholds: {critical: {clear: 94%}}}`:               {{"warning", "80%", "70%", "15m"}, {"critical", "95%", "94%", "15m"}},
		`{threshold: 90%, severity: warning}`:                  {{"warning", "90%", "80%", "15m"}, {"critical", "95%", "85%", "15m"}},
		`{thresholds: {info: {above: 50%}}}`:                   {{"info", "50%", "", "0s"}, {"warning", "80%", "70%", "15m"}, {"critical", "95%", "85%", "15m"}},
		`{for: 2h, thresholds: {info: {above: 50%, for: 1m}}}`: {{"info", "50%", "", "1m"}, {"warning", "80%", "70%", "2h"}, {"critical", "95%", "85%", "2h"}},
	} {
		assert.Equal(t, want, levels(override, "cpu"), override)
	}
	assert.Equal(t, []level{{"warning", "70%", "60%", "0s"}}, levels(`{threshold: 70%}`, "swap"), "of the one level that there is")

	r := compiledRule(t, `preset: {host: {override: {cpu: {labels: {team: a}, annotations: {note: b}}}}}`, "cpu")
	assert.Len(t, r.Labels, 1)
	assert.Len(t, r.Annotations, 2, "the runbook stays")
}

func TestWhatIsWrongWithAPreset(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		`preset: hots`:                                                             `unknown preset "hots" (did you mean "host"?)`,
		`preset: 7`:                                                                `preset: expected the name of a preset`,
		`preset: [host]`:                                                           `preset: expected the name of a preset`,
		`preset: {hots: {}}`:                                                       `preset: unknown key "hots" (did you mean "host"?)`,
		`preset: {host: {disabled: [cpu]}}`:                                        `preset: host: unknown key "disabled" (did you mean "disable"?)`,
		`preset: {host: {disable: [cpuu]}}`:                                        `preset.host.disable: there is no rule "cpuu" (did you mean "cpu"?)`,
		`preset: {host: {disable: [cpu, cpu]}}`:                                    `preset.host.disable: "cpu" stands there twice`,
		`preset: {host: {override: {dsik: {}}}}`:                                   `preset.host.override: there is no rule "dsik" (did you mean "disk"?)`,
		`preset: {host: {override: {cpu: {fro: 1m}}}}`:                             `unknown key "fro" (did you mean "for"?)`,
		`preset: {host: {override: {cpu: {for: 30}}}}`:                             `a duration has a unit, as in 30s`,
		`preset: {host: {override: {cpu: {metric: m}}}}`:                           `preset.host.override.cpu: metric is not to be changed`,
		`preset: {host: {override: {cpu: {threshold: 90%}}}}`:                      `of which level is the bound?`,
		`preset: {host: {override: {cpu: {severity: warning}}}}`:                   `severity goes with a bound`,
		`preset: {host: {override: {cpu: {thresholds: {crit: off}}}}}`:             `the rule has no level "crit" (did you mean "critical"?)`,
		`preset: {host: {override: {swap: {thresholds: {warning: off}}}}}`:         `all levels are off: write swap under disable`,
		`preset: {host: {override: {cpu: {thresholds: {warning: 99%}}}}}`:          `ladder is not monotone`,
		`preset: {host: {override: {load: {thresholds: {warning: 9}}}}}`:           `write clear, too`,
		`preset: {host: {disable: [cpu], override: {cpu: {for: 1m}}}}`:             `preset.host.override.cpu: the rule is disabled`,
		`preset: {host: {override: {cpu: {thresholds: {warning: {clear: 85%}}}}}}`: `clear 85% must be below threshold 80%`,
	} {
		cfg, err := decoded(t, settings)
		if err == nil {
			err = cfg.Config.Validate()
		}
		assert.ErrorContains(t, err, want, settings)
	}
}
