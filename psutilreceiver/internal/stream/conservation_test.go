package stream

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// counter is a thing that counts without ever being reset.
type counter struct {
	birth    int64 // in seconds; zero: not yet born
	total    int64
	seen     bool
	baseline int64 // first total that was seen, if the past was unknown then
	sum      int64 // of all deltas
}

// The deltas of a stream that was never reset add up to the difference of its
// totals, to the last unit, whatever scrapes it was missing from and however
// the wall clock ran: all of its total if it was born in view, all but the
// first total that was seen if it was not.
func TestDeltasAddUp(t *testing.T) {
	t.Parallel()
	const scrapes = 300
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		stage := NewStage(Settings{Temporality: pmetric.AggregationTemporalityDelta})
		counters := make([]counter, 40)
		begin, wall, mono := int64(1_000_000), int64(1_000_000), int64(0)
		for n := range scrapes {
			if n > 0 {
				elapsed := rnd.Int64N(1000)
				mono += elapsed
				wall += elapsed + rnd.Int64N(200) - 100
			}
			complete := n == 0 || rnd.IntN(2) == 0
			if n == scrapes-1 {
				wall, complete = wall+1_000_000, true // whatever was held comes out
			}
			var points []record
			for i := range counters {
				c := &counters[i]
				if n < 2*i {
					continue // still to be born
				}
				if c.birth == 0 {
					c.birth, c.total = wall-rnd.Int64N(10), 1+rnd.Int64N(1<<55)
				}
				c.total += rnd.Int64N(1 << 50)
				if !complete && rnd.IntN(3) == 0 {
					continue
				}
				if !c.seen && (n == 0 || c.birth < begin) {
					c.baseline = c.total
				}
				c.seen = true
				points = append(points, record{
					key: strconv.Itoa(i), start: c.birth * int64(time.Second), time: wall * int64(time.Second), total: c.total,
				})
			}
			md := metricsOf(points)
			stage.process(md, pcommon.Timestamp(wall)*1e9, time.Duration(mono)*time.Second, complete)
			deltas, _ := recordsOf(md)
			for _, d := range deltas {
				i, err := strconv.Atoi(d.key)
				require.NoError(t, err)
				counters[i].sum += d.total
			}
		}
		for i, c := range counters {
			require.Equal(t, c.total-c.baseline, c.sum, "seed %d, counter %d: %+v", seed, i, c)
		}
		require.Zero(t, stage.Resets().LowerValue)
		require.Zero(t, stage.Resets().StartChanged)
	}
}

// population returns the processes of the given numbers.
func population(from, to int, at int64) []record {
	var points []record
	for i := from; i < to; i++ {
		points = append(points, record{key: fmt.Sprintf("pid %d", i), start: at - 1, time: at, total: at})
	}
	return points
}

func TestStateIsBoundByWhatLives(t *testing.T) {
	const alive, scrapes, births = 1000, 200, 500
	stage := NewStage(Settings{Temporality: pmetric.AggregationTemporalityDelta, Rates: Rates{Enabled: true}})
	var before, after runtime.MemStats
	for n := range scrapes {
		at := int64(n+1) * int64(time.Second)
		md := metricsOf(population(n*births, n*births+alive, at))
		stage.process(md, pcommon.Timestamp(at), time.Duration(at), true)
		require.Equal(t, alive, stage.Tracked())
		if n == 9 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(256<<10))
	assert.LessOrEqual(t, len(stage.streams.slots), 2*alive+1)
	runtime.KeepAlive(stage)
}

func TestABurstGivesItsMemoryBack(t *testing.T) {
	const burst = 100_000
	stage := NewStage(Settings{})
	var before, during, after runtime.MemStats
	for n, size := range []int{1000, burst, 1000} {
		at := int64(n+1) * int64(time.Second)
		stage.process(metricsOf(population(0, size, at)), pcommon.Timestamp(at), time.Duration(at), true)
		require.Equal(t, size, stage.Tracked())
		runtime.GC()
		runtime.ReadMemStats([]*runtime.MemStats{&before, &during, &after}[n])
	}
	perStream := (int64(during.HeapAlloc) - int64(before.HeapAlloc)) / burst
	t.Logf("%d bytes a stream", perStream)
	assert.Less(t, perStream, int64(400))
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(256<<10))

	// The streams that survived the burst are still the same.
	at := int64(4) * int64(time.Second)
	points := population(0, 1000, at)
	for i := range points {
		points[i].start, points[i].total = 3*int64(time.Second)-1, 0
	}
	stage.process(metricsOf(points), pcommon.Timestamp(at), time.Duration(at), true)
	assert.Equal(t, uint64(1000), stage.Resets().LowerValue)
}

// A point costs no memory where the points are the scraper's own. Pdata gives a
// point a new value only by allocating it, so a delta costs that and no more.
func TestAllocations(t *testing.T) {
	const streams, runs = 500, 10
	for _, c := range []struct {
		temporality pmetric.AggregationTemporality
		want        float64
	}{
		{pmetric.AggregationTemporalityCumulative, 0},
		{pmetric.AggregationTemporalityDelta, streams},
	} {
		stage := NewStage(Settings{Temporality: c.temporality})
		now := time.Now()
		var batches []pmetric.Metrics
		var times []time.Time
		for i := range runs + 3 { // AllocsPerRun makes one run more, and two warm up
			now = now.Add(time.Second)
			md := processBatch(streams)
			stamp(md, now, int64(1000+i))
			batches, times = append(batches, md), append(times, now)
		}
		next := func() {
			stage.processWhole(batches[0], times[0])
			batches, times = batches[1:], times[1:]
		}
		next()
		next()
		assert.InDelta(t, c.want, testing.AllocsPerRun(runs, next), 1, c.temporality)
	}
}
