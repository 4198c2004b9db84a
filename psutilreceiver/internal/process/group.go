package process

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// A GroupKey is an attribute that processes are grouped by.
type GroupKey string

// The group keys.
const (
	GroupExecutable GroupKey = "executable"
	GroupOwner      GroupKey = "owner"
	GroupCgroup     GroupKey = "cgroup"
	GroupUnit       GroupKey = "systemd_unit"
	GroupProgram    GroupKey = "program"
)

// GroupLabels holds the values that the members of a group share. Those that processes are not grouped by are empty.
type GroupLabels struct {
	Executable, Owner, Cgroup, Unit, Program string
}

// Name joins the values by commas. It is "none" if all are empty, as for processes outside of any systemd unit.
func (l GroupLabels) Name() string {
	values := slices.DeleteFunc([]string{l.Executable, l.Program, l.Owner, l.Cgroup, l.Unit}, func(v string) bool { return v == "" })
	if len(values) == 0 {
		return "none"
	}
	return strings.Join(values, ",")
}

// A Group is several processes taken together: those that share labels, the remainder, or those that a filter excludes.
// Its counters never fall: a member that exits or moves elsewhere leaves behind what it added.
type Group struct {
	Labels     GroupLabels
	Members    int         // processes in it at this scrape
	Since      time.Time   // from when its counters count: the scrape before the one that first had a member, or the tracker's first
	Total      read.Totals // the sum of all deltas since then
	Delta      Deltas      // what the current members added since the previous scrape, and what those did that have ended, where the source tells of ends
	Levels     read.Levels // the sum over the current members
	Have       read.Fields // the fields that were read of at least one current member
	CgroupText string      // of /proc/PID/cgroup of its first member, if processes are grouped by cgroup
	Oldest     read.Key    // of the member that started first; of no process where there is no member
	States     [128]int32  // members by the kernel's letter of their state

	// CPUUtilization is the share of the CPUs available that the members used since the previous scrape, from 0 to 1, if HasUtilization.
	CPUUtilization float64
	HasUtilization bool

	rankedBy    uint8 // bit i: the i-th rank key selected the group
	shown       bool
	ended       bool   // has what processes used that have ended since the scrape before
	awaited     int    // members that have gone and whose end was not told yet
	firstScrape uint64 // number of the scrape in which the group appeared
}

// Base returns what the group had counted by the previous scrape.
func (g *Group) Base() read.Totals { return before(&g.Total, &g.Delta) }

// begin starts a scrape, in which the group has no members yet.
func (g *Group) begin() {
	g.Members, g.Delta, g.Levels, g.Have, g.ended = 0, Deltas{}, read.Levels{}, 0, false
	g.Oldest, g.States = read.Key{}, [128]int32{}
}

// isRanked tells whether it is decided in this scrape if the group is shown. An empty one stays what it was.
func (g *Group) isRanked() bool { return g.Members > 0 || g.ended }

func (g *Group) addProcess(p *Process) {
	g.Members++
	if g.Oldest == (read.Key{}) || p.Start < g.Oldest.Start {
		g.Oldest = p.Key
	}
	g.States[p.State&127]++
	g.add(&p.Delta, &p.Levels, p.Have)
}

func (g *Group) add(delta *Deltas, levels *read.Levels, have read.Fields) {
	g.Delta.add(delta)
	advance(&g.Total, delta)
	for l := range read.NumLevels {
		if have&l.Field() != 0 {
			g.Levels[l] += levels[l]
		}
	}
	g.Have |= have
}

// grouping keeps the groups that share labels.
type grouping struct {
	keys     []GroupKey
	needs    read.Attributes
	byLabels map[GroupLabels]*Group
	list     []*Group // in the order in which they appeared
}

func newGrouping(keys []GroupKey) (*grouping, error) {
	g := &grouping{keys: keys, byLabels: map[GroupLabels]*Group{}}
	for _, key := range keys {
		switch key {
		case GroupExecutable:
			g.needs |= read.AttributeExecutable
		case GroupOwner:
			g.needs |= read.AttributeOwner
		case GroupCgroup, GroupUnit:
			g.needs |= read.AttributeCgroup
		case GroupProgram:
			g.needs |= read.AttributeProgram
		default:
			return nil, fmt.Errorf("group_by has %q: must be executable, program, owner, cgroup or systemd_unit", key)
		}
	}
	return g, nil
}

// labelsOf returns the labels of the group that a process with this identity belongs to.
func (g *grouping) labelsOf(id *read.Identity) (labels GroupLabels) {
	for _, key := range g.keys {
		switch key {
		case GroupExecutable:
			labels.Executable = id.Executable
		case GroupOwner:
			labels.Owner = id.Owner
		case GroupCgroup:
			labels.Cgroup = id.Cgroup
		case GroupUnit:
			labels.Unit = id.Unit
		case GroupProgram:
			labels.Program = id.Program
		}
	}
	return labels
}

// find returns the group that a process with this identity belongs to, nil if there is none.
func (g *grouping) find(id *read.Identity) *Group { return g.byLabels[g.labelsOf(id)] }

// of returns the group that a process with this identity belongs to.
func (g *grouping) of(id *read.Identity, since time.Time, scrape uint64) *Group {
	labels := g.labelsOf(id)
	group := g.byLabels[labels]
	if group == nil {
		group = &Group{Labels: labels, Since: since, firstScrape: scrape}
		if labels.Cgroup != "" {
			group.CgroupText = id.CgroupText
		}
		g.byLabels[labels] = group
		g.list = append(g.list, group)
	}
	return group
}

// begin starts a scrape. Groups that the previous scrape reported without a member are removed; a later group with the same labels is another
// one. Such a group stays while it gets what processes used that no scan saw, and while the end of a member is awaited.
func (g *grouping) begin() {
	g.list = slices.DeleteFunc(g.list, func(group *Group) bool {
		empty := !group.isRanked() && group.awaited == 0
		if empty {
			delete(g.byLabels, group.Labels)
		}
		group.begin()
		return empty
	})
}
