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
