package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// feeder writes to a store as an exporter does, with a clock of its own.
type feeder struct {
	*Store
	tb  testing.TB
	now time.Time
}

func newFeeder(tb testing.TB, change func(*Config)) *feeder {
	tb.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	require.NoError(tb, cfg.Validate())
	f := &feeder{Store: New(cfg, epoch), tb: tb, now: epoch}
	tb.Cleanup(f.Close)
	return f
}

// at is the clock in microseconds.
func (f *feeder) at() int64 { return f.now.UnixMicro() }

// send writes one scrape of some series, numbered, of one metric; NaN leaves one out.
func (f *feeder) send(metric string, kind Kind, values ...float64) Dropped {
	return f.sendAs(metric, kind, Sample{}, values...)
}

func (f *feeder) sendAs(metric string, kind Kind, p Sample, values ...float64) Dropped {
	w := f.Begin(f.now)
	r, ok := w.Resource(Key{1, 1}, func() []Attribute { return []Attribute{{"host.name", "web1"}} })
	require.True(f.tb, ok)
	m := w.Metric(metric, "By", "", kind)
	hash := uint64(0)
	for _, c := range metric {
		hash = hash*31 + uint64(c)
	}
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		p.Key, p.Time, p.Values = Key{hash, uint64(i)}, f.now.UnixNano(), [3]float64{v, v / 2, v * 2}
		w.Put(r, m, p, func() []Attribute { return []Attribute{{"n", fmt.Sprint(i)}} })
	}
	_, dropped := w.Commit()
	return dropped
}

// answer collects what Range gives.
type answer struct {
	plan   Plan
	groups []answerGroup
}

type answerGroup struct {
	axis   int
	times  []int64
	series []Values
}

func (a *answer) Plan(p Plan) { a.plan = p }

func (a *answer) Group(axis int, times []int64) {
	a.groups = append(a.groups, answerGroup{axis: axis, times: append([]int64(nil), times...)})
}

func (a *answer) Series(v *Values) {
	g := &a.groups[len(a.groups)-1]
	c := *v
	c.Avg, c.Min, c.Max = append([]float64(nil), v.Avg...), append([]float64(nil), v.Min...), append([]float64(nil), v.Max...)
	g.series = append(g.series, c)
}

func (f *feeder) query(from, to time.Time, width int, names ...string) *answer {
	f.tb.Helper()
	var a answer
	require.NoError(f.tb, f.Range(Query{Selection{Names: names}, from.UnixMicro(), to.UnixMicro(), width}, &a))
	return &a
}

// nulls makes NaN comparable.
func nulls(values []float64) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			out[i] = math.Round(v*1e6) / 1e6
		}
	}
	return out
}

func TestSamplesAsTheyAre(t *testing.T) {
	f := newFeeder(t, nil)
	for i := range 5 {
		f.send("memory", Gauge, float64(i), 10)
		f.send("io", Counter, float64(100*i), 7)
		f.now = f.now.Add(time.Second)
	}
	a := f.query(epoch, f.now, 600, "memory", "io")
	assert.Equal(t, int64(0), a.plan.Step)
	require.Len(t, a.groups, 1, "what has one time is on one axis")
	g := a.groups[0]
	assert.Len(t, g.times, 5)
	assert.Equal(t, epoch.UnixMicro(), g.times[0])
	require.Len(t, g.series, 4)
	assert.Equal(t, []any{0.0, 1.0, 2.0, 3.0, 4.0}, nulls(g.series[0].Avg))
	assert.Empty(t, g.series[0].Max)
	assert.Equal(t, []any{nil, 100.0, 100.0, 100.0, 100.0}, nulls(g.series[2].Avg), "totals are divided when they are read")
	assert.Equal(t, []any{nil, 0.0, 0.0, 0.0, 0.0}, nulls(g.series[3].Avg))
}

func TestCountersThatBeginAnew(t *testing.T) {
	f := newFeeder(t, nil)
	for i, v := range []float64{10, 20, 5, 8, 20, 30} {
		start := int64(1)
		if i >= 4 {
			start = 2 // A restart that the total does not show.
		}
		f.sendAs("io", Counter, Sample{Start: start}, v)
		f.now = f.now.Add(time.Second)
	}
	for i := range 300 { // So that the blocks are closed.
		f.sendAs("io", Counter, Sample{Start: 2}, float64(31+i))
		f.now = f.now.Add(time.Second)
	}
	a := f.query(epoch, epoch.Add(8*time.Second), 600, "io")
	assert.Equal(t, []any{nil, 10.0, nil, 3.0, nil, 10.0, 1.0, 1.0}, nulls(a.groups[0].series[0].Avg))
}

func TestDeltasBecomeTotals(t *testing.T) {
	f := newFeeder(t, nil)
	for _, v := range []float64{10, 20, 5} {
		f.sendAs("io", Counter, Sample{Start: f.now.UnixNano(), Delta: true}, v)
		f.now = f.now.Add(2 * time.Second)
	}
	assert.Equal(t, []any{nil, 10.0, 2.5}, nulls(f.query(epoch, f.now, 600, "io").groups[0].series[0].Avg))
}

func TestGapsAreGaps(t *testing.T) {
	f := newFeeder(t, nil)
	for i := range 40 {
		if i < 10 || i >= 20 {
			f.send("io", Counter, float64(100*i))
			f.send("memory", Gauge, float64(i))
		}
		f.now = f.now.Add(time.Second)
	}
	a := f.query(epoch, f.now, 600, "io", "memory")
	g := a.groups[0]
	require.Len(t, g.times, 31, "one time in the gap")
	assert.Equal(t, []any{100.0, nil, nil, 100.0}, nulls(g.series[0].Avg[9:13]), "no rate over the gap")
	assert.Equal(t, []any{9.0, nil, 20.0}, nulls(g.series[1].Avg[9:12]))

	a = f.query(epoch, f.now, 20, "io", "memory")
	require.Equal(t, int64(2_000_000), a.plan.Step)
	assert.Equal(t, []any{8.5, nil, nil, nil, nil, nil, 20.5}, nulls(a.groups[0].series[1].Avg[4:11]))
}

func TestSlowSeriesHaveNoHolesInFineBuckets(t *testing.T) {
	f := newFeeder(t, nil)
	for i := range 60 {
		f.send("fast", Gauge, 1)
		f.now = f.now.Add(300 * time.Millisecond)
		if i%5 == 0 {
			f.send("slow", Gauge, float64(i))
			f.send("total", Counter, float64(100*i))
		}
		f.now = f.now.Add(700 * time.Millisecond)
	}
	a := f.query(epoch, epoch.Add(50*time.Second), 25, "fast", "slow", "total")
	require.Equal(t, int64(2_000_000), a.plan.Step)
	require.Len(t, a.groups, 1)
	assert.Equal(t, []any{0.0, 0.0, 5.0, 5.0, 5.0, 10.0}, nulls(a.groups[0].series[1].Avg[:6]))
	assert.Equal(t, []any{nil, nil, 100.0, 100.0, 100.0}, nulls(a.groups[0].series[2].Avg[:5]))
}

func TestDistribution(t *testing.T) {
	f := newFeeder(t, nil)
	for i := range 4000 {
		f.send("latency", Distribution, float64(i%7))
		f.now = f.now.Add(time.Second)
	}
	a := f.query(f.now.Add(-7*time.Second), f.now, 600, "latency")
	s := a.groups[0].series[0]
	assert.ElementsMatch(t, []any{0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, nulls(s.Avg))
	assert.InDelta(t, 2*s.Avg[3], s.Max[3], 1e-9)
	assert.InDelta(t, s.Avg[3]/2, s.Min[3], 1e-9)
	for _, width := range []int{600, 100} { // From the samples, and from a coarser tier.
		a = f.query(epoch, f.now, width, "latency")
		s = a.groups[0].series[0]
		assert.InDelta(t, 6, s.Avg[3], 1e-9, "the largest p95")
		assert.InDelta(t, 12, s.Max[3], 1e-9)
		assert.InDelta(t, 0, s.Min[3], 1e-9)
	}
	assert.Equal(t, 1, a.plan.Tier)
}

// truth is what a series was, told by the test itself.
type truth struct {
	times  []int64
	values []float64
}

// extremes of the samples in [from, to); false when there is none.
func (t *truth) extremes(from, to int64) (low, high float64, some bool) {
	low, high = math.Inf(1), math.Inf(-1)
	i, _ := slices.BinarySearch(t.times, from)
	for ; i < len(t.times) && t.times[i] < to; i++ {
		if v := t.values[i]; !math.IsNaN(v) {
			low, high, some = min(low, v), max(high, v), true
		}
	}
	return low, high, some
}

// TestMaximumIsTheTrueMaximum: whatever the range and width, no spike is hidden and none is invented.
func TestMaximumIsTheTrueMaximum(t *testing.T) {
	for _, kind := range []Kind{Gauge, Counter} {
		t.Run(kind.String(), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			f := newFeeder(t, nil)
			var all truth
			total, before := 0.0, int64(0)
			for i := range 30_000 { // Eight hours: the beginning is no longer in the finest tier.
				f.now = epoch.Add(time.Duration(i)*time.Second + time.Duration(random.IntN(20)-10)*time.Millisecond)
				v := random.Float64()
				if random.IntN(500) == 0 {
					v = 1000 * random.Float64()
				}
				if total += v; kind == Counter {
					f.send("m", kind, total)
					if v = v * 1e6 / float64(f.at()-before); i == 0 {
						v = math.NaN()
					}
				} else {
					f.send("m", kind, v)
				}
				before = f.at()
				all.times, all.values = append(all.times, f.at()), append(all.values, v)
			}
			tiers := map[int]int{}
			for range 150 {
				from := epoch.Add(time.Duration(random.IntN(29_000)) * time.Second)
				to := from.Add(time.Duration(1+random.IntN(20_000)) * time.Second)
				a := f.query(from, to, 1+random.IntN(1500), "m")
				tiers[a.plan.Tier]++
				for _, g := range a.groups {
					checkExtremes(t, &all, a.plan, &g)
				}
			}
			assert.Len(t, tiers, 3, "every tier answered")
		})
	}
}

func checkExtremes(t *testing.T, all *truth, plan Plan, g *answerGroup) {
	t.Helper()
	s := g.series[0]
	for i, start := range g.times {
		end := start + plan.Step
		if plan.Step == 0 {
			end = start + 1
		}
		if plan.Tier == 0 { // Samples reach to the ends of the query; intervals of a coarser tier are whole.
			start, end = max(start, plan.From), min(end, plan.To)
		} else if i == 0 || i == len(g.times)-1 {
			continue
		}
		low, high, some := all.extremes(start, end)
		if plan.Step == 0 {
			if some {
				require.InDelta(t, low, s.Avg[i], 1e-9*total(high))
			}
			continue
		}
		if !some {
			continue
		}
		require.InEpsilon(t, high, s.Max[i], 1e-6, "step %d tier %d", plan.Step, plan.Tier)
		require.InEpsilon(t, low, s.Min[i], 1e-6, "step %d tier %d", plan.Step, plan.Tier)
		require.GreaterOrEqual(t, s.Avg[i], low*(1-1e-6))
		require.LessOrEqual(t, s.Avg[i], high*(1+1e-6))
	}
}

func total(v float64) float64 { return 1e6 * max(1, v) }

// TestMemoryIsBounded: the limit holds at every moment, the oldest of the finest goes first, and what is left says so.
func TestMemoryIsBounded(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory, c.MaxSeries = 4<<20, 500 })
	random := rand.New(rand.NewPCG(3, 4))
	values := make([]float64, 490)
	for range 2000 {
		for i := range values {
			values[i] = random.NormFloat64() // Hard to compress.
		}
		assert.Zero(t, f.send("noise", Gauge, values...))
		c := f.Catalogue(f.now)
		require.LessOrEqual(t, c.Used, c.Limit)
		f.now = f.now.Add(time.Second)
	}
	c := f.Catalogue(f.now)
	assert.False(t, c.Tiers[0].Complete)
	assert.Greater(t, c.Tiers[0].From, epoch.UnixMicro())
	assert.True(t, c.Tiers[1].Complete, "coarser tiers stay")
	assert.Equal(t, epoch.UnixMicro(), c.Tiers[1].From)
	a := f.query(epoch, f.now, 4000, "noise")
	assert.Equal(t, 1, a.plan.Tier, "what the finest tier has lost comes from the next one")
	for _, v := range a.groups[0].series[3].Max[:100] {
		assert.False(t, math.IsNaN(v))
	}
}

func TestManyAxesAreBounded(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory, c.MaxSeries = 4<<20, 500 })
	for i := range 40_000 {
		f.now = f.now.Add(time.Millisecond)
		f.send(fmt.Sprint("m", i%400), Gauge, 1)
		if i%1000 == 0 {
			c := f.Catalogue(f.now)
			require.LessOrEqual(t, c.Used, c.Limit)
		}
	}
}

func TestSeriesAreBounded(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxSeries = 10 })
	values := make([]float64, 15)
	assert.Equal(t, Dropped{Limit: 5}, f.send("m", Gauge, values...))
	f.now = f.now.Add(time.Second)
	assert.Equal(t, Dropped{Limit: 5}, f.send("m", Gauge, values...))
	assert.Equal(t, int64(10), f.Catalogue(f.now).SeriesRefused)

	f.now = f.now.Add(silentAfter + 2*time.Minute)
	assert.Equal(t, Dropped{}, f.send("new", Gauge, 1), "one that has been silent makes room")
	assert.Equal(t, Dropped{Limit: 6}, f.send("m", Gauge, values...), "those that are left, and some places")
}

func TestWhatIsRefused(t *testing.T) {
	f := newFeeder(t, nil)
	assert.Equal(t, Dropped{Invalid: 1}, f.send("m", Gauge, math.Inf(1)))
	assert.Zero(t, f.send("m", Gauge, 1))
	assert.Equal(t, Dropped{Time: 1}, f.send("m", Gauge, 1), "twice")
	f.now = f.now.Add(-time.Second)
	assert.Equal(t, Dropped{Time: 1}, f.send("m", Gauge, 1), "older than the last")
	w := f.Begin(epoch)
	r, _ := w.Resource(Key{1, 1}, nil)
	m := w.Metric("m", "By", "", Gauge)
	for _, ahead := range []time.Duration{2 * time.Minute, -2 * time.Hour} {
		w.Put(r, m, Sample{Key: Key{9, 9}, Time: epoch.Add(ahead).UnixNano()}, nil)
	}
	_, dropped := w.Commit()
	assert.Equal(t, Dropped{Time: 2}, dropped)
}

func TestSeriesThatEnd(t *testing.T) {
	f := newFeeder(t, func(c *Config) {
		c.Tiers = []Tier{{time.Second, time.Minute}, {15 * time.Second, 10 * time.Minute}}
	})
	f.send("m", Gauge, 1, 2)
	last := f.at()
	for range 3 {
		f.now = f.now.Add(time.Second)
		f.send("m", Gauge, 1)
	}
	series := f.Catalogue(f.now).Metrics[0].Series
	assert.Zero(t, series[0].Ended)
	assert.Equal(t, last, series[1].Ended)
	for range 400 {
		f.now = f.now.Add(time.Second)
		f.send("m", Gauge, rand.Float64())
	}
	assert.Len(t, f.Catalogue(f.now).Metrics[0].Series, 2, "its history is there")
	for range 400 {
		f.now = f.now.Add(time.Second)
		f.send("n", Gauge, rand.Float64())
	}
	c := f.Catalogue(f.now)
	require.Len(t, c.Metrics, 2)
	assert.Len(t, c.Metrics[0].Series, 1)
	assert.Greater(t, c.Generation, uint64(3))
}

func TestLongTextsAreCut(t *testing.T) {
	f := newFeeder(t, nil)
	long := strings.Repeat("é", 50_000)
	for range 3 {
		w := f.Begin(f.now)
		r, _ := w.Resource(Key{1, 1}, func() []Attribute { return []Attribute{{long, long}} })
		m := w.Metric(long, long, long, Gauge)
		w.Put(r, m, Sample{Key: Key{1, 1}, Time: f.now.UnixNano()}, func() []Attribute { return []Attribute{{long, long + "\xff"}} })
		w.Commit()
		f.now = f.now.Add(time.Second)
	}
	c := f.Catalogue(f.now)
	require.Len(t, c.Metrics, 1)
	assert.Less(t, len(c.Metrics[0].Name), maxValueText+4)
	assert.True(t, utf8.ValidString(*c.Metrics[0].Series[0].Values[0]))
	assert.Less(t, c.Used, int64(1<<20))
}

func TestNewest(t *testing.T) {
	f := newFeeder(t, nil)
	f.send("a", Gauge, 1, 2)
	f.send("d", Distribution, 8)
	f.now = f.now.Add(time.Second)
	f.send("b", Counter, 5)
	live := f.Follow(Selection{Names: []string{"a", "b", "d", "none"}, IDs: []uint32{0, 99}})
	require.Len(t, live.Axes, 2)
	after := make([]int64, 2)
	scrapes, _ := f.Newest(live, after)
	require.Len(t, scrapes, 2)
	assert.Equal(t, [][]float64{{1}, {2}, {8, 4, 16}}, scrapes[0].Values)
	assert.True(t, math.IsNaN(scrapes[1].Values[0][0]))
	scrapes, _ = f.Newest(live, after)
	assert.Empty(t, scrapes)
	f.now = f.now.Add(time.Second)
	f.send("b", Counter, 7)
	scrapes, _ = f.Newest(live, after)
	require.Len(t, scrapes, 1)
	assert.Equal(t, [][]float64{{2}}, scrapes[0].Values)
}

func TestAskingForTooMuch(t *testing.T) {
	f := newFeeder(t, nil)
	values := make([]float64, 1000)
	for range 5000 {
		f.send("m", Gauge, values...)
		f.now = f.now.Add(time.Second)
	}
	var a answer
	err := f.Range(Query{Selection{Names: []string{"m"}}, 0, f.at(), MaxWidth}, &a)
	var cells CellsError
	require.ErrorAs(t, err, &cells)
	assert.Equal(t, CellsError{1000, 4000}, cells)
	require.NoError(t, f.Range(Query{Selection{Names: []string{"m"}}, 0, f.at(), 1}, &a))
	require.NoError(t, f.Range(Query{Selection{Names: []string{"m"}}, math.MinInt64 / 4, math.MaxInt64 / 4, 1}, &a))
}

func TestReadersAndWritersTogether(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory, c.MaxSeries = 4<<20, 100 })
	end := epoch.Add(1000 * time.Second)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				var a answer
				if err := f.Range(Query{Selection{Names: []string{"m"}}, epoch.UnixMicro(), end.UnixMicro(), 500}, &a); err != nil {
					t.Error(err)
				}
				f.Catalogue(end)
				f.Table(end.UnixMicro())
			}
		})
	}
	values := make([]float64, 99)
	for f.now.Before(end) {
		for i := range values {
			values[i] = rand.Float64()
		}
		f.send("m", Gauge, values...)
		f.now = f.now.Add(time.Second)
	}
	close(done)
	wg.Wait()
}

func TestClosedStore(t *testing.T) {
	f := newFeeder(t, nil)
	f.send("m", Gauge, 1)
	f.Close()
	f.Close()
	f.send("m", Gauge, 1)
	f.send("n", Gauge, 1)
	assert.Empty(t, f.query(epoch, f.now, 10, "m").groups)
	assert.False(t, f.Fits(DefaultConfig()))
}

func BenchmarkScrape(b *testing.B) {
	f := newFeeder(b, nil)
	values := make([]float64, 1200)
	for b.Loop() {
		for i := range values {
			if i%2 == 0 {
				values[i] += float64(i)
			}
		}
		f.send("m", Counter, values...)
		f.now = f.now.Add(time.Second)
	}
	c := f.Catalogue(f.now)
	b.ReportMetric(float64(c.Used)/float64(b.N)/1200, "B/sample")
}
