package host

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	buddyinfoFile = "proc/buddyinfo"
	nodesDir      = "sys/devices/system/node"
	blockDir      = "sys/block"
	ksmDir        = "sys/kernel/mm/ksm/"

	// maxOrders is more than the orders of blocks that any kernel has.
	maxOrders = 32
	// relistZRAMAfter is the number of reads after which the compressed block devices are looked for again.
	relistZRAMAfter = 4
)

// MemoryZone is the free memory of one zone of a NUMA node.
type MemoryZone struct {
	Node int64
	Name string // DMA, DMA32, Normal, Movable…
	// Blocks are the free blocks by order: those at place n are of 2 to the power of n pages. One that could not be read is Odd.
	Blocks []int64
}

// MemoryZones gives the free blocks of each zone, from /proc/buddyinfo. ErrUnsupported on other systems. The slice is valid until the next read.
func (d *MemoryDetails) MemoryZones() ([]MemoryZone, error) {
	text, err := d.host.read(buddyinfoFile)
	if err != nil {
		return nil, optional(err)
	}
	d.zones, err = parseBuddyinfo(text, d.zones, &d.host.names)
	return d.zones, err
}

// MemoryDetails reads what the kernel says of the memory beside its totals. It is not safe for concurrent use.
type MemoryDetails struct {
	host  *Host
	zones []MemoryZone

	nodes    []NUMANode
	nodesAge int // reads until they are looked for again

	zram    []ZRAM
	zramAge int
	buf     []byte
}

// NewMemoryDetails returns a reader of the memory of a host.
func NewMemoryDetails(h *Host) *MemoryDetails { return &MemoryDetails{host: h} }

// parseBuddyinfo reads lines such as: Node 0, zone   Normal   8183   8867   3489.
func parseBuddyinfo(text []byte, zones []MemoryZone, known *names) ([]MemoryZone, error) {
	odd := oddValues{file: buddyinfoFile}
	n := 0
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		word, values := proctext.Field(l)
		node, values := proctext.Field(values)
		zone, values := proctext.Field(values)
		name, values := proctext.Field(values)
		number, ok := proctext.Int(bytes.TrimSuffix(node, []byte{','}))
		if string(word) != "Node" || !ok || string(zone) != "zone" || len(name) == 0 {
			odd.add(l)
			continue
		}
		if slices.ContainsFunc(zones[:n], func(z MemoryZone) bool { return z.Node == number && z.Name == string(name) }) {
			continue // A zone that was there already.
		}
		if n == len(zones) {
			zones = append(zones, MemoryZone{})
		}
		z := &zones[n]
		n++
		z.Node, z.Name, z.Blocks = number, known.of(name), z.Blocks[:0]
		for len(z.Blocks) < maxOrders {
			var f []byte
			if f, values = proctext.Field(values); len(f) == 0 {
				break
			}
			blocks, ok := proctext.Int(f)
			if !ok {
				odd.add(l)
				blocks = Odd
			}
			z.Blocks = append(z.Blocks, blocks)
		}
	}
	if n == 0 {
		return zones[:0], malformed(buddyinfoFile, text)
	}
	// Each zone has as many orders. Where one lacks a number, nobody knows of which order the others are.
	orders := 0
	for _, z := range zones[:n] {
		orders = max(orders, len(z.Blocks))
	}
	for i := range zones[:n] {
		if z := &zones[i]; len(z.Blocks) < orders {
			odd.addFact("fewer orders in zone " + z.Name)
			z.Blocks = z.Blocks[:0]
		}
	}
	return zones[:n], odd.err
}

// NUMANode is the memory of one node, in bytes, and the pages that were allocated on it since boot. A number is -1 where the kernel does not report it,
// Odd where it could not be read.
type NUMANode struct {
	Number            int64
	Total, Free, Used int64
	// Hit is of pages that came from the node that they were to come from; Miss of those that came from this node instead of another; Foreign of
	// those that were to come from this node, and came from another. Local and Other are of pages for processes on this node, and on others.
	Hit, Miss, Foreign, InterleaveHit, Local, Other int64

	meminfo, numastat string // names of the files
}

// NUMANodes gives the nodes, from /sys/devices/system/node. What could not be read of one is an error beside the rest. ErrUnsupported where the kernel
// knows none. The slice is valid until the next read.
func (d *MemoryDetails) NUMANodes() ([]NUMANode, error) {
	if d.nodesAge--; d.nodesAge < 0 {
		d.nodesAge = rediscoverAfter
		d.nodes = d.nodes[:0]
		for _, name := range d.host.list(nodesDir) {
			if number, ok := proctext.Int([]byte(strings.TrimPrefix(name, "node"))); ok && strings.HasPrefix(name, "node") {
				dir := nodesDir + "/" + name
				d.nodes = append(d.nodes, NUMANode{Number: number, meminfo: dir + "/meminfo", numastat: dir + "/numastat"})
			}
		}
	}
	if len(d.nodes) == 0 {
		return nil, ErrUnsupported
	}
	var failed error
	for i := range d.nodes {
		n := &d.nodes[i]
		*n = NUMANode{
			Number: n.Number, Total: absent, Free: absent, Used: absent, Hit: absent, Miss: absent, Foreign: absent, InterleaveHit: absent,
			Local: absent, Other: absent, meminfo: n.meminfo, numastat: n.numastat,
		}
		for _, file := range [...]struct {
			name  string
			parse func(n *NUMANode, text []byte) error
		}{{n.meminfo, (*NUMANode).parseMeminfo}, {n.numastat, (*NUMANode).parseNumastat}} {
			var err error
			if d.buf, err = d.host.readOnce(file.name, d.buf); err == nil {
				err = file.parse(n, d.buf)
			} else if err = optional(err); errors.Is(err, ErrUnsupported) {
				err = nil // The node has gone, or the kernel has no such file.
				d.nodesAge = 0
			}
			failed = cmp.Or(failed, err)
		}
	}
	return d.nodes, failed
}

// parseMeminfo reads lines such as: Node 0 MemTotal: 24684096 kB.
func (n *NUMANode) parseMeminfo(text []byte) error {
	odd := oddValues{file: n.meminfo}
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		_, values := proctext.Field(l)
		_, values = proctext.Field(values)
		key, values := proctext.Field(values)
		var dst *int64
		switch string(key) {
		case "MemTotal:":
			dst = &n.Total
		case "MemFree:":
			dst = &n.Free
		case "MemUsed:":
			dst = &n.Used
		default:
			continue
		}
		number, _ := proctext.Field(values)
		v, ok := proctext.Int(number)
		if !ok || v > 1<<50 {
			odd.add(l)
			*dst = Odd
			continue
		}
		*dst = v * 1024
	}
	if n.Total == absent && n.Free == absent && n.Used == absent {
		return malformed(n.meminfo, text)
	}
	return odd.err
}

// parseNumastat reads lines such as: numa_hit 1127012090.
func (n *NUMANode) parseNumastat(text []byte) error {
	odd := oddValues{file: n.numastat}
	found := false
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		key, number := proctext.Field(l)
		var dst *int64
		switch string(key) {
		case "numa_hit":
			dst = &n.Hit
		case "numa_miss":
			dst = &n.Miss
		case "numa_foreign":
			dst = &n.Foreign
		case "interleave_hit":
			dst = &n.InterleaveHit
		case "local_node":
			dst = &n.Local
		case "other_node":
			dst = &n.Other
		default:
			continue
		}
		found = true
		*dst = oddNumber(number, l, &odd)
	}
	if !found {
		return malformed(n.numastat, text)
	}
	return odd.err
}

// oddNumber reads the number that text begins with; Odd, and an error for its line, where there is none.
func oddNumber(text, line []byte, odd *oddValues) int64 {
	number, _ := proctext.Field(text)
	v, ok := proctext.Int(number)
	if !ok {
		odd.add(line)
		return Odd
	}
	return v
}

// ZRAM is a compressed block device in memory, in bytes. A number is Odd where it could not be read.
type ZRAM struct {
	Name                       string
	Original, Compressed, Used int64 // the data, the data compressed, and the memory that it takes in all

	state, stat string // names of the files
}

// ZRAMDevices gives the devices that are in use, from /sys/block/zram*/mm_stat. ErrUnsupported without such devices. The slice is valid until the next
// read.
func (d *MemoryDetails) ZRAMDevices() ([]ZRAM, error) {
	if d.zramAge--; d.zramAge < 0 {
		d.zramAge = relistZRAMAfter
		d.zram = d.zram[:0]
		for _, name := range d.host.list(blockDir) {
			if strings.HasPrefix(name, "zram") {
				d.zram = append(d.zram, ZRAM{Name: name, state: blockDir + "/" + name + "/initstate", stat: blockDir + "/" + name + "/mm_stat"})
			}
		}
	}
	var failed error
	for i := range d.zram {
		z := &d.zram[i]
		z.Original, z.Compressed, z.Used = absent, absent, absent
		var err error
		if d.buf, err = d.host.readOnce(z.state, d.buf); err == nil && len(d.buf) > 0 && d.buf[0] == '0' {
			continue // Without a size.
		}
		if d.buf, err = d.host.readOnce(z.stat, d.buf); err == nil {
			err = z.parse(d.buf)
		} else if err = optional(err); errors.Is(err, ErrUnsupported) {
			err, d.zramAge = nil, 0
		}
		failed = cmp.Or(failed, err)
	}
	if len(d.zram) == 0 {
		return nil, ErrUnsupported
	}
	return d.zram, failed
}

// parse reads the first numbers of a line: the size of the data, of the data compressed, and of the memory that it takes.
func (z *ZRAM) parse(text []byte) error {
	odd := oddValues{file: z.stat}
	l, _ := proctext.Line(text)
	values := l
	for _, dst := range [...]*int64{&z.Original, &z.Compressed, &z.Used} {
		*dst = oddNumber(values, l, &odd)
		_, values = proctext.Field(values)
	}
	if z.Original == Odd && z.Compressed == Odd && z.Used == Odd {
		return malformed(z.stat, text)
	}
	return odd.err
}

// KSM is what kernel samepage merging has: pages of the moment, and scans since it was started. A number is -1 where the kernel does not report it, Odd
// where it could not be read.
type KSM struct {
	Shared    int64 // pages that stand for others
	Sharing   int64 // pages that are not there because of them
	Unshared  int64 // pages that are looked at again and again, and are like no other
	Volatile  int64 // pages that change too fast
	FullScans int64
}

// KSM gives the state of kernel samepage merging, from /sys/kernel/mm/ksm. ErrUnsupported where the kernel has none.
func (h *Host) KSM() (KSM, error) {
	var k KSM
	var failed error
	for _, file := range [...]struct {
		name string
		dst  *int64
	}{
		{ksmDir + "pages_shared", &k.Shared},
		{ksmDir + "pages_sharing", &k.Sharing},
		{ksmDir + "pages_unshared", &k.Unshared},
		{ksmDir + "pages_volatile", &k.Volatile},
		{ksmDir + "full_scans", &k.FullScans},
	} {
		v, err := h.readInt(file.name)
		switch {
		case err == nil:
		case errors.Is(optional(err), ErrUnsupported):
			v, err = absent, nil
		case !IsOdd(err):
			v = Odd
		}
		*file.dst = v
		failed = cmp.Or(failed, err)
	}
	if failed == nil && k == (KSM{absent, absent, absent, absent, absent}) {
		return k, ErrUnsupported
	}
	return k, failed
}
