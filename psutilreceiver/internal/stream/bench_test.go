package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// seriesPerProcess is the number of points processBatch gives each process.
const seriesPerProcess = 5

// processBatch returns what a process scraper emits: a resource for each
// process with CPU time in two modes, disk I/O in two directions and one count.
func processBatch(streams int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for pid := range streams / seriesPerProcess {
		rm := md.ResourceMetrics().AppendEmpty()
		attrs := rm.Resource().Attributes()
		attrs.PutStr("host.name", "db-7.example.org")
		attrs.PutStr("host.id", "5c2f1d0ab7e94c7c8f7ad4f24ff6ad63")
		attrs.PutStr("os.type", "linux")
		attrs.PutInt("process.pid", int64(pid))
		attrs.PutStr("process.creation.time", fmt.Sprintf("2026-05-04T10:%02d:%02d.34Z", pid/60%60, pid%60))
		attrs.PutStr("process.executable.name", "postgres")
		attrs.PutStr("process.owner", "postgres")
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName("github.com/otelcol-psutil/otelcol-psutil/psutilreceiver")
		sm.Scope().SetVersion("1.0.0")
		cpu := appendSum(sm, "process.cpu.time", "s")
		disk := appendSum(sm, "process.disk.io", "By")
		for i, mode := range []string{"user", "system"} {
			cpu.AppendEmpty().Attributes().PutStr("cpu.mode", mode)
			disk.AppendEmpty().Attributes().PutStr("disk.io.direction", []string{"read", "write"}[i])
		}
		appendSum(sm, "process.context_switches", "{count}").AppendEmpty()
	}
	return md
}

func appendSum(sm pmetric.ScopeMetrics, name, unit string) pmetric.NumberDataPointSlice {
	m := sm.Metrics().AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return sum.DataPoints()
}

// stamp makes md the scrape at the given time, with totals that have grown.
func stamp(md pmetric.Metrics, now time.Time, total int64) {
	at := pcommon.NewTimestampFromTime(now)
	eachMetric(md, func(_ pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
		if m.Type() != pmetric.MetricTypeSum {
			return
		}
		m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for _, p := range m.Sum().DataPoints().All() {
			p.SetStartTimestamp(1)
			p.SetTimestamp(at)
			if m.Unit() == "s" {
				p.SetDoubleValue(float64(total) / 100)
			} else {
				p.SetIntValue(total)
			}
		}
	})
}

func eachMetric(md pmetric.Metrics, f func(pmetric.ResourceMetrics, pmetric.ScopeMetrics, pmetric.Metric)) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				f(rm, sm, m)
			}
		}
	}
}

func withoutRates(md pmetric.Metrics) {
	eachMetric(md, func(_ pmetric.ResourceMetrics, sm pmetric.ScopeMetrics, _ pmetric.Metric) {
		sm.Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Type() == pmetric.MetricTypeGauge })
	})
}

func BenchmarkProcess(b *testing.B) {
	for _, streams := range []int{1_000, 100_000} {
		for _, temporality := range []pmetric.AggregationTemporality{
			pmetric.AggregationTemporalityCumulative, pmetric.AggregationTemporalityDelta,
		} {
			for _, withRates := range []bool{false, true} {
				name := fmt.Sprintf("streams=%d/%s/rates=%t", streams, temporality, withRates)
				b.Run(name, func(b *testing.B) {
					benchmarkProcess(b, streams, Settings{Temporality: temporality, Rates: Rates{Enabled: withRates}})
				})
			}
		}
	}
}

func benchmarkProcess(b *testing.B, streams int, settings Settings) {
	b.Helper()
	stage := NewStage(settings)
	now := time.Now()
	total := int64(1)
	advance := func(md pmetric.Metrics) {
		now = now.Add(15 * time.Second)
		total += 1000
		stamp(md, now, total)
	}
	baseline := processBatch(streams)
	advance(baseline)
	stage.processWhole(baseline, now)
	md := processBatch(streams)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		withoutRates(md)
		advance(md)
		b.StartTimer()
		stage.processWhole(md, now)
	}
	b.StopTimer()
	points := float64(b.N) * float64(streams)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/points, "ns/point")
	require.Equal(b, streams, stage.Tracked())
	require.Zero(b, stage.Resets())
}

// BenchmarkWalk is the floor under BenchmarkProcess: it reads and writes of the
// same points what any stage has to, and remembers nothing.
func BenchmarkWalk(b *testing.B) {
	for _, streams := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			md := processBatch(streams)
			now, total, n := time.Now(), int64(1), 0
			for range b.N {
				b.StopTimer()
				now, total = now.Add(15*time.Second), total+1000
				stamp(md, now, total)
				b.StartTimer()
				eachMetric(md, func(_ pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
					for _, p := range m.Sum().DataPoints().All() {
						for k, v := range p.Attributes().All() {
							n += len(k) + len(v.Str())
						}
						if v, ok := totalOf(p); ok && p.StartTimestamp() < p.Timestamp() {
							p.SetStartTimestamp(p.Timestamp() - pcommon.Timestamp(v.i))
						}
					}
				})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(streams), "ns/point")
			require.Positive(b, n)
		})
	}
}
