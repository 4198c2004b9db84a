package alert

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// fleet feeds n series of one metric to an engine with the given number of rules.
type fleet struct {
	engine *Engine
	origin attr.Origin
	attrs  [][]attr.Attr
}

func newFleet(tb testing.TB, ruleSet, n int, edit func(int, *rules.RuleConfig)) *fleet {
	tb.Helper()
	cfg := rules.DefaultConfig()
	cfg.Limits.Series = n
	for i := range ruleSet {
		rc := rules.RuleConfig{Name: fmt.Sprintf("rule%d", i), Metric: "system.network.io", Thresholds: map[string]rules.LevelConfig{
			"warning": {Above: 1e9, Clear: 9e8}, "critical": {Above: 2e9},
		}}
		if edit != nil {
			edit(i, &rc)
		}
		cfg.Rules = append(cfg.Rules, rc)
	}
	compiled, err := rules.Compile(cfg)
	require.NoError(tb, err)
	f := &fleet{engine: New(compiled, base)}
	f.origin.Resource = []attr.Attr{attr.String("host.name", "db1"), attr.String("os.type", "linux")}
	for i := range n {
		f.attrs = append(f.attrs, []attr.Attr{
			attr.String("network.interface.name", fmt.Sprintf("veth%05d", i)), attr.String("network.io.direction", "receive"),
		})
	}
	return f
}

func (f *fleet) observe(now time.Time, p *Point) {
	f.engine.Begin(now)
	m := f.engine.Matcher("system.network.io")
	m.Select(&f.origin, Stream{Unit: "By", Kind: window.CumulativeCounter})
	p.Time = now.UnixNano()
	for i := range f.attrs {
		p.Attributes = f.attrs[i]
		m.Observe(p)
	}
}

// BenchmarkUnmatchedPoint is the cost of a data point of a metric that has rules, none of which wants the point.
func BenchmarkUnmatchedPoint(b *testing.B) {
	f := newFleet(b, 3, 1, func(_ int, rc *rules.RuleConfig) { rc.Match = map[string]any{"network.io.direction": "transmit"} })
	m := f.engine.Matcher("system.network.io")
	p := Point{Attributes: f.attrs[0], Time: base.UnixNano(), Value: 1}
	b.ReportAllocs()
	m.Select(&f.origin, Stream{Unit: "By"}) // Once for all points of a metric.
	for b.Loop() {
		m.Observe(&p)
	}
	assert.Zero(b, f.engine.Stats(base).Series)
}

// BenchmarkUnmatchedMetric is the cost, per metric, of a metric that has no rules.
func BenchmarkUnmatchedMetric(b *testing.B) {
	f := newFleet(b, 12, 1, nil)
	b.ReportAllocs()
	for b.Loop() {
		if f.engine.Matcher("system.memory.usage") != nil {
			b.Fatal("matched")
		}
	}
}

// BenchmarkRound is one round of points for all series, by rules and series: taking them in, evaluating them, and the tick.
func BenchmarkRound(b *testing.B) {
	windowed := func(i int, rc *rules.RuleConfig) {
		if i%2 == 1 {
			rc.Window, rc.Aggregate = 5*time.Minute, []string{"avg", "max", "rate"}[i/2%3]
		}
	}
	for _, c := range []struct{ rules, series int }{{1, 10000}, {12, 1000}, {12, 10000}} {
		b.Run(fmt.Sprintf("%dx%d", c.rules, c.series), func(b *testing.B) {
			f := newFleet(b, c.rules, c.series, windowed)
			now := base
			p := Point{}
			for range 30 {
				now = now.Add(15 * time.Second)
				f.observe(now, &p)
				f.engine.Flush(now)
			}
			var observe, flush, tick time.Duration
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(15 * time.Second)
				p.Value += 1000
				t0 := time.Now()
				f.observe(now, &p)
				t1 := time.Now()
				f.engine.Flush(now)
				t2 := time.Now()
				f.engine.Evaluate(now)
				observe, flush, tick = observe+t1.Sub(t0), flush+t2.Sub(t1), tick+time.Since(t2)
			}
			b.ReportMetric(observe.Seconds()*1e3/float64(b.N), "observe-ms")
			b.ReportMetric(flush.Seconds()*1e3/float64(b.N), "evaluate-ms")
			b.ReportMetric(tick.Seconds()*1e3/float64(b.N), "tick-ms")
			assert.Equal(b, c.series, f.engine.Stats(now).Series)
		})
	}
}

// bytesPerSeries returns the heap that one of n series takes after so many rounds.
func bytesPerSeries(tb testing.TB, ruleSet, n, rounds int, edit func(int, *rules.RuleConfig)) float64 {
	tb.Helper()
	f := newFleet(tb, ruleSet, n, edit)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	p := Point{Value: 1}
	for i := range rounds {
		now := base.Add(time.Duration(i) * 15 * time.Second)
		f.observe(now, &p)
		f.engine.Flush(now)
		f.engine.Evaluate(now)
	}
	after := heap()
	require.Equal(tb, n, f.engine.Stats(base).Series)
	runtime.KeepAlive(f)
	return float64(after-before) / float64(n)
}

// BenchmarkSeriesMemory reports the bytes of a series, without samples and with a window of 20 of them.
func BenchmarkSeriesMemory(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(bytesPerSeries(b, 1, 10000, 2, nil), "B/series")
		span := bytesPerSeries(b, 1, 10000, 60, func(_ int, rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 5*time.Minute, "avg" })
		b.ReportMetric(span, "B/series+20samples")
		b.ReportMetric(bytesPerSeries(b, 12, 10000, 2, nil), "B/series*12rules")
	}
}

func TestAllocations(t *testing.T) {
	f := newFleet(t, 3, 1, func(_ int, rc *rules.RuleConfig) { rc.Match = map[string]any{"network.io.direction": "transmit"} })
	m := f.engine.Matcher("system.network.io")
	p := Point{Attributes: f.attrs[0], Time: base.UnixNano(), Value: 1}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		m.Select(&f.origin, Stream{Unit: "By"})
		m.Observe(&p)
	}), "a point that no rule matches")

	known := newFleet(t, 3, 100, nil)
	now := base
	round := func() {
		now = now.Add(15 * time.Second)
		known.observe(now, &p)
		known.engine.Flush(now)
		known.engine.Evaluate(now)
	}
	for range 5 {
		round()
	}
	assert.Zero(t, testing.AllocsPerRun(100, round), "a round of known, quiet series")
}
