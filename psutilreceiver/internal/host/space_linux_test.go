package host

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSpaceStatesSumToTheTotal(t *testing.T) {
	for name, c := range map[string]struct {
		blocks, bfree, bavail, size, files, ffree uint64
		want                                      Space
	}{
		"ext4 with a reserve": {1000, 400, 350, 4096, 50, 20, Space{
			Total: 4096000, Used: 600 * 4096, Free: 350 * 4096, Reserved: 50 * 4096, Inodes: 50, InodesUsed: 30, InodesFree: 20,
		}},
		"btrfs counts no inodes":   {10, 5, 5, 1, 0, 0, Space{Total: 10, Used: 5, Free: 5, Inodes: -1, InodesUsed: -1, InodesFree: -1}},
		"more available than free": {10, 5, 9, 1, 2, 2, Space{Total: 10, Used: 5, Free: 5, Inodes: 2, InodesFree: 2}},
		"more free than there is":  {10, 50, 90, 1, 2, 3, Space{Total: 10, Free: 10, Inodes: 2, InodesFree: 2}},
		"a size beyond all":        {math.MaxUint64, 1, 1, 4096, math.MaxUint64, 1, Space{Inodes: -1, InodesUsed: -1, InodesFree: -1}},
	} {
		assert.Equal(t, c.want, spaceOf(c.blocks, c.bfree, c.bavail, c.size, c.files, c.ffree), name)
	}
}

func FuzzSpaceOf(f *testing.F) {
	f.Add(uint64(10), uint64(5), uint64(4), uint64(4096), uint64(3), uint64(2))
	f.Add(uint64(math.MaxInt64), uint64(math.MaxUint64), uint64(math.MaxUint64), uint64(1), uint64(math.MaxUint64), uint64(0))
	f.Fuzz(func(t *testing.T, blocks, bfree, bavail, size, files, ffree uint64) {
		s := spaceOf(blocks, bfree, bavail, size, files, ffree)
		for _, v := range []int64{s.Total, s.Used, s.Free, s.Reserved} {
			assert.GreaterOrEqual(t, v, int64(0))
		}
		assert.Equal(t, s.Total, s.Used+s.Free+s.Reserved)
		if s.Inodes >= 0 {
			assert.Equal(t, s.Inodes, s.InodesUsed+s.InodesFree)
			assert.GreaterOrEqual(t, min(s.InodesUsed, s.InodesFree), int64(0))
		}
	})
}
