package host

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const netDevHeading = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`

const allLinkFields = LinkUp | LinkSpeed | LinkMTU | LinkDuplex

func everyInterface(string) bool { return true }

// interfacesOf reads the interfaces of a host by name.
func interfacesOf(t *testing.T, h *Host) map[string]Interface {
	t.Helper()
	found, err := NewInterfaces(h, allLinkFields, everyInterface).Read()
	require.NoError(t, err)
	byName := make(map[string]Interface)
	for _, i := range found {
		byName[i.Name] = i
	}
	return byName
}

func TestInterfacesOfHosts(t *testing.T) {
	found := interfacesOf(t, fixtureHost(t, "server-6.x"))
	assert.Equal(t, map[string]Interface{
		"lo": {
			Name: "lo", Identity: 1, Received: Traffic{80122034, 402211, 0, 0}, Sent: Traffic{80122034, 402211, 0, 0}, Counters: LinkCounters{CarrierChanges: absent}, QueueLength: absent,
			Up: 1, Speed: -1, MTU: 65536, Duplex: DuplexUnknown,
		},
		"eno1": {
			Name: "eno1", Identity: 2, Received: Traffic{902211033412, 820331204, 3, 1204}, Sent: Traffic{1402211033004, 990112044, 0, 12}, Counters: LinkCounters{Frame: 1, Multicast: 402211, CarrierChanges: absent}, QueueLength: absent,
			Up: 1, Speed: 10_000_000_000, MTU: 9000, Duplex: DuplexFull,
		},
		"eno2": {Name: "eno2", Identity: 3, Counters: LinkCounters{CarrierChanges: absent}, QueueLength: absent, Speed: -1, MTU: 1500, Duplex: DuplexUnknown},
		"docker0": {
			Name: "docker0", Identity: 4, Received: Traffic{40221103, 300112, 0, 0}, Sent: Traffic{902211044, 412033, 0, 0}, Counters: LinkCounters{CarrierChanges: absent}, QueueLength: absent,
			Up: 1, Speed: 10_000_000_000, MTU: 1500, Duplex: DuplexUnknown,
		},
		"veth3f2a1b0": {
			Name: "veth3f2a1b0", Identity: 17, Received: Traffic{44420671, 300110, 0, 0}, Sent: Traffic{902301122, 412998, 0, 3}, Counters: LinkCounters{CarrierChanges: absent}, QueueLength: absent,
			Up: 1, Speed: 10_000_000_000, MTU: 1500, Duplex: DuplexFull,
		},
		"wg0": {
			Name: "wg0", Identity: 18, Received: Traffic{12044, 88, 0, 0}, Sent: Traffic{20448, 101, 2, 0}, Counters: LinkCounters{CarrierErrors: 2, CarrierChanges: absent}, QueueLength: absent,
			Up: 1, Speed: -1, MTU: 1420, Duplex: DuplexUnknown,
		},
	}, found)

	eth0 := interfacesOf(t, fixtureHost(t, "kernel-4.4"))["eth0"]
	assert.Equal(t, Traffic{3012204412, 4402211, 0, 0}, eth0.Received)
}

// TestInterfacesAreThoseOfTheHost pins the network namespace below a root: that of the host's first process, and not, where the link
// proc/net leads, that of the collector in its container.
func TestInterfacesAreThoseOfTheHost(t *testing.T) {
	h := fixtureHost(t, "container")
	found := interfacesOf(t, h)
	assert.ElementsMatch(t, []string{"lo", "ens3", "cni0", "vethc0ffee01"}, slices.Collect(maps.Keys(found)))
	assert.Equal(t, Interface{ // Without a sysfs.
		Name: "ens3", Received: Traffic{902211033412, 402211033, 0, 88}, Sent: Traffic{302211033412, 202211033, 0, 0}, Counters: LinkCounters{CarrierChanges: absent}, QueueLength: absent,
		Up: -1, Speed: -1, MTU: -1, Duplex: DuplexUnknown,
	}, found["ens3"])

	hidden := hostWith(t, map[string]string{"proc/net/dev": netDevHeading + "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"})
	n := NewInterfaces(hidden, 0, everyInterface)
	own, err := n.Read()
	require.NoError(t, err)
	assert.Len(t, own, 1)
	assert.True(t, n.OwnNamespace(), "the first process can't be seen: these are the collector's own")
	put(t, hidden.Root(), "proc/1/net/dev", netDevHeading)
	hidden.Begin()
	own, err = n.Read()
	require.NoError(t, err)
	assert.Empty(t, own)
	assert.False(t, n.OwnNamespace())
}

// TestInterfacesOfTheOwnNamespaceHaveNoLink pins that the traffic of the collector's own eth0 is not shown with the link of the host's eth0, which
// is the one that sysfs below the root has.
func TestInterfacesOfTheOwnNamespaceHaveNoLink(t *testing.T) {
	h := hostWith(t, map[string]string{
		"proc/net/dev": netDevHeading + "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "sys/class/net/eth0/ifindex": "2\n",
		"sys/class/net/eth0/carrier": "1\n", "sys/class/net/eth0/speed": "10000\n", "sys/class/net/eth0/mtu": "9000\n",
		"sys/class/net/eth0/duplex": "full\n",
	})
	own := Interface{Name: "eth0", Received: Traffic{1, 2, 3, 4}, Sent: Traffic{9, 10, 11, 12}, Counters: countersOfHeading, QueueLength: absent, Up: -1, Speed: -1, MTU: -1}
	hosts := own
	hosts.Identity, hosts.Up, hosts.Speed, hosts.MTU, hosts.Duplex = 2, 1, 10_000_000_000, 9000, DuplexFull
	n := NewInterfaces(h, allLinkFields, everyInterface)
	read := func() []Interface {
		t.Helper()
		h.Begin()
		found, err := n.Read()
		require.NoError(t, err)
		return found
	}
	assert.Equal(t, []Interface{own}, read())
	put(t, h.Root(), "proc/1/net/dev", netDevHeading+"eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n")
	assert.Equal(t, []Interface{hosts}, read())
	require.NoError(t, os.Remove(h.Path("proc/1/net/dev")))
	assert.Equal(t, []Interface{own}, read(), "nothing of the host's is kept")
}

func TestLinkIsReadWhereWanted(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	found, err := NewInterfaces(h, LinkMTU, func(name string) bool { return strings.HasPrefix(name, "eno") }).Read()
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, Interface{
		Name: "eno1", Identity: 2, Received: Traffic{902211033412, 820331204, 3, 1204}, Sent: Traffic{1402211033004, 990112044, 0, 12}, Counters: LinkCounters{Frame: 1, Multicast: 402211, CarrierChanges: absent}, QueueLength: absent,
		Up: -1, Speed: -1, MTU: 9000,
	}, found[0])
	speed := h.Path("sys/class/net/eno1/speed")
	n := NewInterfaces(h, LinkUp, everyInterface)
	assert.Equal(t, 0, opensOf(t, speed, func() { _, err = n.Read() }))
	require.NoError(t, err)
	n = NewInterfaces(h, LinkSpeed, everyInterface)
	assert.Equal(t, 1, opensOf(t, speed, func() { _, err = n.Read() }))
	require.NoError(t, err)
	n = NewInterfaces(h, LinkSpeed, func(name string) bool { return name != "eno1" })
	assert.Equal(t, 0, opensOf(t, speed, func() { _, err = n.Read() }), "nothing is read of one that is not included")
	require.NoError(t, err)
}

func TestLinks(t *testing.T) {
	for name, c := range map[string]struct {
		files     map[string]string
		up, speed int64
		duplex    Duplex
	}{
		"a carrier":                        {map[string]string{"carrier": "1\n", "operstate": "unknown\n"}, 1, -1, DuplexUnknown},
		"none":                             {map[string]string{"carrier": "0\n", "operstate": "lowerlayerdown\n"}, 0, -1, DuplexUnknown},
		"down: carrier can't be read":      {map[string]string{"operstate": "down\n"}, 0, -1, DuplexUnknown},
		"up, by the state alone":           {map[string]string{"operstate": "up\n"}, 1, -1, DuplexUnknown},
		"not known":                        {map[string]string{"operstate": "unknown\n"}, -1, -1, DuplexUnknown},
		"half duplex at 10 Mbit/s":         {map[string]string{"speed": "10\n", "duplex": "half\n"}, -1, 10_000_000, DuplexHalf},
		"a speed that is not known":        {map[string]string{"speed": "-1\n", "duplex": "unknown\n"}, -1, -1, DuplexUnknown},
		"a speed that is not known either": {map[string]string{"speed": "4294967295\n"}, -1, -1, DuplexUnknown},
		"800 Gbit/s":                       {map[string]string{"speed": "800000\n", "duplex": "full\n"}, -1, 800_000_000_000, DuplexFull},
	} {
		h := hostWith(t, map[string]string{"proc/1/net/dev": netDevHeading + "x: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"})
		for file, text := range c.files {
			put(t, h.Root(), "sys/class/net/x/"+file, text)
		}
		x := interfacesOf(t, h)["x"]
		assert.Equal(t, c.up, x.Up, name)
		assert.Equal(t, c.speed, x.Speed, name)
		assert.Equal(t, c.duplex, x.Duplex, name)
	}
}

func TestInterfaceThatTakesAName(t *testing.T) {
	const index = "sys/class/net/veth0/ifindex"
	h := hostWith(t, map[string]string{"proc/1/net/dev": netDevHeading + "veth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", index: "7\n"})
	n := NewInterfaces(h, 0, everyInterface)
	identity := func() uint64 {
		t.Helper()
		found, err := n.Read()
		require.NoError(t, err)
		require.Len(t, found, 1)
		return found[0].Identity
	}
	assert.Equal(t, uint64(7), identity())
	put(t, h.Root(), index, "9\n")
	assert.Equal(t, uint64(9), identity())
	require.NoError(t, os.Remove(h.Path(index)))
	assert.Equal(t, uint64(9), identity(), "gone between the two files")

	put(t, h.Root(), "proc/1/net/dev", netDevHeading)
	h.Begin()
	_, err := n.Read()
	require.NoError(t, err)
	assert.Empty(t, n.known, "nothing is kept of what is gone")
}

// TestInterfaceIndexThatCantBeRead pins that an interface whose index can't be read for the moment is not taken for one without.
func TestInterfaceIndexThatCantBeRead(t *testing.T) {
	const index = "sys/class/net/eth0/ifindex"
	h := hostWith(t, map[string]string{
		"proc/1/net/dev": netDevHeading + "lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\neth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
		index:            "7\n",
	})
	unreadable := func() {
		t.Helper()
		require.NoError(t, os.Remove(h.Path(index)))
		require.NoError(t, os.Symlink("ifindex", h.Path(index)))
	}
	n := NewInterfaces(h, 0, everyInterface)
	unreadable()
	found, err := n.Read()
	require.ErrorIs(t, err, unix.ELOOP)
	require.Len(t, found, 1)
	assert.Equal(t, "lo", found[0].Name)
	assert.Zero(t, found[0].Identity, "there is no sysfs of it")

	require.NoError(t, os.Remove(h.Path(index)))
	put(t, h.Root(), index, "7\n")
	for range 2 {
		found, err = n.Read()
		require.NoError(t, err)
		require.Len(t, found, 2)
		assert.Equal(t, uint64(7), found[1].Identity)
		unreadable()
	}

	// Another one has the name, of which the index is not known.
	require.NoError(t, os.Rename(h.Path("sys/class/net/eth0"), h.Path("sys/class/net/lan0")))
	put(t, h.Root(), "sys/class/net/eth0/x", "")
	require.NoError(t, os.Symlink("ifindex", h.Path(index)))
	found, err = n.Read()
	require.ErrorIs(t, err, unix.ELOOP)
	assert.Len(t, found, 1)

	for _, none := range []error{unix.ENOENT, unix.ENOTDIR, unix.EINVAL, unix.EACCES} {
		assert.True(t, noSysfs(none), "%v", none)
	}
	for _, passing := range []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EIO} {
		assert.False(t, noSysfs(passing), "%v", passing)
	}
}

// countersOfHeading are those of the line 1 2 3 … 16.
var countersOfHeading = LinkCounters{
	ReceivedFifo: 5, Frame: 6, ReceivedCompressed: 7, Multicast: 8, SentFifo: 13, Collisions: 14, CarrierErrors: 15, SentCompressed: 16,
	CarrierChanges: absent,
}

func TestNetDevLines(t *testing.T) {
	for text, want := range map[string]string{
		"  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16":                "eth0", // As kernels before 2.6.38 write large numbers.
		"eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16":               "eth0:1",
		"\t very-long-name0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16  ": "very-long-name0",
	} {
		name, received, sent, counters, ok := parseNetDevLine([]byte(text), new(oddValues))
		assert.True(t, ok, text)
		assert.Equal(t, want, string(name))
		assert.Equal(t, Traffic{1, 2, 3, 4}, received)
		assert.Equal(t, Traffic{9, 10, 11, 12}, sent)
		assert.Equal(t, countersOfHeading, counters)
	}
	for _, bad := range []string{
		"eth1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "eth1: 1 2 3 4 5 6 7 8 9",
	} {
		h := hostWith(t, map[string]string{
			"proc/1/net/dev": netDevHeading + bad + "\neth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
		})
		found, err := NewInterfaces(h, 0, everyInterface).Read()
		require.ErrorIs(t, err, errMalformed, bad)
		require.Len(t, found, 1, "costs its own interface only")
		assert.Equal(t, "eth0", found[0].Name)
	}
	h := hostWith(t, map[string]string{"proc/1/net/dev": netDevHeading + "eth1: -1 2 18446744073709551615 4 5 6 7 8 9 x 11 12 13 14 15 16\n"})
	found, err := NewInterfaces(h, 0, everyInterface).Read()
	require.True(t, IsOdd(err))
	require.Len(t, found, 1)
	assert.Equal(t, Traffic{Odd, 2, Odd, 4}, found[0].Received, "a value that can't be costs itself")
	assert.Equal(t, Traffic{9, Odd, 11, 12}, found[0].Sent)
	_, err = NewInterfaces(hostWith(t, nil), 0, everyInterface).Read()
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestConntrack(t *testing.T) {
	c, err := fixtureHost(t, "server-6.x").Conntrack()
	require.NoError(t, err)
	assert.Equal(t, Conntrack{Entries: 1804, Limit: 262144}, c)

	_, err = fixtureHost(t, "kernel-4.4").Conntrack()
	require.ErrorIs(t, err, ErrUnsupported)

	files := map[string]string{
		"proc/sys/net/netfilter/nf_conntrack_count": "3\n", "proc/sys/net/netfilter/nf_conntrack_max": "100\n",
		"proc/1/net/stat/nf_conntrack": "entries  searched found\n0000002a  00000000 00000000\n0000002a  00000000 00000000\n",
	}
	c, err = hostWith(t, files).Conntrack()
	require.NoError(t, err)
	assert.Equal(t, Conntrack{Entries: 42, Limit: 100}, c, "the host's count, not the container's 3")

	for name, other := range map[string]Conntrack{
		"proc/1/net/stat/nf_conntrack": {Entries: -1, Limit: 100}, "proc/sys/net/netfilter/nf_conntrack_max": {Entries: 42, Limit: -1},
	} {
		bad := maps.Clone(files)
		bad[name] = "entries\nzz\n"
		c, err = hostWith(t, bad).Conntrack()
		require.ErrorIs(t, err, errMalformed)
		assert.Equal(t, other, c, "each costs itself")
	}
	without := maps.Clone(files)
	delete(without, "proc/1/net/stat/nf_conntrack")
	c, err = hostWith(t, without).Conntrack()
	require.NoError(t, err)
	assert.Equal(t, Conntrack{Entries: -1, Limit: 100}, c, "the container's 3 is nobody's count of the host")
	delete(files, "proc/sys/net/netfilter/nf_conntrack_max")
	c, err = hostWith(t, files).Conntrack()
	require.NoError(t, err, "a container whose own namespace tracks nothing")
	assert.Equal(t, Conntrack{Entries: 42, Limit: -1}, c)
}

func FuzzParseNetDevLine(f *testing.F) {
	for _, seed := range []string{"", "eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "a:b: 1", ":", "x: 99999999999999999999"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, l []byte) {
		name, received, sent, counters, ok := parseNetDevLine(l, new(oddValues))
		if !ok {
			return
		}
		assert.NotEmpty(t, name)
		for _, traffic := range []Traffic{received, sent} {
			assert.GreaterOrEqual(t, min(traffic.Bytes, traffic.Packets, traffic.Errors, traffic.Dropped), int64(Odd))
		}
		assert.GreaterOrEqual(t, min(counters.ReceivedFifo, counters.SentFifo, counters.Frame, counters.CarrierErrors, counters.Collisions,
			counters.Multicast, counters.ReceivedCompressed, counters.SentCompressed), int64(Odd))
		again, _, _, _, ok := parseNetDevLine([]byte(fmt.Sprintf("%s: %d 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", name, max(received.Bytes, 0))), new(oddValues))
		assert.True(t, ok)
		assert.Equal(t, name, again)
	})
}

func FuzzParseConntrackStats(f *testing.F) {
	for _, seed := range []string{"", "entries\n0000002a 0", "entries\n", "entries\nffffffff\n", "entries\n-1\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parseConntrackStats(text)
		if err != nil {
			assert.Equal(t, int64(-1), v)
			return
		}
		assert.GreaterOrEqual(t, v, int64(0))
		assert.Less(t, v, int64(1)<<32)
	})
}
