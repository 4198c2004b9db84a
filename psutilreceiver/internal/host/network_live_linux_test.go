package host

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	gopsutil "github.com/shirou/gopsutil/v3/net"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// TestLiveInterfacesOfTheHost pins against the kernel whose interfaces are read below a root: from a network namespace of its own the
// test sees those of the machine.
func TestLiveInterfacesOfTheHost(t *testing.T) {
	const marker = "PSUTIL_TEST_HOST_INTERFACES"
	if os.Getenv(marker) == "" {
		text, err := os.ReadFile("/proc/1/net/dev")
		if err != nil {
			testenv.Missing(t, "%v", err)
		}
		t.Setenv(marker, string(text))
	}
	if !inNamespaces(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	h := hostWithProcfs(t)
	h.Begin()
	hosts, err := NewInterfaces(h, 0, everyInterface).Read()
	require.NoError(t, err)
	own, err := NewInterfaces(liveHost(t), 0, everyInterface).Read()
	require.NoError(t, err)
	assert.Contains(t, own, Interface{
		Name: "lo", Counters: LinkCounters{CarrierChanges: absent}, Identity: own[0].Identity, Up: -1, Speed: -1, MTU: -1, QueueLength: -1,
	},
		"a new namespace has a loopback that has done nothing")

	var names []string
	for _, i := range hosts {
		names = append(names, i.Name)
	}
	var want []string
	for l := range strings.Lines(os.Getenv(marker)) {
		if name, _, ok := strings.Cut(l, ":"); ok {
			want = append(want, strings.TrimSpace(name))
		}
	}
	assert.Equal(t, want, names)
}

func TestLiveInterfaces(t *testing.T) {
	before, err := gopsutil.IOCounters(true)
	require.NoError(t, err)
	found := interfacesOf(t, liveHost(t))
	after, err := gopsutil.IOCounters(true)
	require.NoError(t, err)
	links, err := gopsutil.Interfaces()
	require.NoError(t, err)

	require.Len(t, found, len(before))
	for i, low := range before {
		got, high := found[low.Name], after[i]
		for name, v := range map[string][3]uint64{
			"bytes received":   {low.BytesRecv, uint64(got.Received.Bytes), high.BytesRecv},
			"bytes sent":       {low.BytesSent, uint64(got.Sent.Bytes), high.BytesSent},
			"packets received": {low.PacketsRecv, uint64(got.Received.Packets), high.PacketsRecv},
			"packets sent":     {low.PacketsSent, uint64(got.Sent.Packets), high.PacketsSent},
			"errors received":  {low.Errin, uint64(got.Received.Errors), high.Errin},
			"errors sent":      {low.Errout, uint64(got.Sent.Errors), high.Errout},
			"dropped received": {low.Dropin, uint64(got.Received.Dropped), high.Dropin},
			"dropped sent":     {low.Dropout, uint64(got.Sent.Dropped), high.Dropout},
		} {
			assert.GreaterOrEqual(t, v[1], v[0], "%s of %s", name, low.Name)
			assert.LessOrEqual(t, v[1], v[2], "%s of %s", name, low.Name)
		}
	}
	for _, l := range links {
		got := found[l.Name]
		assert.Equal(t, uint64(l.Index), got.Identity)
		assert.Equal(t, int64(l.MTU), got.MTU)
		if !slices.Contains(l.Flags, "up") {
			assert.NotEqual(t, int64(1), got.Up, l.Name)
		}
	}
	assert.Equal(t, int64(1), found["lo"].Up)
}

// tunnel makes an interface that ends with what is returned.
func tunnel(t *testing.T, name string) (end func()) {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		testenv.Missing(t, "no tun: %v", err)
	}
	tap, err := unix.NewIfreq(name)
	require.NoError(t, err)
	tap.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	require.NoError(t, unix.IoctlIfreq(fd, unix.TUNSETIFF, tap))
	return func() { require.NoError(t, unix.Close(fd)) }
}

// ownNetwork is a host with the network namespace of this process, and a sysfs that shows it.
func ownNetwork(t *testing.T) *Host {
	t.Helper()
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	root := t.TempDir()
	mount(t, "sysfs", root+"/sys", "sysfs", 0, "") // It shows the network namespace in which it was mounted.
	mount(t, "/proc/self/net", root+"/proc/1/net", "", unix.MS_BIND, "")
	h, err := New(root)
	require.NoError(t, err)
	return h
}

// readLive reads interfaces by name.
func readLive(t *testing.T, h *Host, n *Interfaces) map[string]Interface {
	t.Helper()
	h.Begin()
	found, err := n.Read()
	require.NoError(t, err)
	byName := make(map[string]Interface)
	for _, i := range found {
		byName[i.Name] = i
	}
	return byName
}

// TestLiveInterfaceThatTakesAName makes an interface, lets it go and makes another one of its name.
func TestLiveInterfaceThatTakesAName(t *testing.T) {
	if !inNamespaces(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	h := ownNetwork(t)
	n := NewInterfaces(h, allLinkFields, func(name string) bool { return name == "psutil0" })
	var identities []uint64
	for range 2 {
		end := tunnel(t, "psutil0")
		for range 3 {
			got, ok := readLive(t, h, n)["psutil0"]
			require.True(t, ok)
			assert.Equal(t, int64(0), got.Up, "not started yet")
			assert.Equal(t, int64(1500), got.MTU)
			identities = append(identities, got.Identity)
		}
		end()
	}
	first, second := identities[0], identities[3]
	assert.Positive(t, first)
	assert.NotEqual(t, first, second)
	assert.Equal(t, []uint64{first, first, first, second, second, second}, identities)
}

// TestLiveInterfacesThatSwapNames pins that what is kept of a name goes with the name and not with the interface that had it.
func TestLiveInterfacesThatSwapNames(t *testing.T) {
	if !inNamespaces(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	ip := func(arguments string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "ip", strings.Fields("link set dev "+arguments)...).CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			testenv.Missing(t, "%v", err)
		}
		require.NoError(t, err, "%s", out)
	}
	h := ownNetwork(t)
	defer tunnel(t, "one")()
	defer tunnel(t, "two")()
	ip("two mtu 1400")
	n := NewInterfaces(h, allLinkFields, everyInterface)
	var before map[string]Interface
	for range 3 {
		before = readLive(t, h, n)
	}
	assert.True(t, n.known["one"].mtu.IsOpen())
	ip("one name other")
	ip("two name one")
	ip("other name two")
	for range 3 {
		after := readLive(t, h, n)
		for was, is := range map[string]string{"one": "two", "two": "one"} {
			assert.Equal(t, before[was].Identity, after[is].Identity)
			assert.Equal(t, before[was].MTU, after[is].MTU)
		}
	}
	assert.Positive(t, n.files.budget.Open())
	assert.Equal(t, openOf(n), n.files.budget.Open())
	require.NoError(t, n.Close())
	assert.Zero(t, n.files.budget.Open(), "all are closed")
	assert.Zero(t, openOf(n))
}

// openOf counts the files that a reader keeps open.
func openOf(n *Interfaces) int64 {
	open := int64(0)
	if n.all.IsOpen() {
		open++
	}
	for _, k := range n.known {
		for _, f := range []*sysfsFile{&k.index, &k.carrier, &k.operstate, &k.speed, &k.mtu, &k.duplex} {
			if f.IsOpen() {
				open++
			}
		}
	}
	return open
}

func BenchmarkInterfaces(b *testing.B) {
	h, err := New("")
	require.NoError(b, err)
	n := NewInterfaces(h, LinkUp|LinkSpeed, everyInterface)
	b.ReportAllocs()
	for b.Loop() {
		h.Begin()
		if _, err := n.Read(); err != nil {
			b.Fatal(err)
		}
	}
}
