package psutilreceiver

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/filter"

	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// cgroupSelection is the choice of groups by their attributes.
type cgroupSelection struct {
	include, exclude cgroupFilters
}

// cgroupFilters are the lists of a CgroupMatch; nil where there is none.
type cgroupFilters struct{ paths, units, containers filter.Filter }

func newCgroupSelection(cfg *CgroupConfig) cgroupSelection {
	filters := func(m *CgroupMatch) cgroupFilters {
		return cgroupFilters{newFilter(m.Paths, m.MatchType), newFilter(m.Units, m.MatchType), newFilter(m.Containers, m.MatchType)}
	}
	return cgroupSelection{filters(&cfg.Include), filters(&cfg.Exclude)}
}

// matches tells whether a group is chosen. What is matched are the attributes as metrics have them.
func (s *cgroupSelection) matches(k *knownCgroup) bool {
	container := func(f filter.Filter) bool {
		for _, name := range [...]string{k.ContainerID, k.container.Name, k.container.PodContainer, k.Machine} {
			if name != "" && f.Matches(printable.Name(name)) {
				return true
			}
		}
		return false
	}
	in, out := &s.include, &s.exclude
	if in.paths != nil && !in.paths.Matches(printable.Name(k.Path)) || in.units != nil && !in.units.Matches(printable.Name(k.Unit)) ||
		in.containers != nil && !container(in.containers) {
		return false
	}
	return (out.paths == nil || !out.paths.Matches(printable.Name(k.Path))) && (out.units == nil || k.Unit == "" || !out.units.Matches(printable.Name(k.Unit))) &&
		(out.containers == nil || !container(out.containers))
}

func (c *CgroupConfig) ranksBy(key string) bool { return c.Top.N > 0 && slices.Contains(c.Top.By, key) }

// choose decides which of the candidates are shown: the first by each key, and those that the key has shown before and that are not far behind.
func (s *cgroupScraper) choose() {
	top := &s.cfg.Top
	if top.N == 0 || len(s.candidates) <= top.N {
		for _, k := range s.candidates {
			k.shown, k.member = true, [3]bool{true, true, true}
		}
		return
	}
	for _, k := range s.candidates {
		k.shown = false
	}
	stays := int(float64(top.N) * top.Hysteresis)
	for i, key := range top.By {
		slices.SortFunc(s.candidates, func(a, b *knownCgroup) int {
			if c := cmp.Compare(rankOf(b, key), rankOf(a, key)); c != 0 {
				return c
			}
			return cmp.Compare(a.Path, b.Path)
		})
		for rank, k := range s.candidates {
			k.member[i] = rank < top.N || rank < stays && k.member[i]
			k.shown = k.shown || k.member[i]
		}
	}
}

// rankOf is what a key compares.
func rankOf(k *knownCgroup, key string) int64 {
	switch key {
	case rankCPU:
		return cpuSince(k)
	case rankMemory:
		return k.Now.Values.WorkingSet()
	}
	if k.Before == nil {
		return cgroup.Absent
	}
	return k.Now.Bytes() - k.Before.Bytes()
}
