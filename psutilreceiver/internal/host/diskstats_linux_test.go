package host

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDiskKindFromNames(t *testing.T) {
	text := []byte(strings.Join([]string{
		"8 0 sda 1 1 1 1 1 1 1 1 1 1 1", "259 0 nvme0n1 1 1 1 1 1 1 1 1 1 1 1", "179 0 mmcblk0 1 1 1 1 1 1 1 1 1 1 1",
		"202 1 xvda1 1 1 1 1 1 1 1 1 1 1 1", "104 0 cciss/c0d0 1 1 1 1 1 1 1 1 1 1 1", "9 0 md0 1 1 1 1 1 1 1 1 1 1 1", "",
	}, "\n"))
	for name, want := range map[string]DiskKind{
		"sda": DiskWhole, "sda1": DiskPartition, "sda15": DiskPartition, "sdb1": DiskWhole,
		"nvme0n1": DiskWhole, "nvme0n1p2": DiskPartition, "nvme0n2": DiskWhole,
		"mmcblk0": DiskWhole, "mmcblk0p1": DiskPartition, "mmcblk0boot0": DiskWhole,
		"xvda1": DiskWhole, // Some virtual machines have partitions of disks that they do not have.
		"sr0":   DiskWhole, "cciss/c0d0": DiskWhole, "cciss/c0d0p3": DiskPartition,
		"md0": DiskStacked, "md0p1": DiskPartition, "dm-3": DiskStacked, "bcache0": DiskStacked, "drbd1": DiskStacked, "md_home": DiskStacked,
		"loop7": DiskVirtual, "ram0": DiskVirtual, "zram1": DiskVirtual, "zd16": DiskStacked, "ramp": DiskWhole, "p": DiskWhole, "0": DiskWhole,
	} {
		assert.Equal(t, want, hostWith(t, nil).diskKind(name, []byte(name), text), name)
	}
}

// TestNVMePaths pins where the I/O of an NVMe device with several paths shows: at the device, but for kernels that count nothing
// there.
func TestNVMePaths(t *testing.T) {
	for iostats, want := range map[string]DiskKind{"1\n": DiskPath, "0\n": DiskWhole} {
		h := hostWith(t, map[string]string{"sys/block/nvme0c1n2/hidden": "1\n", "sys/block/nvme0n2/queue/iostats": iostats})
		assert.Equal(t, want, h.diskKind("nvme0c1n2", []byte("nvme0c1n2"), nil))
		assert.Equal(t, DiskWhole, h.diskKind("nvme0n2", []byte("nvme0n2"), nil))
	}
	for name, want := range map[string]string{
		"nvme0c1n2": "nvme0n2", "nvme12c0n1": "nvme12n1", "nvme0n1": "", "nvmec1n1": "", "nvme0c1n1p1": "", "sdc1n1": "", "": "",
	} {
		assert.Equal(t, want, headOfPath([]byte(name)), name)
	}
}

// TestDevicesAbovePathsWithoutSlaves: their I/O is that of the paths, which are listed, too.
func TestDevicesAbovePathsWithoutSlaves(t *testing.T) {
	for name, want := range map[string]DiskKind{
		"emcpowera": DiskStacked, "emcpoweraa": DiskStacked, "vpatha": DiskStacked, "sddlmaa": DiskStacked, "VxDMP1": DiskStacked, "dm-0": DiskStacked,
		"drbd0": DiskStacked, "md127": DiskStacked, "sda": DiskWhole, "emcpower": DiskWhole, "emcpowera1": DiskPartition, "vpathb3": DiskPartition,
	} {
		assert.Equal(t, want, hostWith(t, nil).diskKind(name, []byte(name), nil), "%s without a sysfs", name)
		if want != DiskPartition {
			h := hostWith(t, map[string]string{"sys/block/" + name + "/size": "1\n"})
			assert.Equal(t, want, h.diskKind(name, []byte(name), nil), "%s without slaves", name)
		}
	}
}

func TestDiskLinesThatAreRefused(t *testing.T) {
	good := diskLineOf("sda", 1, 2)
	for name, bad := range map[string]string{
		"cut off":       "   8      16 sdb 1 2 3 4 5 6\n",
		"no numbers":    "malformed\n",
		"no such major": "   4096   16 sdb 1 2 3 4 5 6 7 8 9 10 11\n",
	} {
		disks, err := NewDisks(hostWith(t, map[string]string{"proc/diskstats": bad + good}), everyDisk).Read(time.Now())
		require.ErrorIs(t, err, errMalformed, name)
		assert.Equal(t, []string{"sda"}, namesOf(disks), "%s: costs its own device only", name)
	}
	for _, odd := range []string{"-1", "99999999999999999999", "9223372036854775807", "", "x"} {
		line := "   8      16 sdb 1 2 " + odd + " 4 5 6 7 8 9 10 11\n"
		disks, err := NewDisks(hostWith(t, map[string]string{"proc/diskstats": line + good}), everyDisk).Read(time.Now())
		require.True(t, IsOdd(err), odd)
		require.Equal(t, []string{"sdb", "sda"}, namesOf(disks), odd)
		assert.Equal(t, int64(Odd), disks[0].ReadBytes, odd)
		assert.Equal(t, []int64{1, 2, 5, 6, 7 * sectorSize}, []int64{disks[0].Reads, disks[0].ReadsMerged, disks[0].Writes, disks[0].WritesMerged, disks[0].WrittenBytes})
	}
	disks, err := NewDisks(hostWith(t, map[string]string{
		"proc/diskstats": good + "   8       1 sda1 1 2 3 4\n\n",
	}), everyDisk).Read(time.Now())
	require.NoError(t, err, "partitions before Linux 2.6.25 had four numbers")
	assert.Equal(t, []string{"sda"}, namesOf(disks))

	_, err = NewDisks(hostWith(t, nil), everyDisk).Read(time.Now())
	require.ErrorIs(t, err, ErrUnsupported)
}

func FuzzParseDiskLine(f *testing.F) {
	for _, seed := range []string{
		"", "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11", "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
		"   8       1 sda1 1 2 3 4", "8 0 sda 1 2 3", "8 0", "\x00 0 x", "8 0 s\tda 1 1 1 1 1 1 1 1 1 1 1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, l []byte) {
		s, err := parseDiskLine(l, new(oddValues))
		if err != nil {
			assert.Empty(t, s.totals(), "an error and totals")
			return
		}
		assert.NotEmpty(t, s.name)
		for _, v := range s.totals() {
			assert.GreaterOrEqual(t, v, int64(Odd))
		}
		assert.Less(t, s.device(), uint64(1)<<32)
		kind := diskKindByName(s.name, l)
		assert.Contains(t, []DiskKind{DiskWhole, DiskPartition, DiskStacked}, kind)
		sample := (&knownDisk{seq: absent, since: absent}).sample(&s, time.Second)
		assert.GreaterOrEqual(t, sample.ReadBytes, int64(Odd))
		assert.GreaterOrEqual(t, sample.WrittenBytes, int64(Odd))
	})
}
