package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// TestRulesOfOthersAreInThePreset holds docs/alerts/README.md to the list of rules that others ship, and that list to the preset: each is in it, or it
// says why not. What is left to the readers stands in a file of its own.
func TestRulesOfOthersAreInThePreset(t *testing.T) {
	var list struct {
		Sets []struct {
			Name, What string
			Rules      []struct {
				Name, Rule string
				WhyNot     string `yaml:"why_not"`
			}
		}
	}
	text, err := os.ReadFile("testdata/preset/sets.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &list))
	preset := rules.PresetHostRules()
	var b strings.Builder
	b.WriteString("# Alerts of `preset: host`\n\nThe rules, with what each means, how to look and what to do; then the rules that others ship for hosts, and which of ours are about " +
		"the same. How to change and disable rules: [alertprocessor/README.md](../../alertprocessor/README.md#preset-host).\n\n| rule | levels |\n| --- | --- |\n")
	for _, r := range preset {
		levels := slices.Clone(r.Severities)
		slices.Reverse(levels)
		fmt.Fprintf(&b, "| [`%s`](%s) | %s |\n", r.Name, r.Runbook, strings.Join(levels, ", "))
	}
	left, err := os.ReadFile("testdata/preset/left_to_you.txt")
	require.NoError(t, err)
	b.Write(left)
	for _, set := range list.Sets {
		fmt.Fprintf(&b, "\n## %s\n\nRules of %s: %s.\n\n| theirs | ours |\n| --- | --- |\n", set.Name, set.Name, set.What)
		seen := map[string]bool{}
		for _, r := range set.Rules {
			assert.False(t, seen[r.Name], "%s twice", r.Name)
			seen[r.Name] = true
			i := slices.IndexFunc(preset, func(p rules.PresetRule) bool { return p.Name == r.Rule })
			assert.NotEqual(t, i >= 0, r.WhyNot != "", "%s: a rule of the preset, or why there is none: %q", r.Name, r.Rule)
			if i >= 0 {
				fmt.Fprintf(&b, "| %s | [`%s`](%s) |\n", r.Name, r.Rule, preset[i].Runbook)
			} else {
				fmt.Fprintf(&b, "| %s | none: %s |\n", r.Name, r.WhyNot)
			}
		}
	}
	const page = "../../docs/alerts/README.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(b.String()), 0o600))
	}
	have, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(have), "run the test with -update")
}
