package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// attributeOfSeries is one attribute of an input series of a test.
var attributeOfSeries = regexp.MustCompile(`([\w.]+)="([^"]*)"`)

// inOldForm is an input series as hostmetricsreceiver would send it, "" where it would not.
func inOldForm(series string) string {
	name, attributes, _ := strings.Cut(series, "{")
	row, suffix := hostmetrics.ByName(name)
	if row == nil {
		return series
	}
	if row.Elsewhere {
		return ""
	}
	var out []string
	for _, a := range attributeOfSeries.FindAllStringSubmatch(attributes, -1) {
		key, value := a[1], a[2]
		if key == row.ShareOf {
			if value != "used" {
				return ""
			}
			continue
		}
		if of := row.Attribute(key); of != nil {
			for _, v := range of.Values {
				if v.Value == value && v.Old == "" {
					return ""
				}
			}
			key, value = of.Old, of.Prefix+of.OldValue(value)
		}
		out = append(out, key+`="`+value+`"`)
	}
	return row.OldName() + suffix + "{" + strings.Join(out, ", ") + "}"
}

// TestPresetRulesInOldForm runs the tests of the preset's rules with the names, attributes and values that hostmetricsreceiver has: the alerts are the same,
// word for word.
func TestPresetRulesInOldForm(t *testing.T) {
	files, err := filepath.Glob("testdata/preset/*.test.yaml")
	require.NoError(t, err)
	changed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var content map[string]any
		require.NoError(t, yaml.Unmarshal(text, &content))
		for _, test := range content["tests"].([]any) {
			test := test.(map[string]any)
			var series []any
			for _, s := range test["input_series"].([]any) {
				s := s.(map[string]any)
				old := inOldForm(s["series"].(string))
				if old != s["series"] {
					changed++
				}
				if s["series"] = old; old != "" {
					series = append(series, s)
				}
			}
			test["input_series"] = series
		}
		text, err = yaml.Marshal(content)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), filepath.Base(file))
		require.NoError(t, os.WriteFile(path, text, 0o600))
		var stdout, stderr bytes.Buffer
		assert.Equal(t, ok, testRules([]string{path}, &stdout, &stderr), "%s%s", &stdout, &stderr)
	}
	assert.Greater(t, changed, 20)
}
