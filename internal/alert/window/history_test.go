package window

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHistoryRemembersWhatWas plays values at random distances, with stretches in which there are none, to histories of all spans, and asks
// for random earlier times. What a history says of a time was true of one that is near it, and it says nothing of stretches without values.
func TestHistoryRemembersWhatWas(t *testing.T) {
	t.Parallel()
	const second = int64(1e9)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		interval := []int64{1, 5, 15, 60}[r.IntN(4)] * second
		span := NewHistorySpan([]int64{60, 3600, 86400, 7 * 86400}[r.IntN(4)] * second)
		lookback := 4 * interval
		h := NewHistory(span)
		all := map[int64]float64{}
		var gapFrom, gapTo int64
		dense := span.Step <= interval
		now := int64(1e18)
		for i := range 3000 {
			now += interval + int64(r.IntN(1000))*1000 // A little jitter.
			switch {
			case r.IntN(500) == 0 && now > gapTo:
				gapFrom, gapTo = now, now+int64(r.IntN(20))*interval+4*span.Step
				fallthrough
			case now < gapTo:
				h.Record(now, math.NaN())
				continue
			}
			h.Record(now, float64(i))
			all[now] = float64(i)
			require.LessOrEqual(t, h.values.Len(), maxHistory)
			if i < 5 || r.IntN(10) > 0 {
				continue
			}
			then := now - r.Int64N(span.Span)
			s, known := h.At(then, lookback)
			if !known {
				continue
			}
			assert.InDelta(t, all[s.Time], s.Value, 0, "a value that was never there")
			assert.Less(t, s.Time-then, span.Step/2+1, "too new")
			assert.Less(t, then-s.Time, span.Step+lookback, "too old")
			if dense {
				newest := then - s.Time
				for at := range all {
					assert.False(t, at <= then && then-at < newest, "seed %d: there is a nearer one before", seed)
				}
			}
			if then > gapFrom+2*span.Step && then < gapTo-span.Step {
				assert.Fail(t, "nothing was then", "seed %d", seed)
			}
		}
		// With samples for as long as the span, it is known what was then.
		for range 2 * int(min(span.Span/interval, 50_000)) {
			now += interval
			h.Record(now, 1)
		}
		if span.Span/interval <= 50_000 {
			_, known := h.At(now-span.Span, lookback)
			assert.True(t, known, "interval %d, span %d", interval, span.Span)
		}
		again, err := DecodeHistory(h.Encode())
		require.NoError(t, err)
		assert.False(t, h.Unstored(0))
		assert.Equal(t, h.values.Len(), again.values.Len())
		for i := range h.values.Len() {
			a, b := h.values.At(i), again.values.At(i)
			assert.True(t, a.Time == b.Time && sameValue(a.Value, b.Value))
		}
	}
}

func FuzzDecodeHistory(f *testing.F) {
	h := NewHistory(NewHistorySpan(3600e9))
	for i := range int64(10) {
		h.Record(i*15e9, float64(i))
	}
	f.Add(h.Encode())
	f.Fuzz(func(_ *testing.T, v []byte) {
		if h, err := DecodeHistory(v); err == nil {
			h.At(0, 0)
			h.Record(math.MaxInt64, 1)
		}
	})
}
