package psutilreceiver

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/containerstate"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// namesCgroup tells whether processes have attributes of the group that the cgroup scraper shows for them, beside the identifier of their container.
func namesCgroup(a *metadata.ResourceAttributesConfig) bool {
	return a.ContainerImageName.Enabled || a.ContainerName.Enabled || a.ContainerRuntimeName.Enabled || a.K8sContainerName.Enabled || a.K8sNamespaceName.Enabled ||
		a.K8sPodName.Enabled || a.K8sPodUID.Enabled || a.LinuxCgroupPath.Enabled || a.SystemdSlice.Enabled || a.SystemdUnitName.Enabled
}

// processCgroups are the groups of the processes that are shown.
type processCgroups struct {
	names  *containerstate.Reader
	groups map[string]*processCgroup // by the path of the process
	scan   uint64
}

type processCgroup struct {
	cgroup.Name
	group     string // path of the group that is shown
	container containerstate.Container
	scan      uint64 // in which a process of it was shown last
}

func newProcessCgroups(root string) *processCgroups {
	return &processCgroups{names: containerstate.NewReader(root), groups: make(map[string]*processCgroup)}
}

// begin starts a scrape. The groups without a process in the last one are forgotten.
func (p *processCgroups) begin(now time.Time) {
	if p == nil {
		return
	}
	for path, g := range p.groups {
		if g.scan != p.scan {
			delete(p.groups, path)
		}
	}
	p.scan++
	p.names.Begin(now)
}

// set sets the attributes of the group of a process in a path.
func (p *processCgroups) set(rb *metadata.ResourceBuilder, path string) {
	if p == nil || path == "" {
		return
	}
	g := p.groups[path]
	if g == nil {
		g = &processCgroup{Name: cgroup.NameOf(path), group: cgroup.GroupOf(path)}
		p.groups[path] = g
	}
	g.scan = p.scan
	if g.ContainerID != "" && !g.OfUser() && !g.container.Complete {
		g.container = p.names.Container(g.ContainerID)
	}
	setGroup(rb, &g.Name, &g.container)
	rb.SetLinuxCgroupPath(g.group)
}
