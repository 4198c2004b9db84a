package hostpageexporter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// exponentialOf makes a histogram of values that are not 0, and finds their true percentile.
func exponentialOf(values []float64, scale int32) (pmetric.ExponentialHistogramDataPoint, float64) {
	dp := pmetric.NewExponentialHistogramDataPoint()
	dp.SetScale(scale)
	index := func(v float64) int { return int(math.Ceil(math.Log2(v)*math.Ldexp(1, int(scale)))) - 1 }
	fill := func(buckets pmetric.ExponentialHistogramDataPointBuckets, values []float64) {
		if len(values) == 0 {
			return
		}
		low, high := index(slices.Min(values)), index(slices.Max(values))
		counts := make([]uint64, high-low+1)
		for _, v := range values {
			counts[index(v)-low]++
		}
		buckets.SetOffset(int32(low))
		buckets.BucketCounts().FromRaw(counts)
	}
	var positive, negative []float64
	for _, v := range values {
		if v > 0 {
			positive = append(positive, v)
		} else {
			negative = append(negative, -v)
		}
	}
	fill(dp.Positive(), positive)
	fill(dp.Negative(), negative)
	dp.SetCount(uint64(len(values)))
	sorted := slices.Sorted(slices.Values(values))
	dp.SetMin(sorted[0])
	dp.SetMax(sorted[len(sorted)-1])
	return dp, sorted[int(math.Ceil(percentile*float64(len(values))))-1]
}

func TestExponentialHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		values := make([]float64, 1+random.IntN(500))
		sign := 1.0
		if random.IntN(2) == 0 {
			sign = -1
		}
		for i := range values {
			values[i] = sign * math.Exp(random.NormFloat64())
			if random.IntN(10) == 0 {
				values[i] *= -1
			}
		}
		dp, want := exponentialOf(values, 5)
		s, ok := exponential(dp)
		require.True(t, ok)
		assert.InDelta(t, want, s.p95, 0.03*math.Abs(want))
		assert.InDelta(t, slices.Min(values), s.min, 0)
		assert.InDelta(t, slices.Max(values), s.max, 0)
		assert.GreaterOrEqual(t, s.p95, s.min)
		assert.LessOrEqual(t, s.p95, s.max)
	}
	dp := pmetric.NewExponentialHistogramDataPoint()
	_, ok := exponential(dp)
	assert.False(t, ok, "it has seen nothing")
	dp.SetCount(5)
	dp.SetZeroCount(5)
	s, ok := exponential(dp)
	assert.True(t, ok)
	assert.Equal(t, summaryOf{}, s)
	dp.SetScale(-100) // Hostile: bounds that are no numbers.
	dp.Positive().BucketCounts().FromRaw([]uint64{1, 1})
	dp.Positive().SetOffset(math.MaxInt32)
	assert.NotPanics(t, func() { exponential(dp) })
}

func TestHistogram(t *testing.T) {
	dp := pmetric.NewHistogramDataPoint()
	dp.SetCount(100)
	dp.ExplicitBounds().FromRaw([]float64{1, 2, 4})
	dp.BucketCounts().FromRaw([]uint64{50, 0, 50, 0})
	s, ok := explicit(dp)
	assert.True(t, ok)
	assert.Equal(t, summaryOf{p95: 3.8, min: 1, max: 4}, s)
	dp.SetMin(0.5)
	dp.SetMax(3)
	s, _ = explicit(dp)
	assert.InDelta(t, 3, s.p95, 1e-9, "never beyond the maximum")
	dp.BucketCounts().FromRaw([]uint64{0, 0, 0, 7, 9}) // More counts than bounds.
	assert.NotPanics(t, func() { explicit(dp) })
}

func TestSummary(t *testing.T) {
	dp := pmetric.NewSummaryDataPoint()
	_, ok := quantiles(dp)
	assert.False(t, ok)
	for q, v := range map[float64]float64{0: 1, 0.5: 2, 0.99: 9, 1: 10} {
		x := dp.QuantileValues().AppendEmpty()
		x.SetQuantile(q)
		x.SetValue(v)
	}
	s, ok := quantiles(dp)
	assert.True(t, ok)
	assert.Equal(t, summaryOf{p95: 9, min: 1, max: 10}, s)
}

func TestDistributionsArrive(t *testing.T) {
	p := start(t, nil)
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	m := metrics.AppendEmpty()
	m.SetName("e")
	m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	dp, _ := exponentialOf([]float64{1, 2, 4, 8}, 5)
	dp.CopyTo(m.ExponentialHistogram().DataPoints().AppendEmpty())
	m.ExponentialHistogram().DataPoints().At(0).SetTimestamp(pcommon.NewTimestampFromTime(p.now()))
	m = metrics.AppendEmpty()
	m.SetName("cumulative")
	m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	m.Histogram().DataPoints().AppendEmpty()
	require.NoError(t, p.metrics.ConsumeMetrics(t.Context(), md))
	p.advance(time.Second)
	_, a := p.get("/api/range?series=e")
	assert.Equal(t, []any{1.0}, at(t, a, "groups", 0, "series", 0, "min"))
	assert.Equal(t, []any{8.0}, at(t, a, "groups", 0, "series", 0, "max"))
	assert.Equal(t, map[string]int64{"unsupported": 1}, p.counted("otelcol_host_page_points_dropped"))
}
