package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/docyaml"
)

// Every block of YAML in the documentation is a configuration that the binary takes, completed where it is a part of one.
func TestDocsAreValid(t *testing.T) {
	blocks, err := docyaml.Blocks(harness.Repository(t))
	require.NoError(t, err)
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
			out, err := validate(t, path)
			assert.NoError(t, err, "%s\n%s", out, text)
		})
	}
}
