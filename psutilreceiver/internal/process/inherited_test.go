package process

import (
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
)

// mover makes a process that did I/O, its and that of the children it waited for, and had faults.
func mover(pid, ppid int32, bytes, faults, children uint64) fakeProcess {
	p := proc(pid, ppid, "p", 0)
	p.Have |= ioFields
	for i := range ioCounters {
		p.Totals[read.DiskReadBytes+read.Counter(i)] = bytes
	}
	p.Totals[read.MinorFaults], p.Children.Faults = faults, children
	return p
}

func unreadable(p fakeProcess) fakeProcess {
	p.Have &^= ioFields
	return p
}

func TestInheritedIO(t *testing.T) {
	type scan []fakeProcess
	init := mover(1, 0, 0, 50, 0)
	idle := mover(2, 1, 0, 50, 0)
	cases := map[string]struct {
		scans []scan
		want  []map[int32]uint64 // what each counter of I/O gained, by pid, in the second scan and those after it
	}{
		"a child that was waited for": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, mover(2, 1, 105, 51, 21)}, {init, mover(2, 1, 112, 51, 21)}},
			[]map[int32]uint64{{2: 5}, {2: 7}},
		},
		"a child that was not: what the parent did is its own": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, mover(2, 1, 60, 51, 0)}, {init, mover(2, 1, 360, 51, 0)}},
			[]map[int32]uint64{{2: 60}, {2: 300}},
		},
		"a child that was not, of a parent that waited for another, unseen": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, mover(2, 1, 60, 51, 30)}},
			[]map[int32]uint64{{2: 60}},
		},
		"and did more than the child, while the other had fewer faults": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, mover(2, 1, 160, 51, 12)}},
			[]map[int32]uint64{{2: 160}},
		},
		"a parent that was read before it waited: discounted in the next scrape": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, mover(2, 1, 3, 51, 0)}, {init, mover(2, 1, 108, 52, 20)}},
			[]map[int32]uint64{{2: 3}, {2: 5}},
		},
		"a child that is yet to be waited for is alive": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, idle, mover(3, 2, 101, 20, 0)}, {init, mover(2, 1, 102, 51, 20)}},
			[]map[int32]uint64{{3: 1}, {2: 1}},
		},
		"and has nothing to discount after that": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, idle}, {init, idle}, {init, mover(2, 1, 108, 52, 20)}},
			[]map[int32]uint64{{}, {}, {2: 108}},
		},
		"of two only one was waited for when the parent was read": {
			[]scan{
				{init, idle, mover(3, 2, 100, 20, 0), mover(4, 2, 10, 8, 0)},
				{init, mover(2, 1, 101, 51, 25)},
				{init, mover(2, 1, 113, 51, 33)},
			},
			[]map[int32]uint64{{2: 1}, {2: 2}},
		},
		"the one that had few faults moved the most": {
			[]scan{
				{init, idle, mover(3, 2, 10, 20, 0), mover(4, 2, 100, 8, 0)},
				{init, mover(2, 1, 101, 51, 10)},
				{init, mover(2, 1, 113, 51, 30)},
			},
			[]map[int32]uint64{{2: 1}, {2: 2}},
		},
		"three generations, one scrape after the other": {
			[]scan{
				{init, idle, mover(3, 2, 0, 5, 0), mover(4, 3, 100, 20, 0)},
				{init, idle, mover(3, 2, 103, 6, 20)},
				{init, mover(2, 1, 108, 51, 26)},
			},
			[]map[int32]uint64{{3: 3}, {2: 5}},
		},
		"three generations at once": {
			[]scan{{init, idle, mover(3, 2, 7, 5, 0), mover(4, 3, 100, 20, 0)}, {init, mover(2, 1, 109, 51, 26)}},
			[]map[int32]uint64{{2: 2}},
		},
		"an orphan that init waited for": {
			[]scan{{init, idle, mover(3, 2, 7, 5, 0), mover(4, 3, 100, 20, 0)}, {mover(1, 0, 104, 50, 20), mover(2, 1, 9, 51, 6)}},
			[]map[int32]uint64{{1: 4, 2: 2}},
		},
		"an orphan of which only init is left": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {mover(1, 0, 104, 50, 70)}},
			[]map[int32]uint64{{1: 4}},
		},
		"a parent that exits before the I/O of its child is discounted": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, idle}, {mover(1, 0, 104, 50, 70)}},
			[]map[int32]uint64{{}, {1: 4}},
		},
		"a child that could not be read was not counted": {
			[]scan{{init, idle, unreadable(mover(3, 2, 100, 20, 0))}, {init, mover(2, 1, 105, 51, 20)}},
			[]map[int32]uint64{{2: 105}},
		},
		"a parent that could not be read for one scrape": {
			[]scan{{init, idle, mover(3, 2, 100, 20, 0)}, {init, unreadable(mover(2, 1, 0, 51, 20))}, {init, mover(2, 1, 105, 51, 20)}},
			[]map[int32]uint64{{}, {2: 5}},
		},
		"a counter that steps back keeps its value until it has caught up": {
			[]scan{
				{init, idle, mover(3, 2, 100, 20, 0)},
				{init, mover(2, 1, 105, 51, 20)},
				{init, mover(2, 1, 101, 51, 20)},
				{init, mover(2, 1, 107, 51, 20)},
			},
			[]map[int32]uint64{{2: 5}, {}, {2: 2}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{processes: c.scans[0]}
			tracker := newTracker(t, source, Options{Fields: ioFields})
			totals := map[int32]uint64{}
			for _, p := range scrape(t, tracker, 0).Shown {
				totals[p.PID] = p.Total[read.DiskReadBytes]
			}
			for n, want := range c.want {
				source.processes = c.scans[n+1]
				got := map[int32]uint64{}
				for _, p := range scrape(t, tracker, n+1).Shown {
					d := p.Delta[read.DiskReadBytes]
					if d > 0 {
						got[p.PID] = d
					}
					totals[p.PID] += d
					assert.Equal(t, totals[p.PID], p.Total[read.DiskReadBytes], "the total grows by the delta")
					assert.Equal(t, d, p.Delta[read.LogicalWriteBytes], "all of the file are treated alike")
				}
				assert.Equal(t, want, got, "scrape %d", n+1)
			}
			source.processes = source.processes[:1]
			scrape(t, tracker, 8)
			scrape(t, tracker, 9)
			assert.Nil(t, tracker.exitedIO, "nothing is kept for long")
		})
	}
}

func TestInheritedIOKeepsGroupsAndRemainderExact(t *testing.T) {
	scans := [][]fakeProcess{
		{mover(1, 0, 0, 50, 0), mover(2, 1, 0, 50, 0)},
		{mover(1, 0, 0, 50, 0), mover(2, 1, 0, 50, 0), mover(3, 2, 100, 20, 0)},
		{mover(1, 0, 0, 50, 0), mover(2, 1, 105, 50, 20)},
	}
	for name, options := range map[string]Options{
		"groups":    {GroupBy: []GroupKey{GroupExecutable}},
		"remainder": {Top: Top{N: 1, By: []RankKey{RankMemory}, Hysteresis: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			options.Fields = ioFields
			source := &fakeSource{}
			tracker := newTracker(t, source, options)
			var deltas []uint64
			for n := range scans {
				source.processes = scans[n]
				s := scrape(t, tracker, n)
				sum, _, _ := addUp(s)
				deltas = append(deltas, sum[read.DiskWriteBytes])
				total := s.Other.Total[read.DiskWriteBytes]
				for _, g := range s.Groups {
					total += g.Total[read.DiskWriteBytes]
				}
				assert.Equal(t, []uint64{0, 100, 105}[n], total)
			}
			assert.Equal(t, []uint64{0, 100, 5}, deltas)
		})
	}
}

func TestAChildThatIsExcludedIsShownByItsParent(t *testing.T) {
	child := mover(3, 2, 100, 20, 0)
	child.SetComm("hidden")
	source := &fakeSource{processes: []fakeProcess{mover(2, 1, 0, 50, 0), child}}
	tracker := newTracker(t, source, Options{Fields: ioFields, Filter: Filter{Exclude: Match{Names: []string{"hidden"}}}})
	scrape(t, tracker, 0)
	source.processes = []fakeProcess{mover(2, 1, 105, 50, 20)}
	assert.Equal(t, uint64(105), scrape(t, tracker, 1).Shown[0].Delta[read.DiskReadBytes])
}
