package stream

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// FuzzProcess feeds a stage whatever pdata can carry, several times over at
// times of its choice, and holds what comes out against the rules of a stream.
func FuzzProcess(f *testing.F) {
	marshal := func(md pmetric.Metrics) []byte {
		data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
		require.NoError(f, err)
		return data
	}
	batch := processBatch(seriesPerProcess)
	stamp(batch, time.Unix(100, 0), 1000)
	f.Add(marshal(batch), uint8(0), int64(time.Second), int64(time.Second))
	f.Add(marshal(batch), uint8(7), int64(time.Hour), -int64(time.Hour))
	reset := metricsOf([]record{{key: "a", start: 5, time: 10, total: 9}, {key: "a", start: 5, time: 20, total: 3}, {key: "a", start: 15, time: 30, float: 3}})
	f.Add(marshal(reset), uint8(3), int64(1), int64(0))
	f.Add(marshal(scrapeOf(step{at: 3, start: 3, total: math.NaN()})), uint8(1), int64(0), int64(-1))
	f.Add(marshal(pmetric.NewMetrics()), uint8(0), int64(0), int64(0))

	f.Fuzz(func(t *testing.T, data []byte, flags uint8, elapsed, step int64) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
		if err != nil {
			return
		}
		settings := Settings{Rates: Rates{Enabled: flags&1 != 0}, Returning: flags&4 != 0}
		if flags&2 != 0 {
			settings.Temporality = pmetric.AggregationTemporalityDelta
		}
		stage := NewStage(settings)
		at, mono := pcommon.Timestamp(1000), time.Duration(0)
		for range 3 {
			shown := pmetric.NewMetrics()
			md.CopyTo(shown)
			input := shape(shown)
			stage.process(shown, at, mono, flags&8 == 0)
			output := shape(shown)
			checkFuzzed(t, shown, input, output, settings)
			require.LessOrEqual(t, stage.Tracked(), input.streams)
			at += pcommon.Timestamp(step)
			mono += time.Duration(elapsed)
			eachMetric(md, func(_ pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
				if m.Type() != pmetric.MetricTypeSum {
					return
				}
				for _, p := range m.Sum().DataPoints().All() {
					p.SetTimestamp(p.Timestamp() + pcommon.Timestamp(step))
				}
			})
		}
		stage.process(pmetric.NewMetrics(), at, mono, true)
		require.Zero(t, stage.Tracked())
	})
}

// outline counts what a batch holds: points of monotonic cumulative sums and
// such sums without points, delta sums, gauges, and metrics of any other kind.
type outline struct{ streams, empty, deltas, gauges, others int }

func shape(md pmetric.Metrics) (o outline) {
	eachMetric(md, func(_ pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
		switch {
		case m.Type() == pmetric.MetricTypeGauge:
			o.gauges++
		case isStream(m, pmetric.AggregationTemporalityCumulative):
			o.streams += m.Sum().DataPoints().Len()
			if m.Sum().DataPoints().Len() == 0 {
				o.empty++
			}
		case isStream(m, pmetric.AggregationTemporalityDelta):
			o.deltas++
		default:
			o.others++
		}
	})
	return o
}

func isStream(m pmetric.Metric, temporality pmetric.AggregationTemporality) bool {
	return m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() && m.Sum().AggregationTemporality() == temporality
}

func checkFuzzed(t *testing.T, md pmetric.Metrics, input, output outline, settings Settings) {
	t.Helper()
	require.Equal(t, input.others, output.others)
	require.Zero(t, output.empty)
	require.LessOrEqual(t, output.streams, input.streams)
	if !settings.Rates.Enabled {
		require.Equal(t, input.gauges, output.gauges)
	}
	temporality := pmetric.AggregationTemporalityCumulative
	if settings.Temporality == pmetric.AggregationTemporalityDelta {
		require.Zero(t, output.streams)
		temporality = pmetric.AggregationTemporalityDelta
		if input.deltas > 0 {
			return // which pass as they are and cannot be distinguished any more
		}
	}
	eachMetric(md, func(_ pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
		if m.Type() == pmetric.MetricTypeGauge && input.gauges == 0 {
			require.Positive(t, m.Gauge().DataPoints().Len())
			for _, p := range m.Gauge().DataPoints().All() {
				require.GreaterOrEqual(t, p.DoubleValue(), 0.0)
				require.LessOrEqual(t, p.DoubleValue(), math.MaxFloat64)
			}
		}
		if !isStream(m, temporality) {
			return
		}
		for _, p := range m.Sum().DataPoints().All() {
			require.Less(t, p.StartTimestamp(), p.Timestamp())
			total, ok := totalOf(p)
			require.True(t, ok, "%v", total)
		}
	})
}

// FuzzSeries drives one stream with arbitrary clocks and totals.
func FuzzSeries(f *testing.F) {
	f.Add(uint64(5), uint64(100), int64(10), uint64(100), uint64(110), int64(4), int64(10))
	f.Add(uint64(200), uint64(100), int64(10), uint64(5), uint64(110), int64(40), int64(-10))
	f.Add(uint64(3e12), uint64(3e12+1), int64(10), uint64(3e12), uint64(7), int64(math.MaxInt64), int64(math.MaxInt64))
	f.Add(uint64(0), uint64(math.MaxUint64), int64(0), uint64(math.MaxUint64), uint64(1), int64(0), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, given1, time1 uint64, total1 int64, given2, time2 uint64, total2, elapsed int64) {
		if time1 == 0 || time2 == 0 || total1 < 0 || total2 < 0 {
			return
		}
		var s series
		c := scrape{number: 1, first: 1000, bornFrom: 1000}
		out := s.first(observation{total: number{i: total1}, given: pcommon.Timestamp(given1), time: pcommon.Timestamp(time1)}, &c)
		require.Less(t, out.start, pcommon.Timestamp(time1))
		require.Equal(t, out.start, out.from)
		require.Equal(t, total1, out.delta.i)

		c.number, c.mono, c.elapsed = 2, time.Duration(elapsed), time.Duration(elapsed)
		before := s
		out = s.next(observation{total: number{i: total2}, given: pcommon.Timestamp(given2), time: pcommon.Timestamp(time2)}, &c)
		require.GreaterOrEqual(t, out.elapsed, time.Duration(0))
		if out.kind == held {
			require.Equal(t, before, s)
			require.LessOrEqual(t, time2, time1)
			return
		}
		require.Less(t, out.start, pcommon.Timestamp(time2))
		require.Less(t, out.from, pcommon.Timestamp(time2))
		require.LessOrEqual(t, out.start, out.from)
		require.GreaterOrEqual(t, out.delta.i, int64(0))
		if !out.clockStepped {
			require.GreaterOrEqual(t, out.from, pcommon.Timestamp(time1))
			require.True(t, out.start == before.start || out.start >= pcommon.Timestamp(time1))
		}
		if out.kind == steady {
			require.Equal(t, total2-total1, out.delta.i)
		} else {
			require.Equal(t, total2, out.delta.i)
			require.Zero(t, out.elapsed)
		}
	})
}
