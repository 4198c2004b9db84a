package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/docyaml"
)

// The rules and the storages of every block of YAML in the documentation are without a fault and without a warning.
func TestDocsAreWithoutWarnings(t *testing.T) {
	blocks, err := docyaml.Blocks(filepath.Join("..", ".."))
	require.NoError(t, err)
	require.Greater(t, len(blocks), 20)
	for _, b := range blocks {
		if b.Kind == docyaml.Other {
			continue
		}
		t.Run(fmt.Sprintf("%s %d", b.Doc, b.Number), func(t *testing.T) {
			dir := t.TempDir()
			text, err := b.Whole(dir)
			require.NoError(t, err)
			path := filepath.Join(dir, "config.yaml")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			var stdout, stderr bytes.Buffer
			assert.Equal(t, ok, run([]string{"rules", "--strict", path}, strings.NewReader(""), &stdout, &stderr), "%s\n%s", &stderr, text)
		})
	}
}
