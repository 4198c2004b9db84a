// Package harness is what the end-to-end tests, the tests of packaging and the benchmarks share: it runs the built distribution, and the
// servers that it sends to, reads what comes out, and reads the kernel to compare.
package harness

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Timeout is how long anything is waited for before the test fails. It is no expectation of speed.
const Timeout = 60 * time.Second

// Binary is the path of the distribution under test, which the Makefile builds and names in OTELCOL_PSUTIL. Without it the test is skipped.
func Binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("OTELCOL_PSUTIL")
	if path == "" {
		t.Skip("OTELCOL_PSUTIL names no binary: `make e2e` and `make packaging-test` build it") //nolint:forbidigo // `go test ./...` alone has none.
	}
	return path
}

// Repository is the absolute path of something in the repository, such as Repository(t, "examples", "agent.yaml").
func Repository(t *testing.T, elements ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "builder-config.yaml")); err == nil {
			return filepath.Join(append([]string{dir}, elements...)...)
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "the test runs outside the repository")
		dir = parent
	}
}

// Eventually asks until the answer is no error, and fails the test after Timeout.
func Eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	var err error
	deadline := time.After(Timeout)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = ask(); err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}
