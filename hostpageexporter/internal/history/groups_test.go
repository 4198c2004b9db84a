package history

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (f *feeder) group(path string, cpu float64) *GroupSample {
	nan := math.NaN()
	return &GroupSample{
		ControlGroup: ControlGroup{Path: path}, Time: f.now.UnixNano(), Start: epoch.Add(-time.Hour).UnixNano(), CPU: cpu, Periods: nan, ThrottledPeriods: nan,
		Read: nan, Write: nan, OOMKills: nan, Usage: nan, CPULimit: nan, Memory: nan, MemoryLimit: nan,
	}
}

func (f *feeder) groups(samples ...*GroupSample) {
	w := f.Begin(f.now)
	r, _ := w.Resource(Key{1, 1}, func() []Attribute { return nil })
	for _, p := range samples {
		w.ControlGroup(r, p)
	}
	w.Commit()
}

func TestControlGroups(t *testing.T) {
	f := newFeeder(t, nil)
	assert.Zero(t, f.ControlGroups(f.at()).Time)
	web := func(cpu, periods, throttled, read, kills float64) *GroupSample {
		g := f.group("/system.slice/web.service", cpu)
		g.Periods, g.ThrottledPeriods, g.Read, g.OOMKills, g.Memory, g.MemoryLimit, g.CPULimit = periods, throttled, read, kills, 4096, 8192, 0.5
		return g
	}
	f.groups(web(10, 100, 40, 5000, 1), f.group("other", 7))
	first := f.at()
	f.now = f.now.Add(4 * time.Second)
	born := f.group("/new", 2)
	born.Start = f.now.Add(-time.Second).UnixNano()
	f.groups(web(12, 140, 50, 9000, 3), f.group("/reset", 7), born, f.group("other", 6))
	second := f.at()
	for range 2 { // While it is open, and when it is stored.
		table := f.ControlGroups(second)
		assert.Equal(t, [2]int64{second, first}, [2]int64{table.Time, table.Previous})
		require.Len(t, table.Rows, 4)
		byPath := map[string]GroupUsage{}
		for _, r := range table.Rows {
			byPath[r.Path] = r.GroupUsage
		}
		assert.Equal(t, GroupUsage{CPU: 0.5, CPULimit: 0.5, Periods: 10, Throttled: 0.25, Memory: 4096, MemoryLimit: 8192, Read: 1000, Write: math.Inf(1), OOMKills: 3},
			written(byPath["/system.slice/web.service"]))
		assert.InDelta(t, 0.5, byPath["/new"].CPU, 1e-9, "it began since")
		assert.True(t, math.IsNaN(byPath["/reset"].CPU), "nothing to subtract from")
		assert.True(t, math.IsNaN(byPath["other"].CPU), "a total that fell")
		assert.True(t, math.IsNaN(byPath["/new"].MemoryLimit), "no limit")
		f.now = f.now.Add(4 * time.Second)
		f.groups(f.group("other", 8))
	}
	assert.Equal(t, first, f.ControlGroups(first).Time)
}

// written makes what is not known comparable.
func written(u GroupUsage) GroupUsage {
	for _, v := range u.stored() {
		if math.IsNaN(*v.value) {
			*v.value = math.Inf(1)
		}
	}
	return u
}

func TestControlGroupsOfDeltas(t *testing.T) {
	f := newFeeder(t, nil)
	for range 3 {
		g := f.group("/a", 2)
		g.Delta, g.OOMKills = true, 1
		f.groups(g)
		f.now = f.now.Add(4 * time.Second)
	}
	rows := f.ControlGroups(f.at()).Rows
	require.Len(t, rows, 1)
	assert.InDelta(t, 0.5, rows[0].CPU, 1e-9)
	assert.InDelta(t, 3, rows[0].OOMKills, 1e-9, "added up")
}

// TestManyControlGroups: a thousand groups that come and go take a bounded memory, no series, and leave the busiest and the rest to be read later.
func TestManyControlGroups(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory, c.MaxSeries = minMemory, 100 })
	for scrape := range 400 {
		samples := []*GroupSample{f.group("other", float64(scrape))}
		for i := range 1000 {
			g := f.group(fmt.Sprintf("/kubepods.slice/pod-%d-%d", i, scrape/50), float64(scrape*i)/1e5)
			g.ContainerID = fmt.Sprintf("%064d", i)
			samples = append(samples, g)
		}
		f.groups(samples...)
		f.now = f.now.Add(10 * time.Second)
	}
	series, memory := f.Size()
	assert.Zero(t, series)
	assert.LessOrEqual(t, memory, int64(minMemory))
	table := f.ControlGroups(f.at() - 60e6)
	require.NotEmpty(t, table.Rows)
	assert.Positive(t, table.Omitted)
	paths := map[string]bool{}
	for _, r := range table.Rows {
		paths[r.Path] = true
	}
	assert.True(t, paths["other"])
	assert.Empty(t, f.Catalogue(f.now).Metrics)
}
