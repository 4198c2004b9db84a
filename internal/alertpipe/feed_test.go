package alertpipe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

var feedStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// bench is an engine with a feeder, in a time of its own.
type bench struct {
	engine *alert.Engine
	feeder feeder
	now    time.Time
}

func newBench(tb testing.TB, configs ...rules.RuleConfig) *bench {
	tb.Helper()
	cfg := rules.DefaultConfig()
	cfg.Rules = configs
	compiled, err := rules.Compile(cfg)
	require.NoError(tb, err)
	return &bench{engine: alert.New(compiled, feedStart), now: feedStart}
}

// feed feeds one metric that build makes, ten seconds after the one before.
func (b *bench) feed(build func(rm pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp)) {
	b.now = b.now.Add(10 * time.Second)
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	build(rm, m, pcommon.NewTimestampFromTime(b.now))
	md.MarkReadOnly() // Any attempt to change it panics.
	b.engine.Begin(b.now)
	b.feeder.feed(b.engine, md)
	b.engine.Flush(b.now)
}

func (b *bench) events() []event.Event { return b.engine.Peek(nil, 1000) }

func above(bound float64, edit func(*rules.RuleConfig)) rules.RuleConfig {
	rc := rules.RuleConfig{Name: "r", Metric: "m", Threshold: bound, Severity: "warning"}
	if edit != nil {
		edit(&rc)
	}
	return rc
}

func TestPointsOfEveryNumberKind(t *testing.T) {
	rate := func(rc *rules.RuleConfig) { rc.Aggregate, rc.Window = "increase", time.Minute }
	tests := []struct {
		name   string
		rule   rules.RuleConfig
		values []float64
		build  func(m pmetric.Metric) pmetric.NumberDataPoint
		whole  bool
		fires  bool
	}{
		{"a gauge of floats", above(1, nil), []float64{0.5, 1.5}, gaugePoint, false, true},
		{"a gauge of integers", above(1, nil), []float64{1, 2}, gaugePoint, true, true},
		{"a cumulative counter", above(6, rate), []float64{100, 105, 3}, sumPoint(true, pmetric.AggregationTemporalityCumulative), true, true},
		{"a delta counter", above(6, rate), []float64{3, 3, 3}, sumPoint(true, pmetric.AggregationTemporalityDelta), true, true},
		{"a level as a sum", above(6, rate), []float64{100, 105, 3}, sumPoint(false, pmetric.AggregationTemporalityCumulative), true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.rule)
			for _, v := range tt.values {
				b.feed(func(_ pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
					dp := tt.build(m)
					dp.SetStartTimestamp(pcommon.NewTimestampFromTime(feedStart))
					dp.SetTimestamp(at)
					if tt.whole {
						dp.SetIntValue(int64(v))
					} else {
						dp.SetDoubleValue(v)
					}
				})
			}
			assert.Equal(t, tt.fires, len(b.events()) == 1)
		})
	}
}

func gaugePoint(m pmetric.Metric) pmetric.NumberDataPoint {
	return m.SetEmptyGauge().DataPoints().AppendEmpty()
}

func sumPoint(monotonic bool, temporality pmetric.AggregationTemporality) func(pmetric.Metric) pmetric.NumberDataPoint {
	return func(m pmetric.Metric) pmetric.NumberDataPoint {
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(monotonic)
		sum.SetAggregationTemporality(temporality)
		return sum.DataPoints().AppendEmpty()
	}
}

// Kinds that are no numbers are said to be so, once.
func TestOtherKindsAreARuleError(t *testing.T) {
	kinds := map[string]func(pmetric.Metric){
		"a histogram":              func(m pmetric.Metric) { m.SetEmptyHistogram().DataPoints().AppendEmpty() },
		"an exponential histogram": func(m pmetric.Metric) { m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty() },
		"a summary":                func(m pmetric.Metric) { m.SetEmptySummary().DataPoints().AppendEmpty() },
	}
	for kind, set := range kinds {
		b := newBench(t, above(1, nil))
		for range 3 {
			b.feed(func(_ pmetric.ResourceMetrics, m pmetric.Metric, _ pcommon.Timestamp) { set(m) })
		}
		events := b.events()
		require.Len(t, events, 1, kind)
		assert.Equal(t, "alert.rule_error", events[0].Name())
		assert.Contains(t, events[0].Body, "is "+kind+`: set "statistic" to one of its statistics (`)
	}
	b := newBench(t, above(1, nil))
	b.feed(func(pmetric.ResourceMetrics, pmetric.Metric, pcommon.Timestamp) {}) // A metric of no kind at all.
	assert.Empty(t, b.events())
}

// A point that says there is no value, or has none, ends its series: it is not a zero.
func TestPointsWithoutAValue(t *testing.T) {
	tests := map[string]func(pmetric.NumberDataPoint){
		"flag":  func(dp pmetric.NumberDataPoint) { dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)) },
		"empty": func(pmetric.NumberDataPoint) {},
	}
	for name, mark := range tests {
		b := newBench(t, above(1, nil))
		b.feed(func(_ pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
			dp := gaugePoint(m)
			dp.SetTimestamp(at)
			dp.SetDoubleValue(5)
		})
		b.feed(func(_ pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
			dp := gaugePoint(m)
			dp.SetTimestamp(at)
			mark(dp)
		})
		events := b.events()
		require.Len(t, events, 2, name)
		assert.Equal(t, alertschema.TransitionNoData, events[1].Transition)
	}
}

// What a reference of the resource does not name is part of the identity only where the conventions say so.
func TestEntityIdentifiesTheAlert(t *testing.T) {
	b := newBench(t, above(1, nil))
	for _, build := range []string{"1.0", "1.1"} {
		b.feed(func(rm pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
			rm.Resource().Attributes().PutStr("service.name", "shop")
			rm.Resource().Attributes().PutStr("service.version", build)
			ref := entity.ResourceEntityRefs(rm.Resource()).AppendEmpty()
			ref.SetType("service")
			ref.IdKeys().Append("service.name")
			dp := gaugePoint(m)
			dp.SetTimestamp(at)
			dp.SetDoubleValue(5)
		})
	}
	assert.Len(t, b.events(), 1, "a new version is no new alert")
}

// The trace of the newest exemplar comes with the record.
func TestExemplar(t *testing.T) {
	b := newBench(t, above(1, nil))
	b.feed(func(_ pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
		dp := gaugePoint(m)
		dp.SetTimestamp(at)
		dp.SetDoubleValue(5)
		for i, id := range []byte{1, 3, 2} {
			x := dp.Exemplars().AppendEmpty()
			x.SetTimestamp(pcommon.Timestamp([]int{10, 30, 20}[i]))
			x.SetTraceID(pcommon.TraceID{id})
			x.SetSpanID(pcommon.SpanID{id})
		}
		dp.Exemplars().AppendEmpty().SetTimestamp(40) // The newest has no trace.
	})
	lr := makeLogs(b.events()).ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, pcommon.TraceID{3}, lr.TraceID())
	assert.Equal(t, pcommon.SpanID{3}, lr.SpanID())
}

// Resources and scopes of one batch are distinguished, and nothing of the batch stays in the feeder.
func TestOriginsOfOneBatch(t *testing.T) {
	b := newBench(t, above(1, func(rc *rules.RuleConfig) {
		rc.GroupBy = []string{"resource.host.name", "scope.part", "instance"}
	}))
	md := pmetric.NewMetrics()
	for _, host := range []string{"a", "b"} {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("host.name", host)
		for _, part := range []string{"x", "y"} {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().Attributes().PutStr("part", part)
			for _, instance := range []int64{1, 2} {
				m := sm.Metrics().AppendEmpty()
				m.SetName("m")
				dp := gaugePoint(m)
				dp.Attributes().PutInt("instance", instance)
				dp.SetTimestamp(pcommon.NewTimestampFromTime(feedStart))
				dp.SetDoubleValue(5)
			}
		}
	}
	b.engine.Begin(feedStart)
	b.feeder.feed(b.engine, md)
	b.engine.Flush(feedStart)
	ids := map[string]bool{}
	for _, ev := range b.events() {
		ids[ev.AlertID] = true
	}
	assert.Len(t, ids, 8)
	for _, attrs := range [][]attr.Attr{b.feeder.origin.Resource, b.feeder.origin.Scope, b.feeder.point.Attributes} {
		for _, a := range attrs[:cap(attrs)] {
			assert.Zero(t, a)
		}
	}
}

// A metric that no rule names costs a lookup; a point that no rule wants, a comparison. Neither allocates.
func TestUnwantedPointsCostNoAllocation(t *testing.T) {
	for _, metric := range []string{"m", "other"} {
		b := newBench(t, above(1, func(rc *rules.RuleConfig) { rc.Match = map[string]any{"instance": "none"} }))
		md := manyPoints(metric, 1000)
		b.feeder.feed(b.engine, md)
		allocs := testing.AllocsPerRun(10, func() { b.feeder.feed(b.engine, md) })
		assert.Less(t, allocs, 30.0, "a handful for the batch, none for its 1000 points")
	}
}

func manyPoints(metric string, n int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "db1")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(metric)
	points := m.SetEmptyGauge().DataPoints()
	for range n {
		dp := points.AppendEmpty()
		dp.Attributes().PutStr("instance", "a")
		dp.Attributes().PutInt("cpu", 1)
		dp.SetTimestamp(pcommon.NewTimestampFromTime(feedStart))
		dp.SetDoubleValue(5)
	}
	return md
}

// BenchmarkFeed is the cost of 1000 points that no rule names, and of 1000 that a rule names but does not match.
func BenchmarkFeed(b *testing.B) {
	for _, metric := range []string{"other", "m"} {
		b.Run(metric, func(b *testing.B) {
			bench := newBench(b, above(1, func(rc *rules.RuleConfig) { rc.Match = map[string]any{"instance": "none"} }))
			md := manyPoints(metric, 1000)
			b.ReportAllocs()
			for b.Loop() {
				bench.feeder.feed(bench.engine, md)
			}
		})
	}
}

// FuzzConsume feeds whatever decodes as OTLP metrics. Nothing panics, the metrics stay as they were, and what comes out encodes.
func FuzzConsume(f *testing.F) {
	var marshaler pmetric.ProtoMarshaler
	seed := func(md pmetric.Metrics) {
		text, err := marshaler.MarshalMetrics(md)
		require.NoError(f, err)
		f.Add(text)
	}
	seed(manyPoints("m", 3))
	odd := pmetric.NewMetrics()
	for _, kind := range []string{"gauge", "sum", "histogram", "exponential", "summary", "none"} {
		rm := odd.ResourceMetrics().AppendEmpty()
		require.NoError(f, rm.Resource().Attributes().FromRaw(map[string]any{"a": []any{1, "x"}, "b": map[string]any{"c": nil}, "d": []byte{1}}))
		entity.ResourceEntityRefs(rm.Resource()).AppendEmpty().IdKeys().Append("a")
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("m")
		switch kind {
		case "gauge":
			dp := gaugePoint(m)
			dp.SetTimestamp(pcommon.NewTimestampFromTime(feedStart))
			dp.SetIntValue(1 << 62)
			dp.Exemplars().AppendEmpty().SetTraceID(pcommon.TraceID{1})
		case "sum":
			sumPoint(true, pmetric.AggregationTemporalityUnspecified)(m).SetTimestamp(1 << 63)
		case "histogram":
			m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			dp := m.Histogram().DataPoints().AppendEmpty()
			dp.SetTimestamp(pcommon.NewTimestampFromTime(feedStart))
			dp.SetCount(3)
			dp.ExplicitBounds().FromRaw([]float64{1})
			dp.BucketCounts().FromRaw([]uint64{1, 2})
		case "exponential":
			m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			dp := m.ExponentialHistogram().DataPoints().AppendEmpty()
			dp.SetTimestamp(pcommon.NewTimestampFromTime(feedStart))
			fill(dp, 1, 2, 3)
		case "summary":
			q := m.SetEmptySummary().DataPoints().AppendEmpty().QuantileValues().AppendEmpty()
			q.SetQuantile(0.99)
		}
	}
	seed(odd)
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
		if err != nil {
			return
		}
		md.MarkReadOnly()
		before, err := marshaler.MarshalMetrics(md)
		require.NoError(t, err)
		b := newBench(t, above(1, nil),
			above(0, func(rc *rules.RuleConfig) { rc.Name, rc.Statistic = "p99", "p99" }),
			above(0, func(rc *rules.RuleConfig) { rc.Name, rc.Statistic = "max", "max" }),
			above(0, func(rc *rules.RuleConfig) { rc.Name, rc.GroupAggregate = "sum", "sum" }),
			above(0, func(rc *rules.RuleConfig) { rc.Name, rc.Aggregate, rc.Window = "rate", "rate", time.Minute }))
		for range 2 {
			b.now = b.now.Add(15 * time.Second)
			b.engine.Begin(b.now)
			b.feeder.feed(b.engine, md)
			b.engine.Flush(b.now)
			b.engine.Evaluate(b.now)
		}
		after, err := marshaler.MarshalMetrics(md)
		require.NoError(t, err)
		require.Equal(t, before, after)
		logs := makeLogs(b.events())
		require.Equal(t, b.engine.Pending(), logs.LogRecordCount())
		b.engine.Snapshot(b.now)
	})
}
