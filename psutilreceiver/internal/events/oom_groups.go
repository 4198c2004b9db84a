package events

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// oomGroups tells in which control groups the kernel killed processes for lack of memory, by the counters of the groups.
type oomGroups struct {
	reader *host.Cgroups
	known  map[groupKey]oomCounters // nil before the first look
}

// groupKey tells a group from a later one of its path.
type groupKey struct {
	path     string
	identity uint64
}

// oomCounters are those of a group: kills in it, and how often its limit was reached in a way that reclaim did not help.
type oomCounters struct{ kills, reached int64 }

// groupKills are the kills in a group since the last look.
type groupKills struct {
	path    string
	kills   int64
	limit   int64 // of the group, in bytes; -1 if it has none
	reached bool  // the limit of the group was
	looks   int   // since then
}

func newOOMGroups(h *host.Host) *oomGroups {
	var wanted cgroup.Wanted
	for _, v := range []cgroup.Value{cgroup.EventOOMKill, cgroup.EventOOM, cgroup.EventMax, cgroup.MemoryLimit} {
		wanted.Values[v] = true
	}
	return &oomGroups{reader: host.NewCgroups(h, host.CgroupOptions{Wanted: wanted})}
}

// look returns the groups in which there were kills since the last look. Of a group that has gone meanwhile nothing is known.
func (g *oomGroups) look() (found []groupKills, err error) {
	groups, err := g.reader.Read()
	if errors.Is(err, host.ErrUnsupported) {
		return nil, nil
	}
	now := make(map[groupKey]oomCounters, len(groups))
	for _, group := range groups {
		v := &group.Now.Values
		kills := v[cgroup.EventOOMKill]
		if kills < 0 {
			continue
		}
		c := oomCounters{kills: kills, reached: v[cgroup.EventOOM]}
		if c.reached < 0 {
			c.reached = v[cgroup.EventMax] // Version 1 has no other.
		}
		key := groupKey{group.Path, group.Identity}
		now[key] = c
		// A group that is new began with 0.
		if before := g.known[key]; g.known != nil && kills > before.kills {
			found = append(found, groupKills{
				path: group.Path, kills: kills - before.kills, limit: v[cgroup.MemoryLimit], reached: c.reached > before.reached,
			})
		}
	}
	g.known = now
	return found, err
}

func (g *oomGroups) close() error { return g.reader.Close() }
