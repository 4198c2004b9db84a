package ladder

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSamplesAreCounted plays random samples, ticks and conditions to a level that counts samples, and asks each time whether what the
// documentation says holds: it fires when enough of the newest samples breach it, and lets go when fewer are beyond its clear bound.
func TestSamplesAreCounted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		of := 1 + r.IntN(MaxSamples)
		if seed%2 == 0 {
			of = 1 + r.IntN(6)
		}
		l := Level{Comparison: Above, Low: 80, ClearLow: 80 - float64(10*r.IntN(2)), Samples: SampleCount{Breached: 1 + r.IntN(of), Of: of}}
		m := NewMachine(1)
		var seen []float64
		count := func(beyond float64) int {
			n := 0
			for _, v := range seen[max(0, len(seen)-of):] {
				if v > beyond {
					n++
				}
			}
			return n
		}
		want := 0
		for i := range 300 {
			v := 50 + float64(r.IntN(5))*10
			sample := r.IntN(5) > 0
			if sample {
				seen = append(seen, v)
			}
			m.Step(int64(i), []Level{l}, Reading{Value: v, Sample: sample})
			switch {
			case count(80) >= l.Samples.Breached:
				want = 1
			case count(l.ClearLow) < l.Samples.Breached:
				want = 0
			}
			require.Equal(t, want, m.Level, "seed %d, step %d, %d of %d", seed, i, l.Samples.Breached, of)
			require.Equal(t, count(l.ClearLow) > 0, m.Counting())
		}
	}
}

// A level that counts samples and one that waits for a duration are one ladder: neither takes what the other asks for.
func TestSamplesBesideDurations(t *testing.T) {
	t.Parallel()
	levels := []Level{
		{Comparison: Above, Low: 80, ClearLow: 80, Samples: SampleCount{Breached: 3, Of: 5}},
		{Comparison: Above, Low: 95, ClearLow: 95, ForDuration: 10},
	}
	m := NewMachine(2)
	for i, want := range []int{0, 0, 1} {
		m.Step(int64(i), levels, Reading{Value: 99, Sample: true})
		require.Equal(t, want, m.Level, "critical is pending and must not lift the warning, sample %d", i)
	}
	m.Step(10, levels, Reading{Value: 99, Sample: true})
	require.Equal(t, 2, m.Level)
	m.Step(11, levels, Reading{Value: 50, Sample: true})
	require.Equal(t, 1, m.Level, "four of the last five are above 80")
	m.Step(12, levels, Reading{Healthy: true})
	require.Equal(t, 0, m.Level, "what the policy calls healthy is")
}
