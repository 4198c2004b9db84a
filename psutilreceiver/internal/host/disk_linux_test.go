package host

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func everyDisk(string, DiskKind) bool { return true }

func wholeDisks(_ string, kind DiskKind) bool { return kind == DiskWhole }

func namesOf(disks []Disk) []string {
	var found []string
	for i := range disks {
		found = append(found, disks[i].Name)
	}
	return found
}

// diskLineOf is a line of /proc/diskstats with these totals, and everything else zero.
func diskLineOf(name string, reads, sectors uint64, millis ...uint64) string {
	var m [4]uint64
	copy(m[:], millis)
	return fmt.Sprintf("   8       0 %s %d 0 %d %d 0 0 0 %d 0 %d %d 0 0 0 0 0 0\n", name, reads, sectors, m[0], m[1], m[2], m[3])
}

func TestDisksOfHosts(t *testing.T) {
	for name, want := range map[string]map[string]DiskKind{
		"server-6.x": {
			"nvme0n1": DiskWhole, "nvme0n1p1": DiskPartition, "nvme0n1p2": DiskPartition, "nvme0n1p3": DiskPartition,
			"nvme1n1": DiskWhole, "nvme1n1p1": DiskPartition, "md127": DiskStacked, "dm-0": DiskStacked, "dm-1": DiskStacked,
			"loop0": DiskVirtual,
		},
		"kernel-4.4": {
			"sda": DiskWhole, "sda1": DiskPartition, "sda2": DiskPartition, "sda5": DiskPartition, "sr0": DiskWhole,
			"ram0": DiskVirtual, "ram1": DiskVirtual, "ram2": DiskVirtual, "ram3": DiskVirtual, "loop0": DiskVirtual,
		},
		"container": {"vda": DiskWhole, "vda1": DiskPartition}, // It has no sysfs: by the names.
	} {
		h := fixtureHost(t, name)
		kinds := make(map[string]DiskKind)
		d := NewDisks(h, func(name string, kind DiskKind) bool {
			kinds[name] = kind
			return false
		})
		disks, err := d.Read(time.Now())
		require.NoError(t, err)
		assert.Empty(t, disks)
		assert.Equal(t, want, kinds, name)
	}
}

func TestDiskStatistics(t *testing.T) {
	disks, err := NewDisks(fixtureHost(t, "server-6.x"), wholeDisks).Read(time.Now())
	require.NoError(t, err)
	require.Equal(t, []string{"nvme0n1", "nvme1n1"}, namesOf(disks))
	assert.Equal(t, Disk{
		Name: "nvme0n1", Identity: 259<<52 | 9,
		Reads: 4120331, ReadsMerged: 30221, ReadBytes: 310224018 * 512, ReadTime: 1902.211,
		Writes: 9120332, WritesMerged: 812044, WrittenBytes: 1402211008 * 512, WriteTime: 8812.033,
		InFlight: 2, IOTime: 3120.440, WeightedIOTime: 10814.244, Size: disks[0].Size,
	}, disks[0])

	disks, err = NewDisks(fixtureHost(t, "server-6.x"), everyDisk).Read(time.Now())
	require.NoError(t, err)
	partition := slices.IndexFunc(disks, func(d Disk) bool { return d.Name == "nvme0n1p2" })
	assert.Equal(t, uint64(259<<20|2)<<32|9, disks[partition].Identity, "with the diskseq of its disk")

	disks, err = NewDisks(fixtureHost(t, "kernel-4.4"), everyDisk).Read(time.Now())
	require.NoError(t, err)
	assert.NotContains(t, namesOf(disks), "sr0", "a drive without a disc in it")
	i := slices.IndexFunc(disks, func(d Disk) bool { return d.Name == "sda" })
	assert.Equal(t, int64(120334), disks[i].Reads, "14 fields, as before Linux 4.18")
	assert.InDelta(t, 492.504, disks[i].WeightedIOTime, 0)
	assert.Equal(t, uint64(8<<52), disks[i].Identity, "no diskseq before 5.15")
}

// TestSumOverDisksIsTheHostsIO pins what counts: each byte once, though partitions, RAID and volumes show it again.
func TestSumOverDisksIsTheHostsIO(t *testing.T) {
	disks, err := NewDisks(fixtureHost(t, "server-6.x"), wholeDisks).Read(time.Now())
	require.NoError(t, err)
	var sum int64
	for _, d := range disks {
		sum += d.ReadBytes
	}
	assert.Equal(t, int64((310224018+300112204)*512), sum)
}

func TestDisksWithoutAMedium(t *testing.T) {
	h := hostWith(t, map[string]string{
		"proc/diskstats":      diskLineOf("nbd0", 0, 0),
		"sys/block/nbd0/size": "0\n", "sys/class/block/nbd0/size": "0\n",
	})
	d := NewDisks(h, everyDisk)
	disks, err := d.Read(time.Now())
	require.NoError(t, err)
	assert.Empty(t, disks, "a network disk that is not connected")

	put(t, h.Root(), "sys/class/block/nbd0/size", "2048\n")
	disks, err = d.Read(time.Now())
	require.NoError(t, err)
	require.Len(t, disks, 1)
	assert.Equal(t, int64(1<<20), disks[0].Size)

	put(t, h.Root(), "sys/class/block/nbd0/size", "0\n")
	disks, err = d.Read(time.Now())
	require.NoError(t, err)
	assert.Len(t, disks, 1, "a series that began continues")
}

// TestDiskTimesAreUnwrapped pins the four times that the kernel keeps in 32 bits of milliseconds.
func TestDiskTimesAreUnwrapped(t *testing.T) {
	const top = 1<<32 - 1
	type step struct {
		after  time.Duration
		millis uint64
		want   float64 // milliseconds
	}
	for story, steps := range map[string][]step{
		"rises":                      {{0, 100, 100}, {time.Minute, 5100, 5100}},
		"wraps":                      {{0, top, top}, {time.Minute, 999, top + 1000}, {time.Minute, 2000, top + 2001}},
		"wraps twice":                {{0, top - 5, top - 5}, {time.Hour, 5, top + 6}, {24 * time.Hour, top, 2*top + 1}, {time.Hour, 0, 2*top + 2}},
		"starts at the end":          {{0, top, top}, {time.Minute, top, top}},
		"begins again":               {{0, 5_000_000, 5_000_000}, {time.Minute, 100, 100}, {time.Minute, 300, 300}},
		"begins again after a wrap":  {{0, top, top}, {time.Minute, 1000, top + 1001}, {time.Minute, 10, 10}},
		"goes further than it could": {{0, top - 1000, top - 1000}, {time.Second, 3_000_000, 3_000_000}},
		"steps back a little":        {{0, 4_000_000_000, 4_000_000_000}, {time.Hour, 3_999_999_990, 3_999_999_990}},
		"wraps in no time":           {{0, top, top}, {0, 1, 1}},
		"wraps as time steps back":   {{0, top, top}, {-time.Hour, 1, 1}},
	} {
		now := time.Now()
		h := hostWith(t, nil)
		d := NewDisks(h, everyDisk)
		for i, s := range steps {
			h.Begin()
			put(t, h.Root(), "proc/diskstats", diskLineOf("sda", 1, 1, s.millis, s.millis, s.millis, s.millis))
			now = now.Add(s.after)
			disks, err := d.Read(now)
			require.NoError(t, err)
			require.Len(t, disks, 1)
			for _, got := range []float64{disks[0].ReadTime, disks[0].WriteTime, disks[0].IOTime, disks[0].WeightedIOTime} {
				assert.InDelta(t, s.want/1000, got, 1e-6, "%s, step %d", story, i)
			}
		}
	}
}

func TestADiskWithOneTimeThatWraps(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/diskstats": diskLineOf("sda", 1, 1, 10, 20, 30, 1<<32-1)})
	d := NewDisks(h, everyDisk)
	now := time.Now()
	_, err := d.Read(now)
	require.NoError(t, err)
	h.Begin()
	put(t, h.Root(), "proc/diskstats", diskLineOf("sda", 2, 2, 11, 21, 31, 0))
	disks, err := d.Read(now.Add(time.Minute))
	require.NoError(t, err)
	assert.InDelta(t, 0.011, disks[0].ReadTime, 0)
	assert.InDelta(t, 1<<32/1000.0, disks[0].WeightedIOTime, 1e-6)
}

func TestDiskIdentity(t *testing.T) {
	const seq = "sys/class/block/sda/diskseq"
	h := hostWith(t, map[string]string{"proc/diskstats": diskLineOf("sda", 500, 500, 1<<32-1), seq: "7\n", "sys/block/sda/size": "8"})
	d := NewDisks(h, everyDisk)
	now := time.Now()
	read := func() Disk {
		t.Helper()
		h.Begin()
		now = now.Add(time.Minute)
		disks, err := d.Read(now)
		require.NoError(t, err)
		require.Len(t, disks, 1)
		return disks[0]
	}
	first := read()
	assert.Equal(t, first.Identity, read().Identity)

	// Another medium in the drive: the totals go on, and so does the device.
	put(t, h.Root(), seq, "8\n")
	put(t, h.Root(), "proc/diskstats", diskLineOf("sda", 600, 600, 10))
	medium := read()
	assert.Equal(t, first.Identity, medium.Identity)
	assert.InDelta(t, (1<<32+10)/1000.0, medium.ReadTime, 1e-6)

	// Another device that took the name: its totals are its own.
	put(t, h.Root(), seq, "9\n")
	put(t, h.Root(), "proc/diskstats", diskLineOf("sda", 3, 3, 4))
	second := read()
	assert.NotEqual(t, first.Identity, second.Identity)
	assert.InDelta(t, 0.004, second.ReadTime, 0)
	assert.Equal(t, second.Identity, read().Identity)

	// A device whose directory is a new one is a new one, even if its totals are above those of the old one.
	require.NoError(t, os.Rename(h.Path("sys/class/block/sda"), h.Path("sys/class/block/old")))
	put(t, h.Root(), seq, "10\n")
	put(t, h.Root(), "proc/diskstats", diskLineOf("sda", 5000, 5000, 5000))
	third := read()
	assert.NotEqual(t, second.Identity, third.Identity)

	// Gone between the two files: still the one that the totals are of.
	require.NoError(t, os.RemoveAll(h.Path("sys/class/block/sda")))
	assert.Equal(t, third.Identity, read().Identity)

	put(t, h.Root(), "proc/diskstats", strings.Replace(diskLineOf("sda", 9000, 9000), "8       0", "8       16", 1))
	assert.NotEqual(t, third.Identity, read().Identity, "another device number")
}

func TestDisksThatHaveGoneAreForgotten(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/diskstats": diskLineOf("sda", 1, 1) + strings.Replace(diskLineOf("sdb", 1, 1), " 0 ", " 16 ", 1)})
	d := NewDisks(h, everyDisk)
	disks, err := d.Read(time.Now())
	require.NoError(t, err)
	assert.Len(t, disks, 2)
	put(t, h.Root(), "proc/diskstats", diskLineOf("sda", 1, 1))
	h.Begin()
	_, err = d.Read(time.Now())
	require.NoError(t, err)
	assert.Equal(t, []string{"sda"}, slices.Collect(maps.Keys(d.known)))
}

// FuzzWrapping plays random growth of a counter that the kernel keeps in 32 bits against one that it would keep in 64.
func FuzzWrapping(f *testing.F) {
	f.Add(uint32(0), uint32(1), uint32(2))
	f.Add(uint32(math.MaxUint32), uint32(1), uint32(math.MaxUint32/2))
	f.Fuzz(func(t *testing.T, start, a, b uint32) {
		var w wrapping
		wide := int64(start)
		w.seconds(wide, 0)
		for _, grown := range []uint32{a / 2, b / 2} {
			wide += int64(grown)
			got := w.seconds(wide%wrapAt, 24*365*time.Hour)
			assert.InDelta(t, float64(wide)/1000, got, 0)
		}
	})
}
