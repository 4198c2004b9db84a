package process

import (
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
)

// work is what the processes 1, 2, 3… used in one interval.
type work []uint64

func TestTopKeepsMembersNearTheBorder(t *testing.T) {
	cycles := []struct {
		story string
		work  work
		want  []int32
	}{
		{"nothing is known of the pace: the totals decide", work{40, 30, 20, 10}, []int32{1, 2}},
		{"two busy ones lead, and 2 stays on the third rank", work{5, 3, 9, 1}, []int32{1, 2, 3}},
		{"2 falls to the fourth rank and leaves", work{5, 1, 9, 3}, []int32{1, 3}},
		{"4 is third, but a place at the border is for members alone", work{9, 1, 8, 7}, []int32{1, 3}},
		{"4 enters among the first two", work{9, 1, 2, 10}, []int32{1, 3, 4}},
		{"nobody works: members stay", work{0, 0, 0, 0}, []int32{1, 3, 4}},
	}
	source := &fakeSource{}
	tracker := newTracker(t, source, Options{Top: Top{N: 2, By: []RankKey{RankCPU}, Hysteresis: 1.5}})
	totals := make([]uint64, 4)
	for n, cycle := range cycles {
		source.processes = nil
		for i, w := range cycle.work {
			totals[i] += w
			source.processes = append(source.processes, proc(int32(i+1), 0, "p", totals[i]))
		}
		s := scrape(t, tracker, n)
		var shown []int32
		for _, p := range s.Shown {
			shown = append(shown, p.PID)
		}
		assert.Equal(t, cycle.want, shown, cycle.story)
		assert.Equal(t, 4-len(shown), s.Other.Members, cycle.story)
	}
}

func TestTopIsTheUnionOfItsKeys(t *testing.T) {
	build := func(n uint64) []fakeProcess {
		cpu, mem, disk, reaper, idle := proc(1, 0, "cpu", 50*n), proc(2, 0, "mem", 0), proc(3, 0, "disk", 0), proc(4, 0, "make", 0), proc(5, 0, "idle", 0)
		mem.Levels[read.Resident] = 1 << 30
		disk.Have |= read.FieldDiskIO
		disk.Totals[read.DiskWriteBytes] = 4096 * n
		reaper.Children.User = 20 * n
		return []fakeProcess{cpu, mem, disk, reaper, idle}
	}
	source := &fakeSource{}
	tracker := newTracker(t, source, Options{Top: Top{N: 1, By: []RankKey{RankCPU, RankMemory, RankDiskIO}, Hysteresis: 1}})
	source.processes = build(1)
	scrape(t, tracker, 0)
	source.processes = build(2)
	s := scrape(t, tracker, 1)
	assert.Equal(t, map[int32]uint64{1: 50, 2: 0, 3: 0}, shownDelta(s))
	assert.Equal(t, 2, s.Other.Members)
	assert.Equal(t, uint64(20), s.Other.Delta[read.ReapedUser])

	// Work that a process has its children do counts in its rank.
	source.processes = build(3)
	source.processes[3].Children.User += 100
	s = scrape(t, tracker, 2)
	assert.Contains(t, shownDelta(s), int32(4))
}

func TestOtherAndGroupsContinueWhenMembersComeAndGo(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "web", 100), proc(3, 1, "web", 200), proc(4, 1, "db", 50)}}
	tracker := newTracker(t, source, Options{GroupBy: []GroupKey{GroupExecutable}})
	web := func(s *Snapshot) *Group {
		for _, g := range s.Groups {
			if g.Labels.Executable == "web" {
				return g
			}
		}
		return nil
	}
	s := scrape(t, tracker, 0)
	assert.Len(t, s.Groups, 3)
	assert.Equal(t, 2, web(s).Members)
	assert.Equal(t, second(0).Now, web(s).Since)
	assert.Zero(t, web(s).Total[read.CPUUser], "the past of the members is not the group's")

	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "web", 130), proc(3, 1, "web", 220), proc(4, 1, "db", 50), proc(5, 1, "web", 7)}
	s = scrape(t, tracker, 1)
	assert.Equal(t, uint64(57), web(s).Total[read.CPUUser])
	assert.Equal(t, read.Totals{}, web(s).Base())
	assert.True(t, web(s).HasUtilization)

	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "web", 131), proc(4, 1, "db", 50)}
	s = scrape(t, tracker, 2)
	assert.Equal(t, uint64(58), web(s).Total[read.CPUUser], "members that exit leave their time behind")
	assert.Equal(t, 1, web(s).Members)

	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(4, 1, "db", 50)}
	s = scrape(t, tracker, 3)
	assert.Equal(t, uint64(58), web(s).Total[read.CPUUser], "the last member has gone: the group is shown once more")
	assert.Zero(t, web(s).Members)
	s = scrape(t, tracker, 4)
	assert.Nil(t, web(s))
	assert.Len(t, tracker.groups.byLabels, 2)

	source.processes = append(source.processes, proc(9, 1, "web", 3))
	s = scrape(t, tracker, 5)
	assert.Equal(t, uint64(3), web(s).Total[read.CPUUser])
	assert.Equal(t, second(4).Now, web(s).Since, "a group that comes back is another, with another start")
}

func TestGroupLabels(t *testing.T) {
	p := proc(1, 0, "postgres", 0)
	p.identity.Owner, p.identity.Unit, p.identity.Cgroup = "pg", "postgresql.service", "/system.slice/postgresql.service"
	cases := map[string][]GroupKey{
		"postgres":                         {GroupExecutable},
		"pg":                               {GroupOwner},
		"postgresql.service":               {GroupUnit},
		"/system.slice/postgresql.service": {GroupCgroup},
		"postgres,pg":                      {GroupExecutable, GroupOwner},
	}
	for name, keys := range cases {
		s := scrape(t, newTracker(t, &fakeSource{processes: []fakeProcess{p}}, Options{GroupBy: keys}), 0)
		assert.Equal(t, name, s.Groups[0].Labels.Name())
	}
	assert.Equal(t, "none", GroupLabels{}.Name())
}

func TestTopOfGroups(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "a", 0), proc(2, 0, "b", 0), proc(3, 0, "b", 0), proc(4, 0, "c", 0)}}
	tracker := newTracker(t, source, Options{GroupBy: []GroupKey{GroupExecutable}, Top: Top{N: 1, By: []RankKey{RankCPU}, Hysteresis: 1}})
	scrape(t, tracker, 0)
	source.processes = []fakeProcess{proc(1, 0, "a", 10), proc(2, 0, "b", 6), proc(3, 0, "b", 6), proc(4, 0, "c", 1)}
	s := scrape(t, tracker, 1)
	if assert.Len(t, s.Groups, 1) {
		assert.Equal(t, "b", s.Groups[0].Labels.Name())
	}
	assert.Equal(t, 2, s.Other.Members)
	assert.Equal(t, uint64(11), s.Other.Delta[read.CPUUser])
}
