package host

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBondsOfServer(t *testing.T) {
	b := NewBonds(fixtureHost(t, "server-6.x"))
	for range 2 {
		members, err := b.Read()
		require.NoError(t, err)
		assert.Equal(t, []BondMember{{Bond: "bond0", Interface: "eno1", Up: 1}, {Bond: "bond0", Interface: "eno2", Up: 0}}, members)
	}
	for _, name := range []string{"kernel-4.4", "container"} {
		_, err := NewBonds(fixtureHost(t, name)).Read()
		require.ErrorIs(t, err, ErrUnsupported, "no bonds")
	}
}

// TestBondsThatCome are found after a while: where there are none the file is not looked for at each read.
func TestBondsThatCome(t *testing.T) {
	h := hostWith(t, nil)
	b := NewBonds(h)
	_, err := b.Read()
	require.ErrorIs(t, err, ErrUnsupported)
	put(t, h.Root(), bondingMasters, "bond1 bond2\n")
	put(t, h.Root(), "sys/class/net/bond1/bonding/slaves", "\n")
	put(t, h.Root(), "sys/class/net/bond2/bonding/slaves", "eth1\n")
	put(t, h.Root(), "sys/class/net/eth1/bonding_slave/mii_status", "going back\n")
	reads := 1
	for {
		members, err := b.Read()
		reads++
		if err == nil {
			assert.Equal(t, []BondMember{{Bond: "bond1", Up: absent}, {Bond: "bond2", Interface: "eth1", Up: 0}}, members)
			break
		}
		require.ErrorIs(t, err, ErrUnsupported)
		require.LessOrEqual(t, reads, bondReprobe)
	}
	assert.Equal(t, bondReprobe+1, reads)
}

func TestBondMembersThatCantBeRead(t *testing.T) {
	h := hostWith(t, map[string]string{
		bondingMasters:                                "bond0 ../../../etc\n",
		"sys/class/net/bond0/bonding/slaves":          "eth0 eth1 ../x eth2",
		"sys/class/net/eth0/bonding_slave/mii_status": "up",
		"sys/class/net/eth1/bonding_slave/mii_status": "sideways",
	})
	members, err := NewBonds(h).Read()
	require.ErrorIs(t, err, errMalformed)
	assert.Equal(t, []BondMember{
		{Bond: "bond0", Interface: "eth0", Up: 1},
		{Bond: "bond0", Interface: "eth1", Up: absent},
		{Bond: "bond0", Interface: "../x", Up: absent},
		{Bond: "bond0", Interface: "eth2", Up: absent},
	}, members)
}

func FuzzBonds(f *testing.F) {
	f.Add([]byte("bond0 bond1"), []byte("eth0 eth1"), []byte("up"))
	f.Add([]byte("../../x"), []byte("a/b \x00"), []byte(""))
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, masters, slaves, status []byte) {
		for name, text := range map[string][]byte{
			bondingMasters: masters, "sys/class/net/bond0/bonding/slaves": slaves, "sys/class/net/eth0/bonding_slave/mii_status": status,
			"proc/stat": nil,
		} {
			path := filepath.Join(root, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, text, 0o600))
		}
		h, err := New(root)
		require.NoError(t, err)
		members, _ := NewBonds(h).Read()
		for i := range members {
			assert.GreaterOrEqual(t, members[i].Up, int64(absent))
		}
	})
}
