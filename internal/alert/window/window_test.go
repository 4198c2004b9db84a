package window

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ringOf(values ...float64) *Ring {
	var r Ring
	for i, v := range values {
		r.Insert(Sample{int64(i) * 1e9, v})
	}
	return &r
}

func TestRingKeepsOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var r Ring
	var model []Sample
	for range 5000 {
		switch random.IntN(10) {
		case 0:
			k := random.IntN(r.Len() + 1)
			r.DropFront(k)
			model = model[k:]
		case 1:
			boundary := random.Int64N(1000)
			r.Trim(boundary)
			k := 0
			for k+1 < len(model) && model[k+1].Time <= boundary {
				k++
			}
			model = model[k:]
		default:
			s := Sample{random.Int64N(1000), random.Float64()}
			at, found := slices.BinarySearchFunc(model, s, func(a, b Sample) int { return int(a.Time - b.Time) })
			assert.Equal(t, !found, r.Insert(s))
			if !found {
				model = slices.Insert(slices.Clone(model), at, s)
			}
		}
		require.Equal(t, len(model), r.Len())
		for i := range model {
			require.Equal(t, model[i], r.At(i))
		}
	}
}

func TestAggregates(t *testing.T) {
	t.Parallel()
	r := ringOf(4, 1, 3, 2)
	for name, want := range map[string]float64{
		"last": 2, "avg": 2.5, "min": 1, "max": 4, "sum": 10, "count": 4, "stddev": math.Sqrt(1.25), "p50": 2.5, "p25": 1.75, "p100": 4, "p0.1": 1.003,
	} {
		agg, err := ParseAggregate(name)
		require.NoError(t, err)
		got, _ := agg.Over(r, 0, 4, nil)
		assert.InDelta(t, want, got, 1e-12, name)
	}
	got, _ := Aggregate{Kind: AggregatePercentile, Quantile: 0.5}.Over(ringOf(math.Inf(1), math.Inf(1)), 0, 2, nil)
	assert.True(t, math.IsInf(got, 1))
}

func TestSumsKeepTheLowBits(t *testing.T) {
	t.Parallel()
	values := []float64{1e16, 1, 1, 1, 1, -1e16}
	sum, _ := Aggregate{Kind: AggregateSum}.Over(ringOf(values...), 0, len(values), nil)
	assert.InDelta(t, 4, sum, 0)
	spread, _ := Aggregate{Kind: AggregateStddev}.Over(ringOf(1e9+1, 1e9+2, 1e9+3), 0, 3, nil)
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
			s := &Series{Kind: c.kind}
			for i, v := range c.values {
				s.Samples.Insert(Sample{int64(i) * 1e9, v})
				s.recordStart(int64(c.starts[i]*1e9), int64(i)*1e9)
			}
			got := s.Increase(c.from, len(c.values), int64(c.from)*1e9-1, DefaultLookback)
			assert.InDelta(t, c.want, got, 1e-12)
		})
	}
}

func TestAnchorOlderThanLookbackIsNotUsed(t *testing.T) {
	t.Parallel()
	s := &Series{Kind: CumulativeCounter}
	s.Samples.Insert(Sample{0, 0})
	s.Samples.Insert(Sample{100e9, 50})
	s.Samples.Insert(Sample{110e9, 60})
	assert.InDelta(t, 60, s.Increase(1, 3, 90e9, 100e9), 0)
	assert.InDelta(t, 10, s.Increase(1, 3, 90e9, 80e9), 0)
}
