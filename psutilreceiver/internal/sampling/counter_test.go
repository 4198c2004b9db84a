package sampling

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCounterGivesRates(t *testing.T) {
	type read struct {
		total float64
		at    time.Duration
		rate  float64 // -1 for none
		say   string
	}
	for name, history := range map[string][]read{
		"steady": {
			{1000, 1 * time.Second, -1, "the first is a baseline, however much it is"},
			{1500, 2 * time.Second, 500, "by a second"},
			{1500, 3 * time.Second, 0, "nothing happened"},
			{1600, 3*time.Second + 200*time.Millisecond, 500, "the true time, not that of the ticker"},
		},
		"late": {
			{0, 0, -1, "baseline"},
			{5000, 5 * time.Second, 1000, "over the whole gap"},
		},
		"reset": {
			{1000, 1 * time.Second, -1, "baseline"},
			{10, 2 * time.Second, -1, "lower than before: a new baseline"},
			{30, 3 * time.Second, 20, "on from there"},
		},
		"no time": {
			{1000, 1 * time.Second, -1, "baseline"},
			{2000, 1 * time.Second, -1, "ignored"},
			{3000, 2 * time.Second, 2000, "nothing is lost"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c Counter
			for _, r := range history {
				rate, elapsed, ok := c.Advance(r.total, r.at)
				assert.Equal(t, r.rate >= 0, ok, r.say)
				if ok {
					assert.InDelta(t, r.rate, rate, 1e-9, r.say)
					assert.Positive(t, elapsed, r.say)
				}
			}
			c.Forget()
			_, _, ok := c.Advance(1e9, time.Hour)
			assert.False(t, ok, "another device under the same name starts again")
		})
	}
}

// TestTheMeanOfRatesIsWhatTheCounterSays samples at random moments a counter that runs at random speeds.
func TestTheMeanOfRatesIsWhatTheCounterSays(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		var c Counter
		var h Histogram
		at, total := time.Duration(0), float64(r.Int64N(1<<40))
		first := total
		c.Advance(total, at)
		for range 1 + r.IntN(300) {
			elapsed := time.Duration(1 + r.Int64N(int64(3*time.Second)))
			at += elapsed
			total += math.Floor(math.Exp(20*r.Float64()) * elapsed.Seconds())
			rate, weight, ok := c.Advance(total, at)
			require.True(t, ok)
			h.Observe(rate, weight)
		}
		counted := (total - first) / at.Seconds()
		require.InDelta(t, counted, h.Mean(), counted*1e-9)
		require.InDelta(t, counted, h.Sum()/float64(h.Count()), counted*1e-9)
	}
}
