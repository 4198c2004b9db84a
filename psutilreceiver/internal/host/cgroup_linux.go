package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
)

const (
	// maxCgroupFiles is enough for eight files of 4,000 groups.
	maxCgroupFiles = 32 << 10
	// cgroupFileShare: all readers together keep open one in so many of the descriptors that this process is allowed.
	cgroupFileShare = 4
	// cgroupFileLimit is how large a file of a group may be.
	cgroupFileLimit = 1 << 20
	// cgroupBuffer is the first size of a buffer for the text of one: io.stat has a line for each device.
	cgroupBuffer = 16 << 10
	// absentScans is for how many scans a file that a group does not have is not looked for again: a controller may be enabled later.
	absentScans = 30
)

// cgroupBudget bounds the files that all readers of this process keep open together. Other files are opened each time.
var cgroupBudget heldfile.Budget

// Cgroups reads the control groups of a host, of version 2, or of version 1 where that has the controllers. It is not safe for concurrent use.
type Cgroups struct {
	host    *Host
	options CgroupOptions
	limit   int // of groups that are looked at
	inUnit  int // of groups of a unit in which containers are looked for

	mounts  []cgroupMount // that have a file which is read; none before there are any
	files   []cgroupFile
	root    *cgroupNode
	scan    uint32
	errs    cgroupErrors // of files
	listErr error        // the first of directories

	groups []*Cgroup // of the last scan
	nodes  []*cgroupNode
	whole  [2]cgroup.Sample
	inner  cgroup.Sample // memory for the group of a container's processes
	first  bool          // there was no scan before

	text, entries []byte
	devices       map[uint64]string // names by numbers
}

// cgroupMount is a hierarchy.
type cgroupMount struct {
	path string // as this process opens it
	held bool   // it is the kernel's, so that files may be kept open
}

// cgroupFile is a file of each group.
type cgroupFile struct {
	cgroup.File
	mount int
}

// NewCgroups returns a reader of the host's control groups.
func NewCgroups(h *Host, options CgroupOptions) *Cgroups {
	cgroupBudget.SetShare(cgroupFileShare, maxCgroupFiles)
	return &Cgroups{
		host: h, options: options, limit: maxCgroups, inUnit: maxInUnit, first: true, text: make([]byte, 0, cgroupBuffer), entries: make([]byte, direntBuffer),
		devices: make(map[uint64]string),
	}
}

// Close closes the files that are kept open.
func (c *Cgroups) Close() error {
	if c.root != nil {
		c.root.close()
	}
	return nil
}

// Read reads the groups that are distinguished, valid until the next call. A group that goes meanwhile is left out. The error is ErrUnsupported where
// there are no control groups, and else of groups that could not be listed.
func (c *Cgroups) Read() ([]*Cgroup, error) {
	if len(c.mounts) == 0 {
		c.findHierarchies()
	}
	if len(c.mounts) == 0 {
		return nil, ErrUnsupported
	}
	c.scan++
	c.errs, c.listErr = c.errs[:0], nil
	c.walk()
	c.groups = c.groups[:0]
	for _, n := range c.nodes {
		if c.readNode(n) && n.shown {
			c.groups = append(c.groups, &n.Cgroup)
		}
	}
	// After its parts, so that it is not less than they are.
	c.readNode(c.root)
	c.sumWhole()
	return c.groups, c.listErr
}

// FileErrors joins the errors of reading of the last scan, the first of each kind of file.
func (c *Cgroups) FileErrors() error { return c.errs.join() }

// Whole is what all groups together have used, in this scan and in the last, nil if there was none: of the root, and where the kernel does not keep a
// value of it, of the groups right below.
func (c *Cgroups) Whole() (now, before *cgroup.Sample) {
	if c.first {
		return &c.whole[0], nil
	}
	return &c.whole[0], &c.whole[1]
}

func (c *Cgroups) sumWhole() {
	if c.scan > 1 {
		c.first = false
	}
	c.whole[0], c.whole[1] = c.whole[1], c.whole[0]
	now := &c.whole[0]
	c.root.Now.CopyTo(now)
	for v := range now.Values {
		if now.Values[v] >= 0 {
			continue
		}
		sum, known := int64(0), false
		for _, child := range c.root.order {
			if value := child.Now.Values[v]; child.readInScan == c.scan && value >= 0 {
				sum, known = sum+value, true
			}
		}
		if known {
			now.Values[v] = sum
		}
	}
	if len(now.Devices) == 0 {
		for _, child := range c.root.order {
			if child.readInScan == c.scan {
				now.AddDevices(child.Now)
			}
		}
	}
}

// hierarchies are the places of the hierarchies below /sys/fs/cgroup, the first that there is of each.
var hierarchies = [cgroup.NumControllers][]string{
	cgroup.Unified: {"unified"}, cgroup.CPU: {"cpu,cpuacct", "cpuacct,cpu", "cpu"}, cgroup.CPUAcct: {"cpu,cpuacct", "cpuacct,cpu", "cpuacct"},
	cgroup.Memory: {"memory"}, cgroup.Blkio: {"blkio"}, cgroup.PIDsController: {"pids"},
}

// findHierarchies finds out what is mounted, and which of it has to be read.
func (c *Cgroups) findHierarchies() {
	const base = "sys/fs/cgroup"
	var there [cgroup.NumControllers]bool
	var paths [cgroup.NumControllers]string
	if c.host.exists(base + "/cgroup.controllers") {
		there[cgroup.Unified], paths[cgroup.Unified] = true, base
	} else {
		for controller, names := range hierarchies {
			for _, name := range names {
				mark := "/tasks"
				if controller == int(cgroup.Unified) {
					mark = "/cgroup.controllers"
				}
				if path := base + "/" + name; c.host.exists(path + mark) {
					there[controller], paths[controller] = true, path
					break
				}
			}
		}
	}
	controllers, err := c.host.readOnce(paths[cgroup.Unified]+"/cgroup.controllers", nil)
	if err != nil {
		controllers = nil // There is no version 2.
	}
	for _, f := range c.options.Wanted.Reads(there, string(controllers)) {
		c.files = append(c.files, cgroupFile{f, c.mountAt(c.host.Path(paths[f.Controller]))})
	}
	c.root = c.newNode("/", nil)
	for m := range c.mounts {
		c.root.inodes[m] = 1
	}
}

// mountAt returns the index of the mount at a path, which is added if need be.
func (c *Cgroups) mountAt(path string) int {
	for i := range c.mounts {
		if c.mounts[i].path == path {
			return i
		}
	}
	m := cgroupMount{path: path}
	if st, err := c.host.dir.Statfs(path); err == nil {
		m.held = st.Type == unix.CGROUP_SUPER_MAGIC || st.Type == unix.CGROUP2_SUPER_MAGIC
	}
	c.mounts = append(c.mounts, m)
	return len(c.mounts) - 1
}

// readNode reads the files of a group, and reports false if there is none of them: the group has gone.
func (c *Cgroups) readNode(n *cgroupNode) bool {
	if n.files == nil {
		n.files = make([]nodeFile, len(c.files))
		n.Now = new(cgroup.Sample)
	}
	if n.readInScan != 0 {
		if n.other == nil {
			n.other = new(cgroup.Sample)
		}
		n.Now, n.other = n.other, n.Now
		n.Before = n.other
	}
	n.Now.Reset()
	some := false
	for i := range c.files {
		if c.files[i].Instead && !n.files[i-1].absent {
			continue
		}
		if f := &n.files[i]; n.has(c.files[i].mount) && (f.absentUntil <= c.scan) {
			some = c.readFile(n, &c.files[i], f) || some
		}
	}
	n.readInScan = c.scan
	if some && n.ContainerID != "" {
		c.readInner(n)
	}
	return some
}

// nodeFile is one file of one group.
type nodeFile struct {
	heldfile.File
	absentUntil uint32 // scan in which it is looked for again
	absent      bool   // it was not there when it was looked for last
}

// readFile reads one file of a group into its sample.
func (c *Cgroups) readFile(n *cgroupNode, kind *cgroupFile, f *nodeFile) bool {
	text, err := c.readText(n, kind, f)
	f.absent = err != nil
	switch {
	case err == nil:
	case errors.Is(err, unix.ENODEV):
		return false // The group has gone.
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOTDIR):
		if c.mounts[kind.mount].held {
			f.absentUntil = c.scan + absentScans
		}
		return false
	default:
		c.errs.add(kind.Name, &fs.PathError{Op: "reading", Path: n.pathOf(c, kind), Err: err})
		return true
	}
	if !kind.Parse(text, n.Now) {
		c.errs.add(kind.Name, oddText(strings.TrimPrefix(filepath.Join("sys/fs/cgroup", n.Path, kind.Name), "/"), text))
	}
	return true
}

func (c *Cgroups) readText(n *cgroupNode, kind *cgroupFile, f *nodeFile) (text []byte, err error) {
	if f.IsOpen() {
		c.text, err = heldfile.ReadWhole(f.FD(), c.text, cgroupFileLimit)
		return c.text, err
	}
	fd, err := c.host.dir.OpenFile(n.pathOf(c, kind), cgroupFileLimit)
	if err != nil {
		return nil, err
	}
	c.text, err = heldfile.ReadWhole(fd, c.text, cgroupFileLimit)
	if err != nil || !c.mounts[kind.mount].held || !cgroupBudget.Keep(&f.File, fd) {
		_ = unix.Close(fd) // Nothing was written: there is nothing to report.
	}
	return c.text, err
}

// Device returns the name of a block device, or its numbers where sysfs does not have it.
func (c *Cgroups) Device(major, minor uint32) string {
	key := uint64(major)<<32 | uint64(minor)
	name, ok := c.devices[key]
	if !ok {
		name = filepath.Base(c.host.dir.Readlink(c.host.Path(fmt.Sprintf("sys/dev/block/%d:%d", major, minor))))
		if name == "." || name == "/" {
			name = fmt.Sprintf("%d:%d", major, minor)
		}
		if len(c.devices) < maxCgroupDevices {
			c.devices[key] = name
		}
	}
	return name
}

const maxCgroupDevices = 4096

// cgroupErrors are errors of a scan, the first of each kind of file.
type cgroupErrors []cgroupError

type cgroupError struct {
	file string
	err  error
}

func (e *cgroupErrors) add(file string, err error) {
	for i := range *e {
		if (*e)[i].file == file {
			return
		}
	}
	*e = append(*e, cgroupError{file, err})
}

func (e *cgroupErrors) join() error {
	if len(*e) == 0 {
		return nil
	}
	errs := make([]error, len(*e))
	for i := range *e {
		errs[i] = (*e)[i].err
	}
	return errors.Join(errs...)
}
