package cgroup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// fileOf is the file of a controller.
func fileOf(tb testing.TB, controller Controller, name string) File {
	tb.Helper()
	for _, f := range Files {
		if f.Controller == controller && f.Name == name {
			return f
		}
	}
	tb.Fatalf("there is no %s", name)
	return File{}
}

func TestParseFiles(t *testing.T) {
	for _, c := range []struct {
		controller Controller
		name, text string
		want       map[Value]int64
		whole      bool
	}{
		{Unified, "cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 5\nnr_throttled 2\nthrottled_usec 7\n", map[Value]int64{CPUUser: 20, CPUSystem: 10, Periods: 5, ThrottledPeriods: 2, ThrottledTime: 7}, true},
		{Unified, "cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\n", map[Value]int64{CPUUser: 20, CPUSystem: 10}, true},
		{Unified, "cpu.stat", "user_usec x\nsystem_usec 10\n", map[Value]int64{CPUSystem: 10}, false},
		{Unified, "cpu.stat", "", nil, false},
		{Unified, "cpu.max", "50000 100000\n", map[Value]int64{CPULimit: 500_000}, true},
		{Unified, "cpu.max", "max 100000\n", nil, true},
		{Unified, "cpu.max", "50000 0\n", nil, false},
		{Unified, "cpu.max", "-1 100000\n", nil, false},
		{Unified, "cpu.max", "9223372036854775807 100000\n", nil, false},
		{Unified, "cpu.max", "50000\n", nil, false},
		{Unified, "memory.max", "max\n", nil, true},
		{Unified, "memory.max", "4096\n", map[Value]int64{MemoryLimit: 4096}, true},
		{Unified, "memory.max", "18446744073709551615\n", nil, false},
		{Unified, "memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n", map[Value]int64{EventHigh: 2, EventMax: 3, EventOOM: 4, EventOOMKill: 5}, true},
		{Unified, "memory.stat", "anon 5\nfile 9\ninactive_file 3\npgfault 8\npgmajfault 1\n", map[Value]int64{MemoryRSS: 5, MemoryInactiveFile: 3, FaultsMinor: 8, FaultsMajor: 1}, true},
		{CPUAcct, "cpuacct.stat", "user 150\nsystem 50\n", map[Value]int64{CPUUser: 1_500_000, CPUSystem: 500_000}, true},
		{CPUAcct, "cpuacct.stat", "user 9223372036854775807\nsystem 50\n", map[Value]int64{CPUSystem: 500_000}, false},
		{CPU, "cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_time 4000000\n", map[Value]int64{Periods: 9, ThrottledPeriods: 3, ThrottledTime: 4000}, true},
		{Memory, "memory.limit_in_bytes", "9223372036854771712\n", nil, true},
		{Memory, "memory.limit_in_bytes", "9223372036854710272\n", nil, true}, // pages of 64 KiB
		{Memory, "memory.limit_in_bytes", "4096\n", map[Value]int64{MemoryLimit: 4096}, true},
		{Memory, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", map[Value]int64{EventOOMKill: 3}, true},
		{Memory, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", nil, true},
		{
			Memory, "memory.stat", "rss 1\nhierarchical_memory_limit 100\nhierarchical_memsw_limit 150\ntotal_rss 5\ntotal_swap 7\ntotal_inactive_file 3\ntotal_pgfault 8\ntotal_pgmajfault 1\n",
			map[Value]int64{MemoryLimit: 100, SwapLimit: 50, SwapUsage: 7, MemoryRSS: 5, MemoryInactiveFile: 3, FaultsMinor: 8, FaultsMajor: 1},
			true,
		},
		{
			Unified, "cpu.pressure", "some avg10=1.50 avg60=0.75 avg300=0.20 total=1234\nfull avg10=100.00 avg60=0.00 avg300=0.00 total=9\n",
			map[Value]int64{
				Pressure(ResourceCPU, false, Stall10s): 150, Pressure(ResourceCPU, false, Stall1m): 75, Pressure(ResourceCPU, false, Stall5m): 20,
				Pressure(ResourceCPU, false, StallTotal): 1234, Pressure(ResourceCPU, true, Stall10s): 10_000, Pressure(ResourceCPU, true, Stall1m): 0,
				Pressure(ResourceCPU, true, Stall5m): 0, Pressure(ResourceCPU, true, StallTotal): 9,
			},
			true,
		},
		{
			Unified, "io.pressure", "some avg10=x avg60=0.75 avg300=0.20 total=1234\n",
			map[Value]int64{Pressure(ResourceIO, false, Stall1m): 75, Pressure(ResourceIO, false, Stall5m): 20, Pressure(ResourceIO, false, StallTotal): 1234},
			false,
		},
	} {
		var s Sample
		s.Reset()
		assert.Equal(t, c.whole, fileOf(t, c.controller, c.name).Parse([]byte(c.text), &s), "%s %q", c.name, c.text)
		var want Sample
		want.Reset()
		for v, n := range c.want {
			want.Values[v] = n
		}
		assert.Equal(t, want.Values, s.Values, "%s %q", c.name, c.text)
	}
}

// TestQuotaOfVersion1: the limit is in two files, of which the period comes first.
func TestQuotaOfVersion1(t *testing.T) {
	for _, c := range []struct {
		period, quota string
		want          int64
	}{{"100000", "150000", 1_500_000}, {"100000", "-1", Absent}, {"", "150000", Absent}, {"100000", "", Absent}} {
		var s Sample
		s.Reset()
		fileOf(t, CPU, "cpu.cfs_period_us").Parse([]byte(c.period), &s)
		fileOf(t, CPU, "cpu.cfs_quota_us").Parse([]byte(c.quota), &s)
		assert.Equal(t, c.want, s.Values[CPULimit], "%+v", c)
	}
}

func TestParseIO(t *testing.T) {
	a, b := Device{8, 0, IO{1, 2, 3, 4}}, Device{253, 1, IO{5, 6, 7, 8}}
	for name, c := range map[string]struct {
		controller Controller
		files      map[string]string
		want       []Device
	}{
		"version 2": {Unified, map[string]string{
			"io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n253:1 rbytes=5 wbytes=6 rios=7 wios=8 dbytes=0 dios=0 cost.usage=9\n",
		}, []Device{a, b}},
		"devices without I/O on the line of the next one": {Unified, map[string]string{
			"io.stat": "7:0 7:1 8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n(unknown) 253:1 rbytes=5 wbytes=6 rios=7 wios=8\n",
		}, []Device{a, b}},
		"version 1": {Blkio, map[string]string{
			"blkio.throttle.io_service_bytes_recursive": "8:0 Read 1\n8:0 Write 2\n8:0 Sync 0\n8:0 Discard 9\n8:0 Total 3\n253:1 Read 5\n253:1 Write 6\nTotal 14\n",
			"blkio.throttle.io_serviced_recursive":      "8:0 Read 3\n8:0 Write 4\n8:0 Total 7\n253:1 Read 7\n253:1 Write 8\nTotal 22\n",
		}, []Device{a, b}},
		"version 1 before Linux 4.17": {Blkio, map[string]string{
			"blkio.throttle.io_service_bytes": "8:0 Read 1\n8:0 Write 2\n253:1 Read 5\n253:1 Write 6\nTotal 14\n",
			"blkio.throttle.io_serviced":      "8:0 Read 3\n8:0 Write 4\n253:1 Read 7\n253:1 Write 8\nTotal 22\n",
		}, []Device{a, b}},
		"version 1, limits and BFQ": {Blkio, map[string]string{
			"blkio.throttle.io_service_bytes_recursive": "8:0 Read 1\n8:0 Write 1\nTotal 2\n", // Since a limit was set.
			"blkio.throttle.io_serviced_recursive":      "8:0 Read 1\n8:0 Write 4\nTotal 5\n",
			"blkio.bfq.io_service_bytes_recursive":      "8:0 Read 1\n8:0 Write 2\n8:0 Sync 3\n8:0 Async 0\n8:0 Discard 0\n8:0 Total 3\n253:1 Read 5\n253:1 Write 6\nTotal 14\n",
			"blkio.bfq.io_serviced_recursive":           "8:0 Read 3\n8:0 Write 4\n8:0 Total 7\n253:1 Read 7\n253:1 Write 8\nTotal 22\n",
		}, []Device{a, b}},
		"version 1, CFQ": {Blkio, map[string]string{
			"blkio.throttle.io_service_bytes_recursive": "Total 0\n",
			"blkio.io_service_bytes_recursive":          "8:0 Read 1\n8:0 Write 2\n253:1 Read 5\n253:1 Write 6\nTotal 14\n",
			"blkio.io_serviced_recursive":               "8:0 Read 3\n8:0 Write 4\n253:1 Read 7\n253:1 Write 8\nTotal 22\n",
		}, []Device{a, b}},
		"none": {Unified, map[string]string{"io.stat": ""}, nil},
	} {
		var s Sample
		s.Reset()
		for file, text := range c.files {
			assert.True(t, fileOf(t, c.controller, file).Parse([]byte(text), &s), name)
		}
		assert.ElementsMatch(t, c.want, s.Devices, name)
	}
}

// FuzzFiles: whatever a file has, its parser gives no value that can't be, and the same from a buffer that has been used.
func FuzzFiles(f *testing.F) {
	for _, text := range []string{
		"usage_usec 30\nuser_usec 20\nsystem_usec 10\n", "max 100000\n", "8:0 rbytes=1 wbytes=2 rios=3 wios=4\n", "8:0 Read 1\nTotal 1\n",
		"some avg10=1.50 avg60=0.75 avg300=0.20 total=1234\n", "total_rss 5\n", "-1\n", "18446744073709551615", strings.Repeat("9", 30),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for i := range Files {
			var s Sample
			s.Reset()
			Files[i].Parse(text, &s)
			for v, n := range s.Values {
				assert.GreaterOrEqual(t, n, int64(Absent), "%s: value %d", Files[i].Name, v)
			}
			for _, d := range s.Devices {
				assert.True(t, d.IO.ReadBytes >= 0 && d.IO.WrittenBytes >= 0 && d.IO.Reads >= 0 && d.IO.Writes >= 0)
			}
		}
	})
}
