package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestZFSOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	arc, err := h.ZFSARC()
	require.NoError(t, err)
	assert.Equal(t, ZFSARC{
		Size: 8123456789, Target: 8589934592, Min: 1073741824, Max: 17179869184,
		DemandData: ZFSRequests{6120331, 2201, 80331}, DemandMetadata: ZFSRequests{2900000, 2000, 30000},
		PrefetchData: ZFSRequests{60000, 150, 8000}, PrefetchMetadata: ZFSRequests{40000, 50, 2000},
	}, arc)
	pools, err := NewZFSPools(h).Read(true)
	require.NoError(t, err)
	assert.Equal(t, []ZFSPool{
		{Name: "backup", State: ZFSDegraded, StateKnown: true, IO: ZFSIO{1884160, 3206144, 22, 132}},
		{
			Name: "tank", State: ZFSOnline, StateKnown: true, IO: noZFSIO,
			Datasets: []ZFSDataset{{"tank/home and more", ZFSIO{91200331, 41200331, 9120, 4120}}},
		},
	}, pools)
	for _, name := range []string{"container", "kernel-4.4"} {
		_, err = fixtureHost(t, name).ZFSARC()
		require.ErrorIs(t, err, ErrUnsupported)
		_, err = NewZFSPools(fixtureHost(t, name)).Read(true)
		require.ErrorIs(t, err, ErrUnsupported)
	}
}

func TestPoolsComeAndGo(t *testing.T) {
	h := hostWith(t, map[string]string{zfsDir + "/tank/state": "ONLINE\n", zfsDir + "/arcstats": "x\n"})
	z := NewZFSPools(h)
	states := func() string {
		t.Helper()
		pools, err := z.Read(false)
		require.NoError(t, err)
		var found []string
		for _, p := range pools {
			found = append(found, p.Name)
		}
		return strings.Join(found, " ")
	}
	assert.Equal(t, "tank", states())
	put(t, h.Root(), zfsDir+"/backup/state", "FAULTED\n")
	assert.Equal(t, "backup tank", states())
	require.NoError(t, os.RemoveAll(h.Path(zfsDir+"/tank")))
	states()
	assert.Equal(t, "backup", states())
	put(t, h.Root(), zfsDir+"/backup/state", "NEW\n")
	pools, err := z.Read(false)
	assert.True(t, IsOdd(err))
	assert.False(t, pools[0].StateKnown, "a state that this version does not know is not shown as another")
	require.NoError(t, os.Remove(h.Path(zfsDir+"/backup/state")))
	put(t, h.Root(), zfsDir+"/backup/io", "1\nnread nwritten\n7\n")
	pools, err = NewZFSPools(h).Read(false)
	assert.True(t, IsOdd(err))
	assert.False(t, pools[0].StateKnown, "ZFS before 0.8")
	assert.Equal(t, ZFSIO{7, Odd, absent, absent}, pools[0].IO)
}

// TestModulesThatAreLoadedLaterAreFound: what is not there is looked for again every few scrapes, not at each.
func TestModulesThatAreLoadedLaterAreFound(t *testing.T) {
	h := hostWith(t, nil)
	z, b := NewZFSPools(h), NewBtrfsFilesystems(h)
	both := func() (found bool) {
		_, zfsErr := z.Read(false)
		_, btrfsErr := b.Read()
		require.Equal(t, zfsErr, btrfsErr)
		return zfsErr == nil
	}
	assert.False(t, both())
	put(t, h.Root(), zfsDir+"/arcstats", "x")
	put(t, h.Root(), btrfsDir+"/features/raid1c34", "0")
	for range rediscoverAfter - 1 {
		require.False(t, both())
	}
	assert.True(t, both())
}

func TestBtrfsOfServer(t *testing.T) {
	b := NewBtrfsFilesystems(fixtureHost(t, "server-6.x"))
	got, err := b.Read()
	require.NoError(t, err)
	const uuid = "6d8bd8a7-1f4c-4d1f-9f0e-7a3f0c1d2e3f"
	const size = (209715200 + 1725530112) * 512
	assert.Equal(t, []Btrfs{{
		UUID: uuid, Label: "data", Unallocated: size - 430570471424 - 4294967296 - 67108864,
		Data: BtrfsAllocation{430570471424, 395211104256}, Metadata: BtrfsAllocation{2147483648, 1532968960}, System: BtrfsAllocation{33554432, 65536},
		Mixed: BtrfsAllocation{absent, absent},
		Devices: []BtrfsDevice{
			{Number: 1, Key: uuid + "/1"}, {Number: 2, Key: uuid + "/2", Write: 3, Read: 17, Corruption: 2},
		},
	}}, got)
	require.NoError(t, b.Close())
	for _, name := range []string{"container", "kernel-4.4"} {
		_, err = NewBtrfsFilesystems(fixtureHost(t, name)).Read()
		require.ErrorIs(t, err, ErrUnsupported)
	}
}

// btrfsHost has one filesystem of one device.
func btrfsHost(t *testing.T) (h *Host, dir string) {
	t.Helper()
	const of = btrfsDir + "/11111111-2222-3333-4444-555555555555"
	return hostWith(t, map[string]string{
		of + "/label": "\n", of + "/allocation/mixed/total_bytes": "1000\n", of + "/allocation/mixed/bytes_used": "900\n",
		of + "/allocation/mixed/disk_total": "1000\n", of + "/devices/sda/size": "4\n",
		of + "/devinfo/1/missing": "0\n", of + "/devinfo/1/error_stats": "write_errs 1\nread_errs 2\nflush_errs 3\ncorruption_errs 4\ngeneration_errs 5\n",
	}), of
}

func TestBtrfsThatIsNotWell(t *testing.T) {
	h, of := btrfsHost(t)
	b := NewBtrfsFilesystems(h)
	read := func() (Btrfs, error) {
		t.Helper()
		got, err := b.Read()
		require.Len(t, got, 1)
		return got[0], err
	}
	fs, err := read()
	require.NoError(t, err)
	assert.Equal(t, BtrfsAllocation{1000, 900}, fs.Mixed)
	assert.EqualValues(t, 4*512-1000, fs.Unallocated)
	assert.Equal(t, BtrfsDevice{1, fs.UUID + "/1", 1, 2, 3, 4, 5}, fs.Devices[0])

	put(t, h.Root(), of+"/devinfo/2/missing", "1\n")
	put(t, h.Root(), of+"/devinfo/2/error_stats", "invalid\n")
	fs, err = read()
	require.NoError(t, err)
	assert.EqualValues(t, 1, fs.Missing)
	assert.EqualValues(t, absent, fs.Unallocated, "the size of a missing device is not known")
	assert.EqualValues(t, absent, fs.Devices[1].Write)

	put(t, h.Root(), of+"/devinfo/2/error_stats", "nonsense\n")
	fs, err = read()
	require.ErrorIs(t, err, errMalformed)
	assert.EqualValues(t, 1, fs.Devices[0].Write, "the other device has its errors")
	require.NoError(t, os.RemoveAll(h.Path(of+"/devinfo/2")))

	put(t, h.Root(), of+"/allocation/mixed/bytes_used", "1001\n")
	fs, err = read()
	assert.True(t, IsOdd(err))
	assert.EqualValues(t, Odd, fs.Mixed.Used)

	require.NoError(t, os.RemoveAll(h.Path(of)))
	put(t, h.Root(), btrfsDir+"/features/x", "0")
	for range 2 {
		got, err := b.Read()
		require.NoError(t, err)
		assert.Empty(t, got)
	}
}

func TestStorageOfThisKernel(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.Begin()
	b := NewBtrfsFilesystems(h)
	for _, read := range []func() error{
		func() error { _, err := h.ZFSARC(); return err },
		func() error { _, err := NewZFSPools(h).Read(true); return err },
		func() error { _, err := b.Read(); return err },
	} {
		if err := read(); err != nil {
			require.ErrorIs(t, err, ErrUnsupported)
		}
	}
	require.NoError(t, b.Close())
}

func FuzzParseKstat(f *testing.F) {
	for _, name := range []string{"arcstats", "tank/objset-0x36", "backup/io", "tank/state"} {
		text, err := os.ReadFile(fixtureHost(f, "server-6.x").Path(filepath.Join(zfsDir, name)))
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		arc, arcErr := parseARC(text)
		dataset, datasetErr := parseObjset("x", text, new(names))
		io, ioErr := parsePoolIO("y", text)
		for _, err := range []error{arcErr, datasetErr, ioErr} {
			if err != nil {
				require.ErrorIs(t, err, errMalformed)
			}
		}
		for _, n := range []int64{arc.Size, arc.DemandData.Hits, dataset.IO.Reads, io.Reads, io.WrittenBytes} {
			assert.GreaterOrEqual(t, n, int64(Odd))
		}
	})
}

func FuzzParseErrorStats(f *testing.F) {
	f.Add([]byte("write_errs 0\nread_errs 1\nflush_errs 0\ncorruption_errs 0\ngeneration_errs 18446744073709551615"))
	f.Add([]byte("invalid"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d BtrfsDevice
		if err := d.parseErrorStats("x", text); err != nil {
			require.ErrorIs(t, err, errMalformed)
		}
		for _, n := range []int64{d.Write, d.Read, d.Flush, d.Corruption, d.Generation} {
			assert.GreaterOrEqual(t, n, int64(Odd))
		}
	})
}
