package read

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestReadersShareOneBudget pins that what all readers hold together keeps to the limit, however many there are.
func TestReadersShareOneBudget(t *testing.T) {
	before := heldByAll.Load()
	limit := int(before) + 10
	put := func(h *heldFiles, pid int32) bool {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
			return false
		}
		taken := h.put(heldKey{pid: pid}, fd)
		if !taken {
			_ = unix.Close(fd)
		}
		return taken
	}
	readers := make([]heldFiles, 4)
	var taken atomic.Int64
	var all sync.WaitGroup
	for i := range readers {
		readers[i].limit = limit
		all.Go(func() {
			for pid := range int32(50) {
				if put(&readers[i], pid) {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	// One that is turned away stands in the count for a moment, and may turn another away.
	for pid := int32(100); put(&readers[0], pid); pid++ {
		taken.Add(1)
	}
	assert.Equal(t, int64(10), taken.Load())
	assert.Equal(t, int64(limit), heldByAll.Load())

	var full *heldFiles
	for i := range readers {
		if len(readers[i].files) > 0 {
			full = &readers[i]
		}
	}
	require.NotNil(t, full)
	for key := range full.files {
		full.drop(key)
		full.drop(key) // Twice is no error, and given back once.
		break
	}
	assert.Equal(t, int64(limit-1), heldByAll.Load())
	assert.True(t, put(&readers[1], 200), "what one gives back another takes")

	for i := range readers {
		readers[i].begin() // The files were put in the scan before.
		readers[i].begin()
		assert.Empty(t, readers[i].files)
	}
	assert.Equal(t, before, heldByAll.Load(), "what is not read any more is given back")
	assert.True(t, put(&readers[2], 300))
	readers[2].close()
	readers[2].close()
	assert.Equal(t, before, heldByAll.Load())
}
