package alert

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ringOf(values ...float64) *ring {
	var r ring
	for i, v := range values {
		r.insert(sample{int64(i) * second, v})
	}
	return &r
}

func TestRingKeepsOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var r ring
	var model []sample
	for range 5000 {
		switch random.IntN(10) {
		case 0:
			k := random.IntN(r.len() + 1)
			r.dropFront(k)
			model = model[k:]
		case 1:
			boundary := random.Int64N(1000)
			r.trim(boundary)
			k := 0
			for k+1 < len(model) && model[k+1].t <= boundary {
				k++
			}
			model = model[k:]
		default:
			s := sample{random.Int64N(1000), random.Float64()}
			at, found := slices.BinarySearchFunc(model, s, func(a, b sample) int { return int(a.t - b.t) })
			assert.Equal(t, !found, r.insert(s))
			if !found {
				model = slices.Insert(slices.Clone(model), at, s)
			}
		}
		require.Equal(t, len(model), r.len())
		for i := range model {
			require.Equal(t, model[i], r.at(i))
		}
	}
}

func TestAggregates(t *testing.T) {
	t.Parallel()
	r := ringOf(4, 1, 3, 2)
	for name, want := range map[string]float64{
		"last": 2, "avg": 2.5, "min": 1, "max": 4, "sum": 10, "count": 4, "stddev": math.Sqrt(1.25), "p50": 2.5, "p25": 1.75, "p100": 4, "p0.1": 1.003,
	} {
		agg, err := parseAggregate(name)
		require.NoError(t, err)
		got, _ := agg.over(r, 0, 4, nil)
		assert.InDelta(t, want, got, 1e-12, name)
	}
	got, _ := aggregate{kind: aggPercentile, q: 0.5}.over(ringOf(math.Inf(1), math.Inf(1)), 0, 2, nil)
	assert.True(t, math.IsInf(got, 1))
}

func TestSumsKeepTheLowBits(t *testing.T) {
	t.Parallel()
	values := []float64{1e16, 1, 1, 1, 1, -1e16}
	sum, _ := aggregate{kind: aggSum}.over(ringOf(values...), 0, len(values), nil)
	assert.InDelta(t, 4, sum, 0)
	spread, _ := aggregate{kind: aggStddev}.over(ringOf(1e9+1, 1e9+2, 1e9+3), 0, 3, nil)
	assert.InDelta(t, math.Sqrt(2.0/3), spread, 1e-12)
}

func TestIncrease(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		kind   StreamKind
		values []float64
		starts map[int]float64 // Start time in seconds that the sample of that index carries.
		from   int             // First sample inside the window.
		want   float64
	}{
		{"steady counter counts from the anchor", CumulativeCounter, []float64{10, 20, 30, 40}, nil, 1, 30},
		{"a counter born inside the window counts from its first sample", CumulativeCounter, []float64{10, 20, 30}, nil, 0, 20},
		{"a drop is a reset", CumulativeCounter, []float64{100, 120, 5, 15}, nil, 1, 35},
		{"a new start is a reset even when the value rose", CumulativeCounter, []float64{100, 120, 130, 140}, map[int]float64{2: 1.5}, 1, 160},
		{"a start time that jitters is none", CumulativeCounter, []float64{100, 120, 130}, map[int]float64{0: -9, 1: -8.9, 2: -9.1}, 1, 30},
		{"deltas add up", DeltaCounter, []float64{1, 2, 3}, nil, 1, 5},
		{"a gauge may fall", Gauge, []float64{10, 8, 4}, nil, 1, -6},
		{"one sample alone has not risen", CumulativeCounter, []float64{7}, nil, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &windowSeries{kind: c.kind}
			for i, v := range c.values {
				s.samples.insert(sample{int64(i) * second, v})
				s.recordStart(int64(c.starts[i] * 1e9))
			}
			got := s.increase(c.from, len(c.values), int64(c.from)*second-1, maxLookback)
			assert.InDelta(t, c.want, got, 1e-12)
		})
	}
}

func TestAnchorOlderThanLookbackIsNotUsed(t *testing.T) {
	t.Parallel()
	s := &windowSeries{kind: CumulativeCounter}
	s.samples.insert(sample{0, 0})
	s.samples.insert(sample{100 * second, 50})
	s.samples.insert(sample{110 * second, 60})
	assert.InDelta(t, 60, s.increase(1, 3, 90*second, 100*second), 0)
	assert.InDelta(t, 10, s.increase(1, 3, 90*second, 80*second), 0)
}
