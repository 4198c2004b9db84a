package sampling

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEachValueIsTakenOnce(t *testing.T) {
	var set Set[string]
	take := func() map[string]float64 {
		got := make(map[string]float64)
		set.Take(func(key string, h *Histogram) { got[key] = h.Sum() })
		return got
	}
	set.Lock()
	a, b := set.Add("a"), set.Add("b")
	a.Observe(1, 1)
	a.Observe(2, 1)
	b.Observe(10, 1)
	set.Unlock()
	assert.Equal(t, map[string]float64{"a": 3, "b": 10}, take())
	assert.Empty(t, take(), "nothing new, no point")

	set.Lock()
	a.Observe(4, 1)
	b.Observe(20, 1)
	b.End()
	set.Unlock()
	assert.Equal(t, map[string]float64{"a": 4, "b": 20}, take(), "what has ended is taken once more")
	assert.Len(t, set.series, 1, "and then forgotten")
	assert.Empty(t, take())
}

func TestASeriesThatReturnsInTimeGoesOn(t *testing.T) {
	var set Set[string]
	sums := func() (got []float64) {
		set.Take(func(_ string, h *Histogram) { got = append(got, h.Sum()) })
		return got
	}
	set.Lock()
	a := set.Add("a")
	a.Observe(1, 1)
	a.End()
	assert.True(t, a.Resume(), "it has not been taken since")
	a.Observe(2, 1)
	set.Unlock()
	assert.Equal(t, []float64{3}, sums(), "one point, not two")
	set.Lock()
	a.Observe(4, 1)
	a.End()
	assert.False(t, a.Forgotten())
	set.Unlock()
	assert.Equal(t, []float64{4}, sums())
	assert.True(t, a.Forgotten())
	assert.False(t, a.Resume())
}

func TestTakingWhileSampling(t *testing.T) {
	const values = 20_000
	var set Set[int]
	var done sync.WaitGroup
	done.Go(func() {
		set.Lock()
		series := set.Add(1)
		set.Unlock()
		for range values {
			set.Lock()
			series.Observe(1, 1)
			set.Unlock()
		}
	})
	finished := make(chan struct{})
	go func() { done.Wait(); close(finished) }()
	var count uint64
	take := func() { set.Take(func(_ int, h *Histogram) { count += h.Count() }) }
	for running := true; running; {
		select {
		case <-finished:
			running = false
		default:
		}
		take()
	}
	assert.Equal(t, uint64(values), count)
}
