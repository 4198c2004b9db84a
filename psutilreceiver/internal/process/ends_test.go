package process

import (
	"fmt"
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// groupCPU returns the user time that groups and the remainder added.
func groupCPU(s *Snapshot) map[string]uint64 {
	out := map[string]uint64{}
	for _, g := range s.Groups {
		out[g.Labels.Name()] = g.Delta[read.CPUUser]
	}
	if s.Other.Delta[read.CPUUser] > 0 {
		out["other"] = s.Other.Delta[read.CPUUser]
	}
	if s.Excluded.Delta[read.CPUUser] > 0 {
		out["excluded"] = s.Excluded.Delta[read.CPUUser]
	}
	return out
}

func TestUnseenProcessesCountForTheirAncestor(t *testing.T) {
	source := &fakeExitSource{}
	// init has used most so far.
	source.processes = []fakeProcess{proc(1, 0, "init", 1000), proc(2, 1, "make", 10), proc(3, 1, "idle", 20)}
	for i := range source.processes {
		source.processes[i].Have |= ioFields
	}
	tracker := newTracker(t, source, Options{Fields: ioFields, Top: Top{N: 1, By: []RankKey{RankCPU}, Hysteresis: 1}})
	source.exits = []read.Exit{unseen("older", 2, 77)}
	s := scrape(t, tracker, 0)
	assert.Zero(t, s.Other.Delta, "what ended before the first scrape is not new")

	x := unseen("cc", 2, 500)
	x.Processes = 30
	x.Totals[read.CPUSystem], x.Totals[read.MinorFaults], x.Totals[read.DiskReadBytes], x.Totals[read.VoluntarySwitches] = 50, 7, 4096, 9
	source.exits = []read.Exit{x, unseen("orphan", 99, 5), unseen("nobody's", 0, 6)}
	s = scrape(t, tracker, 1)
	require.Len(t, s.Shown, 1, "make ranks by what its children used")
	p := s.Shown[0]
	assert.Equal(t, int32(2), p.PID)
	assert.Equal(t, Deltas{read.ReapedUser: 500, read.ReapedSystem: 50, read.DiskReadBytes: 4096}, p.Delta)
	assert.Equal(t, uint64(500), p.Total[read.ReapedUser])
	assert.Equal(t, uint64(4096), p.Total[read.DiskReadBytes])
	assert.Equal(t, Deltas{read.CPUUser: 11, read.MinorFaults: 7}, s.Other.Delta, "what an ancestor has no counter for; switches are not read of anybody")

	source.processes[1].Totals[read.DiskReadBytes] = 100
	s = scrape(t, tracker, 2)
	assert.Zero(t, s.Other.Delta[read.DiskReadBytes]+s.Other.Delta[read.CPUUser])
	source.exits = []read.Exit{unseen("cc", 2, 1)}
	s = scrape(t, tracker, 3)
	require.Len(t, s.Shown, 1)
	assert.Equal(t, uint64(4196), s.Shown[0].Total[read.DiskReadBytes], "its own and what it inherited")
	assert.Equal(t, uint64(501), s.Shown[0].Total[read.ReapedUser])
}

func TestWhatAShownProcessUsedLastCountsForItsAncestor(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "sh", 10), proc(3, 2, "worker", 20)}
	tracker := newTracker(t, source, Options{})
	scrape(t, tracker, 0)
	x := exitOf(&source.processes[2])
	x.Totals[read.CPUUser], x.Totals[read.MajorFaults] = 25, 3
	source.processes, source.exits = source.processes[:2], []read.Exit{x}
	s := scrape(t, tracker, 1)
	assert.Equal(t, uint64(5), s.Shown[1].Delta[read.ReapedUser])
	assert.Equal(t, Deltas{read.MajorFaults: 3}, s.Other.Delta)
	assert.NotZero(t, s.Other.Have&read.FieldMajorFaults, "the remainder has the counter, though no process")
	assert.Zero(t, s.Other.Have&read.FieldMemory, "and no level")
}

func TestAnEndAfterTheScanIsPartOfIt(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "a", 10)}
	tracker := newTracker(t, source, Options{})
	scrape(t, tracker, 0)
	source.processes[1].Totals[read.CPUUser] = 30
	x := exitOf(&source.processes[1])
	x.Totals[read.CPUUser] = 500_030
	source.exits = []read.Exit{x}
	s := scrape(t, tracker, 1)
	assert.Equal(t, uint64(500_020), s.Shown[1].Delta[read.CPUUser])
	assert.InDelta(t, 0.25, s.Shown[1].CPUUtilization, 1e-3)
	source.processes = source.processes[:1]
	s = scrape(t, tracker, 2)
	assert.Zero(t, s.Shown[0].Delta[read.ReapedUser]+s.Other.Delta[read.CPUUser])
	assert.Empty(t, tracker.ends.awaited, "it has ended already")
}

func TestALateEndCountsForTheGroupOfTheProcess(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "job", 10)}
	tracker := newTracker(t, source, Options{GroupBy: []GroupKey{GroupExecutable}})
	scrape(t, tracker, 0)
	x := exitOf(&source.processes[1])
	x.Totals[read.CPUUser] = 17
	source.processes = source.processes[:1]
	assert.Equal(t, map[string]uint64{"init": 0, "job": 0}, groupCPU(scrape(t, tracker, 1)), "it is awaited")
	source.exits = []read.Exit{x}
	s := scrape(t, tracker, 2)
	assert.Equal(t, map[string]uint64{"init": 0, "job": 7}, groupCPU(s))
	assert.Equal(t, uint64(7), s.Groups[1].Total[read.CPUUser])
	assert.Equal(t, map[string]uint64{"init": 0, "job": 0}, groupCPU(scrape(t, tracker, 3)), "once more")
	assert.Equal(t, map[string]uint64{"init": 0}, groupCPU(scrape(t, tracker, 4)))
	// Told a second time, or of a process that is not awaited any more, it counts nothing.
	source.exits = []read.Exit{x}
	assert.Equal(t, map[string]uint64{"init": 0}, groupCPU(scrape(t, tracker, 5)))
}

func TestUnseenProcessesHaveTheirGroup(t *testing.T) {
	at := func(x read.Exit, uid uint32, cgroup uint64) read.Exit {
		x.UID, x.CgroupID = uid, cgroup
		return x
	}
	cases := map[string]struct {
		keys  []GroupKey
		exits []read.Exit
		want  map[string]uint64 // beside the groups of the living, which use nothing
	}{
		"a group of their own, in two parts": {
			[]GroupKey{GroupExecutable},
			[]read.Exit{unseen("cc", 2, 5), unseen("cc", 1, 6)},
			map[string]uint64{"cc": 11},
		},
		"the group of living ones": {
			[]GroupKey{GroupExecutable}, []read.Exit{unseen("make", 1, 5)}, map[string]uint64{"make": 5},
		},
		"a comm of 15 bytes that one executable has": {
			[]GroupKey{GroupExecutable}, []read.Exit{unseen("prometheus-node", 1, 5)}, map[string]uint64{"prometheus-node-exporter": 5},
		},
		"a comm that several executables have": {
			[]GroupKey{GroupExecutable}, []read.Exit{unseen("systemd-journal", 1, 5)}, map[string]uint64{"systemd-journal": 5},
		},
		"a shell has another name than its executable": {
			[]GroupKey{GroupExecutable}, []read.Exit{unseen("sh", 1, 5)}, map[string]uint64{"dash": 5},
		},
		"a script": {
			[]GroupKey{GroupProgram}, []read.Exit{unseen("backup.py", 1, 5), unseen("other.py", 1, 6)}, map[string]uint64{"backup.py": 5, "other.py": 6},
		},
		"the owner, known or not": {
			[]GroupKey{GroupOwner},
			[]read.Exit{at(unseen("cc", 2, 5), 0, 0), at(unseen("cc", 2, 6), 1000, 0)},
			map[string]uint64{"root": 5, "user1000": 6},
		},
		"the cgroup by its number, else the ancestor's, else none": {
			[]GroupKey{GroupCgroup},
			[]read.Exit{at(unseen("cc", 1, 5), 0, 20), at(unseen("cc", 2, 6), 0, 99), at(unseen("cc", 0, 7), 0, 0)},
			map[string]uint64{"/build": 11, "none": 7},
		},
		"the unit of it": {
			[]GroupKey{GroupUnit, GroupExecutable},
			[]read.Exit{at(unseen("cc", 1, 5), 0, 20)},
			map[string]uint64{"cc,build.service": 5},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			source := &fakeExitSource{}
			add := func(pid int32, comm, executable, program string) {
				p := proc(pid, 1, comm, 0)
				p.identity.Executable, p.identity.ExecutablePath, p.identity.Program = executable, "/bin/"+executable, program
				p.identity.Cgroup, p.CgroupID = "/", 10
				source.processes = append(source.processes, p)
			}
			add(1, "init", "init", "init")
			add(2, "make", "make", "make")
			source.processes[1].identity.Cgroup, source.processes[1].identity.Unit, source.processes[1].CgroupID = "/build", "build.service", 20
			add(3, "prometheus-node", "prometheus-node-exporter", "prometheus-node-exporter")
			add(4, "systemd-journal", "systemd-journald", "systemd-journald")
			add(5, "systemd-journal", "systemd-journal-remote", "systemd-journal-remote")
			add(6, "sh", "dash", "dash")
			add(7, "backup.py", "python3.11", "backup.py")
			tracker := newTracker(t, source, Options{GroupBy: c.keys})
			scrape(t, tracker, 0)
			source.exits = c.exits
			s := scrape(t, tracker, 1)
			got := groupCPU(s)
			for label, cpu := range got {
				if cpu == 0 {
					delete(got, label)
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// TestAGroupWithoutMembersIsShownAndRanked goes on as one stream while it gets something.
func TestAGroupWithoutMembersIsShownAndRanked(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0)}
	tracker := newTracker(t, source, Options{GroupBy: []GroupKey{GroupExecutable}, Top: Top{N: 1, By: []RankKey{RankCPU}, Hysteresis: 1}})
	scrape(t, tracker, 0)
	since := second(0).Now
	for n := 1; n <= 4; n++ {
		source.exits = []read.Exit{unseen("cc", 1, 50), unseen("true", 1, 3)}
		s := scrape(t, tracker, n)
		assert.Equal(t, map[string]uint64{"cc": 50, "other": 3}, groupCPU(s))
		assert.Equal(t, since, s.Groups[0].Since)
		assert.Equal(t, uint64(50*n), s.Groups[0].Total[read.CPUUser])
		assert.Equal(t, uint64(3*n), s.Other.Total[read.CPUUser])
		assert.Zero(t, s.Groups[0].Members)
	}
	assert.Equal(t, map[string]uint64{"cc": 0}, groupCPU(scrape(t, tracker, 5)), "once more")
	assert.NotContains(t, groupCPU(scrape(t, tracker, 6)), "cc")
	assert.Len(t, tracker.groups.list, 1)
}

func TestUnseenProcessesMakeABoundedNumberOfGroups(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0)}
	tracker := newTracker(t, source, Options{GroupBy: []GroupKey{GroupExecutable}})
	scrape(t, tracker, 0)
	for n := 1; n <= 3; n++ {
		for i := range 10_000 {
			source.exits = append(source.exits, unseen(fmt.Sprint(n, "x", i), 1, 2))
		}
		s := scrape(t, tracker, n)
		assert.LessOrEqual(t, len(s.Groups), 1+2*maxGroupsOfEnds)
		delta, _, _ := addUp(s)
		assert.Equal(t, uint64(20_000), delta[read.CPUUser])
		assert.Equal(t, uint64(2*(10_000-maxGroupsOfEnds)), s.Other.Delta[read.CPUUser])
	}
}

func TestEndsOfWhichNoNameIsKnownAreOther(t *testing.T) {
	for _, options := range []Options{{}, {GroupBy: []GroupKey{GroupExecutable}}, {GroupBy: []GroupKey{GroupOwner}}} {
		for _, filter := range []Filter{{}, {Exclude: Match{Names: []string{"^$"}, Regexp: true}}, {Include: Match{Names: []string{"init"}}}} {
			options.Filter = filter
			source := &fakeExitSource{}
			source.processes = []fakeProcess{proc(1, 0, "init", 0)}
			tracker := newTracker(t, source, options)
			scrape(t, tracker, 0)
			source.exits = []read.Exit{unseen("", 0, 5)}
			assert.Equal(t, uint64(5), scrape(t, tracker, 1).Other.Delta[read.CPUUser])
		}
	}
}

// TestUnitOfWhichNoScanSawAProcess is found by the number of its control group, which may be gone.
func TestUnitOfWhichNoScanSawAProcess(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0)}
	tracker := newTracker(t, source, Options{GroupBy: []GroupKey{GroupUnit}})
	scrape(t, tracker, 0)
	x := unseen("backup", 1, 5)
	x.CgroupID = 77
	source.exits = []read.Exit{x}
	s := scrape(t, tracker, 1)
	assert.Equal(t, uint64(5), groupCPU(s)["once.service"])
}

func TestFiltersDecideOnUnseenProcessesByWhatIsKnown(t *testing.T) {
	withUser := func(x read.Exit, uid uint32) read.Exit {
		x.UID = uid
		return x
	}
	cases := map[string]struct {
		filter   Filter
		exit     read.Exit
		excluded bool
	}{
		"nothing to decide":                       {Filter{}, unseen("cc", 0, 5), false},
		"name excluded":                           {Filter{Exclude: Match{Names: []string{"cc"}}}, unseen("cc", 0, 5), true},
		"another name excluded":                   {Filter{Exclude: Match{Names: []string{"ld"}}}, unseen("cc", 0, 5), false},
		"name included":                           {Filter{Include: Match{Names: []string{"cc"}}}, unseen("cc", 0, 5), false},
		"another name included":                   {Filter{Include: Match{Names: []string{"ld"}}}, unseen("cc", 0, 5), true},
		"owner excluded":                          {Filter{Exclude: Match{Owners: []string{"user7"}}}, withUser(unseen("cc", 0, 5), 7), true},
		"owner included":                          {Filter{Include: Match{Owners: []string{"user7"}}}, withUser(unseen("cc", 0, 5), 7), false},
		"another owner included":                  {Filter{Include: Match{Owners: []string{"user8"}}}, withUser(unseen("cc", 0, 5), 7), true},
		"cgroup of the ancestor excluded":         {Filter{Exclude: Match{Cgroups: []string{"/x"}}}, unseen("cc", 2, 5), true},
		"cgroup not known":                        {Filter{Include: Match{Cgroups: []string{"/x"}}}, unseen("cc", 0, 5), true},
		"executable not known":                    {Filter{Include: Match{Executables: []string{"/bin/ld"}}}, unseen("cc", 0, 5), true},
		"executable not known, ancestor included": {Filter{Include: Match{Executables: []string{"/bin/make"}}}, unseen("cc", 2, 5), false},
		"executable not known, ancestor excluded": {Filter{Include: Match{Executables: []string{"/bin/make"}}}, unseen("cc", 1, 5), true},
		"executable of one with the same comm":    {Filter{Exclude: Match{Executables: []string{"/bin/make"}}}, unseen("make", 0, 5), true},
		"command line not known":                  {Filter{Exclude: Match{CommandLines: []string{"."}, Regexp: true}}, unseen("cc", 0, 5), false},
		"only one pid is wanted":                  {Filter{Include: Match{PIDs: []int32{1}}}, unseen("cc", 0, 5), true},
		"pid excluded":                            {Filter{Exclude: Match{PIDs: []int32{1}}}, unseen("cc", 0, 5), false},
		"younger than the age wanted":             {Filter{MinAge: time.Minute}, unseen("cc", 0, 5), true},
		"perhaps older than the age wanted":       {Filter{MinAge: time.Second / 2}, unseen("cc", 0, 5), false},
	}
	for name, c := range cases {
		for _, grouped := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/grouped_%v", name, grouped), func(t *testing.T) {
				source := &fakeExitSource{}
				source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "make", 0)}
				source.processes[1].identity.Cgroup = "/x"
				options := Options{Filter: c.filter}
				if grouped {
					options.GroupBy = []GroupKey{GroupExecutable}
				} else if c.exit.Ancestor != 0 && !c.excluded {
					return
				}
				tracker := newTracker(t, source, options)
				scrape(t, tracker, 0)
				source.exits = []read.Exit{c.exit}
				s := scrape(t, tracker, 1)
				want, other := uint64(0), uint64(5)
				if c.excluded {
					want, other = other, want
				}
				assert.Equal(t, want, s.Excluded.Delta[read.CPUUser])
				if grouped {
					assert.Equal(t, other > 0, groupCPU(s)[c.exit.Comm] > 0)
				} else {
					assert.Equal(t, other, s.Other.Delta[read.CPUUser])
				}
			})
		}
	}
}

func TestWhatIsIncludedDoesNotCountForAnExcludedAncestor(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "sh", 0)}
	tracker := newTracker(t, source, Options{Filter: Filter{Exclude: Match{Names: []string{"sh"}}}})
	scrape(t, tracker, 0)
	source.exits = []read.Exit{unseen("cc", 2, 5), unseen("sh", 2, 6)}
	s := scrape(t, tracker, 1)
	assert.Equal(t, uint64(5), s.Other.Delta[read.CPUUser])
	assert.Equal(t, uint64(6), s.Excluded.Delta[read.CPUUser])
	// Time of children is that of all children, as it is by /proc.
	source.exits = []read.Exit{unseen("sh", 1, 7)}
	assert.Equal(t, uint64(7), scrape(t, tracker, 2).Shown[0].Delta[read.ReapedUser])
}

func TestSwitchesUntilTheEnd(t *testing.T) {
	at := func(p fakeProcess, switches uint64) fakeProcess {
		p.Have |= read.FieldSwitches
		p.Totals[read.VoluntarySwitches] = switches
		return p
	}
	source := &fakeExitSource{}
	source.processes = []fakeProcess{at(proc(1, 0, "init", 0), 0), at(proc(2, 1, "old", 0), 50)}
	tracker := newTracker(t, source, Options{Fields: read.FieldSwitches})
	scrape(t, tracker, 0)
	source.exits = []read.Exit{exitOf(&source.processes[1])}
	source.exits[0].Totals[read.VoluntarySwitches] = 63
	source.processes = source.processes[:1]
	s := scrape(t, tracker, 1)
	assert.Equal(t, uint64(13), s.Other.Delta[read.VoluntarySwitches])
}

func TestEndsAreNoUnattributedTime(t *testing.T) {
	source := &fakeExitSource{}
	source.processes = []fakeProcess{proc(1, 0, "init", 0), proc(2, 1, "job", 0)}
	for _, keys := range [][]GroupKey{nil, {GroupExecutable}} {
		tracker := newTracker(t, source, Options{GroupBy: keys})
		at := second(0)
		at.HostCPU = 1_000_000
		_, err := tracker.Scrape(at)
		require.NoError(t, err)
		x := exitOf(&source.processes[1])
		x.Totals[read.CPUUser] = 300_000
		source.exits, source.lost = []read.Exit{x, unseen("cc", 1, 400_000), unseen("ld", 0, 200_000)}, 3
		all := source.processes
		source.processes = all[:1]
		at = second(1)
		at.HostCPU = 2_000_000
		s, err := tracker.Scrape(at)
		require.NoError(t, err)
		assert.Equal(t, uint64(100_000), s.Unattributed)
		assert.Equal(t, uint64(3), s.LostEnds)
		source.processes = all
	}
}

func TestASteadyStateWithASourceOfEndsAllocatesNothing(t *testing.T) {
	source := &fakeExitSource{}
	for pid := range int32(50) {
		source.processes = append(source.processes, proc(pid+1, 1, "p", 0))
	}
	tracker := newTracker(t, source, Options{GroupBy: []GroupKey{GroupExecutable}})
	n := 0
	once := func() {
		_, err := tracker.Scrape(second(n))
		require.NoError(t, err)
		n++
	}
	for range 3 {
		once()
	}
	assert.Zero(t, testing.AllocsPerRun(20, once))
}
