package textfile

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestHistogramsOfWhatWasCountedSince: the first is the baseline, a histogram that begins again at zero is all new, and one with other bounds or that was
// away is a baseline again.
func TestHistogramsOfWhatWasCountedSince(t *testing.T) {
	t.Parallel()
	s := &Set{MaxSeries: 100, Delta: true}
	text := func(bound string, first, second, all int, sum float64) string {
		return fmt.Sprintf("# TYPE d histogram\nd_bucket{le=\"1\"} %d\nd_bucket{le=%q} %d\nd_bucket{le=\"+Inf\"} %d\nd_sum %g\nd_count %d\n# TYPE c counter\nc 1\n",
			first, bound, second, all, sum, all)
	}
	for i, step := range []struct {
		text    string
		buckets []uint64 // Nil for no point.
		count   uint64
		sum     float64
	}{
		{text("5", 2, 6, 9, 30), nil, 0, 0},
		{text("5", 3, 7, 12, 42), []uint64{1, 0, 2}, 3, 12},
		{text("5", 3, 7, 12, 42), []uint64{0, 0, 0}, 0, 0},
		{text("5", 1, 1, 14, 50), []uint64{1, 0, 13}, 14, 50},
		{text("6", 1, 1, 14, 50), nil, 0, 0},
		{text("6", 1, 2, 15, 55), []uint64{0, 1, 0}, 1, 5},
		{"c 1\n", nil, 0, 0},
		{text("6", 1, 2, 15, 55), nil, 0, 0},
	} {
		at := now + pcommon.Timestamp(i)
		s.Begin()
		s.Read("a", Version{}, []byte(step.text), nil)
		out := pmetric.NewMetricSlice()
		_, err := s.Emit("a", out, at, boot, previous)
		require.NoError(t, err)
		s.End(map[string]bool{"a": true})
		if step.buckets == nil {
			assert.Equal(t, []string{"c"}, names(out), "step %d", i)
			continue
		}
		require.ElementsMatch(t, []string{"c", "d"}, names(out), "step %d", i)
		for _, m := range out.All() {
			if m.Name() != "d" {
				continue
			}
			assert.Equal(t, pmetric.AggregationTemporalityDelta, m.Histogram().AggregationTemporality())
			p := m.Histogram().DataPoints().At(0)
			assert.Equal(t, step.buckets, p.BucketCounts().AsRaw(), "step %d", i)
			assert.Equal(t, step.count, p.Count(), "step %d", i)
			assert.InDelta(t, step.sum, p.Sum(), 1e-9, "step %d", i)
			assert.Equal(t, at-1, p.StartTimestamp(), "step %d", i)
		}
	}
	assert.Len(t, s.totals, 1)
}
