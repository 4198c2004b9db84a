package vmtest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/kernel"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// testNetwork plugs in an interface, uses it, renames it, takes it to another network namespace and back, replaces it by another under its
// name, and puts a VLAN on it.
func testNetwork(t *testing.T, vm *machine.Machine) {
	t.Helper()
	c := startCollector(t, vm, `
receivers:
  psutil: {collection_interval: 1s, scrapers: {network: {}}}
`+metricsTo("psutil"))
	c.record(t)
	c.batches(t, 1)
	plugInterface(t, vm, 0)
	ping(t, vm)
	c.batches(t, 3)
	run(t, vm, "ip link set eth0 down; ip link set eth0 name lan0; ip link set lan0 up")
	ping(t, vm)
	c.batches(t, 3)
	roundTrip(t, vm, c)
	require.NoError(t, vm.Unplug("nic0"))
	c.batches(t, 2)
	plugInterface(t, vm, 1)
	ping(t, vm)
	c.batches(t, 3)
	vlan(t, vm, c)
	require.NoError(t, vm.Unplug("nic1"))
	c.batches(t, 2)
	truth := c.recording(t)
	ps := c.finish(t, points.Allowed{})

	var exact points.Points
	for _, p := range ps {
		if p.Attributes["network.interface.name"] != "lan0" && p.Attributes["system.device"] != "lan0" {
			exact = append(exact, p) // What lan0 counted as eth0 is not told again, so that it differs from the kernel's.
		}
	}
	wrong, compared := truth.Compare(exact)
	none(t, "totals", wrong)
	assert.Greater(t, compared, 50)
	noFault(t, "network: what an interface counted under two names", wrongPackets(truth, ps))
}

// plugInterface plugs in an interface that becomes eth0 and leads to qemu's own network.
func plugInterface(t *testing.T, vm *machine.Machine, i int) {
	t.Helper()
	require.NoError(t, vm.Monitor("netdev_add", map[string]any{"type": "user", "id": fmt.Sprintf("net%d", i), "restrict": true}))
	require.NoError(t, vm.Monitor("device_add", map[string]any{
		"driver": "virtio-net-pci", "id": fmt.Sprintf("nic%d", i), "netdev": fmt.Sprintf("net%d", i), "mac": fmt.Sprintf("52:54:00:00:00:%02x", i),
	}))
	eventually(t, vm, "[ -e /sys/class/net/eth0 ]")
	run(t, vm, "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0")
}

func ping(t *testing.T, vm *machine.Machine) {
	t.Helper()
	run(t, vm, "ping -c 5 -i 0.1 -s 400 10.0.2.2 >/dev/null")
}

// roundTrip takes lan0 to a network namespace, sends from there, and brings it back.
func roundTrip(t *testing.T, vm *machine.Machine, c *collector) {
	t.Helper()
	const newNetwork = 0x40000000 // CLONE_NEWNET
	pid, err := vm.Start(c.folder+"/sleep", newNetwork, "sh", "-c",
		"until ip link set lan0 up 2>/dev/null; do sleep 0.1; done; ip addr add 10.0.2.15/24 dev lan0; ping -c 5 -i 0.1 10.0.2.2; sleep 3; ip link set lan0 netns 1; sleep 60")
	require.NoError(t, err)
	run(t, vm, "ip link set lan0 netns %d", pid)
	eventually(t, vm, "[ ! -e /sys/class/net/lan0 ]")
	c.batches(t, 2)
	eventually(t, vm, "[ -e /sys/class/net/lan0 ]")
	require.NoError(t, vm.Signal(pid, 9))
	run(t, vm, "ip link set lan0 up; ip addr add 10.0.2.15/24 dev lan0")
	ping(t, vm)
	c.batches(t, 3)
}

// vlan sends through a VLAN and a bridge, and says whether one packet is counted more than once in the sum over interfaces.
func vlan(t *testing.T, vm *machine.Machine, c *collector) {
	t.Helper()
	run(t, vm, "modprobe 8021q && ip link add link eth0 name eth0.5 type vlan id 5 && ip link set eth0.5 up && ip addr add 10.0.5.15/24 dev eth0.5")
	c.batches(t, 2)
	run(t, vm, "arping -f -c 5 -I eth0.5 10.0.5.2 >/dev/null 2>&1 || true")
	c.batches(t, 2)
	ps := c.points(t)
	var twice []string
	for _, attributes := range carriers(ps) {
		if attributes["network.interface.name"] == "eth0.5" && len(attributes) == 2 {
			twice = append(twice, fmt.Sprintf("what eth0.5 sends is counted by eth0 as well, and nothing distinguishes them: %v", attributes))
		}
	}
	noFault(t, "network: a sum over interfaces counts a VLAN and its parent", twice)
	run(t, vm, "ip link del eth0.5")
	c.batches(t, 2)
}

func carriers(ps points.Points) []map[string]string {
	found := make(map[string]map[string]string)
	for _, p := range ps.Of("system.network.io", "network.io.direction", "transmit") {
		found[p.Key()] = p.Attributes
	}
	return slices.Collect(maps.Values(found))
}

// wrongPackets tells whether what the interface sent before and after its change of name is told once: under both names it was as
// much as the kernel counted.
func wrongPackets(truth kernel.Recording, ps points.Points) (wrong []string) {
	sent := ps.Of("system.network.packet.count", "network.io.direction", "transmit")
	old, renamed := sent.Of("system.network.packet.count", "system.device", "eth0"), sent.Of("system.network.packet.count", "system.device", "lan0")
	if len(old) == 0 || len(renamed) == 0 {
		return []string{"no points under one of the names"}
	}
	var before float64
	for _, p := range old {
		if p.Start == old[0].Start {
			before = p.Value
		}
	}
	for _, p := range renamed {
		low, high, ok := truth.Around(p.Time).Range(p.Key())
		if sum := before + p.Value; p.Start == renamed[0].Start && ok && (sum < low || sum > high) {
			wrong = append(wrong, fmt.Sprintf("the kernel said %v, and then %v, told are %v under the old name and %v", low, high, before, p))
		}
	}
	return wrong
}
