package metadata

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEmitForProcessKnowsEachMetricOfProcesses compares with what the generated code emits.
func TestEmitForProcessKnowsEachMetricOfProcesses(t *testing.T) {
	emitted := func(file, function string) (names []string) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, body, ok := strings.Cut(string(text), "func (mb *MetricsBuilder) "+function+"(")
		require.True(t, ok)
		body, _, _ = strings.Cut(body, "\n}\n")
		for _, found := range regexp.MustCompile(`mb\.(metricProcess\w+)\.emit`).FindAllStringSubmatch(body, -1) {
			names = append(names, found[1])
		}
		return names
	}
	all := emitted("generated_metrics.go", "EmitForResource")
	assert.NotEmpty(t, all)
	assert.Equal(t, all, emitted("process.go", "emitProcessMetrics"))
	conventions := func(file string) string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return regexp.MustCompile(`conventions ".*"`).FindString(string(text))
	}
	assert.Equal(t, conventions("generated_metrics.go"), conventions("process.go"))
}
