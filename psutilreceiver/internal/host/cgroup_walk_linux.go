package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	// maxCgroupDepth bounds how deep groups are looked for, and maxCgroups how many: the kernel itself has no limit by default.
	maxCgroupDepth = 32
	maxCgroups     = 100_000
	// maxInUnit is in how many groups of a unit containers are looked for. A user may make groups without end in those of their own, and name one so that it
	// looks like a container: the unit is one group then.
	maxInUnit = 2000
	// maxCgroupMounts is how many hierarchies there can be.
	maxCgroupMounts = int(cgroup.NumControllers)
)

// cgroupNode is a group of the tree.
type cgroupNode struct {
	Cgroup
	name     []byte // zero at its end
	children map[string]*cgroupNode
	order    []*cgroupNode // children, as they came
	inodes   [maxCgroupMounts]uint64
	seen     [maxCgroupMounts]uint32 // scan in which the hierarchy had it last
	scan     uint32                  // the last of these

	born   uint32 // scan in which it was found
	closed bool   // Nothing in it is distinguished: a container.
	inside bool   // a container lies in it
	below  int    // how many groups lie in it, as far as they are looked for
	shown  bool   // distinguished

	paths      []string // of its directories, by hierarchy, if groups were looked for in it
	files      []nodeFile
	inner      []nodeFile     // of the group of a container's processes, where its runtime makes one
	innerUntil uint32         // scan in which that is looked for again
	other      *cgroup.Sample // Before, or memory for it
	readInScan uint32         // 0: never
}

func (c *Cgroups) newNode(path string, name []byte) *cgroupNode {
	n := &cgroupNode{name: append(append([]byte(nil), name...), 0)}
	n.Name = cgroup.NameOf(path)
	n.Now = new(cgroup.Sample)
	n.Now.Reset()
	n.closed = n.ContainerID != "" || n.Machine != ""
	return n
}

// has tells whether the group is in a hierarchy.
func (n *cgroupNode) has(mount int) bool { return n.inodes[mount] != 0 }

// pathOf is the path of a file of the group, as this process opens it.
func (n *cgroupNode) pathOf(c *Cgroups, f *cgroupFile) string {
	return c.mounts[f.mount].path + strings.TrimSuffix(n.Path, "/") + "/" + f.Name
}

// close closes what is kept open of the group and of those in it.
func (n *cgroupNode) close() {
	n.closeFiles()
	for _, child := range n.order {
		child.close()
	}
}

// closeBelow closes what was kept open of groups that are no longer distinguished.
func (n *cgroupNode) closeBelow() {
	for _, child := range n.order {
		if child.readInScan != 0 {
			child.closeFiles()
		}
		child.closeBelow()
	}
}

func (n *cgroupNode) closeFiles() {
	for i := range n.files {
		cgroupBudget.Close(&n.files[i].File)
	}
	for i := range n.inner {
		cgroupBudget.Close(&n.inner[i].File)
	}
	n.inner, n.innerUntil = nil, 0
	n.files, n.Before, n.other, n.readInScan = nil, nil, nil, 0
}

// walk brings the tree up to date, and collects what is to be read.
func (c *Cgroups) walk() {
	dirs := noDirs
	for m := range c.mounts {
		fd, err := c.host.dir.OpenDir(c.mounts[m].path)
		if err != nil {
			c.failed("open", c.mounts[m].path, err)
			continue
		}
		dirs[m] = fd
	}
	c.nodes = c.nodes[:0]
	budget := c.limit
	c.list(c.root, dirs, 1, &budget)
	c.collect(c.root, 1)
}

// listWithin is list with a share of the budget: whoever makes groups without end must not hide those of others.
func (c *Cgroups) listWithin(n *cgroupNode, dirs cgroupDirs, depth int, budget *int) {
	const shared = 6 // levels; below there are only groups of one owner
	share := *budget
	if depth <= shared {
		share = (share + 1) / 2
	}
	*budget -= share
	c.list(n, dirs, depth, &share)
	if share == 0 && c.listErr == nil {
		c.listErr = errTooManyCgroups
	}
	*budget += share
}

var errTooManyCgroups = fmt.Errorf("there are more than %d control groups: not all are looked at", maxCgroups)

// failed notes that groups could not be listed.
func (c *Cgroups) failed(op, path string, err error) {
	if c.listErr == nil {
		c.listErr = &fs.PathError{Op: op, Path: path, Err: err}
	}
}

// cgroupDirs are the open directories of a group, -1 where a hierarchy does not have it.
type cgroupDirs [maxCgroupMounts]int

var noDirs = func() (d cgroupDirs) {
	for i := range d {
		d[i] = -1
	}
	return d
}()

// list brings the groups in a group up to date, which lie that deep. It closes the directories.
func (c *Cgroups) list(n *cgroupNode, dirs cgroupDirs, depth int, budget *int) {
	for m, fd := range dirs {
		if fd >= 0 {
			c.listIn(n, m, fd, budget)
		}
	}
	n.removeGone(c.scan)
	n.inside, n.below = false, len(n.order)
	for _, child := range n.order {
		if !child.closed && depth < maxCgroupDepth && depth != c.options.Depth {
			if below := c.openBelow(n, child, &dirs); below != noDirs {
				c.listWithin(child, below, depth+1, budget)
			} else {
				child.removeAll()
			}
		}
		n.below += child.below
		n.inside = n.inside || child.inside || child.ContainerID != ""
	}
	for _, fd := range dirs {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// listIn notes the groups that a hierarchy has in a group.
func (c *Cgroups) listIn(n *cgroupNode, mount, fd int, budget *int) {
	for {
		size, err := unix.Getdents(fd, c.entries)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV):
			return // It has gone.
		case err != nil:
			c.failed("listing", c.mounts[mount].path+n.Path, err)
			return
		case size <= 0:
			return
		}
		parseEntries(c.entries[:size], func(name []byte, inode uint64, kind byte) {
			if kind == unix.DT_DIR && name[0] != '.' && *budget > 0 {
				*budget--
				c.note(n, mount, name, inode)
			}
		})
	}
}

// note notes a group that a hierarchy has in another.
func (c *Cgroups) note(n *cgroupNode, mount int, name []byte, inode uint64) {
	child := n.children[string(name)]
	if child != nil && child.seen[mount] != 0 && child.inodes[mount] != inode && child.inodes[mount] != 0 {
		n.remove(child) // Another group has the name by now.
		child = nil
	}
	if child == nil {
		path := strings.TrimSuffix(n.Path, "/") + "/" + string(name)
		child = c.newNode(path, name)
		if st, err := c.host.dir.Stat(c.mounts[mount].path + path); err == nil {
			child.Created = time.Unix(st.Mtim.Unix())
		}
		child.Identity, child.born = inode, c.scan
		if n.children == nil {
			n.children = make(map[string]*cgroupNode)
		}
		n.children[string(name)] = child
		n.order = append(n.order, child)
	}
	child.inodes[mount], child.seen[mount], child.scan = inode, c.scan, c.scan
}

// openBelow opens the directories of a group that may have groups in it.
func (c *Cgroups) openBelow(n, child *cgroupNode, dirs *cgroupDirs) cgroupDirs {
	below := noDirs
	if n.paths == nil {
		for m := range c.mounts {
			n.paths = append(n.paths, c.mounts[m].path+strings.TrimSuffix(n.Path, "/"))
		}
	}
	for m, fd := range dirs {
		if fd < 0 || !child.has(m) {
			continue
		}
		dir := rootfs.Directory{FD: fd, Path: n.paths[m]}
		const own = 2 // links of a directory without directories
		if links, ok := dir.Links(child.name); ok && links == own {
			continue
		}
		switch opened, err := dir.OpenDir(child.name); {
		case err == nil:
			below[m] = opened
		case !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENODEV):
			c.failed("open", n.paths[m]+"/"+string(child.name[:len(child.name)-1]), err)
		}
	}
	return below
}

// collect decides which of the groups in a group are distinguished: containers and machines; services and scopes, unless a container lies in them;
// others, such as slices, that no group lies in. Of those right below the root all are read, for the sum.
func (c *Cgroups) collect(n *cgroupNode, depth int) {
	for _, child := range n.order {
		child.shown = child.closed || len(child.order) == 0 || child.isUnit() && (!child.inside || child.below > c.inUnit)
		switch {
		case child.shown, depth == 1:
			c.nodes = append(c.nodes, child)
		case child.files != nil:
			child.closeFiles()
		}
		if !child.shown {
			c.collect(child, depth+1)
		} else {
			child.closeBelow()
		}
	}
}

func (n *cgroupNode) isUnit() bool {
	return strings.HasSuffix(n.Path, ".service") || strings.HasSuffix(n.Path, ".scope")
}

// removeGone removes the groups that a whole scan has not found, and forgets hierarchies that have one no longer.
func (n *cgroupNode) removeGone(scan uint32) {
	kept := n.order[:0]
	for _, child := range n.order {
		child.New = child.born == scan
		if child.scan != scan {
			child.close()
			delete(n.children, string(child.name[:len(child.name)-1]))
			continue
		}
		for m := range child.inodes {
			if child.seen[m] != scan {
				child.inodes[m] = 0
			}
		}
		kept = append(kept, child)
	}
	clear(n.order[len(kept):])
	n.order = kept
}

func (n *cgroupNode) remove(child *cgroupNode) {
	child.close()
	delete(n.children, string(child.name[:len(child.name)-1]))
	for i := range n.order {
		if n.order[i] == child {
			n.order = append(n.order[:i], n.order[i+1:]...)
			return
		}
	}
}

func (n *cgroupNode) removeAll() {
	for _, child := range n.order {
		child.close()
	}
	n.order, n.inside, n.below = n.order[:0], false, 0
	clear(n.children)
}
