package host

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mdstatOf gives the arrays of a text, which begins as the kernel's does.
func mdstatOf(t *testing.T, lines ...string) []Array {
	t.Helper()
	got, err := parseMdstat([]byte("Personalities : [raid1]\n"+strings.Join(lines, "\n")+"\n\nunused devices: <none>\n"), nil, new(names))
	require.NoError(t, err)
	return got
}

func TestArraysOfServer(t *testing.T) {
	got, err := fixtureHost(t, "server-6.x").Arrays(nil)
	require.NoError(t, err)
	assert.Equal(t, []Array{
		{Name: "md127", ID: "md/md127", Active: 2, Required: 2, Speed: absent},
		{Name: "md0", ID: "md/md0", State: ArrayDegraded, Active: 3, Failed: 1, Spare: 1, Required: 4, Sync: SyncRecovery, Progress: 37043392. / 292945152, Speed: 33440 * 1024},
	}, got)
	got, err = fixtureHost(t, "kernel-4.4").Arrays(nil)
	require.NoError(t, err)
	assert.Empty(t, got, "the kernel can, and there are none")
	_, err = fixtureHost(t, "container").Arrays(nil)
	require.ErrorIs(t, err, ErrUnsupported)
}

// TestWhatMdstatMeans has each form in which the kernel writes an array.
func TestWhatMdstatMeans(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want Array
	}{
		"complete": {
			"md0 : active raid1 sdb1[1] sda1[0]\n      1 blocks [2/2] [UU]\n      bitmap: 0/1 pages [0KB], 65536KB chunk",
			Array{Active: 2, Required: 2},
		},
		"a mirror with one disk": {
			"md0 : active raid1 sda1[0]\n      1 blocks [2/1] [U_]", Array{State: ArrayDegraded, Active: 1, Required: 2},
		},
		"a mirror without any": {
			"md0 : active raid1 sda1[0](F)\n      1 blocks [2/0] [__]", Array{State: ArrayFailed, Active: 0, Failed: 1, Required: 2},
		},
		"write-mostly, a spare and a replacement": {
			"md0 : active raid1 sdd[4](R) sdc1[2](S) sdb1[1](W) sda1[0]\n      1 blocks [2/2] [UU]", Array{Active: 2, Spare: 2, Required: 2},
		},
		"a journal is no disk of the data": {
			"md0 : active raid5 nvme0[4](J) sdc[3] sdb[1] sda[0]\n      1 blocks super 1.2 level 5, 64k chunk, algorithm 2 [3/3] [UUU]",
			Array{Active: 3, Required: 3},
		},
		"raid0 is never degraded": {"md0 : active raid0 sdb1[1] sda1[0]\n      1 blocks super 1.2 512k chunks", Array{Active: 2, Required: 2}},
		"raid0 that lost a disk": {
			"md0 : broken raid0 sdb1[1] sda1[0]\n      1 blocks super 1.2 512k chunks", Array{State: ArrayFailed, Active: 2, Required: 2},
		},
		"linear": {"md0 : active linear sdb1[1] sda1[0]\n      1 blocks super 1.2 0k rounding", Array{Active: 2, Required: 2}},
		"raid5 with one disk less": {
			"md0 : active raid5 sdb[1] sda[0]\n      1 blocks level 5, 64k chunk, algorithm 2 [3/2] [UU_]", Array{State: ArrayDegraded, Active: 2, Required: 3},
		},
		"raid5 with two disks less": {
			"md0 : active raid5 sda[0]\n      1 blocks level 5, 64k chunk, algorithm 2 [3/1] [U__]", Array{State: ArrayFailed, Active: 1, Required: 3},
		},
		"raid6 with two disks less": {
			"md0 : active raid6 sdb[1] sda[0]\n      1 blocks level 6, 64k chunk, algorithm 2 [4/2] [UU__]", Array{State: ArrayDegraded, Active: 2, Required: 4},
		},
		"raid10 with half of the disks": {
			"md0 : active raid10 sdc[2] sda[0]\n      1 blocks 512K chunks 2 near-copies [4/2] [U_U_]", Array{State: ArrayDegraded, Active: 2, Required: 4},
		},
		"raid10 with a third of the disks": {
			"md0 : active raid10 sdc[2] sda[0]\n      1 blocks 512K chunks 3 near-copies [6/2] [U__U__]", Array{State: ArrayDegraded, Active: 2, Required: 6},
		},
		"raid10 with less": {
			"md0 : active raid10 sda[0]\n      1 blocks 512K chunks 2 near-copies [4/1] [U___]", Array{State: ArrayFailed, Active: 1, Required: 4},
		},
		"not started": {
			"md0 : inactive sda1[0](S)\n      1 blocks super 1.2", Array{State: ArrayFailed, Active: 0, Spare: 1, Required: absent},
		},
		"read-only, waits": {
			"md0 : active (auto-read-only) raid1 sdb1[1] sda1[0]\n      1 blocks [2/2] [UU]\n      \tresync=PENDING", Array{Active: 2, Required: 2, Sync: SyncResync},
		},
		"a volume of a container": {
			"md126 : active raid1 sda[1] sdb[0]\n      1 blocks super external:/md127/0 [2/2] [UU]", Array{Name: "md126", ID: "md/md126", Active: 2, Required: 2},
		},
		"a read-only volume of a container": {
			"md126 : active (read-only) raid1 sda[1] sdb[0]\n      1 blocks super external:-md127/0 [2/2] [UU]", Array{Name: "md126", ID: "md/md126", Active: 2, Required: 2},
		},
		"a check": {
			"md0 : active raid1 sdb1[1] sda1[0]\n      1 blocks [2/2] [UU]\n      [>....................]  check =  0.0% (0/100) finish=0.1min speed=1K/sec",
			Array{Active: 2, Required: 2, Sync: SyncCheck, Speed: 1024},
		},
		"a reshape": {
			"md0 : active raid5 sdb1[1] sda1[0]\n      1 blocks [2/2] [UU]\n      [==========>..........]  reshape = 50.0% (50/100) finish=0.1min speed=1K/sec",
			Array{Active: 2, Required: 2, Sync: SyncReshape, Progress: 0.5, Speed: 1024},
		},
		"a disk is being filled": {
			"md0 : active raid1 sdb1[2] sda1[0]\n      1 blocks [2/1] [U_]\n      [>....]  recovery = 25.0% (25/100) finish=0.1min speed=2K/sec",
			Array{State: ArrayDegraded, Active: 1, Spare: 1, Required: 2, Sync: SyncRecovery, Progress: 0.25, Speed: 2048},
		},
	} {
		if test.want.Name == "" {
			test.want.Name, test.want.ID = "md0", "md/md0"
		}
		if test.want.Speed == 0 {
			test.want.Speed = absent
		}
		assert.Equal(t, []Array{test.want}, mdstatOf(t, test.text), name)
	}
}

func TestAContainerIsNoArray(t *testing.T) {
	assert.Empty(t, mdstatOf(t, "md127 : inactive sdb[1](S) sda[0](S)\n      5552 blocks super external:imsm"))
	assert.Empty(t, mdstatOf(t, "md127 : inactive sdb[1](S) sda[0](S)\n      65536 blocks super external:ddf"))
}

func TestMdstatThatCantBe(t *testing.T) {
	for text, odd := range map[string]bool{
		"": false, "garbage\n": false, "md0 : active raid1 sda[0]\n": false,
		"Personalities : \nmd0 : active raid1 sda[0]\n  1 blocks [1/2] [U]\n":                                                               true,
		"Personalities : \nmd0 : active raid1 sda[0]\n  1 blocks [2/x] [U]\n":                                                               true,
		"Personalities : \nmd0 : new raid1 sda[0]\n":                                                                                        true,
		"Personalities : \nmd0 : active raid1 sdb[1] sda[0]\n  1 blocks [2/2] [UU]\n  check = 1.0% (9/2) finish=0.1min speed=1K/sec\n":      true,
		"Personalities : \nmd0 : active raid1 sdb[1] sda[0]\n  1 blocks [2/2] [UU]\n  check = 1.0% (1/2) finish=0.1min speed=minus1K/sec\n": true,
	} {
		_, err := parseMdstat([]byte(text), nil, new(names))
		require.ErrorIs(t, err, errMalformed, text)
		assert.Equal(t, odd, IsOdd(err), text)
	}
}

func TestArraysAreReadWithoutAllocating(t *testing.T) {
	text, err := os.ReadFile(fixtureHost(t, "server-6.x").Path(mdstatFile))
	require.NoError(t, err)
	known, list := new(names), make([]Array, 0, 8)
	assert.Zero(t, testing.AllocsPerRun(20, func() { list, err = parseMdstat(text, list[:0], known) }))
	require.NoError(t, err)
}

// TestArraysOfThisKernel reads the file of this machine, where it has one.
func TestArraysOfThisKernel(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.Begin()
	if _, err = h.Arrays(nil); err != nil {
		require.ErrorIs(t, err, ErrUnsupported)
	}
}

func FuzzParseMdstat(f *testing.F) {
	for _, host := range []string{"server-6.x", "kernel-4.4"} {
		text, err := os.ReadFile(fixtureHost(f, host).Path(mdstatFile))
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parseMdstat(text, nil, new(names))
		if err != nil {
			require.ErrorIs(t, err, errMalformed)
		}
		for _, a := range list {
			assert.NotEmpty(t, a.Name)
			for _, n := range []int64{a.Active, a.Failed, a.Spare, a.Required, a.Speed} {
				assert.GreaterOrEqual(t, n, int64(Odd))
			}
			assert.True(t, a.Progress == Odd || a.Progress >= 0 && a.Progress <= 1)
		}
	})
}
