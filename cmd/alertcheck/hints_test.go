package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAShareOfAllBlocksGetsAHint(t *testing.T) {
	for text, hinted := range map[string]bool{
		"rules: [{name: full, metric: system.filesystem.utilization, match: {system.filesystem.state: used}, severity: warning, above: 90%}]": true,
		"rules: [{name: hot, metric: hw.temperature, severity: warning, above: 80}]":                                                          false,
		"preset: host": false,
	} {
		file := filepath.Join(t.TempDir(), "rules.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		var stdout, stderr strings.Builder
		require.Equal(t, ok, run([]string{"rules", file}, nil, &stdout, &stderr), "%s", stderr.String())
		assert.Equal(t, hinted, strings.Contains(stdout.String(), `hint: rule "full": system.filesystem.utilization is a share of all blocks`), stdout.String())
		assert.Empty(t, stderr.String())
	}
}
