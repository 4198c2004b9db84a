//go:build amd64 || arm64

package bpf

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStateLetters are the kernel's for the states of include/linux/sched.h.
func TestStateLetters(t *testing.T) {
	for _, c := range []struct {
		state, exit uint32
		letter      byte
	}{
		{0, 0, 'R'},
		{1, 0, 'S'},
		{2, 0, 'D'},
		{4, 0, 'T'},
		{8, 0, 't'},
		{0x40, 0, 'P'},
		{0x402, 0, 'I'},
		{0x80, 0x20, 'Z'},
		{0x80, 0x10, 'X'},
		{0x80, 0x30, 'Z'},
		{0x102, 0, 'D'}, // killable
		{0x201, 0, 'S'}, // and woken by a signal that is not there yet
		{0x8000, 0, 'D'},
		{0x1000, 0, 'D'},
	} {
		assert.Equal(t, string(c.letter), string(stateLetter(c.state, c.exit)), "state %#x, exit state %#x", c.state, c.exit)
	}
}

// TestSplitOfTimes is whole, and neither part ever falls, however ticks hit and whatever the kernel gave meanwhile.
func TestSplitOfTimes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var times programsTimes
		var given cpuTimes
		kernel := cpuTimes{}
		for range 200 {
			ran := random.Uint64N(20_000_000)
			times.Ran += ran
			switch random.IntN(3) { // A tick hits as a whole, or not at all.
			case 0:
				times.User += 4_000_000 * (ran / 4_000_000)
			case 1:
				times.System += 4_000_000 * (ran / 4_000_000)
			}
			if random.IntN(4) == 0 {
				asked := times
				kernel = asked.split(kernel)
				times.GivenUser, times.GivenSystem = kernel.user, kernel.system
			}
			now := times.split(given)
			require.GreaterOrEqual(t, now.user, given.user)
			require.GreaterOrEqual(t, now.system, given.system)
			require.Equal(t, times.Ran, now.user+now.system, "%+v after %+v", times, given)
			given = now
		}
	}
	// A process that has run for years.
	long := programsTimes{User: 1 << 62, System: 1 << 61, Ran: 3 << 61}
	assert.Equal(t, cpuTimes{1 << 62, 1 << 61}, long.split(cpuTimes{}))
}
