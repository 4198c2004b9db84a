package process

import (
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newTracker(t *testing.T, source read.Source, o Options) *Tracker {
	t.Helper()
	tracker, err := NewTracker(source, o)
	require.NoError(t, err)
	return tracker
}

func scrape(t *testing.T, tracker *Tracker, n int) *Snapshot {
	t.Helper()
	s, err := tracker.Scrape(second(n))
	require.NoError(t, err)
	return s
}

// shownDelta returns the user time that a shown process added, by pid.
func shownDelta(s *Snapshot) map[int32]uint64 {
	out := map[int32]uint64{}
	for _, p := range s.Shown {
		out[p.PID] = p.Delta[read.CPUUser]
	}
	return out
}

func TestProcessDeltas(t *testing.T) {
	reused := proc(2, 1, "b", 7)
	reused.Start = 900
	type want struct {
		deltas map[int32]uint64
		totals map[int32]uint64
		rated  []int32 // processes with a utilization
	}
	cycles := []struct {
		story     string
		processes []fakeProcess
		want      want
	}{
		{
			"the first sight is a baseline: the past of a process is not known",
			[]fakeProcess{proc(1, 0, "init", 1000), proc(2, 1, "a", 500)},
			want{map[int32]uint64{1: 0, 2: 0}, map[int32]uint64{1: 1000, 2: 500}, nil},
		},
		{
			"both work, and a process born since counts from its birth",
			[]fakeProcess{proc(1, 0, "init", 1010), proc(2, 1, "a", 520), proc(3, 1, "c", 30)},
			want{map[int32]uint64{1: 10, 2: 20, 3: 30}, map[int32]uint64{1: 1010, 2: 520, 3: 30}, []int32{1, 2}},
		},
		{
			"2 exits and its pid is used again: a new process, and no difference between the two",
			[]fakeProcess{proc(1, 0, "init", 1010), reused, proc(3, 1, "c", 30)},
			want{map[int32]uint64{1: 0, 2: 7, 3: 0}, map[int32]uint64{1: 1010, 2: 7, 3: 30}, []int32{1, 3}},
		},
		{
			"a counter that steps back is held",
			[]fakeProcess{proc(1, 0, "init", 1005), reused, proc(3, 1, "c", 30)},
			want{map[int32]uint64{1: 0, 2: 0, 3: 0}, map[int32]uint64{1: 1010, 2: 7, 3: 30}, []int32{1, 2, 3}},
		},
		{
			"and goes on from where it was held",
			[]fakeProcess{proc(1, 0, "init", 1015), reused, proc(3, 1, "c", 30)},
			want{map[int32]uint64{1: 5, 2: 0, 3: 0}, map[int32]uint64{1: 1015, 2: 7, 3: 30}, []int32{1, 2, 3}},
		},
	}
	source := &fakeSource{}
	tracker := newTracker(t, source, Options{})
	for n, cycle := range cycles {
		source.processes = cycle.processes
		s := scrape(t, tracker, n)
		assert.Equal(t, cycle.want.deltas, shownDelta(s), cycle.story)
		totals := map[int32]uint64{}
		var rated []int32
		for _, p := range s.Shown {
			totals[p.PID] = p.Total[read.CPUUser]
			if p.HasUtilization {
				rated = append(rated, p.PID)
			}
		}
		assert.Equal(t, cycle.want.totals, totals, cycle.story)
		assert.Equal(t, cycle.want.rated, rated, cycle.story)
		assert.Equal(t, len(cycle.processes), s.Seen, cycle.story)
		assert.Len(t, tracker.byPID, len(cycle.processes), "state goes with the process: %s", cycle.story)
	}
}

func TestAProcessOlderThanTheFirstScrapeIsNotTakenForNewborn(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(10, 1, "a", 0), proc(20, 1, "b", 0)}}
	tracker := newTracker(t, source, Options{})
	scrape(t, tracker, 0)
	// Process 15 started before process 20 but was hidden until now.
	source.processes = append(source.processes, proc(15, 1, "hidden", 5000))
	s := scrape(t, tracker, 1)
	assert.Equal(t, map[int32]uint64{10: 0, 20: 0, 15: 0}, shownDelta(s))
}

func TestUtilization(t *testing.T) {
	cases := map[string]struct {
		at    ScrapeContext
		delta uint64
		want  float64
		ok    bool
	}{
		"half of two CPUs":                      {second(1), 1_000_000, 0.5, true},
		"no more than all of them":              {second(1), 2_100_000, 1, true},
		"no time has passed":                    {ScrapeContext{CPUs: 2}, 1_000_000, 0, false},
		"the clock went back":                   {ScrapeContext{CPUs: 2, Elapsed: -1e9}, 1_000_000, 0, false},
		"the number of the CPUs is not known":   {ScrapeContext{Elapsed: 1e9}, 1_000_000, 0, false},
		"a limit of less than one CPU is given": {ScrapeContext{Elapsed: 1e9, CPUs: 0.5}, 250_000, 0.5, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{processes: []fakeProcess{proc(1, 0, "a", 100)}}
			tracker := newTracker(t, source, Options{})
			first := scrape(t, tracker, 0)
			assert.False(t, first.Shown[0].HasUtilization)
			source.processes = []fakeProcess{proc(1, 0, "a", 100+c.delta)}
			s, err := tracker.Scrape(c.at)
			require.NoError(t, err)
			assert.Equal(t, c.ok, s.Shown[0].HasUtilization)
			assert.InDelta(t, c.want, s.Shown[0].CPUUtilization, 1e-9)
		})
	}
}

func TestAScanThatBreaksOffLosesNothing(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "a", 100), proc(2, 0, "b", 100)}}
	tracker := newTracker(t, source, Options{})
	scrape(t, tracker, 0)

	newborn := proc(3, 1, "new", 40)
	source.processes = []fakeProcess{proc(1, 0, "a", 110), newborn, proc(2, 0, "b", 120)}
	source.breakAfter = 2
	_, err := tracker.Scrape(second(1))
	require.ErrorIs(t, err, errFake)

	source.breakAfter = 0
	source.processes = []fakeProcess{proc(1, 0, "a", 115), newborn, proc(2, 0, "b", 130)}
	s := scrape(t, tracker, 2)
	assert.Equal(t, map[int32]uint64{1: 15, 2: 30, 3: 40}, shownDelta(s))

	// A process that only the broken scan saw leaves nothing behind.
	source.processes = append(source.processes, proc(4, 1, "brief", 9))
	source.breakAfter = 4
	source.processes = append(source.processes, proc(5, 1, "unread", 9))
	_, err = tracker.Scrape(second(3))
	require.ErrorIs(t, err, errFake)
	source.breakAfter = 0
	source.processes = source.processes[:3]
	scrape(t, tracker, 4)
	assert.Len(t, tracker.byPID, 3)
	assert.Zero(t, tracker.leftover)
}

func TestContextSwitchesContinueWhenAThreadExits(t *testing.T) {
	at := func(switches uint64) []fakeProcess {
		p := proc(1, 0, "a", 0)
		p.Have |= read.FieldSwitches
		p.Totals[read.VoluntarySwitches] = switches
		return []fakeProcess{p}
	}
	source := &fakeSource{}
	tracker := newTracker(t, source, Options{Fields: read.FieldSwitches})
	var totals []uint64
	for n, switches := range []uint64{100, 150, 30, 45} {
		source.processes = at(switches)
		totals = append(totals, scrape(t, tracker, n).Shown[0].Total[read.VoluntarySwitches])
	}
	assert.Equal(t, []uint64{100, 150, 150, 165}, totals)
}

func TestACounterThatCannotBeReadForAWhileCatchesUp(t *testing.T) {
	with := func(bytes uint64, readable bool) []fakeProcess {
		p := proc(1, 0, "a", 0)
		if readable {
			p.Have |= read.FieldDiskIO
			p.Totals[read.DiskReadBytes] = bytes
		}
		return []fakeProcess{p}
	}
	source := &fakeSource{processes: with(100, true)}
	tracker := newTracker(t, source, Options{Fields: read.FieldDiskIO})
	scrape(t, tracker, 0)
	source.processes = with(0, false)
	s := scrape(t, tracker, 1)
	require.Len(t, s.Shown, 1, "the process is shown without the metric")
	assert.Zero(t, s.Shown[0].Have&read.FieldDiskIO)
	assert.Zero(t, s.Shown[0].Delta[read.DiskReadBytes])
	source.processes = with(300, true)
	s = scrape(t, tracker, 2)
	assert.Equal(t, uint64(200), s.Shown[0].Delta[read.DiskReadBytes])
}

func TestIdentityIsReadOnceAndAgainWhenTheProgramChanges(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "old", 0), proc(2, 0, "sh", 0)}}
	tracker := newTracker(t, source, Options{Attributes: read.AttributeExecutable | read.AttributeOwner})
	for n := range 3 {
		scrape(t, tracker, n)
	}
	assert.Equal(t, map[int32]int{1: 1, 2: 1}, source.identified)

	source.processes[1] = proc(2, 0, "make", 0) // the shell became another program
	s := scrape(t, tracker, 3)
	assert.Equal(t, "make", s.Shown[1].Identity().Executable)
	assert.Equal(t, map[int32]int{1: 1, 2: 2}, source.identified)

	// A young process is asked twice: it may have been caught between fork and exec, or before it gave up its privileges.
	source.processes = append(source.processes, proc(3, 1, "nginx", 0))
	scrape(t, tracker, 4)
	source.processes[2].identity.Owner = "www-data"
	s = scrape(t, tracker, 5)
	assert.Equal(t, "www-data", s.Shown[2].Identity().Owner)
	scrape(t, tracker, 6)
	assert.Equal(t, 2, source.identified[3])
}

func TestAProcessThatExitsBeforeItsIdentityIsReadHasItsComm(t *testing.T) {
	p := proc(1, 0, "brief", 0)
	p.gone = true
	source := &fakeSource{processes: []fakeProcess{p}}
	s := scrape(t, newTracker(t, source, Options{Attributes: read.AttributeExecutable}), 0)
	assert.Equal(t, "brief", s.Shown[0].Identity().Executable)
}

func TestDetailsAreReadInTurn(t *testing.T) {
	source := &fakeSource{}
	for pid := range int32(5) {
		p := proc(pid+1, 0, "a", 0)
		p.Have |= read.FieldProportional
		p.Levels[read.Proportional] = 10
		source.processes = append(source.processes, p)
	}
	tracker := newTracker(t, source, Options{Details: read.FieldProportional, MaxDetails: 2})
	var rounds [][]int32
	for n := range 4 {
		source.reads = nil
		s := scrape(t, tracker, n)
		var pids []int32
		for _, p := range s.Shown {
			if source.reads[p.PID]&read.FieldProportional != 0 {
				pids = append(pids, p.PID)
			}
		}
		rounds = append(rounds, pids)
		if n >= 2 {
			for _, p := range s.Shown {
				assert.Equal(t, uint64(10), p.Levels[read.Proportional], "what was read before is kept")
				assert.NotZero(t, p.Have&read.FieldProportional)
			}
		}
	}
	assert.Equal(t, [][]int32{{1, 2}, {3, 4}, {1, 5}, {2, 3}}, rounds)
}

func TestDetailsLeaveWithTheProcess(t *testing.T) {
	at := func(first, second uint64) []fakeProcess {
		processes := []fakeProcess{proc(1, 0, "a", first), proc(2, 0, "b", second)}
		for i := range processes {
			processes[i].Have |= read.FieldProportional
			processes[i].Levels[read.Proportional] = 10
		}
		return processes
	}
	source := &fakeSource{processes: at(100, 50)}
	tracker := newTracker(t, source, Options{Details: read.FieldProportional, Top: Top{N: 1, By: []RankKey{RankCPU}, Hysteresis: 1}})
	s := scrape(t, tracker, 0)
	assert.Equal(t, uint64(10), s.Shown[0].Levels[read.Proportional])
	source.processes = at(100, 90)
	s = scrape(t, tracker, 1)
	assert.Equal(t, int32(2), s.Shown[0].PID)
	assert.Zero(t, s.Other.Have&read.FieldProportional, "the remainder has no value that only some of its processes would be in")
	assert.Zero(t, s.Other.Levels[read.Proportional])
}

func TestAProcessThatIsListedTwiceCountsOnce(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "a", 5)}}
	tracker := newTracker(t, source, Options{})
	scrape(t, tracker, 0)
	source.processes = []fakeProcess{proc(1, 0, "a", 9), proc(1, 0, "a", 9)}
	s := scrape(t, tracker, 1)
	assert.Equal(t, 1, s.Seen)
	assert.Equal(t, map[int32]uint64{1: 4}, shownDelta(s))
	assert.NoError(t, tracker.Close())
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	top := func(top Top) Options { return Options{Top: top} }
	cases := []struct {
		options Options
		want    string
	}{
		{top(Top{N: -1}), "top::n is -1: must not be negative"},
		{top(Top{N: 1, Hysteresis: 1}), "top::by is empty: must name cpu, memory or disk_io"},
		{top(Top{N: 1, By: []RankKey{"size"}, Hysteresis: 1}), `top::by has "size": must be cpu, memory or disk_io`},
		{top(Top{N: 1, By: []RankKey{RankCPU, RankCPU}, Hysteresis: 1}), `top::by has "cpu" twice`},
		{top(Top{N: 1, By: []RankKey{RankCPU}, Hysteresis: 0.5}), "top::hysteresis is 0.5: must be at least 1"},
		{Options{GroupBy: []GroupKey{"user"}}, `group_by has "user": must be executable, program, owner, cgroup or systemd_unit`},
		{Options{Filter: Filter{MinAge: -1}}, "min_age is -1ns: must not be negative"},
		{
			Options{Filter: Filter{Include: Match{Names: []string{"["}, Regexp: true}}},
			"include names: error parsing regexp: missing closing ]: `[`",
		},
		{Options{Details: read.FieldDiskIO}, "must be levels"},
		{Options{Top: Top{N: -1}, GroupBy: []GroupKey{"user"}}, "top::n is -1: must not be negative\ngroup_by has"}, // all at once
	}
	for _, c := range cases {
		_, err := NewTracker(&fakeSource{}, c.options)
		require.ErrorContains(t, err, c.want)
	}
}
