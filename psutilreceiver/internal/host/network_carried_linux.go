package host

import (
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
	master   string
	lowers   []string
}

// classify finds out of each interface whether it carries traffic of the host that no other one counts. With interfaces of devices these are
// the ones: what goes through bonds, bridges and their ports, VLANs, tunnels and links to containers enters and leaves the host by them.
// Without any, as in a container, they are those that are not stacked on others.
func (n *Interfaces) classify() {
	class := n.host.Path("sys/class/net")
	places := make(map[string]placement, len(n.known))
	n.anyHardware = false
	for name := range n.known {
		p := placementOf(n.host.dir, class, name)
		places[name] = p
		n.anyHardware = n.anyHardware || p.hardware
	}
	for name, k := range n.known {
		p := places[name]
		switch {
		case !p.known, name == "lo":
			k.carried = false
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
	p.stacked = p.stacked || len(p.lowers) > 0 || isStackedType(root, dir)
	const pppType = "512" // ARPHRD_PPP
	p.ppp = word(root, dir+"/type") == pppType
	return p
}

func baseOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// isStackedType tells by the type that some drivers give.
func isStackedType(root rootfs.Root, dir string) bool {
	text, err := readFile(root, dir+"/uevent", nil, maxFileSize)
	if err != nil {
		return false
	}
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		if kind, ok := strings.CutPrefix(string(l), "DEVTYPE="); ok {
			return kind == "vlan" || kind == "bond" || kind == "bridge" || kind == "team" || kind == "macvlan" || kind == "ipvlan" || kind == "hsr"
		}
	}
	return false
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
