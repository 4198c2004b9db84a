package host

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemoryDetailsOfServer(t *testing.T) {
	d := NewMemoryDetails(fixtureHost(t, "server-6.x"))
	zones, err := d.MemoryZones()
	require.NoError(t, err)
	require.Len(t, zones, 4)
	assert.Equal(t, MemoryZone{1, "Normal", []int64{812, 402, 120, 41, 12, 3, 0, 0, 1, 0, 911}}, zones[3])
	nodes, err := d.NUMANodes()
	require.NoError(t, err)
	require.Len(t, nodes, 2)
	assert.Equal(t, [...]int64{1, 32903214 << 10, 1650608 << 10, 31252606 << 10, 91127012090, 4120, 3801, 1117, 91127010001, 6209}, [...]int64{
		nodes[1].Number, nodes[1].Total, nodes[1].Free, nodes[1].Used,
		nodes[1].Hit, nodes[1].Miss, nodes[1].Foreign, nodes[1].InterleaveHit, nodes[1].Local, nodes[1].Other,
	})
	zram, err := d.ZRAMDevices()
	require.NoError(t, err)
	require.Len(t, zram, 1)
	assert.Equal(t, [...]int64{1 << 30, 1 << 28, 281018368}, [...]int64{zram[0].Original, zram[0].Compressed, zram[0].Used})
	ksm, err := d.host.KSM()
	require.NoError(t, err)
	assert.Equal(t, KSM{812, 4120, 90112, 33, 44}, ksm)

	d = NewMemoryDetails(fixtureHost(t, "container"))
	_, zonesErr := d.MemoryZones()
	_, nodesErr := d.NUMANodes()
	_, zramErr := d.ZRAMDevices()
	_, ksmErr := d.host.KSM()
	for _, err := range []error{zonesErr, nodesErr, zramErr, ksmErr} {
		require.ErrorIs(t, err, ErrUnsupported)
	}
}

func TestAZoneThatLacksANumber(t *testing.T) {
	zones, err := parseBuddyinfo([]byte("Node 0, zone DMA 1 2 3\nNode 0, zone Normal 4 6\nNode 0, zone Movable 7 x 9\n"), nil, new(names))
	assert.True(t, IsOdd(err))
	require.Len(t, zones, 3)
	assert.Equal(t, []int64{1, 2, 3}, zones[0].Blocks)
	assert.Empty(t, zones[1].Blocks)
	assert.Equal(t, []int64{7, Odd, 9}, zones[2].Blocks)
}

// TestMemoryDetailsOfThisKernel reads the files of this machine, where it has them.
func TestMemoryDetailsOfThisKernel(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.Begin()
	d := NewMemoryDetails(h)
	_, zonesErr := d.MemoryZones()
	_, nodesErr := d.NUMANodes()
	_, zramErr := d.ZRAMDevices()
	_, ksmErr := h.KSM()
	for _, err := range []error{zonesErr, nodesErr, zramErr, ksmErr} {
		if err != nil {
			require.ErrorIs(t, err, ErrUnsupported)
		}
	}
}

func FuzzParseMemoryDetails(f *testing.F) {
	f.Add([]byte("Node 0, zone   Normal   8183   8867   x\n"))
	f.Add([]byte("Node 0 MemTotal:  24684096 kB\nNode 0 MemFree: 1 kB\n"))
	f.Add([]byte("numa_hit 1\nnuma_miss -1\n"))
	f.Add([]byte("1 2 3 4"))
	f.Fuzz(func(t *testing.T, text []byte) {
		zones, zonesErr := parseBuddyinfo(text, nil, new(names))
		var n NUMANode
		var z ZRAM
		n.Total, n.Free, n.Used = absent, absent, absent
		for _, err := range []error{zonesErr, n.parseMeminfo(text), n.parseNumastat(text), z.parse(text)} {
			if err != nil {
				require.ErrorIs(t, err, errMalformed)
			}
		}
		for _, zone := range zones {
			assert.NotEmpty(t, zone.Name)
			assert.LessOrEqual(t, len(zone.Blocks), maxOrders)
		}
		for _, v := range []int64{n.Total, n.Hit, z.Original, z.Used} {
			assert.GreaterOrEqual(t, v, int64(Odd))
		}
	})
}
