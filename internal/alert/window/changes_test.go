package window

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each change is in exactly one of windows that follow each other, so the counts of all windows are the count of the whole.
func TestPairsOfWindowsAddUp(t *testing.T) {
	t.Parallel()
	for _, kind := range []AggregateKind{AggregateChanges, AggregateResets} {
		for seed := range uint64(500) {
			r := rand.New(rand.NewPCG(seed, uint64(kind)))
			s := NewSeries()
			s.Kind = StreamKind(r.IntN(3))
			start := int64(1)
			for i := int64(1); i <= 60; i++ {
				if r.IntN(10) == 0 {
					start = i * 10
				}
				s.Append(i*10, float64(r.IntN(3)), start, 1000)
			}
			a := Aggregate{Kind: kind}
			whole, sum := s.Pairs(a, 0, 60, 0, 1000), 0.0
			for from := int64(0); from < 600; {
				to := min(600, from+1+int64(r.IntN(90)))
				if i, j := s.Samples.After(from), s.Samples.After(to); i < j {
					sum += s.Pairs(a, i, j, from, 1000)
				}
				from = to
			}
			assert.InDelta(t, whole, sum, 0, "kind %d, seed %d", kind, seed)
		}
	}
}

func TestChangesAndResets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		kind            StreamKind
		values          []float64
		starts          []int64
		changes, resets float64
	}{
		{"rests", Gauge, []float64{1, 1, 1}, nil, 0, 0},
		{"up and down", Gauge, []float64{1, 2, 1, 2}, nil, 3, 1},
		{"a counter that began again lower", CumulativeCounter, []float64{5, 9, 1, 3}, nil, 3, 1},
		{"a counter that began again and is higher by now", CumulativeCounter, []float64{5, 9, 12}, []int64{0, 0, 25}, 2, 1},
		{"deltas are all different streams", DeltaCounter, []float64{5, 1, 1}, nil, 1, 0},
	} {
		s := NewSeries()
		s.Kind = c.kind
		for i, v := range c.values {
			start := int64(0)
			if c.starts != nil {
				start = c.starts[i]
			}
			s.Append(int64(i+1)*10, v, start, 100)
		}
		assert.InDelta(t, c.changes, s.Pairs(Aggregate{Kind: AggregateChanges}, 0, len(c.values), 0, 0), 0, c.name)
		assert.InDelta(t, c.resets, s.Pairs(Aggregate{Kind: AggregateResets}, 0, len(c.values), 0, 0), 0, c.name)
	}
}
