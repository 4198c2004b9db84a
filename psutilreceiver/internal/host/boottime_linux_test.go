package host

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeClocks run at one rate. Between two reads passes a time, mostly short, at times as long as a process may be interrupted; and somebody may
// set the wall clock.
type fakeClocks struct {
	random *rand.Rand
	boot   int64 // true difference of the clocks
	up     int64
	setAt  int // read before which the wall clock is set
	setBy  int64
	reads  int
}

func (f *fakeClocks) pass() {
	f.reads++
	if f.reads == f.setAt {
		f.boot += f.setBy
	}
	f.up += 30 + f.random.Int64N(40)
	if f.random.IntN(4) == 0 {
		f.up += f.random.Int64N(30_000_000)
	}
}

func (f *fakeClocks) wall() (int64, error)      { f.pass(); return f.boot + f.up, nil }
func (f *fakeClocks) sinceBoot() (int64, error) { f.pass(); return f.up, nil }

// TestTheInstantOfTheBootIsTheSameHoweverThisProcessIsInterrupted: to a microsecond, of which a millisecond is made.
func TestTheInstantOfTheBootIsTheSameHoweverThisProcessIsInterrupted(t *testing.T) {
	for seed := range uint64(2000) {
		f := &fakeClocks{random: rand.New(rand.NewPCG(seed, 1)), boot: 1_700_000_000_123_456_789, up: 5_000_000_000}
		if seed%4 == 0 {
			f.setAt, f.setBy = 1+f.random.IntN(6), f.random.Int64N(2e9)-1e9
		}
		got, err := narrowest(f)
		require.NoError(t, err)
		if f.setAt > 0 {
			continue // Any answer, but in finite time.
		}
		require.InDelta(t, 0, got-f.boot, 1000, "seed %d", seed)
	}
}

func TestTheInstantOfThisBootDoesNotMove(t *testing.T) {
	h := liveHost(t)
	first, err := h.BootTime(time.Now())
	require.NoError(t, err)
	var each []int64
	for range 200 {
		again, err := h.BootTime(time.Now().Add(-20 * time.Millisecond)) // However late it is called.
		require.NoError(t, err)
		require.Equal(t, first, again)
		nanoseconds, err := narrowest(kernelClocks{}) // Without what is kept, as after a restart.
		require.NoError(t, err)
		each = append(each, nanoseconds)
	}
	for _, nanoseconds := range each {
		assert.InDelta(t, 0, nanoseconds-each[0], float64(100*time.Microsecond))
	}
}

func TestTheInstantOfABootIsKept(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	var b bootMemory
	assert.Equal(t, at, b.of("a", at))
	assert.Equal(t, at, b.of("a", at.Add(3*time.Millisecond)), "a clock that was set a little")
	assert.Equal(t, at, b.of("a", at.Add(-3*time.Millisecond)))
	later := at.Add(time.Hour)
	assert.Equal(t, later, b.of("a", later), "one that was set far")
	assert.Equal(t, at.Add(time.Millisecond), b.of("b", at.Add(time.Millisecond)), "another boot")
}
