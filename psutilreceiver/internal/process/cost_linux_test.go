package process

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

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
	const all = FieldDiskIO | FieldLogicalIO | FieldShared | FieldSwap | FieldSwitches | FieldDescriptors
	attributes := AttributeExecutable | AttributeCommand | AttributeOwner | AttributeCgroup
	top := Top{N: 10, By: []RankKey{RankCPU, RankMemory, RankDiskIO}, Hysteresis: 1.5}
	cases := map[string]Options{
		"all_processes": {Fields: all, Attributes: attributes, Details: FieldProportional, MaxDetails: 20},
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
			// Opening a directory that is held allocates its path for stat(2): of the reader, not of a process.
			assert.LessOrEqual(t, testing.AllocsPerRun(20, once), 2.0)
		})
	}
}

func TestNoAllocationOnTheLiveHost(t *testing.T) {
	r := liveReader(t)
	seen := 0
	visit := func(s *Sample) {
		r.Read(s, FieldDiskIO|FieldSwap|FieldSwitches|FieldDescriptors)
		seen++
	}
	require.NoError(t, r.Scan(visit))
	require.Greater(t, seen, 2)
	assert.LessOrEqual(t, testing.AllocsPerRun(5, func() { _ = r.Scan(visit) }), 1.0)
}

func cpuTime() int64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkScan reads 1,000 idle processes and what else the host runs. If CFLOOR names the program that bench/cfloor builds, it runs after
// each case over the same files, and the ratio of the two is reported. Of both the cheapest round counts: what other work on the machine adds
// to a round is neither's.
func BenchmarkScan(b *testing.B) {
	proctest.StartSleepers(b, 1000)
	for _, c := range []struct {
		name string
		want Fields
	}{
		{"stat", 0},
		{"stat_io", FieldDiskIO},
		{"stat_io_status_fd", FieldDiskIO | FieldSwap | FieldSwitches | FieldDescriptors},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := liveReader(b)
			processes := 0
			visit := func(s *Sample) {
				r.Read(s, c.want)
				processes++
			}
			require.NoError(b, r.Scan(visit))
			b.ReportAllocs()
			least := math.Inf(1)
			for b.Loop() {
				processes = 0
				begin := cpuTime()
				if err := r.Scan(visit); err != nil {
					b.Fatal(err)
				}
				least = min(least, float64(cpuTime()-begin)/float64(processes))
			}
			b.ReportMetric(least, "cpu-ns/process")
			if floor := runFloor(b, c.name); floor > 0 {
				b.ReportMetric(floor, "floor-ns/process")
				b.ReportMetric(least/floor, "ratio")
			}
		})
	}
}

// runFloor returns what the C program needs for a process, or 0 if there is none for the case.
func runFloor(b *testing.B, name string) float64 {
	b.Helper()
	files := map[string][]string{"stat": {"stat"}, "stat_io": {"stat", "io"}}[name]
	program := os.Getenv("CFLOOR")
	if program == "" || files == nil {
		return 0
	}
	out, err := exec.Command(program, append([]string{strconv.Itoa(max(b.N, 30))}, files...)...).Output()
	require.NoError(b, err)
	value, err := strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
	require.NoError(b, err)
	return value
}

// BenchmarkScrape adds to the scan what the tracker makes of it.
func BenchmarkScrape(b *testing.B) {
	proctest.StartSleepers(b, 1000)
	attributes := AttributeExecutable | AttributeCommand | AttributeOwner
	top := Top{N: 25, By: []RankKey{RankCPU, RankMemory, RankDiskIO}, Hysteresis: 1.5}
	for name, options := range map[string]Options{
		"all":    {Fields: FieldDiskIO, Attributes: attributes},
		"top":    {Fields: FieldDiskIO, Attributes: attributes, Top: top},
		"groups": {Fields: FieldDiskIO, GroupBy: []GroupKey{GroupExecutable}},
		"filter": {Fields: FieldDiskIO, Filter: Filter{Exclude: Match{Names: []string{"sleep"}}}},
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
			begin := cpuTime()
			for b.Loop() {
				s, err := tracker.Scrape(second(1))
				require.NoError(b, err)
				processes += s.Seen
			}
			b.ReportMetric(float64(cpuTime()-begin)/float64(processes), "cpu-ns/process")
		})
	}
}

func BenchmarkParseStat(b *testing.B) {
	text := []byte(statText)
	var s Sample
	b.ReportAllocs()
	for b.Loop() {
		if !parseStat(text, 4096, &s) {
			b.Fatal("not parsed")
		}
	}
}
