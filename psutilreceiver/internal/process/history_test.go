package process

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// world is a host in which processes are born, work, become other programs and exit at random, and pids are used again at once.
type world struct {
	random *rand.Rand
	alive  map[int32]*fakeProcess
	clock  uint64
	used   uint64             // CPU time that was ever used
	moved  [ioCounters]uint64 // I/O that was ever done
	waits  bool               // every exited process is waited for
}

const initPID = 1

func newWorld(seed uint64, waits bool) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), alive: map[int32]*fakeProcess{}, waits: waits}
	w.birth(initPID, 0)
	for range 5 {
		w.step()
	}
	return w
}

func (w *world) birth(pid, parent int32) {
	w.clock++
	p := proc(pid, parent, w.program(), 0)
	p.Start = w.clock
	p.Have |= ioFields
	p.Totals[read.MinorFaults] = 1 // No process comes to life without.
	w.alive[pid] = &p
}

func (w *world) program() string { return []string{"web", "db", "sh", "hidden"}[w.random.IntN(4)] }

func (w *world) any() *fakeProcess {
	pids := slices.Sorted(maps.Keys(w.alive))
	return w.alive[pids[w.random.IntN(len(pids))]]
}

func (w *world) step() {
	w.clock++
	p := w.any()
	switch w.random.IntN(10) {
	case 0, 1:
		if pid := int32(2 + w.random.IntN(14)); w.alive[pid] == nil {
			w.birth(pid, p.PID)
		}
	case 2, 3:
		if p.PID != initPID {
			w.exit(p)
		}
	case 4:
		name := w.program()
		p.SetComm(name)
		p.identity.Executable = name
	default:
		user, system := uint64(w.random.IntN(50)), uint64(w.random.IntN(20))
		p.Totals[read.CPUUser] += user
		p.Totals[read.CPUSystem] += system
		p.Totals[read.MinorFaults] += uint64(w.random.IntN(30))
		for i := range w.moved {
			bytes := uint64(w.random.IntN(4096))
			p.Totals[read.DiskReadBytes+read.Counter(i)] += bytes
			w.moved[i] += bytes
		}
		p.Levels[read.Resident] = uint64(w.random.IntN(1 << 20))
		w.used += user + system
	}
}

// exit hands the children to init, and the time, faults and I/O to whoever waits.
func (w *world) exit(p *fakeProcess) {
	delete(w.alive, p.PID)
	for _, child := range w.alive {
		if child.PPID == p.PID {
			child.PPID = initPID
		}
	}
	if parent := w.alive[p.PPID]; w.waits || parent.PID%3 > 0 {
		parent.Children.User += p.Totals[read.CPUUser] + p.Children.User
		parent.Children.System += p.Totals[read.CPUSystem] + p.Children.System
		parent.Children.Faults += p.Totals[read.MinorFaults] + p.Children.Faults
		for i := range w.moved {
			parent.Totals[read.DiskReadBytes+read.Counter(i)] += p.Totals[read.DiskReadBytes+read.Counter(i)]
		}
	}
}

func (w *world) list() []fakeProcess {
	var all []fakeProcess
	for _, pid := range slices.Sorted(maps.Keys(w.alive)) {
		all = append(all, *w.alive[pid])
	}
	return all
}

// model computes deltas the plain way: from maps of all that was ever seen.
type model struct {
	last  map[read.Key]read.Totals
	first bool
}

func (m *model) deltas(processes []fakeProcess) Deltas {
	var sum Deltas
	for _, p := range processes {
		last, seen := m.last[p.Key]
		for c := range read.NumCounters {
			if c.Field() != read.FieldChildren && (seen || !m.first) {
				sum[c] += p.Totals[c] - last[c]
			}
		}
		m.last[p.Key] = p.Totals
	}
	m.first = false
	return sum
}

var historyOptions = map[string]Options{
	"all":             {},
	"top":             {Top: Top{N: 2, By: []RankKey{RankCPU, RankMemory, RankDiskIO}, Hysteresis: 1.5}},
	"top_of_one":      {Top: Top{N: 1, By: []RankKey{RankCPU}, Hysteresis: 1}},
	"filter":          {Filter: Filter{Exclude: Match{Names: []string{"hidden"}}}},
	"filter_and_top":  {Filter: Filter{Exclude: Match{Names: []string{"hidden"}}}, Top: Top{N: 2, By: []RankKey{RankCPU}, Hysteresis: 2}},
	"min_age":         {Filter: Filter{MinAge: 30 * 10 * time.Millisecond}},
	"groups":          {GroupBy: []GroupKey{GroupExecutable}},
	"top_of_groups":   {GroupBy: []GroupKey{GroupExecutable}, Top: Top{N: 1, By: []RankKey{RankCPU, RankMemory}, Hysteresis: 1.5}},
	"filtered_groups": {GroupBy: []GroupKey{GroupExecutable, GroupOwner}, Filter: Filter{Exclude: Match{Names: []string{"hidden"}}}},
}

func TestConservationOverRandomHistories(t *testing.T) {
	for name, options := range historyOptions {
		options.Fields |= ioFields
		for _, waits := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/waits_%v", name, waits), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(12) {
					history{t: t, options: options, world: newWorld(seed, waits)}.run()
					if t.Failed() {
						t.Fatalf("seed %d", seed)
					}
				}
			})
		}
	}
}

// history follows one world and holds what must not fall.
type history struct {
	t       *testing.T
	options Options
	world   *world
}

func (h history) run() {
	w := h.world
	source := &fakeSource{}
	tracker := newTracker(h.t, source, h.options)
	reference := &model{last: map[read.Key]read.Totals{}, first: true}
	totals := map[any]read.Totals{}
	var before, counted uint64
	var movedBefore, io [ioCounters]uint64
	for n := range 60 {
		for range 1 + w.random.IntN(25) {
			w.step()
		}
		source.processes = w.list()
		at := second(n)
		at.Now = at.Boot.Add(time.Duration(w.clock) * 10 * time.Millisecond)
		s, err := tracker.Scrape(at)
		require.NoError(h.t, err)
		if n == 0 {
			before, movedBefore = w.used, w.moved
		}
		sum, levels, members := addUp(s)
		want := reference.deltas(source.processes)
		for c := range read.NumCounters {
			if free := c.Field() == read.FieldCPU || c.Field() == read.FieldFaults; free && want[c] != sum[c] {
				h.t.Errorf("scrape %d: counter %d adds up to %d, expected %d", n, c, sum[c], want[c])
			}
		}
		var resident uint64
		for _, p := range source.processes {
			resident += p.Levels[read.Resident]
		}
		assert.Equal(h.t, resident, levels[read.Resident])
		assert.Equal(h.t, len(source.processes), members)
		counted += sum[read.CPUUser] + sum[read.CPUSystem] + sum[read.ReapedUser] + sum[read.ReapedSystem]
		if w.waits {
			assert.Equal(h.t, w.used-before, counted, "scrape %d: all that was used is counted once", n)
		} else {
			assert.LessOrEqual(h.t, counted, w.used-before, "scrape %d: nothing is counted twice", n)
		}
		for i := range io {
			io[i] += sum[read.DiskReadBytes+read.Counter(i)]
			// Counters that cost a read are not known of what is excluded. Where parent and child exited in the same scrape, who inherited is a
			// guess, which in one history of some hundred is so wrong that some I/O is never discounted. In these it is right.
			switch moved := w.moved[i] - movedBefore[i]; {
			case !h.options.Filter.empty():
			case w.waits:
				assert.Equal(h.t, moved, io[i], "scrape %d: all that was moved is counted once, inherited or not", n)
			default:
				assert.LessOrEqual(h.t, io[i], moved, "scrape %d: nothing is counted twice", n)
			}
		}
		h.neverFalls(totals, s)
		assert.Len(h.t, tracker.byPID, len(source.processes))
	}
}

func (f Filter) empty() bool { return f.MinAge == 0 && len(f.Exclude.Names) == 0 }

// addUp sums over every place that a snapshot has.
func addUp(s *Snapshot) (delta Deltas, levels read.Levels, members int) {
	groups := append([]*Group{s.Other, s.Excluded}, s.Groups...)
	for _, p := range s.Shown {
		g := &Group{}
		g.addProcess(p)
		groups = append(groups, g)
	}
	for _, g := range groups {
		delta.add(&g.Delta)
		for l := range levels {
			levels[l] += g.Levels[l]
		}
		members += g.Members
	}
	return delta, levels, members
}

// neverFalls compares the totals of every stream with those of before. A stream is what it counts, and since when.
func (h history) neverFalls(totals map[any]read.Totals, s *Snapshot) {
	type groupStream struct {
		labels GroupLabels
		place  string
		since  time.Time
	}
	check := func(stream any, total read.Totals, delta Deltas) {
		last, seen := totals[stream]
		for c := range read.NumCounters {
			if total[c] < last[c] || total[c] < delta[c] || seen && total[c]-last[c] < delta[c] {
				h.t.Errorf("%v: counter %d goes from %d to %d with a delta of %d", stream, c, last[c], total[c], delta[c])
			}
		}
		totals[stream] = total
	}
	for _, p := range s.Shown {
		check(p.Key, p.Total, p.Delta)
	}
	for _, g := range s.Groups {
		check(groupStream{g.Labels, "group", g.Since}, g.Total, g.Delta)
	}
	check(groupStream{place: "other", since: s.Other.Since}, s.Other.Total, s.Other.Delta)
	check(groupStream{place: "excluded", since: s.Excluded.Since}, s.Excluded.Total, s.Excluded.Delta)
}
