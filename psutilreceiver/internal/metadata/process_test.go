package metadata

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/receiver/receivertest"
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

// TestWhatIsNotEmittedLeavesNothingBehind emits processes of which some are filtered out by a resource attribute, and some have no points.
func TestWhatIsNotEmittedLeavesNothingBehind(t *testing.T) {
	for _, exclude := range []bool{false, true} {
		cfg := NewDefaultMetricsBuilderConfig()
		name := &cfg.ResourceAttributes.ProcessExecutableName
		if exclude {
			name.MetricsExclude = []filter.Config{{Strict: "b"}}
		} else {
			name.MetricsInclude = []filter.Config{{Strict: "a"}, {Strict: "c"}, {Strict: "d"}}
		}
		mb := NewMetricsBuilder(cfg, receivertest.NewNopSettings(Type))
		rb := NewResourceBuilder(cfg.ResourceAttributes)
		emit := func(executable string, pid, memory int64) {
			mb.StartAt(1)
			if memory > 0 {
				mb.RecordProcessMemoryUsageDataPoint(2, memory)
			}
			rb.SetProcessExecutableName(executable)
			if pid > 0 {
				rb.SetProcessPid(pid)
			}
			mb.EmitForProcess(rb)
			assert.Zero(t, rb.Attributes().Len())
		}
		emit("a", 1, 10)
		emit("b", 2, 20)
		emit("c", 3, 0)
		emit("d", 0, 40)
		emit("c", 5, 0)
		resources := mb.Emit().ResourceMetrics()
		require.Equal(t, 2, resources.Len())
		assert.Equal(t, map[string]any{"process.executable.name": "a", "process.pid": int64(1)}, resources.At(0).Resource().Attributes().AsRaw())
		assert.Equal(t, map[string]any{"process.executable.name": "d"}, resources.At(1).Resource().Attributes().AsRaw())
		for i, memory := range []int64{10, 40} {
			metrics := resources.At(i).ScopeMetrics().At(0).Metrics()
			require.Equal(t, 1, metrics.Len())
			points := metrics.At(0).Sum().DataPoints()
			require.Equal(t, 1, points.Len())
			assert.Equal(t, memory, points.At(0).IntValue())
			assert.EqualValues(t, 1, points.At(0).StartTimestamp())
		}
	}
}
