package process

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// TestAProcessThatMovesHasItsNewCgroup: within two seconds or by the next scrape, whatever the cgroup is used for.
func TestAProcessThatMovesHasItsNewCgroup(t *testing.T) {
	for name, options := range map[string]Options{
		"attribute": {Attributes: read.AttributeCgroup},
		"group":     {GroupBy: []GroupKey{GroupCgroup}},
		"include":   {Attributes: read.AttributeCgroup, Filter: Filter{Include: Match{Cgroups: []string{"/new"}}}},
		"exclude":   {Attributes: read.AttributeCgroup, Filter: Filter{Exclude: Match{Cgroups: []string{"/old"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{processes: []fakeProcess{proc(1, 0, "a", 10)}}
			source.processes[0].identity.Cgroup = "/old"
			tracker := newTracker(t, source, options)
			n := 0
			for ; n < 3; n++ {
				scrape(t, tracker, n)
			}
			source.processes[0].identity.Cgroup = "/new"
			source.processes[0].Totals[read.CPUUser] += 5
			scrape(t, tracker, n)
			s := scrape(t, tracker, n+1)
			if name == "group" {
				require.NotEmpty(t, s.Groups)
				assert.Equal(t, "/new", s.Groups[len(s.Groups)-1].Labels.Cgroup)
				return
			}
			require.Len(t, s.Shown, 1)
			assert.Equal(t, "/new", s.Shown[0].Identity().Cgroup)
		})
	}
}

func TestTheCgroupIsReadOnlyWhereItIsAskedForAndNotTooOften(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "a", 10)}}
	tracker := newTracker(t, source, Options{Attributes: read.AttributeExecutable})
	for n := range 10 {
		scrape(t, tracker, n)
	}
	assert.Zero(t, source.asked)

	tracker = newTracker(t, source, Options{Attributes: read.AttributeCgroup})
	for n := range 41 {
		at := second(0)
		at.Now = at.Now.Add(time.Duration(n) * 100 * time.Millisecond)
		_, err := tracker.Scrape(at)
		require.NoError(t, err)
	}
	assert.Equal(t, 2, source.asked, "in four seconds")
}
