package process

import (
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
)

func TestFilter(t *testing.T) {
	web := proc(10, 1, "nginx", 0)
	web.identity = read.Identity{
		Executable: "nginx", ExecutablePath: "/usr/sbin/nginx", Owner: "www-data", Cgroup: "/system.slice/nginx.service",
		CommandLine: "nginx: worker process",
	}
	long := proc(11, 1, "prometheus-node", 0) // the kernel keeps 15 bytes of the name
	long.identity = read.Identity{Executable: "prometheus-node-exporter", ExecutablePath: "/opt/prometheus-node-exporter", Owner: "root", Cgroup: "/"}
	shell := proc(12, 1, "bash", 0)
	shell.identity = read.Identity{Executable: "bash", ExecutablePath: "/bin/bash", Owner: "root", Cgroup: "/user.slice"}

	in := func(m Match) Filter { return Filter{Include: m} }
	ex := func(m Match) Filter { return Filter{Exclude: m} }
	cases := map[string]struct {
		filter     Filter
		kept       []int32
		identified map[int32]int // how often an identity was asked for
	}{
		"no filter":                           {Filter{}, []int32{10, 11, 12}, nil},
		"a pid":                               {in(Match{PIDs: []int32{11}}), []int32{11}, nil},
		"not a pid":                           {ex(Match{PIDs: []int32{11}}), []int32{10, 12}, nil},
		"a name that the kernel has":          {in(Match{Names: []string{"nginx"}}), []int32{10}, map[int32]int{11: 1, 12: 1}},
		"a name longer than the kernel keeps": {in(Match{Names: []string{"prometheus-node-exporter"}}), []int32{11}, map[int32]int{10: 1, 11: 1, 12: 1}},
		"not a name, known without identity":  {ex(Match{Names: []string{"bash"}}), []int32{10, 11}, map[int32]int{10: 1, 11: 1}},
		"not a long name":                     {ex(Match{Names: []string{"prometheus-node-exporter"}}), []int32{10, 12}, map[int32]int{10: 1, 11: 1, 12: 1}},
		"an executable":                       {in(Match{Executables: []string{"/bin/bash"}}), []int32{12}, map[int32]int{10: 1, 11: 1, 12: 1}},
		"an owner":                            {in(Match{Owners: []string{"root"}}), []int32{11, 12}, map[int32]int{10: 1, 11: 1, 12: 1}},
		"a cgroup by expression":              {in(Match{Cgroups: []string{`^/system\.slice/`}, Regexp: true}), []int32{10}, map[int32]int{10: 1, 11: 1, 12: 1}},
		"not a command line by expression":    {ex(Match{CommandLines: []string{`worker`}, Regexp: true}), []int32{11, 12}, map[int32]int{10: 1, 11: 1, 12: 1}},
		"strict is no expression":             {in(Match{Executables: []string{"/bin/.*"}}), nil, map[int32]int{10: 1, 11: 1, 12: 1}},
		"every list must match":               {in(Match{Owners: []string{"root"}, Names: []string{"bash"}}), []int32{12}, map[int32]int{10: 1, 11: 1, 12: 1}},
		"exclude wins": {
			Filter{Include: Match{Owners: []string{"root"}}, Exclude: Match{Names: []string{"bash"}}},
			[]int32{11},
			map[int32]int{10: 2, 11: 2}, // its executable for the name, then its owner; the shell fell to its comm alone
		},
		"the pid spares the rest": {
			Filter{Include: Match{PIDs: []int32{12}, Owners: []string{"root"}}},
			[]int32{12},
			map[int32]int{12: 1},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{processes: []fakeProcess{web, long, shell}}
			tracker := newTracker(t, source, Options{Filter: c.filter, Fields: read.FieldDiskIO})
			for n := range 2 { // the result stays: the second scrape reads no identity
				s := scrape(t, tracker, n)
				var kept []int32
				for _, p := range s.Shown {
					kept = append(kept, p.PID)
				}
				assert.Equal(t, c.kept, kept)
				assert.Equal(t, 3-len(kept), s.Excluded.Members)
				assert.Len(t, source.reads, len(kept), "nothing more is read of what is excluded")
			}
			assert.Equal(t, c.identified, source.identified)
		})
	}
}

func TestMinAge(t *testing.T) {
	young := proc(2, 1, "young", 0)
	at := second(0)
	young.Start = startAt(at, -30*time.Second)
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "old", 0), young}}
	tracker := newTracker(t, source, Options{Filter: Filter{MinAge: time.Minute, Exclude: Match{Owners: []string{"nobody"}}}})
	s := scrape(t, tracker, 0)
	assert.Equal(t, map[int32]uint64{1: 0}, shownDelta(s))
	assert.Zero(t, source.identified[2], "a process too young is not looked at")

	source.processes[1].Totals[read.CPUUser] = 50
	s = scrape(t, tracker, 29)
	assert.Equal(t, uint64(50), s.Excluded.Delta[read.CPUUser])

	source.processes[1].Totals[read.CPUUser] = 80
	s = scrape(t, tracker, 30)
	assert.Equal(t, map[int32]uint64{1: 0, 2: 30}, shownDelta(s), "it comes of age with its new time; the old was counted as excluded")
	assert.Equal(t, uint64(80), s.Shown[1].Total[read.CPUUser])
	assert.Equal(t, uint64(50), s.Shown[1].Base()[read.CPUUser])
}

func TestFilterFollowsAProcessThatChanges(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "sh", 0)}}
	tracker := newTracker(t, source, Options{Filter: Filter{Include: Match{Names: []string{"make"}}}})
	assert.Empty(t, scrape(t, tracker, 0).Shown)
	source.processes[0] = proc(1, 0, "make", 10)
	s := scrape(t, tracker, 1)
	assert.Equal(t, map[int32]uint64{1: 10}, shownDelta(s))
	assert.Zero(t, s.Excluded.Members)
}
