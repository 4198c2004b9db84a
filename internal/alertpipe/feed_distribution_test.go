package alertpipe

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// fill counts values in an exponential histogram point, at scale 8.
func fill(dp pmetric.ExponentialHistogramDataPoint, values ...float64) {
	const scale = 8
	dp.SetScale(scale)
	dp.SetCount(uint64(len(values)))
	counts, low, high, sum := map[int]uint64{}, math.Inf(1), math.Inf(-1), 0.0
	for _, v := range values {
		low, high, sum = min(low, v), max(high, v), sum+v
		counts[int(math.Ceil(math.Ldexp(math.Log2(v), scale)))-1]++
	}
	first, last := math.MaxInt, math.MinInt
	for i := range counts {
		first, last = min(first, i), max(last, i)
	}
	dp.Positive().SetOffset(int32(first))
	for i := first; i <= last; i++ {
		dp.Positive().BucketCounts().Append(counts[i])
	}
	dp.SetMin(low)
	dp.SetMax(high)
	dp.SetSum(sum)
}

// A burst of two seconds in a minute, in all the forms in which the psutil receiver may report it.
func TestBurstWithinAnInterval(t *testing.T) {
	const metric = "system.cpu.utilization"
	rule := func(name, point string, bound any) rules.RuleConfig {
		return rules.RuleConfig{Name: "burst", Metric: metric + name, Statistic: point, Match: map[string]any{"cpu.mode": "user"}, Threshold: bound, Severity: "warning"}
	}
	values := make([]float64, 60)
	for i := range values {
		values[i] = 0.2
	}
	values[30], values[31] = 0.97, 0.99
	gauges := map[string]float64{".max": 0.99, ".p95": 0.2, ".avg": 0.2259}
	for _, c := range []struct {
		name  string
		rule  rules.RuleConfig
		value float64 // 0 when nothing fires.
		body  string
	}{
		{"the maximum of the distribution", rule(".distribution", "max", "95%"), 0.99, "burst: max of system.cpu.utilization.distribution is 99.0% (> 95%)"},
		{"p99", rule(".distribution", "p99", "95%"), 0.978, "burst: p99 of system.cpu.utilization.distribution is 97.8% (> 95%)"},
		{"p95 is not moved", rule(".distribution", "p95", "21%"), 0, ""},
		{"nor is the average", rule(".distribution", "avg", "25%"), 0, ""},
		{"how many were measured", rule(".distribution", "count", 59), 60, "burst: count of system.cpu.utilization.distribution is 60 (> 59)"},
		{"the maximum as a gauge", rule(".max", "", "95%"), 0.99, "burst: system.cpu.utilization.max is 99.0% (> 95%)"},
		{"p95 as a gauge", rule(".p95", "", "21%"), 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.rule)
			b.feed(func(rm pmetric.ResourceMetrics, _ pmetric.Metric, at pcommon.Timestamp) {
				metrics := rm.ScopeMetrics().At(0).Metrics()
				for suffix, v := range gauges {
					g := metrics.AppendEmpty()
					g.SetName(metric + suffix)
					g.SetUnit("1")
					dp := g.SetEmptyGauge().DataPoints().AppendEmpty()
					dp.Attributes().PutStr("cpu.mode", "user")
					dp.SetTimestamp(at)
					dp.SetDoubleValue(v)
				}
				h := metrics.AppendEmpty()
				h.SetName(metric + ".distribution")
				h.SetUnit("1")
				h.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
				for _, mode := range []string{"idle", "user"} {
					dp := h.ExponentialHistogram().DataPoints().AppendEmpty()
					dp.Attributes().PutStr("cpu.mode", mode)
					dp.SetStartTimestamp(pcommon.NewTimestampFromTime(feedStart))
					dp.SetTimestamp(at)
					if mode == "user" {
						fill(dp, values...)
					} else {
						fill(dp, 1, 1)
					}
				}
			})
			events := b.events()
			if c.value == 0 {
				assert.Empty(t, events)
				return
			}
			require.Len(t, events, 1)
			assert.InEpsilon(t, c.value, events[0].Value.Float64, 0.01)
			assert.Equal(t, c.body, events[0].Body)
		})
	}
}

func TestPointsOfManyValues(t *testing.T) {
	histogram := func(temporality pmetric.AggregationTemporality) func(pmetric.Metric, pcommon.Timestamp, int) {
		return func(m pmetric.Metric, at pcommon.Timestamp, i int) {
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(temporality)
			dp := h.DataPoints().AppendEmpty()
			dp.SetTimestamp(at)
			dp.ExplicitBounds().FromRaw([]float64{5, 10})
			dp.BucketCounts().FromRaw([]uint64{4, 4, 2})
			dp.SetCount(10 * uint64(1+i))
			dp.SetSum(70)
			dp.SetMin(1)
			dp.SetMax(20)
			dp.Exemplars().AppendEmpty().SetTraceID(pcommon.TraceID{7})
		}
	}
	summary := func(m pmetric.Metric, at pcommon.Timestamp, i int) {
		dp := m.SetEmptySummary().DataPoints().AppendEmpty()
		dp.SetTimestamp(at)
		dp.SetCount(10 * uint64(1+i))
		dp.SetSum(70)
		q := dp.QuantileValues().AppendEmpty()
		q.SetQuantile(0.95)
		q.SetValue(18)
	}
	const delta, cumulative = pmetric.AggregationTemporalityDelta, pmetric.AggregationTemporalityCumulative
	for _, c := range []struct {
		name, point, aggregate string
		build                  func(pmetric.Metric, pcommon.Timestamp, int)
		want                   float64
		problem                string
	}{
		{"p50 of a histogram", "p50", "", histogram(delta), 6.25, ""},
		{"max of a histogram", "max", "", histogram(delta), 20, ""},
		{"p50 of a cumulative histogram", "p50", "", histogram(cumulative), 0, "since the start"},
		{"p50 of a histogram of no temporality", "p50", "", histogram(pmetric.AggregationTemporalityUnspecified), 0, "since the start"},
		{"what a cumulative histogram has counted more", "count", "increase", histogram(cumulative), 20, ""},
		{"what delta histograms have counted", "count", "increase", histogram(delta), 60, ""},
		{"p95 of a summary", "p95", "", summary, 18, ""},
		{"p50 of a summary that has none", "p50", "", summary, 0, "its points have p95 and no other percentile"},
		{"avg of a summary", "avg", "", summary, 0, "since the start"},
		{"what a summary has counted more", "count", "increase", summary, 20, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, above(0.5, func(rc *rules.RuleConfig) {
				rc.Statistic = c.point
				if c.aggregate != "" {
					rc.Aggregate, rc.Window, rc.Threshold = c.aggregate, time.Minute, c.want-1
				}
			}))
			for i := range 3 {
				b.feed(func(_ pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) { c.build(m, at, i) })
			}
			events := b.events()
			require.Len(t, events, 1)
			if c.problem != "" {
				assert.Equal(t, alertschema.KindRuleError, events[0].Kind)
				assert.Contains(t, events[0].Body, c.problem)
				return
			}
			require.Equal(t, alertschema.TransitionFire, events[0].Transition, events[0].Body)
			assert.InDelta(t, c.want, events[0].Value.Float64, 1e-9)
		})
	}
}

// The flag that no value was recorded ends a series of any kind.
func TestNoRecordedDistribution(t *testing.T) {
	b := newBench(t, above(0.5, func(rc *rules.RuleConfig) { rc.Statistic = "max" }))
	for i := range 2 {
		b.feed(func(_ pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
			h := m.SetEmptyExponentialHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			dp := h.DataPoints().AppendEmpty()
			dp.SetTimestamp(at)
			if i == 0 {
				fill(dp, 1)
			} else {
				dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
			}
		})
	}
	events := b.events()
	require.Len(t, events, 2)
	assert.Equal(t, alertschema.TransitionNoData, events[1].Transition)
}

func TestDistributionsCostNoAllocation(t *testing.T) {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	h := m.SetEmptyExponentialHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	for i := range 1000 {
		dp := h.DataPoints().AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(feedStart))
		dp.Attributes().PutInt("cpu", int64(i%10))
		fill(dp, 0.1, 0.2, 0.3)
	}
	for _, cpu := range []int{-1, 3} { // Of no point, and of a hundred.
		b := newBench(t, above(1, func(rc *rules.RuleConfig) { rc.Statistic, rc.Match = "p95", map[string]any{"cpu": cpu} }))
		b.engine.Begin(feedStart)
		b.feeder.feed(b.engine, md)
		allocs := testing.AllocsPerRun(10, func() { b.feeder.feed(b.engine, md) })
		assert.Less(t, allocs, 30.0, "a handful for the batch, none for its points")
	}
}
