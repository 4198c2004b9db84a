package sampling

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exact is the lowest of the values that has a share q of all at or below it.
func exact(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[max(rank, 1)-1]
}

var quantiles = []float64{0, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1}

// shapes are what the values of a series may look like.
var shapes = map[string]func(r *rand.Rand) float64{
	"constant":    func(*rand.Rand) float64 { return 0.37 },
	"zeros":       func(*rand.Rand) float64 { return 0 },
	"ratio":       func(r *rand.Rand) float64 { return r.Float64() },
	"uniform":     func(r *rand.Rand) float64 { return 1e6 + 1e6*r.Float64() },
	"lognormal":   func(r *rand.Rand) float64 { return math.Exp(10 + 2*r.NormFloat64()) },
	"exponential": func(r *rand.Rand) float64 { return 1e5 * r.ExpFloat64() },
	"tiny":        func(r *rand.Rand) float64 { return 1e-300 * (1 + r.Float64()) },
	"huge":        func(r *rand.Rand) float64 { return 1e308 * r.Float64() },
	"bytes":       func(r *rand.Rand) float64 { return math.Floor(math.Exp2(31 * r.Float64())) },
	"doublings":   func(r *rand.Rand) float64 { return math.Exp2(float64(r.IntN(32))) },
	"bimodal": func(r *rand.Rand) float64 {
		if r.IntN(10) == 0 {
			return 0.97 + 0.03*r.Float64()
		}
		return 0.02 + 0.01*r.Float64()
	},
	"one spike among zeros": func(r *rand.Rand) float64 {
		if r.IntN(60) == 0 {
			return 125e6
		}
		return 0
	},
	"one spike": func(r *rand.Rand) float64 {
		if r.IntN(60) == 0 {
			return 1.25e9
		}
		return 1 + 400*r.Float64()
	},
}

func TestPercentilesAreWithinOnePercent(t *testing.T) {
	for name, next := range shapes {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var h Histogram
			for range 60 {
				values := make([]float64, 1+r.IntN(400))
				var sum float64
				for i := range values {
					values[i] = next(r)
					h.Observe(values[i], 1)
					sum += values[i] / float64(len(values))
				}
				for _, q := range quantiles {
					want, got := exact(values, q), h.Quantile(q)
					require.InDelta(t, want, got, want*0.0028, "quantile %v of %d values", q, len(values))
				}
				require.Equal(t, uint64(len(values)), h.Count())
				require.Equal(t, slices.Min(values), h.Min()) //nolint:testifylint // Kept as it is, not computed.
				require.Equal(t, slices.Max(values), h.Max()) //nolint:testifylint // Kept as it is, not computed.
				require.InEpsilon(t, 1+sum, 1+h.Mean(), 1e-12)
				requireSound(t, &h, values)
				h.Reset()
			}
		})
	}
}

// requireSound checks that every value is in the bucket that OTLP says.
func requireSound(t *testing.T, h *Histogram, values []float64) {
	t.Helper()
	scale := math.Exp2(float64(h.Scale()))
	offset, counts := h.Buckets()
	want := make([]uint64, len(counts))
	zeros := uint64(0)
	for _, v := range values {
		if v == 0 {
			zeros++
			continue
		}
		// The logarithm of a value on a bound, or next to one, may be rounded to either side.
		at := math.Log2(v) * scale
		i := int(math.Ceil(at)) - 1 - int(offset)
		if nearest := math.Round(at); math.Abs(at-nearest) < 1e-9*scale {
			fraction, _ := math.Frexp(v)
			if i = int(nearest) - 1 - int(offset); fraction != 0.5 && (i < 0 || counts[i] == want[i]) {
				i++
			}
		}
		require.GreaterOrEqual(t, i, 0, "%v", v)
		require.Less(t, i, len(counts), "%v", v)
		want[i]++
	}
	require.Equal(t, zeros, h.Zeros())
	require.True(t, slices.Equal(want, counts), "expected %v, got %v", want, counts)
	require.LessOrEqual(t, len(counts), MaxBuckets)
	if len(counts) > 0 {
		require.NotZero(t, counts[0])
		require.NotZero(t, counts[len(counts)-1])
	}
}

func TestPowersOfTwoAreUpperBounds(t *testing.T) {
	for exponent := -1074; exponent < 1024; exponent++ {
		require.Equal(t, int32(exponent)<<MaxScale-1, bucketOf(math.Ldexp(1, exponent)), "2^%d", exponent)
	}
	assert.Equal(t, int32(0), bucketOf(math.Nextafter(1, 2)))
	assert.Equal(t, int32(-1), bucketOf(1))
	assert.Equal(t, int32(1024<<MaxScale-1), bucketOf(math.MaxFloat64))
}

func TestValuesFarApartCostResolution(t *testing.T) {
	for _, step := range []struct {
		highest float64
		scale   int32
	}{{1 << 31, 7}, {1 << 32, 6}, {1 << 40, 6}, {1 << 63, 6}, {math.Ldexp(1, 64), 5}, {math.Ldexp(1, 300), 3}, {math.Ldexp(1, 1000), 2}, {math.MaxFloat64, 1}} {
		r := rand.New(rand.NewPCG(3, 4))
		var h Histogram
		values := []float64{1, step.highest}
		for range 500 {
			values = append(values, math.Exp2(math.Log2(step.highest)*r.Float64()))
		}
		for _, v := range values {
			h.Observe(v, 1)
		}
		assert.Equal(t, step.scale, h.Scale(), "up to %g", step.highest)
		_, counts := h.Buckets()
		assert.Greater(t, len(counts), MaxBuckets/2-2)
		requireSound(t, &h, values)
		halfBucket := math.Exp2(math.Exp2(float64(-step.scale))/2) - 1
		for _, q := range quantiles {
			want := exact(values, q)
			require.InDelta(t, want, h.Quantile(q), want*halfBucket*1.001)
		}
		h.Reset()
		assert.Equal(t, int32(MaxScale), h.Scale(), "the next interval has the full resolution")
	}
}

func TestWhatIsNoValueIsIgnored(t *testing.T) {
	var h Histogram
	for _, v := range []float64{-1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		h.Observe(v, 1)
	}
	for _, weight := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		h.Observe(1, weight)
	}
	assert.Equal(t, Histogram{}, h)
	assert.Zero(t, h.Quantile(0.5))
	_, counts := h.Buckets()
	assert.Empty(t, counts)
}

func TestTheMeanIsByWeightAndTheSumAgrees(t *testing.T) {
	var h Histogram
	h.Observe(100, 1) // for one second
	h.Observe(10, 4)  // for four
	assert.InDelta(t, 28, h.Mean(), 1e-12)
	assert.InDelta(t, 56, h.Sum(), 1e-12)
	assert.Equal(t, uint64(2), h.Count())
}

func TestMergingIsAsIfAllHadBeenObserved(t *testing.T) {
	for name, next := range shapes {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			var total, all Histogram
			var part Histogram
			var values []float64
			for range 20 {
				for range r.IntN(60) {
					v := next(r)
					part.Observe(v, 1)
					all.Observe(v, 1)
					values = append(values, v)
				}
				total.Merge(&part)
				part.Reset()
			}
			assert.Equal(t, all.Count(), total.Count())
			assert.InEpsilon(t, 1+all.Mean(), 1+total.Mean(), 1e-9)
			assert.Equal(t, all.Scale(), total.Scale())
			wantOffset, want := all.Buckets()
			gotOffset, got := total.Buckets()
			assert.Equal(t, wantOffset, gotOffset)
			assert.Equal(t, want, got)
			requireSound(t, &total, values)
		})
	}
	t.Run("of different scales", func(t *testing.T) {
		var total, wide, narrow Histogram
		wide.Observe(1, 1)
		wide.Observe(1e18, 1)
		narrow.Observe(3, 1)
		total.Merge(&narrow)
		total.Merge(&wide)
		total.Merge(&narrow)
		requireSound(t, &total, []float64{1, 1e18, 3, 3})
	})
}

func TestASteadyHistogramAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var h Histogram
	h.Observe(1, 1)
	h.Observe(1e8, 1)
	h.Reset()
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		for range 60 {
			h.Observe(math.Exp(18*r.Float64()), 1)
		}
		h.Reset()
	}))
}

// FuzzHistogram checks any three values against the definition of the buckets.
func FuzzHistogram(f *testing.F) {
	f.Add(1.0, 2.0, 0.0)
	f.Add(1e-300, 1e300, 5e-324)
	f.Add(0.005, 0.999, math.MaxFloat64)
	f.Fuzz(func(t *testing.T, a, b, c float64) {
		var h Histogram
		var values []float64
		for _, v := range []float64{a, b, c} {
			h.Observe(v, 1)
			if v >= 0 && v <= math.MaxFloat64 {
				values = append(values, v)
			}
		}
		require.Equal(t, uint64(len(values)), h.Count())
		_, counts := h.Buckets()
		total := h.Zeros()
		for _, n := range counts {
			total += n
		}
		require.Equal(t, h.Count(), total)
		require.LessOrEqual(t, len(counts), MaxBuckets)
		require.LessOrEqual(t, h.Min(), h.Quantile(0.5))
		require.GreaterOrEqual(t, h.Max(), h.Quantile(0.5))
	})
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	v := 1.0
	for b.Loop() {
		h.Observe(v, 1)
		if v *= 1.37; v > 1e9 {
			v = 1
		}
	}
}
