package host

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// innerGroup is the group that crun makes in that of a container, and that it puts the processes and their limits into; so do Podman and CRI-O with it.
const innerGroup = "/container"

// ownValues are those that a group has for itself, and not for the groups in it, by what tells two of them apart: the lower of two limits holds,
// and of what the scheduler counted the group that has a limit has more.
var ownValues = [cgroup.NumValues]func(a, b int64) int64{
	cgroup.CPULimit: lower, cgroup.MemoryLimit: lower, cgroup.MemoryHigh: lower, cgroup.SwapLimit: lower, cgroup.PIDLimit: lower,
	cgroup.Periods: higher, cgroup.ThrottledPeriods: higher, cgroup.ThrottledTime: higher,
}

func higher(a, b int64) int64 { return max(a, b) }

func lower(a, b int64) int64 {
	if a < 0 || b < 0 {
		return max(a, b)
	}
	return min(a, b)
}

// readInner reads the limits that a container has in the group of its processes, where its runtime makes one.
func (c *Cgroups) readInner(n *cgroupNode) {
	if n.inner == nil {
		if c.scan < n.innerUntil {
			return
		}
		if !c.hasInner(n) {
			if n.innerUntil = c.scan + absentScans; n.New {
				n.innerUntil = c.scan + 1 // It may be made at this moment.
			}
			return
		}
		n.inner = make([]nodeFile, len(c.files))
	}
	outer := n.Now
	c.inner.Reset()
	n.Now = &c.inner
	path := n.Path
	n.Path += innerGroup
	for i := range c.files {
		if f := &n.inner[i]; hasOwnValues(&c.files[i].File) && n.has(c.files[i].mount) && f.absentUntil <= c.scan {
			c.readFile(n, &c.files[i], f)
		}
	}
	n.Now, n.Path = outer, path
	for v, combine := range ownValues {
		if combine != nil {
			outer.Values[v] = combine(outer.Values[v], c.inner.Values[v])
		}
	}
}

func (c *Cgroups) hasInner(n *cgroupNode) bool {
	for m := range c.mounts {
		if n.has(m) && c.host.dir.Exists(c.mounts[m].path+n.Path+innerGroup) {
			return true
		}
	}
	return false
}

// hasOwnValues tells whether a file has values that a group has for itself.
func hasOwnValues(f *cgroup.File) bool {
	for _, v := range f.Gives {
		if ownValues[v] != nil {
			return true
		}
	}
	return false
}
