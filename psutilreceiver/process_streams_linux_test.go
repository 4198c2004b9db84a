package psutilreceiver

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// task is a process of a taskHost. Times are in ticks, 100 to the second.
type task struct {
	pid            int
	comm           string
	started        int
	user, system   int
	cutime, cstime int // of its children that have exited
	read, written  int // bytes
}

// taskHost is a root with processes, all of them children of the first, which waits for those that exit. It keeps book of what was used since
// it was last scraped.
type taskHost struct {
	root  string
	clock *steppedClock
	boot  time.Time
	rnd   *rand.Rand
	tasks []*task
	next  int               // pid
	texts map[string]string // of the files, by name

	cpu           float64 // seconds, of all
	read, written float64 // bytes, of those that are alive
}

func newTaskHost(t *testing.T, seed uint64) *taskHost {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := &taskHost{
		root: t.TempDir(), clock: &steppedClock{now: now}, boot: now.Add(-time.Hour), rnd: rand.New(rand.NewPCG(seed, 3)), next: 1,
		texts: make(map[string]string),
	}
	require.NoError(t, os.Mkdir(filepath.Join(h.root, "proc"), 0o755))
	h.write(t, "uptime", "3600.00 7000.00\n")
	h.write(t, "meminfo", "MemTotal: 1000000 kB\nMemFree: 1 kB\nBuffers: 1 kB\nCached: 1 kB\n")
	h.add("init", 100)
	return h
}

func (h *taskHost) add(comm string, started int) *task {
	k := &task{pid: h.next, comm: comm, started: started}
	h.next++
	h.tasks = append(h.tasks, k)
	return k
}

func (h *taskHost) write(t *testing.T, name, text string) {
	t.Helper()
	if h.texts[name] == text {
		return
	}
	h.texts[name] = text
	path := filepath.Join(h.root, "proc", name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// show writes the files of all processes.
func (h *taskHost) show(t *testing.T) {
	t.Helper()
	for _, k := range h.tasks {
		dir := strconv.Itoa(k.pid) + "/"
		h.write(t, dir+"stat", fmt.Sprintf("%d (%s) S %d 1 1 0 -1 4194560 0 0 0 0 %d %d %d %d 20 0 1 0 %d 8192 %d 18446744073709551615\n",
			k.pid, k.comm, min(k.pid-1, 1), k.user, k.system, k.cutime, k.cstime, k.started, 2+k.pid%3))
		h.write(t, dir+"io", fmt.Sprintf("rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: %d\nwrite_bytes: %d\ncancelled_write_bytes: 0\n", k.read, k.written))
		h.write(t, dir+"cmdline", k.comm+"\x00")
	}
}

// use lets a process use up something, and keeps book of it.
func (h *taskHost) use(k *task, user, system, read, written int) {
	k.user, k.system, k.read, k.written = k.user+user, k.system+system, k.read+read, k.written+written
	h.cpu += float64(user+system) / 100
	h.read, h.written = h.read+float64(read), h.written+float64(written)
}

// exit ends a process, for which the first one waits.
func (h *taskHost) exit(t *testing.T, i int) {
	t.Helper()
	k := h.tasks[i]
	h.tasks[0].cutime += k.user
	h.tasks[0].cstime += k.system
	h.tasks = append(h.tasks[:i], h.tasks[i+1:]...)
	require.NoError(t, os.RemoveAll(filepath.Join(h.root, "proc", strconv.Itoa(k.pid))))
}

func (h *taskHost) used() (cpu, read, written float64) {
	cpu, read, written = h.cpu, h.read, h.written
	h.cpu, h.read, h.written = 0, 0, 0
	return cpu, read, written
}

// live lets ten seconds pass.
func (h *taskHost) live(t *testing.T) {
	t.Helper()
	h.clock.step(10 * time.Second)
	for i := len(h.tasks) - 1; i > 0; i-- {
		switch k := h.tasks[i]; {
		case h.rnd.IntN(12) == 0:
			used := h.rnd.IntN(100)
			k.user, h.cpu = k.user+used, h.cpu+float64(used)/100 // What it wrote at last, nobody can tell any more.
			h.exit(t, i)
		case h.rnd.IntN(3) == 0:
			h.use(k, h.rnd.IntN(300), h.rnd.IntN(300), h.rnd.IntN(1<<20), h.rnd.IntN(1<<20))
			if h.rnd.IntN(6) == 0 {
				k.comm = "exec" + strconv.Itoa(h.rnd.IntN(3))
			}
		}
	}
	for range h.rnd.IntN(3) {
		born := int(h.clock.read().Sub(h.boot)/(10*time.Millisecond)) - h.rnd.IntN(1000)
		h.use(h.add("app"+strconv.Itoa(h.rnd.IntN(3)), born), h.rnd.IntN(300), h.rnd.IntN(300), h.rnd.IntN(1<<20), h.rnd.IntN(1<<20))
	}
	if h.rnd.IntN(3) == 0 { // A child that came and went unseen.
		used := h.rnd.IntN(50)
		h.tasks[0].cutime += used
		h.cpu += float64(used) / 100
	}
	h.show(t)
}

func (h *taskHost) scraper(t *testing.T, configure func(*Config, *ProcessConfig)) *oneScraper {
	t.Helper()
	return newOneScraper(t, h.clock, func(cfg *Config) {
		process := cfg.Scrapers.Process.GetOrInsertDefault()
		cfg.RootPath, cfg.Temporality = h.root, TemporalityDelta
		process.Top = ProcessTop{N: 2, By: []string{"cpu", "disk_io"}, Hysteresis: 1}
		configure(cfg, process)
	})
}

// TestDeltasOfShownAndOtherAreTheTotals lets processes come, go, become other programs and change places between those shown and the rest.
// In every scrape all deltas together are what was used since the one before.
func TestDeltasOfShownAndOtherAreTheTotals(t *testing.T) {
	for _, groups := range [][]string{nil, {"executable"}} {
		for _, rates := range []bool{false, true} {
			t.Run(fmt.Sprintf("groups=%v/rates=%t", groups, rates), func(t *testing.T) {
				for seed := range uint64(2) {
					seen := 0
					h := newTaskHost(t, seed)
					for i := range 12 {
						h.use(h.add("app"+strconv.Itoa(i%4), 200+i), h.rnd.IntN(5000), h.rnd.IntN(5000), h.rnd.IntN(1<<30), h.rnd.IntN(1<<30))
					}
					h.show(t)
					o := h.scraper(t, func(cfg *Config, process *ProcessConfig) {
						cfg.Rates.Enabled, process.GroupBy = rates, groups
						cfg.Metrics.ProcessMemoryUtilization.Enabled = true
					})
					assert.Empty(t, sums(o.scrape(t)), "the first scrape knows no past")
					h.used()
					for n := range 40 {
						h.live(t)
						// Without meminfo the utilization is missing, and nothing else.
						absent := n%4 == 3
						if absent {
							require.NoError(t, os.Rename(h.root+"/proc/meminfo", h.root+"/proc/away"))
						}
						points := o.scrape(t)
						if absent {
							require.NoError(t, os.Rename(h.root+"/proc/away", h.root+"/proc/meminfo"))
						}
						got := sums(points)
						cpu, read, written := h.used()
						require.InDelta(t, cpu, got["process.cpu.time"]+got["process.children.cpu.time"], 1e-6, "seed %d, scrape %d", seed, n)
						require.InDelta(t, read, got["process.disk.io{disk.io.direction=read}"], 0, "seed %d, scrape %d", seed, n)
						require.InDelta(t, written, got["process.disk.io{disk.io.direction=write}"], 0, "seed %d, scrape %d", seed, n)
						seen += checkRates(t, points)
					}
					require.Equal(t, rates, seen > 100, "%d rates", seen)
				}
			})
		}
	}
}

// sums adds up the deltas of all processes: of CPU time by metric, of the rest by metric and attributes.
func sums(points map[string]streamPoint) map[string]float64 {
	out := make(map[string]float64)
	for key, p := range points {
		if p.temporality != pmetric.AggregationTemporalityDelta {
			continue
		}
		key = key[strings.LastIndexByte(key, ' ')+1:]
		if name, _, _ := strings.Cut(key, "{"); strings.HasSuffix(name, "cpu.time") {
			key = name
		}
		out[key] += p.value
	}
	return out
}

// checkRates compares every rate with the delta of the same stream, and returns how many there are.
func checkRates(t *testing.T, points map[string]streamPoint) (seen int) {
	t.Helper()
	for key, p := range points {
		name, attributes, _ := strings.Cut(key, "{")
		sum, isRate := strings.CutSuffix(name, ".rate")
		if !isRate {
			continue
		}
		seen++
		if attributes != "" {
			sum += "{" + attributes
		}
		delta := points[sum]
		require.InDelta(t, delta.value/p.time.AsTime().Sub(delta.start.AsTime()).Seconds(), p.value, 1e-6, key)
	}
	return seen
}

// A process that is newly shown, one that has become another program, and one that waits for its first child: the stream of each begins at
// the previous scrape.
func TestANewSeriesOfAProcessBeginsWhereTheOthersLeftOff(t *testing.T) {
	for _, rates := range []bool{false, true} {
		h := newTaskHost(t, 1)
		var tasks []*task
		for i := range 5 {
			tasks = append(tasks, h.add("app"+strconv.Itoa(i), 200+i))
			h.use(tasks[i], 1000*(5-i), 0, 0, 0)
		}
		h.show(t)
		o := h.scraper(t, func(cfg *Config, process *ProcessConfig) {
			cfg.Rates.Enabled = rates
			process.Top = ProcessTop{N: 2, By: []string{"cpu"}, Hysteresis: 1}
		})
		const user = "process.cpu.time{cpu.mode=user}"
		scrape := func() (map[string]streamPoint, pcommon.Timestamp) {
			previous := pcommon.NewTimestampFromTime(h.clock.read())
			h.clock.step(10 * time.Second)
			h.show(t)
			return o.scrape(t), previous
		}
		o.scrape(t)

		h.use(tasks[0], 500, 0, 0, 0)
		h.use(tasks[1], 400, 0, 0, 0)
		h.use(tasks[4], 300, 0, 0, 0)
		points, previous := scrape()
		assert.InDelta(t, 5, points["2 app0 "+user].value, 1e-9)
		assert.InDelta(t, 4, points["3 app1 "+user].value, 1e-9)
		assert.InDelta(t, 3, points["other "+user].value, 1e-9, "app4 is among the rest")
		assert.Equal(t, previous, points["other "+user].start)

		h.use(tasks[0], 100, 0, 0, 0)
		h.use(tasks[4], 200, 0, 0, 0)
		points, previous = scrape()
		shown := points["6 app4 "+user]
		assert.InDelta(t, 2, shown.value, 1e-9, "not the 3 that the rest has counted, nor the 10 of before")
		assert.Equal(t, previous, shown.start)
		assert.InDelta(t, 0, points["other "+user].value, 1e-9)
		assert.NotContains(t, points, "6 app4 process.cpu.time.rate{cpu.mode=user}", "a new series has no rate")

		h.use(tasks[0], 100, 0, 0, 0)
		h.use(tasks[4], 200, 0, 0, 0)
		tasks[4].comm = "shell"
		points, previous = scrape()
		assert.InDelta(t, 2, points["6 shell "+user].value, 1e-9, "another program, and a series of its own")
		assert.Equal(t, previous, points["6 shell "+user].start)
		assert.NotContains(t, points, "6 shell process.children.cpu.time{cpu.mode=user}")
		if rates {
			assert.InDelta(t, 0.1, points["2 app0 process.cpu.time.rate{cpu.mode=user}"].value, 1e-9)
		}

		h.use(tasks[0], 100, 0, 0, 0)
		h.use(tasks[4], 200, 0, 0, 0)
		tasks[4].cutime = 70
		points, previous = scrape()
		child := points["6 shell process.children.cpu.time{cpu.mode=user}"]
		assert.InDelta(t, 0.7, child.value, 1e-9, "its first child")
		assert.Equal(t, previous, child.start)
	}
}

// TestTheWindowTellsASpikeFromAFire shows two processes that take as much CPU in the last scrape, one of them always, one just now.
func TestTheWindowTellsASpikeFromAFire(t *testing.T) {
	h := newTaskHost(t, 1)
	fire, spike := h.add("fire", 200), h.add("spike", 201)
	h.write(t, "stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n")
	h.show(t)
	o := h.scraper(t, func(_ *Config, process *ProcessConfig) { process.CPUWindow = 5 })
	const now, window = "process.cpu.utilization{cpu.mode=user}", "process.cpu.utilization.window{cpu.mode=user}"
	points := o.scrape(t)
	assert.NotContains(t, points, "2 fire "+window, "first sight")
	for n := range 5 {
		h.clock.step(10 * time.Second)
		h.use(fire, 1000, 0, 0, 0)
		if n == 4 {
			h.use(spike, 1000, 0, 0, 0)
		}
		h.show(t)
		points = o.scrape(t)
	}
	assert.InDelta(t, 0.5, points["2 fire "+now].value, 1e-9, "one CPU of two")
	assert.InDelta(t, 0.5, points["3 spike "+now].value, 1e-9)
	assert.InDelta(t, 0.5, points["2 fire "+window].value, 1e-9)
	assert.InDelta(t, 0.1, points["3 spike "+window].value, 1e-9)
	assert.NotContains(t, points, "other "+window)
}

// TestAGroupSaysWhatItsMembersShare groups by two keys.
func TestAGroupSaysWhatItsMembersShare(t *testing.T) {
	h := newTaskHost(t, 1)
	h.add("worker", 200)
	h.add("worker", 300)
	h.show(t)
	o := h.scraper(t, func(_ *Config, process *ProcessConfig) {
		process.GroupBy, process.Top.N = []string{"executable", "owner"}, 0
	})
	md, err := o.group.runs[0].scrape(t.Context())
	require.NoError(t, err)
	owner := strconv.Itoa(os.Getuid()) // of the files; the root has no passwd
	groups := make(map[string]map[string]any)
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes().AsRaw()
		groups[attributes["process.group.name"].(string)] = attributes
	}
	for _, executable := range []string{"init", "worker"} {
		group := groups[executable+","+owner]
		assert.Equal(t, executable, group["process.executable.name"])
		assert.Equal(t, owner, group["process.owner"])
	}
	assert.NotContains(t, groups["other"], "process.owner")
	assert.Len(t, groups, 3)
}

// TestWhatIsToldOfAGroupBeginsWithIt: a group and the rest begin at the receiver's first scrape, whichever process is recorded before them, and a
// group that comes later at the scrape before it.
func TestWhatIsToldOfAGroupBeginsWithIt(t *testing.T) {
	h := newTaskHost(t, 1)
	h.use(h.add("app", 200), 1000, 0, 1, 1)
	h.show(t)
	o := h.scraper(t, func(cfg *Config, process *ProcessConfig) {
		cfg.Temporality = TemporalityCumulative
		process.GroupBy = []string{"executable"}
		process.Top.N = 0
	})
	first := pcommon.NewTimestampFromTime(h.clock.read())
	o.scrape(t)
	h.clock.step(10 * time.Second)
	before := pcommon.NewTimestampFromTime(h.clock.read())
	o.scrape(t)
	h.clock.step(10 * time.Second)
	h.add("later", 360_500)
	h.show(t)
	begins := map[string]pcommon.Timestamp{"init": first, "app": first, "other": first, "later": before}
	seen := make(map[string]int)
	for key, p := range o.scrape(t) {
		group, _, ok := strings.Cut(key, " ")
		if !ok {
			continue
		}
		assert.Equal(t, begins[group], p.start, key)
		seen[group]++
	}
	assert.Len(t, seen, len(begins))
}

func TestWhatIsToldOfAProcessBeginsWithIt(t *testing.T) {
	h := newTaskHost(t, 1)
	h.add("app", 200)
	h.show(t)
	o := h.scraper(t, func(cfg *Config, process *ProcessConfig) { cfg.Temporality, process.Top.N = TemporalityCumulative, 0 })
	o.scrape(t)
	h.clock.step(10 * time.Second)
	points := o.scrape(t)
	assert.Contains(t, points, "2 app process.memory.usage")
	for key, p := range points {
		if strings.HasPrefix(key, "2 app ") {
			assert.Equal(t, pcommon.NewTimestampFromTime(h.boot.Add(2*time.Second)), p.start, key)
		}
	}
}

// TestTimeOfUnseenChildrenGoesOnUnderANewStart: what a receiver has not seen of children it counts since its own first scrape, so that under
// one start no total falls when another receiver begins at zero, as after a restart.
func TestTimeOfUnseenChildrenGoesOnUnderANewStart(t *testing.T) {
	const key = "1 init process.children.cpu.time{cpu.mode=user}"
	h := newTaskHost(t, 1)
	totals := make(map[pcommon.Timestamp]float64)
	for _, growth := range []int{300, 50} {
		o := h.scraper(t, func(cfg *Config, process *ProcessConfig) { cfg.Temporality, process.Top.N = TemporalityCumulative, 0 })
		h.show(t)
		first := pcommon.NewTimestampFromTime(h.clock.read())
		assert.NotContains(t, o.scrape(t), key)
		for n := range 3 {
			h.clock.step(10 * time.Second)
			h.tasks[0].cutime += growth
			h.show(t)
			p := o.scrape(t)[key]
			assert.Equal(t, first, p.start)
			assert.InDelta(t, float64((n+1)*growth)/100, p.value, 1e-9)
			require.GreaterOrEqual(t, p.value, totals[p.start], "falls under one start")
			totals[p.start] = p.value
		}
		h.clock.step(10 * time.Second)
	}
	assert.Len(t, totals, 2)
}
