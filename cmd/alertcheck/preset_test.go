package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// TestPresetRules runs the tests of the preset's rules, and holds that each rule has one in which it is silent, fires at each of its levels with a
// message, and is silent again.
func TestPresetRules(t *testing.T) {
	files, err := filepath.Glob("testdata/preset/*.test.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var stdout, stderr bytes.Buffer
	assert.Equal(t, ok, testRules(files, &stdout, &stderr), "%s%s", &stdout, &stderr)

	type alert struct{ Severity, Message string }
	stages := map[string][][]alert{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var content struct {
			Tests []struct {
				AlertRuleTest []struct {
					AlertName string  `yaml:"alertname"`
					ExpAlerts []alert `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &content))
		for _, test := range content.Tests {
			for _, a := range test.AlertRuleTest {
				stages[a.AlertName] = append(stages[a.AlertName], a.ExpAlerts)
			}
		}
	}
	for _, r := range rules.PresetHostRules() {
		of := stages[r.Name]
		if !assert.GreaterOrEqual(t, len(of), 2+len(r.Severities), "%s has no test", r.Name) {
			continue
		}
		assert.Empty(t, of[0], "%s is silent at first", r.Name)
		assert.Empty(t, of[1], "%s is silent near its bound", r.Name)
		assert.Empty(t, of[len(of)-1], "%s clears", r.Name)
		var fired []string
		for _, stage := range of {
			for _, a := range stage {
				fired = append(fired, a.Severity)
				assert.NotEmpty(t, a.Message, r.Name)
			}
		}
		slices.Sort(fired)
		assert.Equal(t, r.Severities, fired, r.Name)
		delete(stages, r.Name)
	}
	assert.Empty(t, stages, "tests of rules that there are not")
}
