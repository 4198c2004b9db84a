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
		"more than full for ordinary users": {1000, 40, math.MaxUint64 - 9, 4096, 50, math.MaxUint64, Space{
			Total: 4096000, Used: 960 * 4096, Reserved: 40 * 4096, Inodes: 50, InodesUsed: 50,
		}},
		"below 0 in 32 bits":         {1000, 40, 1<<32 - 10, 4096, 50, 1<<32 - 1, Space{Total: 4096000, Used: 960 * 4096, Reserved: 40 * 4096, Inodes: 50, InodesUsed: 50}},
		"below 0 in bytes":           {1000, 40, (math.MaxUint64 - 40959) / 4096, 4096, 0, 0, Space{Total: 4096000, Used: 960 * 4096, Reserved: 40 * 4096, Inodes: -1, InodesUsed: -1, InodesFree: -1}},
		"free below 0":               {1000, math.MaxUint64 - 9, 7, 4096, 0, 9, Space{Total: 4096000, Used: 4096000, Inodes: -1, InodesUsed: -1, InodesFree: -1}},
		"all below 0":                {1000, math.MaxUint64 - 9, math.MaxUint64 - 9, 4096, 0, 0, Space{Total: 4096000, Used: 4096000, Inodes: -1, InodesUsed: -1, InodesFree: -1}},
		"free beyond all, full":      {1000, 5000, 0, 4096, 0, 0, Space{Total: 4096000, Used: 4096000, Inodes: -1, InodesUsed: -1, InodesFree: -1}},
		"blocks of no size":          {1000, 400, 350, 0, 50, 20, Space{Inodes: 50, InodesUsed: 30, InodesFree: 20}},
		"inodes below 0 and no more": {10, 5, 5, 1, math.MaxUint64, math.MaxUint64, Space{Total: 10, Used: 5, Free: 5, Inodes: -1, InodesUsed: -1, InodesFree: -1}},
		"a size beyond all":          {math.MaxUint64, 1, 1, 4096, math.MaxUint64, 1, Space{Inodes: -1, InodesUsed: -1, InodesFree: -1}},
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
		if bavail == 0 || bavail > math.MaxInt64 {
			assert.Zero(t, s.Free, "full for ordinary users")
		}
		if s.Inodes >= 0 {
			assert.Equal(t, s.Inodes, s.InodesUsed+s.InodesFree)
			assert.GreaterOrEqual(t, min(s.InodesUsed, s.InodesFree), int64(0))
		}
	})
}
