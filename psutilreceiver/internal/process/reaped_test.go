package process

import (
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// family makes a process with own time and that of the children it waited for.
func family(pid, ppid int32, own, children uint64) fakeProcess {
	p := proc(pid, ppid, "p", own)
	p.Children.User = children
	return p
}

func TestReapedTime(t *testing.T) {
	type scan []fakeProcess
	cases := map[string]struct {
		scans []scan
		want  []map[int32]uint64 // ReapedUser that is new, by pid, of the second scan and those after it
	}{
		"children that came and went between two scrapes": {
			[]scan{{family(1, 0, 0, 0), family(2, 1, 10, 500)}, {family(1, 0, 0, 0), family(2, 1, 10, 590)}},
			[]map[int32]uint64{{2: 90}},
		},
		"a child that was seen counts only with its time after the last reading": {
			[]scan{{family(1, 0, 0, 0), family(2, 1, 10, 0), family(3, 2, 40, 0)}, {family(1, 0, 0, 0), family(2, 1, 10, 45)}},
			[]map[int32]uint64{{2: 5}},
		},
		"a child's own children are not counted again with it": {
			[]scan{
				{family(1, 0, 0, 0), family(2, 1, 0, 0), family(3, 2, 0, 0)},
				{family(1, 0, 0, 0), family(2, 1, 0, 0), family(3, 2, 0, 60)},
				{family(1, 0, 0, 0), family(2, 1, 0, 61)},
			},
			[]map[int32]uint64{{3: 60}, {2: 1}},
		},
		"a parent and its child that exit at once: subtracted from the grandparent": {
			[]scan{{family(1, 0, 0, 0), family(2, 1, 0, 0), family(3, 2, 20, 0), family(4, 3, 30, 0)}, {family(1, 0, 0, 0), family(2, 1, 0, 52)}},
			[]map[int32]uint64{{2: 2}},
		},
		"an orphan that init waited for is not counted twice": {
			[]scan{{family(1, 0, 0, 0), family(2, 1, 0, 0), family(3, 2, 5, 0), family(4, 3, 30, 0)}, {family(1, 0, 0, 31), family(2, 1, 0, 5)}},
			[]map[int32]uint64{{1: 1}},
		},
		"a parent that does not wait gets nothing, and nothing is subtracted after the next scrape": {
			[]scan{
				{family(1, 0, 0, 0), family(2, 1, 0, 0), family(3, 2, 100, 0)},
				{family(1, 0, 0, 0), family(2, 1, 0, 0)},
				{family(1, 0, 0, 0), family(2, 1, 0, 0)},
				{family(1, 0, 0, 0), family(2, 1, 0, 7)},
			},
			[]map[int32]uint64{{}, {}, {2: 7}},
		},
		"a parent that was read before it waited: discounted in the next scrape": {
			[]scan{
				{family(1, 0, 0, 0), family(2, 1, 0, 0), family(3, 2, 100, 0)},
				{family(1, 0, 0, 0), family(2, 1, 0, 0)},
				{family(1, 0, 0, 0), family(2, 1, 0, 104)},
			},
			[]map[int32]uint64{{}, {2: 4}},
		},
		"a newborn parent counts all of its children": {
			[]scan{{family(1, 0, 0, 0)}, {family(1, 0, 0, 0), family(2, 1, 1, 33)}},
			[]map[int32]uint64{{2: 33}},
		},
		"the past of a parent is not known at first sight": {
			[]scan{{family(5, 0, 0, 0)}, {family(5, 0, 0, 0), family(2, 1, 1, 33)}},
			[]map[int32]uint64{{}},
		},
		"a younger process with the pid of the parent is no ancestor": {
			[]scan{
				{family(1, 0, 0, 0), family(2, 1, 0, 0), family(3, 2, 10, 0)},
				{family(1, 0, 0, 11), {Sample: read.Sample{ProcessState: read.ProcessState{Key: read.Key{PID: 2, Start: 99}, PPID: 1, Have: fakeStat, Children: read.Children{User: 8}}}}},
			},
			// It is subtracted from init first, which waited for the orphan.
			[]map[int32]uint64{{1: 1, 2: 8}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{processes: c.scans[0]}
			tracker := newTracker(t, source, Options{})
			for _, p := range scrape(t, tracker, 0).Shown {
				assert.Zero(t, p.Total[read.ReapedUser])
			}
			for n, want := range c.want {
				source.processes = c.scans[n+1]
				got := map[int32]uint64{}
				for _, p := range scrape(t, tracker, n+1).Shown {
					if d := p.Delta[read.ReapedUser]; d > 0 {
						got[p.PID] = d
					}
				}
				assert.Equal(t, want, got, "scrape %d", n+1)
			}
		})
	}
}

func TestParentsInARing(t *testing.T) {
	// Parents seen at different instants can make a ring of processes that are all gone.
	source := &fakeSource{processes: []fakeProcess{family(1, 0, 0, 0), family(2, 3, 5, 0), family(3, 2, 5, 0)}}
	for i := range source.processes {
		source.processes[i].Start = 7
	}
	tracker := newTracker(t, source, Options{})
	scrape(t, tracker, 0)
	source.processes = []fakeProcess{family(1, 0, 0, 11)}
	source.processes[0].Start = 7
	s := scrape(t, tracker, 1)
	assert.Equal(t, uint64(1), s.Shown[0].Delta[read.ReapedUser])
}

func TestUnattributed(t *testing.T) {
	cycles := []struct {
		story     string
		host, own uint64
		want      uint64
		known     bool
	}{
		{"the host's time is not known", 0, 100, 0, false},
		{"the first sight is a baseline", 5000, 200, 0, true},
		{"all is accounted for", 5100, 300, 0, true},
		{"something ran that nobody shows", 5200, 310, 90, true},
		{"the processes' clock runs ahead of the host's: the total stands", 5210, 340, 90, true},
		{"what ran ahead is made good before more is added", 5320, 430, 90, true},
		{"a scrape without the host's time", 0, 480, 90, true},
		{"its processes are accounted for all the same", 5400, 500, 100, true},
		{"the host's time falls, as when a CPU goes: nothing is added", 4000, 500, 100, true},
		{"and goes on from there", 4050, 500, 150, true},
	}
	source := &fakeSource{}
	tracker := newTracker(t, source, Options{})
	for n, c := range cycles {
		source.processes = []fakeProcess{proc(1, 0, "a", c.own)}
		at := second(n)
		at.HostCPU = c.host
		s, err := tracker.Scrape(at)
		require.NoError(t, err)
		assert.Equal(t, c.known, s.HasUnattributed, c.story)
		assert.Equal(t, c.want, s.Unattributed, c.story)
	}
}
