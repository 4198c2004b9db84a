package process

import (
	"fmt"
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// TestNoAllocationInTheSteadyState holds for a whole scrape, not for each process alone.
func TestNoAllocationInTheSteadyState(t *testing.T) {
	h := proctest.NewHost(t)
	for pid := int32(1); pid <= 60; pid++ {
		h.Process(pid, fmt.Sprint("p", pid), uint64(pid), map[string]string{
			"io": proctest.IOText, "status": proctest.StatusText, "statm": "1 2 3 0 0 0 0\n", "smaps_rollup": proctest.SmapsText, "fd/0": "", "cgroup": "0::/a\n", "cmdline": "x\x00",
		})
	}
	h.Write("proc/60/stat", proctest.StatOf(60, "threads", 'S', 60, 2))
	h.Write("proc/60/task/60/status", proctest.StatusText)
	const all = read.FieldDiskIO | read.FieldLogicalIO | read.FieldShared | read.FieldSwap | read.FieldSwitches | read.FieldDescriptors
	attributes := read.AttributeExecutable | read.AttributeCommand | read.AttributeOwner | read.AttributeCgroup
	top := Top{N: 10, By: []RankKey{RankCPU, RankMemory, RankDiskIO}, Hysteresis: 1.5}
	cases := map[string]Options{
		"all_processes": {Fields: all, Attributes: attributes, Details: read.FieldProportional, MaxDetails: 20},
		"top":           {Fields: all, Attributes: attributes, Top: top},
		"groups":        {Fields: all, GroupBy: []GroupKey{GroupExecutable, GroupOwner}, Top: top},
		"filter": {Fields: all, Attributes: attributes, Filter: Filter{
			Include: Match{Owners: []string{"."}, Regexp: true}, Exclude: Match{Names: []string{"p7"}},
		}},
	}
	for name, options := range cases {
		t.Run(name, func(t *testing.T) {
			tracker := newTracker(t, readerOf(t, h), options)
			n := 0
			once := func() {
				s, err := tracker.Scrape(second(n))
				require.NoError(t, err)
				require.Equal(t, 60, s.Seen)
				n++
			}
			for range 3 {
				once()
			}
			// Opening a directory that is kept open allocates its path for stat(2): of the reader, not of a process.
			assert.LessOrEqual(t, testing.AllocsPerRun(20, once), 2.0)
		})
	}
}

// BenchmarkScrape adds to the scan what the tracker makes of it.
func BenchmarkScrape(b *testing.B) {
	proctest.StartSleepers(b, 1000)
	attributes := read.AttributeExecutable | read.AttributeCommand | read.AttributeOwner
	top := Top{N: 25, By: []RankKey{RankCPU, RankMemory, RankDiskIO}, Hysteresis: 1.5}
	for name, options := range map[string]Options{
		"all":    {Fields: read.FieldDiskIO, Attributes: attributes},
		"top":    {Fields: read.FieldDiskIO, Attributes: attributes, Top: top},
		"groups": {Fields: read.FieldDiskIO, GroupBy: []GroupKey{GroupExecutable}},
		"filter": {Fields: read.FieldDiskIO, Filter: Filter{Exclude: Match{Names: []string{"sleep"}}}},
	} {
		b.Run(name, func(b *testing.B) {
			tracker, err := NewTracker(liveReader(b), options)
			require.NoError(b, err)
			for n := range 2 {
				_, err := tracker.Scrape(second(n))
				require.NoError(b, err)
			}
			b.ReportAllocs()
			processes := 0
			begin := proctest.CPUTime()
			for b.Loop() {
				s, err := tracker.Scrape(second(1))
				require.NoError(b, err)
				processes += s.Seen
			}
			b.ReportMetric(float64((proctest.CPUTime()-begin).Nanoseconds())/float64(processes), "cpu-ns/process")
		})
	}
}
