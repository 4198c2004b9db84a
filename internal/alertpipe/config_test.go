package alertpipe

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

func configFrom(t *testing.T, text string) (*Config, error) {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw))
	cfg := DefaultConfig()
	return cfg, confmap.NewFromStringMap(raw).Unmarshal(cfg)
}

// validate does what the Collector does: it asks the configuration and what is embedded in it.
func validate(cfg *Config) error { return errors.Join(cfg.Config.Validate(), cfg.Validate()) }

func TestConfigStruct(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(DefaultConfig()))
	require.NoError(t, validate(DefaultConfig()))
}

func TestConfigFromYAML(t *testing.T) {
	cfg, err := configFrom(t, `
evaluation_interval: 5s
storage: file_storage/alerts
severities: {info: 9, warning: 13, critical: 18, page: 21}
preset: host
rule_files: [testdata/rules/*.yaml]
defaults: {for: 10s, no_data: {after: 1m, action: resolve}, flapping: {enabled: false}}
limits: {outbox: 10}
silences: [{match: {alert.rule.name: cpu}, cron: "0 3 * * *", duration: 1h}]
rules:
  - name: cpu
    metric: system.cpu.utilization
    match: {cpu.mode: idle, resource: {host.name: {not_regex: "^ci-"}}}
    scale: -1
    offset: 1
    group_aggregate: avg
    window: 1m
    aggregate: avg
    thresholds:
      warning: {above: 80%, clear: 70%, for: 30s}
      page: {above: 95%}
  - name: burst
    metric: system.cpu.utilization.distribution
    statistic: p99.9
    only_if: {metric: system.cpu.load_average.1m, match: {resource: {os.type: linux}}, above: 4}
    threshold: 95%
    severity: warning
  - name: errors
    ratio: {numerator: {metric: system.network.errors, match: {network.io.direction: receive}}, denominator: {metric: system.network.packet.count}}
    window: 1m
    aggregate: increase
    group_by: [resource.host.name]
    threshold: 1%
    severity: warning
`)
	require.NoError(t, err)
	require.NoError(t, validate(cfg))
	assert.Equal(t, 5*time.Second, cfg.interval())
	assert.Equal(t, "file_storage/alerts", cfg.Storage.String())
	assert.Equal(t, 15*time.Minute, cfg.Defaults.StaleSeriesAfter, "what is not written keeps its default")
}

func TestConfigWithRuleFiles(t *testing.T) {
	cfg, err := configFrom(t, `
rule_files: [testdata/rules/b.yaml, testdata/rules/*.yaml]
rules: [{name: inline, metric: m, threshold: 1, severity: warning}]
`)
	require.NoError(t, err)
	rules, err := cfg.compile()
	require.NoError(t, err)
	assert.Equal(t, []string{"inline", "memory", "queue"}, rules.Names(), "each file once, in order; flat rules of one name are one")
	assert.Len(t, cfg.Rules, 1, "the configuration itself does not change")
}

func TestConfigErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no such file", `rule_files: ["x/*.yaml"]`, `rule_files: "x/*.yaml" matched no file`},
		{"a bad glob", `rule_files: ["[x"]`, `rule_files: "[x": syntax error in pattern`},
		{"two documents", `rule_files: [testdata/two-documents.yaml]`, `rule_files: parsing testdata/two-documents.yaml: it holds several YAML documents`},
		{"a directory", `rule_files: [testdata/rules]`, `rule_files: reading a rule file: open testdata/rules: not a regular file`},
		{"not YAML", `rule_files: [testdata/not-yaml.yaml]`, `rule_files: parsing testdata/not-yaml.yaml: yaml:`},
		{
			"an unknown key in a file", `rule_files: [testdata/unknown-key.yaml]`,
			`rule_files: decoding testdata/unknown-key.yaml: rules[0]: unknown key "treshold" (did you mean "threshold"?)`,
		},
		{"a wrong rule in a file", `rule_files: [testdata/wrong-rule.yaml]`, `rules[0] "memory": metric is required`},
		{"an unknown key", `ruels: []`, `unknown key "ruels" (did you mean "rules"?)`},
		{"one of a rule", `rules: [{name: x, metrics: m}]`, `rules[0]: unknown key "metrics" (did you mean "metric"?)`},
		{
			"one of a condition", `rules: [{name: x}, {name: y, only_if: {metric: m, treshold: 1}}]`,
			`rules[1]::only_if: unknown key "treshold" (known: above, below, inside, match, metric, outside, statistic)`,
		},
		{
			"one of a ratio", `rules: [{name: x, ratio: {numerator: {metric: m, matches: {}}, over: {metric: m}}}]`,
			"rules[0]::ratio::numerator: unknown key \"matches\" (did you mean \"match\"?)\nrules[0]::ratio: unknown key \"over\" (known: denominator, numerator)",
		},
		{"one of a level", `rules: [{name: x, thresholds: {warning: {aboev: 1}}}]`, `rules[0]::thresholds::warning: unknown key "aboev" (did you mean "above"?)`},
		{"one that we do not have", `output: {metrics: true}`, `output: unknown key "metrics" (known: rules, send_resolved)`},
		{
			"keys of older builds",
			`{output: {resolved: true}, rules: [{name: x, group_agg: sum, point: p99, ratio: {of: {metric: a}, to: {metric: b}}}]}`,
			"output: unknown key \"resolved\" (it is called \"send_resolved\" now)\n" +
				"rules[0]: unknown key \"group_agg\" (it is called \"group_aggregate\" now)\n" +
				"rules[0]: unknown key \"point\" (it is called \"statistic\" now)\n" +
				"rules[0]::ratio: unknown key \"of\" (it is called \"numerator\" now)\n" +
				"rules[0]::ratio: unknown key \"to\" (it is called \"denominator\" now)",
		},
		{
			"a value of older builds", `rules: [{name: x, metric: m, threshold: 1, severity: warning, no_data: {action: ok}}]`,
			`unknown no_data.action "ok" (it is called "close" now)`,
		},
		{"a wrong inline rule", `rules: [{name: x, threshold: 1, severity: warning}]`, `rules[0] "x": metric is required unless "ratio" is set`},
		{"a wrong storage ID", `storage: "a/b/c d"`, `storage`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := configFrom(t, filepath.ToSlash(tt.text))
			if err == nil {
				err = validate(cfg)
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}
