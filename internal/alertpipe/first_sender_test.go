package alertpipe

import (
	"fmt"
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

// wrongForms are points of m that are of another form than the rules expect.
var wrongForms = map[string]func(m pmetric.Metric, at pcommon.Timestamp){
	"unit":                   func(m pmetric.Metric, at pcommon.Timestamp) { gaugeOf(m, at, 1); m.SetUnit("furlongs") },
	"unit of something else": func(m pmetric.Metric, at pcommon.Timestamp) { gaugeOf(m, at, 1); m.SetUnit("ms") },
	"no unit":                func(m pmetric.Metric, at pcommon.Timestamp) { gaugeOf(m, at, 1); m.SetUnit("") },
	"gauge":                  func(m pmetric.Metric, at pcommon.Timestamp) { gaugeOf(m, at, 1) },
	"not a number":           func(m pmetric.Metric, at pcommon.Timestamp) { gaugeOf(m, at, math.NaN()) },
	"cumulative": func(m pmetric.Metric, at pcommon.Timestamp) {
		sumPoint(true, pmetric.AggregationTemporalityCumulative)(m).SetTimestamp(at)
	},
	"delta": func(m pmetric.Metric, at pcommon.Timestamp) {
		sumPoint(true, pmetric.AggregationTemporalityDelta)(m).SetTimestamp(at)
	},
	"not monotonic": func(m pmetric.Metric, at pcommon.Timestamp) {
		sumPoint(false, pmetric.AggregationTemporalityCumulative)(m).SetTimestamp(at)
	},
	"histogram": func(m pmetric.Metric, at pcommon.Timestamp) {
		histogramOf(m, at, pmetric.AggregationTemporalityDelta, 1)
	},
	"cumulative histogram": func(m pmetric.Metric, at pcommon.Timestamp) {
		histogramOf(m, at, pmetric.AggregationTemporalityCumulative, 1)
	},
	"exponential histogram": func(m pmetric.Metric, at pcommon.Timestamp) {
		dp := m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
		dp.SetTimestamp(at)
	},
	"summary": func(m pmetric.Metric, at pcommon.Timestamp) {
		dp := m.SetEmptySummary().DataPoints().AppendEmpty()
		dp.SetTimestamp(at)
		dp.SetCount(1)
	},
	"nothing": func(pmetric.Metric, pcommon.Timestamp) {},
	"no time": func(m pmetric.Metric, _ pcommon.Timestamp) { gaugeOf(m, 0, 1) },
}

func gaugeOf(m pmetric.Metric, at pcommon.Timestamp, v float64) {
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(at)
	dp.SetDoubleValue(v)
}

func histogramOf(m pmetric.Metric, at pcommon.Timestamp, temporality pmetric.AggregationTemporality, v float64) {
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(temporality)
	dp := h.DataPoints().AppendEmpty()
	dp.SetTimestamp(at)
	dp.SetCount(1)
	dp.SetSum(v)
	dp.ExplicitBounds().Append(v)
	dp.BucketCounts().Append(1, 0)
}

// TestFirstSenderDecidesNothing has a sender send points of a wrong form, first and all the time. The alert of another host fires as if there were none,
// and each rule says no more than one error of a kind.
func TestFirstSenderDecidesNothing(t *testing.T) {
	edit := func(f func(*rules.RuleConfig)) rules.RuleConfig { return above(100, f) }
	counter := func(m pmetric.Metric, at pcommon.Timestamp, n int) {
		dp := sumPoint(true, pmetric.AggregationTemporalityCumulative)(m)
		dp.SetTimestamp(at)
		dp.SetDoubleValue(float64(1000 * n))
	}
	gauge := func(m pmetric.Metric, at pcommon.Timestamp, n int) { gaugeOf(m, at, float64(1000*n)) }
	histogram := func(m pmetric.Metric, at pcommon.Timestamp, n int) {
		histogramOf(m, at, pmetric.AggregationTemporalityDelta, float64(1000*n))
	}
	kinds := map[string]struct {
		rule rules.RuleConfig
		good func(m pmetric.Metric, at pcommon.Timestamp, n int)
	}{
		"gauge":      {edit(nil), gauge},
		"with units": {edit(func(rc *rules.RuleConfig) { rc.Threshold = "100By" }), gauge},
		"increase":   {edit(func(rc *rules.RuleConfig) { rc.Aggregate, rc.Window = "increase", time.Minute }), counter},
		"average":    {edit(func(rc *rules.RuleConfig) { rc.Aggregate, rc.Window = "avg", 30*time.Second }), gauge},
		"percentile": {edit(func(rc *rules.RuleConfig) { rc.Statistic = "p50" }), histogram},
		"change":     {edit(func(rc *rules.RuleConfig) { rc.Change = &rules.ChangeConfig{Since: time.Minute} }), gauge},
	}
	for kind, c := range kinds {
		for form, wrong := range wrongForms {
			t.Run(kind+"/"+form, func(t *testing.T) {
				b := newBench(t, c.rule)
				fires := 0
				for n := range 20 {
					b.feed(func(rm pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
						rm.Resource().Attributes().PutStr("host.name", "junk")
						m.SetUnit("By")
						wrong(m, at)
					})
					b.feed(func(rm pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
						rm.Resource().Attributes().PutStr("host.name", "good")
						m.SetUnit("By")
						c.good(m, at, n)
					})
					b.engine.Evaluate(b.now)
				}
				errors := map[string]int{}
				for _, ev := range b.events() {
					if ev.Kind == alertschema.KindRuleError {
						errors[ev.Body]++
						continue
					}
					if ev.Transition == alertschema.TransitionFire && fmt.Sprint(ev.Resource) != "" && ev.Resource[0].Value.AsString() == "good" {
						fires++
					}
				}
				assert.Equal(t, 1, fires)
				assert.LessOrEqual(t, len(errors), 2)
				for text, n := range errors {
					assert.Equal(t, 1, n, text)
				}
				require.LessOrEqual(t, len(b.engine.TakeNotices()), 3)
			})
		}
	}
}
