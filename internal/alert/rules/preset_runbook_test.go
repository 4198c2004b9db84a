package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEachRuleOfThePresetHasItsRunbook, in which stands what it means, how to look and what to do; and each runbook has its rule.
func TestEachRuleOfThePresetHasItsRunbook(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../../docs/alerts/*.md")
	require.NoError(t, err)
	sections := map[string]string{}
	heading := regexp.MustCompile(`(?m)^## (.*)$`)
	for _, page := range pages {
		if filepath.Base(page) == "README.md" {
			continue
		}
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		at := heading.FindAllStringSubmatchIndex(string(text), -1)
		for i, x := range at {
			end := len(text)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			sections[filepath.Base(page)+"#"+string(text[x[2]:x[3]])] = string(text[x[1]:end])
		}
	}
	for _, r := range PresetHostRules() {
		section, there := sections[r.Runbook]
		if !assert.True(t, there, "%s has no runbook %s", r.Name, r.Runbook) {
			continue
		}
		parts := strings.Split(strings.TrimSpace(section), "\n\n")
		assert.Len(t, parts, 3, r.Runbook)
		assert.NotContains(t, section, " , ", "%s: commands are as one types them", r.Runbook)
		assert.True(t, slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "**Look**: ") }), r.Runbook)
		assert.True(t, slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "**Do**: ") }), r.Runbook)
		delete(sections, r.Runbook)
	}
	assert.Empty(t, sections, "runbooks of no rule")
}
