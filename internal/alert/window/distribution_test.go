package window_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/windowtest"
)

// draws are ways in which values spread.
var draws = map[string]func(*rand.Rand) float64{
	"uniform":     func(r *rand.Rand) float64 { return r.Float64() },
	"exponential": func(r *rand.Rand) float64 { return r.ExpFloat64() * 40 },
	"lognormal":   func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()) },
	"normal":      func(r *rand.Rand) float64 { return 50 + 5*r.NormFloat64() },
	"negative":    func(r *rand.Rand) float64 { return -3 - r.ExpFloat64() },
	"both signs":  func(r *rand.Rand) float64 { return 10 * r.NormFloat64() },
}

// From scale 5 on, a percentile of values that spread is within 1 % of the true one.
func TestPercentilesOfExponentialHistograms(t *testing.T) {
	t.Parallel()
	for name, draw := range draws {
		for scale := int32(5); scale <= 10; scale++ {
			for _, point := range []string{"p1", "p10", "p50", "p90", "p95", "p99", "p99.9", "p100"} {
				random := rand.New(rand.NewPCG(uint64(scale), 3))
				values := make([]float64, 5000)
				for i := range values {
					values[i] = draw(random)
				}
				f, err := window.ParseStatistic(point)
				require.NoError(t, err)
				d := windowtest.Exponential(scale, 0, values...)
				slices.Sort(values)
				want := window.QuantileOf(f.Quantile, values)
				got, ok, problem := d.Read(f)
				require.True(t, ok)
				require.Empty(t, problem)
				assert.InEpsilon(t, want, got, 0.01, "%s %s at scale %d", name, point, scale)
				if f.Quantile >= 0.1 && f.Quantile <= 0.99 { // Beyond, a point without minimum and maximum knows the bucket at best.
					got, _, _ = windowtest.Bare(d).Read(f)
					assert.InEpsilon(t, want, got, 0.01, "%s %s at scale %d, without minimum and maximum", name, point, scale)
				}
			}
		}
	}
}

// Whatever the values are, the estimate lies between the bounds of the bucket in which the true value is.
func TestPercentilesNeverLeaveTheirBucket(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		values := make([]float64, 1+random.IntN(20))
		for i := range values {
			values[i] = []float64{0.5, 0.25, 1, 0.9, math.Nextafter(0.5, 1)}[random.IntN(5)]
		}
		scale := int32(random.IntN(15) - 4)
		base := math.Exp2(math.Exp2(-float64(scale)))
		d := windowtest.Bare(windowtest.Exponential(scale, 0, values...))
		slices.Sort(values)
		for k, v := range values {
			got := d.ValueAt(float64(k), float64(len(values)))
			assert.Less(t, math.Abs(math.Log(got/v)), math.Log(base)*(1+1e-9), "%v at scale %d of %v", v, scale, values)
		}
	}
}

func TestStatisticsOfPoints(t *testing.T) {
	t.Parallel()
	explicit := func(edit func(*window.Distribution)) *window.Distribution {
		d := &window.Distribution{
			Shape: window.Histogram, Count: 10, Sum: attr.Number{Float64: 70, Valid: true}, Bounds: []float64{5, 10}, Counts: []uint64{4, 4, 2},
			Min: attr.Number{Float64: 1, Valid: true}, Max: attr.Number{Float64: 20, Valid: true},
		}
		if edit != nil {
			edit(d)
		}
		return d
	}
	unknown := func(d *window.Distribution) { d.Min, d.Max = attr.Number{}, attr.Number{} }
	summary := &window.Distribution{Shape: window.Summary, Count: 4, Sum: attr.Number{Float64: 8, Valid: true}, Quantiles: []window.Quantile{{Q: 0, Value: 1}, {Q: 0.5, Value: 2}, {Q: 0.99, Value: 3}, {Q: 1, Value: 4}}}
	for _, c := range []struct {
		name    string
		d       *window.Distribution
		point   string
		want    float64
		problem string
	}{
		{"sum", explicit(nil), "sum", 70, ""},
		{"avg", explicit(nil), "avg", 7, ""},
		{"count", explicit(nil), "count", 10, ""},
		{"min", explicit(nil), "min", 1, ""},
		{"max", explicit(nil), "max", 20, ""},
		{"no max", explicit(unknown), "max", 0, "its points have no max"},
		{"no sum", windowtest.Bare(explicit(nil)), "avg", 0, "its points have no sum"},
		{"the middle of a bucket", explicit(nil), "p50", 6.25, ""}, // Ranks 4 and 5 lie at 5.625 and 6.875.
		{"the first bucket begins at the minimum", explicit(nil), "p10", 2.35, ""},
		{"or else at zero", explicit(unknown), "p10", 1.75, ""},
		{"the last value is the maximum", explicit(nil), "p100", 20, ""},
		{"or else the last bound is all that is known", explicit(unknown), "p100", 10, ""},
		{"a bound below zero begins nowhere", explicit(func(d *window.Distribution) {
			unknown(d)
			d.Bounds = []float64{-5, 10}
		}), "p10", -5, ""},
		{"no buckets", explicit(func(d *window.Distribution) { d.Bounds, d.Counts = nil, []uint64{10}; unknown(d) }), "p50", 0, "its points have no buckets"},
		{"one bucket", explicit(func(d *window.Distribution) { d.Bounds, d.Counts = nil, []uint64{10} }), "p50", 10.5, ""},
		{"a summary's quantile", summary, "p99", 3, ""},
		{"its minimum", summary, "min", 1, ""},
		{"its maximum", summary, "max", 4, ""},
		{"one it does not have", summary, "p95", 0, "its points have p0, p50, p99, p100 and no other percentile"},
		{"zeros", windowtest.Exponential(5, 0, 0, 0, 0), "p95", 0, ""},
		{"zeros up to a threshold", windowtest.Bare(windowtest.Exponential(5, 0.1, 0, 0, 0.1, 0.1)), "p50", 0.05, ""},
		{"below zero", windowtest.Exponential(5, 0.1, -8, -8, -8), "p50", -8, ""},
		{"the maximum bounds it where buckets are wide", windowtest.Exponential(-4, 0, 8, 8, 8, 9), "p34", 9, ""},
		{"two values", windowtest.Exponential(5, 0, 1, 100), "p50", 50.5, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := window.ParseStatistic(c.point)
			require.NoError(t, err)
			got, ok, problem := c.d.Read(f)
			require.Equal(t, c.problem, problem)
			require.Equal(t, problem == "", ok)
			assert.InDelta(t, c.want, got, 1e-9)
		})
	}
}

// A point that has seen nothing counts nothing; it has no percentile, and that is no end of its series.
func TestEmptyPoints(t *testing.T) {
	t.Parallel()
	for _, d := range []*window.Distribution{{Shape: window.Histogram, Bounds: []float64{1}, Counts: []uint64{0, 0}}, windowtest.Exponential(5, 0), {Shape: window.Summary}} {
		for point, known := range map[string]bool{"count": true, "sum": true, "avg": false, "min": false, "max": false, "p50": false} {
			f, err := window.ParseStatistic(point)
			require.NoError(t, err)
			v, ok, problem := d.Read(f)
			assert.Zero(t, v)
			assert.Equal(t, known, ok, point)
			assert.Empty(t, problem)
		}
	}
}

// Whatever a point says of itself, reading it ends, and with a number if with anything.
func FuzzDistribution(f *testing.F) {
	f.Add(uint8(1), uint64(3), int32(5), int32(-7), []byte{1, 2, 0, 9}, []byte{3}, 0.5, 0.1, 0.9)
	f.Add(uint8(0), uint64(3), int32(math.MinInt32), int32(math.MaxInt32), []byte{1, 2}, []byte{1}, math.NaN(), math.Inf(1), math.Inf(-1))
	f.Add(uint8(2), uint64(1), int32(20), int32(0), []byte{}, []byte{}, 0.0, 0.0, 0.0)
	f.Fuzz(func(t *testing.T, shape uint8, count uint64, scale, offset int32, a, b []byte, x, low, high float64) {
		d := &window.Distribution{Shape: window.Shape(shape % 3), Count: count, Scale: scale, ZeroCount: uint64(len(a)), ZeroThreshold: x, Bounds: []float64{low, x, high}}
		for _, n := range a {
			d.Counts = append(d.Counts, uint64(n)<<(n%60))
			d.Quantiles = append(d.Quantiles, window.Quantile{Q: float64(n) / 255, Value: x})
		}
		for _, n := range b {
			d.Negative.Counts = append(d.Negative.Counts, uint64(n))
		}
		d.Positive, d.Negative.Offset = window.ExponentialBuckets{Offset: offset, Counts: d.Counts}, offset
		if count%2 == 0 {
			d.Min, d.Max = attr.Number{Float64: low, Valid: true}, attr.Number{Float64: high, Valid: true}
		}
		for _, name := range []string{"p1", "p50", "p99.9", "p100"} {
			fig, err := window.ParseStatistic(name)
			require.NoError(t, err)
			v, ok, problem := d.Read(fig)
			if ok {
				assert.Empty(t, problem)
				assert.False(t, math.IsNaN(v))
			}
			if ok && d.Shape != window.Summary && low <= high && d.Min.Valid {
				assert.True(t, v >= low && v <= high, "%v is not in [%v, %v]", v, low, high)
			}
		}
	})
}
