package events

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/containerstate"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// containerSource tells of containers that started and ended: control groups of containers that came and went.
type containerSource struct {
	groups *host.Cgroups
	names  *containerstate.Reader
	presence[string, *seenContainer]
}

// seenContainer is a container as it was seen last.
type seenContainer struct {
	cgroup.Name
	container containerstate.Container
	created   time.Time
}

func newContainerSource(h *host.Host) *containerSource {
	var wanted cgroup.Wanted
	// Of version 2 groups have times whatever their controllers are, of version 1 a container is in these hierarchies. A group without a file has gone.
	wanted.Values[cgroup.CPUUser], wanted.Values[cgroup.MemoryUsage] = true, true
	return &containerSource{
		groups: host.NewCgroups(h, host.CgroupOptions{Wanted: wanted}), names: containerstate.NewReader(h.Root()),
	}
}

func (s *containerSource) look(now time.Time, emit func(Event)) error {
	groups, err := s.groups.Read()
	if err != nil && !errors.Is(err, host.ErrUnsupported) {
		return err // What could not be listed has not gone.
	}
	s.names.Begin(now)
	list := make(map[string]*seenContainer)
	for _, g := range groups {
		if g.ContainerID == "" && g.Machine == "" {
			continue
		}
		key := fmt.Sprintf("%s %d", g.Path, g.Identity)
		c := s.known[key]
		if c == nil {
			c = &seenContainer{Name: g.Name, created: g.Created}
		}
		if c.ContainerID != "" && !c.container.Complete {
			c.container = s.names.Container(c.ContainerID) // A runtime may write its state after it has made the group.
		}
		list[key] = c
	}
	came, went := s.update(list)
	for _, c := range went {
		emit(c.event(ContainerEnded, now))
	}
	for _, c := range came {
		at := c.created
		if at.IsZero() || at.After(now) {
			at = now
		}
		emit(c.event(ContainerStarted, at))
	}
	return nil
}

func (c *seenContainer) event(kind Kind, at time.Time) Event {
	var f fields
	name := cmp.Or(c.container.Name, c.Machine)
	f.text("container.id", c.ContainerID)
	f.text("container.name", name)
	f.text("container.image.name", c.container.Image)
	f.text("container.runtime.name", cmp.Or(c.container.Runtime, c.Runtime))
	f.text("k8s.pod.uid", cmp.Or(c.PodUID, c.container.PodUID))
	f.text("k8s.pod.name", c.container.Pod)
	f.text("k8s.namespace.name", c.container.Namespace)
	f.text("k8s.container.name", c.container.PodContainer)
	f.text("systemd.unit.name", c.Unit)
	f.text("linux.cgroup.path", c.Path)
	text := "Container " + cmp.Or(name, c.container.PodContainer, c.ContainerID)
	if kind == ContainerEnded {
		text += " has ended"
		if lived := at.Sub(c.created); !c.created.IsZero() && lived >= 0 {
			f = append(f, Field{"container.uptime", lived.Seconds()})
		}
	} else {
		text += " has started"
	}
	return Event{Kind: kind, Time: at, Text: text, Fields: f}
}

func (s *containerSource) close() error { return s.groups.Close() }
