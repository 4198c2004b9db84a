package host

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testNetwork is a network of interfaces as sysfs shows them, one a line: name, pci or virtual, and what it is of:
// lower=a,b master=c type=N devtype=D bonding bridge.
func putNetwork(t *testing.T, h *Host, lines string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(h.Path("sys")))
	table := netDevHeading
	number := 1
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		name := words[0]
		if _, sessions, ok := strings.Cut(name, "pppoe="); ok {
			count, err := strconv.Atoi(sessions)
			require.NoError(t, err)
			put(t, h.Root(), "proc/1/net/pppoe", "Id       Address              Device\n"+strings.Repeat("00000001 00:00:5e:00:53:01 eth0\n", count))
			continue
		}
		place := "virtual/net/" + name
		if words[1] == "pci" {
			place = "pci0000:00/0000:00:03.0/net/" + name
		}
		dir := "sys/devices/" + place
		kind, devtype := "1", ""
		link(t, h.Root(), "sys/class/net/"+name, "../../devices/"+place)
		put(t, h.Root(), dir+"/mtu", "1500\n")
		for _, w := range words[2:] {
			key, value, _ := strings.Cut(w, "=")
			switch key {
			case "lower":
				for lower := range strings.SplitSeq(value, ",") {
					link(t, h.Root(), dir+"/lower_"+lower, "../"+lower)
				}
			case "master":
				link(t, h.Root(), dir+"/master", "../../virtual/net/"+value)
			case "type":
				kind = value
			case "switch":
				put(t, h.Root(), dir+"/phys_switch_id", value+"\n")
			case "port":
				put(t, h.Root(), dir+"/phys_port_name", value+"\n")
			case "radio":
				link(t, h.Root(), dir+"/phy80211", "../../ieee80211/"+value)
			case "devtype":
				devtype = "DEVTYPE=" + value + "\n"
			default:
				put(t, h.Root(), dir+"/"+key+"/x", "")
			}
		}
		put(t, h.Root(), dir+"/type", kind+"\n")
		put(t, h.Root(), dir+"/uevent", devtype+"INTERFACE="+name+"\n")
		put(t, h.Root(), dir+"/ifindex", string(rune('0'+number))+"\n")
		number++
		table += name + ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	}
	put(t, h.Root(), "proc/1/net/dev", table)
}

func shownOf(t *testing.T, h *Host, n *Interfaces) []string {
	t.Helper()
	h.Begin()
	found, err := n.Read()
	require.NoError(t, err)
	var names []string
	for i := range found {
		names = append(names, found[i].Name)
	}
	return names
}

func noInterfaceAtAll(string) bool { return false }

// TestWhatCarriesTheHostsTrafficOnce: whatever is stacked on what, each packet that enters or leaves the host is counted by one interface.
func TestWhatCarriesTheHostsTrafficOnce(t *testing.T) {
	for name, c := range map[string]struct {
		network string
		want    []string
	}{
		"a VLAN":                {"lo virtual type=772\neth0 pci\neth0.5 virtual lower=eth0 devtype=vlan", []string{"lo", "eth0"}},
		"a bond":                {"eth0 pci master=bond0\neth1 pci master=bond0\nbond0 virtual lower=eth0,eth1 bonding devtype=bond\nbond0.7 virtual lower=bond0", []string{"eth0", "eth1"}},
		"a bridge":              {"eth0 pci master=br0\nbr0 virtual lower=eth0,vnet0 bridge\nvnet0 virtual master=br0", []string{"eth0"}},
		"containers":            {"eth0 pci\ndocker0 virtual bridge lower=veth1\nveth1 virtual master=docker0\ncali2 virtual\nflannel.1 virtual lower=eth0", []string{"eth0"}},
		"tunnels":               {"eth0 pci\nwg0 virtual type=65534 devtype=wireguard\ntun0 virtual type=65534\nifb0 virtual\ndummy0 virtual", []string{"eth0"}},
		"a modem":               {"eth0 pci\nppp0 virtual type=512", []string{"eth0", "ppp0"}},
		"a fast path":           {"eth0 pci lower=enP1\nenP1 pci master=eth0", []string{"eth0"}},
		"a fast path in a bond": {"eth0 pci lower=enP1 master=bond0\nenP1 pci master=eth0\nbond0 virtual lower=eth0", []string{"eth0"}},
		"ports of a switch":     {"eth0 pci\nlan1 pci lower=eth0\nlan2 pci lower=eth0 master=br0\nbr0 virtual bridge lower=lan2", []string{"eth0"}},
		"a container":           {"lo virtual type=772\neth0 virtual", []string{"lo", "eth0"}},
		"a container with a VLAN, a bond and a bridge": {
			"eth0 virtual\neth1 virtual master=bond0\neth2 virtual\neth0.5 virtual lower=eth0\nbond0 virtual bonding\nbr0 virtual bridge\nmv0 virtual lower=eth0 devtype=macvlan",
			[]string{"eth0", "eth1", "eth2"},
		},
		"a container with a VLAN, a macvlan and an ipvlan of the host":      {"lo virtual type=772\neth0 virtual devtype=macvlan\neth1 virtual devtype=vlan\neth2 virtual devtype=ipvlan", []string{"lo", "eth0", "eth1", "eth2"}},
		"a VLAN of the host, and one on it":                                 {"eth0 virtual devtype=vlan\neth0.7 virtual lower=eth0 devtype=vlan", []string{"eth0"}},
		"a macvlan of the host beside a device of its own":                  {"eth0 pci\nmac0 virtual devtype=macvlan\nveth0 virtual", []string{"eth0", "mac0"}},
		"functions of a network card in switch mode":                        {"eth0 pci switch=a1 port=p0\neth1 pci switch=a1 port=p1\neth0_0 pci switch=a1 port=pf0vf0\nsf0 pci switch=a1 port=pf0sf1\neth1_0 pci switch=a1 port=c1pf1vf3\nhost0 pci switch=a1 port=c1pf0", []string{"eth0", "eth1"}},
		"functions of a card whose port is in another namespace":            {"eth0 pci\neth0_0 pci switch=a1 port=pf0vf0\neth0_1 pci switch=a1 port=pf0vf1", []string{"eth0", "eth0_0", "eth0_1"}},
		"functions of a network card without a switch":                      {"eth0 pci\neth0v0 pci\neth1 pci port=p0", []string{"eth0", "eth0v0", "eth1"}},
		"a monitor of a radio":                                              {"wlan0 pci radio=phy0\nmon0 pci type=803 radio=phy0\nmon1 pci type=803 radio=phy1", []string{"wlan0", "mon1"}},
		"two networks of a radio":                                           {"wlan0 pci radio=phy0\nwlan0_1 pci radio=phy0", []string{"wlan0", "wlan0_1"}},
		"monitors of the host itself":                                       {"eth0 virtual\nnlmon0 virtual type=824\nvsockmon0 virtual type=826", []string{"eth0"}},
		"a point-to-point link over Ethernet":                               {"eth0 pci\nppp0 virtual type=512\npppoe=1", []string{"eth0"}},
		"a point-to-point link over Ethernet in a container":                {"eth0 virtual\nppp0 virtual type=512\npppoe=1", []string{"eth0"}},
		"a point-to-point link over Ethernet and one that may be a modem's": {"eth0 pci\nppp0 virtual type=512\nppp1 virtual type=512\npppoe=1", []string{"eth0", "ppp0", "ppp1"}},
	} {
		h := hostWith(t, nil)
		putNetwork(t, h, c.network)
		n := NewInterfaces(h, LinkMTU, everyInterface)
		n.HideCarried(noInterfaceAtAll)
		assert.Equal(t, c.want, shownOf(t, h, n), name)
		assert.Equal(t, c.want, shownOf(t, h, n), "%s: again", name)
		require.NoError(t, n.Close())
	}
}

func TestInterfacesAreHiddenAsTheyAreStacked(t *testing.T) {
	h := hostWith(t, nil)
	n := NewInterfaces(h, LinkMTU, everyInterface)
	n.HideCarried(func(name string) bool { return name == "br0" })
	putNetwork(t, h, "eth0 virtual\ntap0 virtual\n")
	assert.Equal(t, []string{"eth0", "tap0"}, shownOf(t, h, n))
	putNetwork(t, h, "eth0 virtual\ntap0 virtual\nteam0 virtual\nbr0 virtual bridge")
	assert.Equal(t, []string{"eth0", "tap0", "team0", "br0"}, shownOf(t, h, n), "one that is asked for")
	putNetwork(t, h, "eth0 virtual\ntap0 virtual\nteam0 virtual lower=tap0\nbr0 virtual bridge")
	for range reclassifyAfter {
		shownOf(t, h, n)
	}
	assert.Equal(t, []string{"eth0", "tap0", "br0"}, shownOf(t, h, n), "one that got a member")
	putNetwork(t, h, "eth0 virtual\ntap0 virtual\nteam0 virtual lower=tap0\nbr0 virtual bridge\neth1 pci")
	assert.Equal(t, []string{"br0", "eth1"}, shownOf(t, h, n), "a device was plugged in")
	require.NoError(t, n.Close())
}

func TestWithoutSysfsAllInterfacesAreShown(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/1/net/dev": netDevHeading + "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nbr0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"})
	n := NewInterfaces(h, 0, everyInterface)
	n.HideCarried(noInterfaceAtAll)
	assert.Equal(t, []string{"eth0", "br0"}, shownOf(t, h, n))
}
