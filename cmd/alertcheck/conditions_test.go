package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	yaml "go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// The test file fires each form of condition once: bounds that are a metric or an attribute, thresholds by group, hours of the week, and rules that
// look at alerts of others.
func TestRulesWithConditions(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"rules", "testdata/conditions.rules.yaml"}, {"test", "testdata/conditions.test.yaml"}} {
		var out, problems bytes.Buffer
		assert.Equal(t, ok, run(args, nil, &out, &problems), "%s%s", out.String(), problems.String())
	}
}

// What conditions look at is checked like what the rule looks at: bounds that can't be converted are errors, and names that are nearly right are warned about.
func TestConditionsAreCheckedAgainstTheMetrics(t *testing.T) {
	t.Parallel()
	for rule, c := range map[string]struct{ warning, problem string }{
		`{metric: system.network.conntrack.count, thresholds: {warning: {above: {metric: system.memory.limit}}}}`: {
			problem: `rule "r": threshold system.memory.limit: unit "By" can't be converted to "{entry}"`,
		},
		`{metric: system.memory.usage, thresholds: {warning: {above: {metric: system.memory.limits}}}}`: {
			warning: `rule "r": threshold.metric: the psutil receiver has no system.memory.limits (did you mean "system.memory.limit"?)`,
		},
		`{metric: system.memory.usage, thresholds: {warning: {above: {metric: system.memory.limit, scale: 0.9}}}}`: {},
		`{metric: system.filesystem.utilization, thresholds: {warning: {above: 80%}}, thresholds_by: {attribute: mountpoint, groups: [{match: /, thresholds: off}]}}`: {
			warning: `rule "r": thresholds_by.attribute: system.filesystem.utilization has no attribute mountpoint (did you mean "system.filesystem.mountpoint"? "mountpoint" ` + saysOld + ")",
		},
		`{metric: system.filesystem.utilization, thresholds: {warning: {above: 80%}}, thresholds_by: {attribute: system.filesystem.mountpoint, groups: [{match: /, thresholds: {warning: 5GiB}}]}}`: {
			problem: `rule "r": thresholds_by.groups[0]: warning: threshold 5GiB needs a metric of unit "By" or "By/s", not "1"`,
		},
	} {
		var config struct {
			Rules []rules.RuleConfig `mapstructure:"rules"`
		}
		var raw map[string]any
		require.NoError(t, yaml.Unmarshal([]byte("rules: [{name: r, "+rule[1:]+"]"), &raw))
		require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(&config))
		cfg := rules.DefaultConfig()
		cfg.Rules = config.Rules
		set, err := rules.Compile(cfg)
		require.NoError(t, err, rule)
		warnings, err := checkMetrics(set, false)
		if c.problem == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.problem)
		}
		assert.Equal(t, c.warning, strings.Join(warnings, "\n"), rule)
	}
}
