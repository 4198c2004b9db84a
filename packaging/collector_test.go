package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// needs ends the test, as testenv.Missing does, where it can't run: without root, or without a program.
func needs(t *testing.T, root bool, programs ...string) {
	t.Helper()
	if root {
		testenv.Root(t, "makes namespaces, mounts and users")
	}
	for _, program := range programs {
		testenv.Program(t, program)
	}
}

// openDir is a temporary folder that every user can enter, unlike T.TempDir.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "otelcol-psutil") //nolint:usetesting // See above.
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// output is what a command prints. The test fails if the command does.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s:\n%s", cmd, out)
	return string(out)
}

// stop ends a collector, whose status must be 0, and gives what it printed.
func stop(t *testing.T, p *harness.Process) string {
	t.Helper()
	require.NoError(t, p.Stop(t, syscall.SIGTERM), "the status is 0")
	return p.Output()
}

// sample is a data point with what it is about.
type sample struct {
	name                 string
	resource, attributes map[string]string
	value                string // "" if it is no integer
}

// samples waits until the file has so many batches, and gives the points of all of them.
func samples(t *testing.T, path string, batches int) (all []sample) {
	t.Helper()
	harness.NthBatch(t, path, batches)
	read, err := harness.Batches(path)
	require.NoError(t, err)
	for _, md := range read {
		for _, rm := range md.ResourceMetrics().All() {
			resource := harness.AttributeTexts(rm.Resource().Attributes())
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					for _, dp := range harness.NumberPoints(m).All() {
						s := sample{name: m.Name(), resource: resource, attributes: harness.AttributeTexts(dp.Attributes())}
						if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
							s.value = strconv.FormatInt(dp.IntValue(), 10)
						}
						all = append(all, s)
					}
				}
			}
		}
	}
	return all
}

// values gives the different values that an attribute has on the points of a metric.
func values(all []sample, metric, key string) map[string]bool {
	found := make(map[string]bool)
	for _, s := range all {
		if s.name == metric {
			found[s.attributes[key]] = true
		}
	}
	return found
}

// lines gives the lines of a file that begin with a prefix.
func lines(t *testing.T, path, prefix string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(path))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, prefix) {
			found = append(found, line)
		}
	}
	return found
}
