package heldfile

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestSetsShareOneBudget pins that what all sets keep open together keeps to the limit, however many there are.
func TestSetsShareOneBudget(t *testing.T) {
	const limit = 10
	var budget Budget
	budget.SetLimit(limit)
	put := func(s *Set, key uint64) bool {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
			return false
		}
		taken := s.Put(key, fd)
		if !taken {
			_ = unix.Close(fd)
		}
		return taken
	}
	sets := make([]Set, 4)
	var taken atomic.Int64
	var all sync.WaitGroup
	for i := range sets {
		sets[i] = NewSet(&budget)
		all.Go(func() {
			for key := range uint64(50) {
				if put(&sets[i], key) {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	// One that is turned away is in the count for a moment, and may turn another away.
	for key := uint64(100); put(&sets[0], key); key++ {
		taken.Add(1)
	}
	assert.Equal(t, int64(limit), taken.Load())
	assert.Equal(t, int64(limit), budget.Open())

	var full *Set
	for i := range sets {
		if sets[i].Len() > 0 {
			full = &sets[i]
		}
	}
	require.NotNil(t, full)
	for key := range full.files {
		full.Drop(key)
		full.Drop(key) // Twice is no error, and given back once.
		break
	}
	assert.Equal(t, int64(limit-1), budget.Open())
	assert.True(t, put(&sets[1], 200), "what one gives back another takes")

	for i := range sets {
		sets[i].BeginScan() // The files were put in the scan before.
		sets[i].BeginScan()
		assert.Zero(t, sets[i].Len())
	}
	assert.Zero(t, budget.Open(), "what is not read any more is given back")
	assert.True(t, put(&sets[2], 300))
	sets[2].Close()
	sets[2].Close()
	assert.Zero(t, budget.Open())
}

func TestASetKeepsWhatEachScanReads(t *testing.T) {
	var budget Budget
	budget.SetLimit(2)
	s := NewSet(&budget)
	t.Cleanup(s.Close)
	open := func(key uint64) int {
		fd, err := unix.Open("/proc/self/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		require.NoError(t, err)
		require.True(t, s.Put(key, fd))
		return fd
	}
	s.BeginScan()
	first := open(1)
	open(2)
	s.BeginScan()
	fd, ok := s.Get(1)
	assert.True(t, ok)
	assert.Equal(t, first, fd)
	s.BeginScan()
	_, ok = s.Get(1)
	assert.True(t, ok)
	_, ok = s.Get(2)
	assert.False(t, ok, "the scan before did not read it")
}
