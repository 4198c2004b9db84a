package host

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// reclassifyAfter is the number of reads after which it is found out again which interfaces carry what others count as well, besides whenever
// one comes or goes: without devices an interface may become the member of another one at any time.
const reclassifyAfter = 20

// placement is where an interface is among the others.
type placement struct {
	known    bool // there is something to tell by
	hardware bool // it is one of a device
	ppp      bool // a point-to-point link, perhaps over a line that is no interface
	stacked  bool // on others of this host: a VLAN, a bond, a bridge and so on
	moved    bool // a VLAN, macvlan or ipvlan whose lower interface is in another network namespace
	monitor  bool // of what a radio, or the host itself, hears
	master   string
	lowers   []string
	radio    string // wireless device
	card     string // switch of the network card, of which this is a port
	port     string // name of the port; that of a function of the card for what stands for the function on the switch
}

// classify finds out of each interface whether it carries traffic of the host that no other one counts. With interfaces of devices these are
// the ones: what goes through bonds, bridges and their ports, VLANs, tunnels and links to containers enters and leaves the host by them.
// Without any, as in a container, they are those that are not stacked on others. A VLAN or macvlan whose lower interface is not in this network
// namespace has traffic that nothing else here counts.
func (n *Interfaces) classify() {
	class := n.host.Path("sys/class/net")
	places := make(map[string]placement, len(n.known))
	n.anyHardware = false
	for name := range n.known {
		p := placementOf(n.host.dir, class, name)
		places[name] = p
		n.anyHardware = n.anyHardware || p.hardware
	}
	linesCounted := n.pppoeSessions() >= numberOf(places, func(p placement) bool { return p.ppp })
	for name, k := range n.known {
		p := places[name]
		switch {
		case !p.known, name == "lo":
			k.carried = false
		case p.monitor:
			k.carried = p.radio == "" && !p.hardware || p.radio != "" && numberOf(places, func(other placement) bool { return other.radio == p.radio && !other.monitor }) > 0
		case p.standsForFunction():
			k.carried = numberOf(places, func(other placement) bool { return other.card == p.card && !other.standsForFunction() }) > 0
		case p.moved:
			k.carried = false
		case p.ppp && linesCounted:
			k.carried = true
		case p.hardware:
			k.carried = places[p.master].hardware || slices.ContainsFunc(p.lowers, func(lower string) bool { return places[lower].master != name })
		case n.anyHardware:
			k.carried = !p.ppp
		default:
			k.carried = p.stacked
		}
	}
}

// placementOf reads what sysfs has. A physical device may be the member of one of which it is the fast path, and both count its packets; and a
// port of a switch is stacked on the interface that leads to the switch.
func placementOf(root rootfs.Root, class, name string) placement {
	dir := class + "/" + name
	target := root.Readlink(dir)
	if target == "" {
		return placement{}
	}
	p := placement{known: true, hardware: !strings.Contains(target, "/virtual/")}
	if master := root.Readlink(dir + "/master"); master != "" {
		p.master = baseOf(master)
	}
	for _, entry := range root.ReadDir(dir) {
		if lower, ok := strings.CutPrefix(entry, "lower_"); ok {
			p.lowers = append(p.lowers, lower)
		}
		p.stacked = p.stacked || entry == "bonding" || entry == "bridge"
	}
	switch kind := deviceType(root, dir); kind {
	case "vlan", "macvlan", "macvtap", "ipvlan":
		p.moved = len(p.lowers) == 0
	case "bond", "bridge", "team", "hsr":
		p.stacked = true
	}
	p.stacked = p.stacked || len(p.lowers) > 0
	switch word(root, dir+"/type") {
	case "512": // ARPHRD_PPP
		p.ppp = true
	case "801", "802", "803", "824", "826": // ARPHRD_IEEE80211 and its monitors, netlink, vsockmon
		p.monitor = true
	}
	if radio := root.Readlink(dir + "/phy80211"); radio != "" {
		p.radio = baseOf(radio)
	}
	if p.hardware {
		p.card, p.port = word(root, dir+"/phys_switch_id"), word(root, dir+"/phys_port_name")
	}
	return p
}

// functionPort is the name of a port that leads to a function of a network card, virtual or not: drivers/net/…, net/core/devlink.c.
var functionPort = regexp.MustCompile(`^(c\d+)?pf\d+([vs]f\d+)?$`)

// standsForFunction tells whether the interface stands on the switch of a network card for a function, for instance one that a virtual machine has. What
// goes to the function over the wire is counted by the card's own port, too.
func (p placement) standsForFunction() bool { return p.card != "" && functionPort.MatchString(p.port) }

func numberOf(places map[string]placement, is func(placement) bool) int {
	count := 0
	for _, p := range places {
		if is(p) {
			count++
		}
	}
	return count
}

// pppoeSessions is how many point-to-point links there are over Ethernet, whose packets the interface below counts, too; -1 for none. sysfs does
// not tell them from those over a modem's line.
func (n *Interfaces) pppoeSessions() int {
	file := "proc/net/pppoe"
	if n.host.root != "" {
		file = "proc/1/net/pppoe"
	}
	text, err := readFile(n.host.dir, n.host.Path(file), nil, maxFileSize)
	if err != nil {
		return -1
	}
	lines := bytes.Count(bytes.TrimSpace(text), []byte("\n")) // The first is the heading.
	if lines == 0 {
		return -1
	}
	return lines
}

func baseOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// deviceType is the type that some drivers give, "" without.
func deviceType(root rootfs.Root, dir string) string {
	text, err := readFile(root, dir+"/uevent", nil, maxFileSize)
	if err != nil {
		return ""
	}
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		if kind, ok := strings.CutPrefix(string(l), "DEVTYPE="); ok {
			return kind
		}
	}
	return ""
}

// dropCarried takes out the interfaces that are not to be shown. It classifies first, if it is time.
func (n *Interfaces) dropCarried() {
	if n.except == nil || n.ownNamespace {
		return
	}
	if n.changed || !n.anyHardware && n.reads%reclassifyAfter == 0 {
		n.classify()
		n.changed = false
	}
	n.interfaces = slices.DeleteFunc(n.interfaces, func(i Interface) bool { return n.isHidden(n.known[i.Name]) })
}

func (n *Interfaces) isHidden(k *knownInterface) bool {
	return n.except != nil && !n.ownNamespace && k.carried && !n.except(k.name)
}
