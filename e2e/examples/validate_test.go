package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// validate runs `otelcol-psutil validate` and returns what it said.
func validate(t *testing.T, path string) (string, error) {
	t.Helper()
	cmd := exec.Command(harness.Binary(t), "validate", "--config", path)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestValidateFindsBadInput(t *testing.T) {
	for key, want := range map[string]string{
		"collection_interval: -1s":                                          "collection_interval",
		"collection_intervall: 1s":                                          "unknown key",
		"root_path: /does/not/exist":                                        "/does/not/exist",
		"metrics: {system.cpu.tyme: {enabled: true}}":                       "system.cpu.time",
		"scrapers: {cpu: {}, dsik: {}}":                                     `scrapers: unknown key "dsik" (did you mean "disk"?)`,
		"scrapers: {disk: {include: {devices: ['('], match_type: regexp}}}": "missing closing )",
		"temporality: both":                                                 "cumulative, delta",
	} {
		t.Run(key, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.yaml")
			config := "receivers:\n  psutil:\n    " + key + "\nexporters: {nop: }\nservice: {pipelines: {metrics: {receivers: [psutil], exporters: [nop]}}}\n"
			require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
			out, err := validate(t, path)
			require.Error(t, err, out)
			assert.Contains(t, out, want)
			assert.NotContains(t, strings.ToLower(out), "panic")
		})
	}
}

func TestValidateSaysWhatKeysOfOlderBuildsAreCalledNow(t *testing.T) {
	for key, want := range map[string]string{
		"output: {resolved: true}": `output: unknown key "resolved" (it is called "send_resolved" now)`,
		"rules: [{name: x, metric: m, point: p99, threshold: 1, severity: warning}]":                     `rules[0]: unknown key "point" (it is called "statistic" now)`,
		"rules: [{name: x, metric: m, threshold: 1, severity: warning, no_data: {action: ok}}]":          `unknown no_data.action "ok" (it is called "close" now)`,
		"rules: [{name: x, ratio: {of: {metric: m}, to: {metric: n}}, threshold: 1, severity: warning}]": `rules[0]::ratio: unknown key "of" (it is called "numerator" now)`,
	} {
		t.Run(key, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "old.yaml")
			config := "receivers: {psutil: }\nconnectors:\n  alert:\n    " + key + "\nexporters: {nop: }\nservice:\n  pipelines:\n" +
				"    metrics: {receivers: [psutil], exporters: [alert]}\n    logs: {receivers: [alert], exporters: [nop]}\n"
			require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
			out, err := validate(t, path)
			require.Error(t, err, out)
			assert.Contains(t, out, want)
		})
	}
}

func TestExamplesAreValid(t *testing.T) {
	examples, err := filepath.Glob(harness.Repository(t, "examples", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, path := range examples {
		t.Run(filepath.Base(path), func(t *testing.T) {
			out, err := validate(t, path)
			assert.NoError(t, err, out)
		})
	}
}
