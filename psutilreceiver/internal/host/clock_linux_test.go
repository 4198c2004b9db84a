package host

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestClockUnits holds over random states that the offset is in seconds in either unit that a daemon may choose, and that the errors, which have
// one unit, do not follow it.
func TestClockUnits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var micro, nano unix.Timex
		offset := int32(random.Uint32()) / 2000 // In microseconds, and in nanoseconds still within 32 bits.
		setTo(&micro.Offset, int64(offset))
		setTo(&nano.Offset, int64(offset)*1000)
		setTo(&micro.Maxerror, int64(random.IntN(16_000_001)))
		setTo(&micro.Esterror, int64(random.IntN(16_000_001)))
		setTo(&micro.Freq, int64(random.IntN(2*32_768_000)-32_768_000))
		nano.Maxerror, nano.Esterror, nano.Freq, nano.Status = micro.Maxerror, micro.Esterror, micro.Freq, unix.STA_NANO
		a, b := clockOf(0, &micro), clockOf(0, &nano)
		assert.InDelta(t, time.Duration(offset*1000).Seconds(), a.Offset, 1e-12)
		assert.InDelta(t, a.Offset, b.Offset, 1e-12)
		b.Offset = a.Offset
		assert.Equal(t, a, b)
		assert.InDelta(t, float64(micro.Maxerror)*1e-6, a.MaxError, 1e-12)
		assert.InDelta(t, float64(micro.Esterror)*1e-6, a.EstimatedError, 1e-12)
		assert.LessOrEqual(t, math.Abs(a.Frequency), 500.0, "the kernel's limit is 500 parts per million")
	}
}

// setTo sets a number of the kernel's, which has the width of the machine's words.
func setTo[T ~int32 | ~int64](field *T, v int64) { *field = T(v) }

func TestClockSynchronized(t *testing.T) {
	for _, c := range []struct {
		state  int
		status int32
		want   bool
	}{
		{0, 0x2001, true},
		{5, 0x0040, false},
		{5, 0x2041, false},
		{5, 0x1000, false}, // A fault of the clock's hardware.
		{0, 0x0040, false},
		{1, 0x0011, true}, // A leap second is to come.
	} {
		assert.Equal(t, c.want, clockOf(c.state, &unix.Timex{Status: c.status}).Synchronized, "%+v", c)
	}
	odd := unix.Timex{Maxerror: -1, Esterror: -5}
	clock := clockOf(0, &odd)
	assert.Equal(t, [2]float64{Odd, Odd}, [2]float64{clock.MaxError, clock.EstimatedError})
}

// TestClockOfThisKernel compares with what the kernel answers, before and after: some of it changes with time.
func TestClockOfThisKernel(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	got, err := h.Clock()
	if errors.Is(err, unix.EPERM) {
		t.Log("this sandbox refuses adjtimex(2)")
		return
	}
	require.NoError(t, err)
	assert.GreaterOrEqual(t, got.MaxError, 0.0)
	assert.LessOrEqual(t, got.MaxError, 16.5, "the kernel stops at 16 seconds")
	assert.Less(t, math.Abs(got.Offset), 1.0, "the kernel corrects no more than half a second")
	if got.MaxError >= 16 {
		assert.False(t, got.Synchronized)
	}
	allocations := testing.AllocsPerRun(100, func() { _, _ = h.Clock() })
	assert.LessOrEqual(t, allocations, 1.0)
}
