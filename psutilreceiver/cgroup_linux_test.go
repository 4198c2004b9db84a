package psutilreceiver

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// playedGroup is a group of a host of files.
type playedGroup struct {
	path             string
	cpu, memory, io  int
	generation, left int
}

// TestCgroupSumsAreTheHosts: over histories of groups that come, go, are made again and change places, what is shown and `other` are together what the
// root counted, and all that is used at the moment.
func TestCgroupSumsAreTheHosts(t *testing.T) {
	for _, temporality := range []Temporality{TemporalityCumulative, TemporalityDelta} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s/%d", temporality, seed), func(t *testing.T) { checkCgroupSums(t, temporality, seed) })
		}
	}
}

func checkCgroupSums(t *testing.T, temporality Temporality, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755))
	var groups []*playedGroup
	for i := range 8 {
		groups = append(groups, &playedGroup{path: fmt.Sprintf("system.slice/s%d.service", i)})
	}
	total := playedGroup{}
	write := func(path string, g *playedGroup) {
		dir := filepath.Join(root, "sys/fs/cgroup", path)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		for name, text := range map[string]string{
			"cpu.stat":    fmt.Sprintf("user_usec %d\nsystem_usec 0\n", g.cpu),
			"memory.stat": "anon 0\ninactive_file 0\npgfault 0\npgmajfault 0\n",
			"io.stat":     fmt.Sprintf("8:0 rbytes=%d wbytes=0 rios=0 wios=0\n", g.io),
		} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
		if path != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "memory.current"), fmt.Appendf(nil, "%d\n", g.memory), 0o600))
		}
	}
	trash := t.TempDir()
	step := func() {
		slice := playedGroup{memory: 7_000_000}
		for _, g := range groups {
			path := filepath.Join(root, "sys/fs/cgroup", g.path)
			if g.left == 0 && random.IntN(6) == 0 { // It ends, and is made again by another name or the same.
				g.generation++
				g.left = random.IntN(3)
				if _, err := os.Stat(path); err == nil {
					require.NoError(t, os.Rename(path, filepath.Join(trash, fmt.Sprintf("%s-%d", filepath.Base(g.path), g.generation))))
				}
				g.cpu, g.io, g.memory = 0, 0, 0
			}
			if g.left > 0 {
				g.left--
				continue
			}
			cpu, io := random.IntN(5_000_000), random.IntN(1_000_000)
			g.cpu, g.io, g.memory = g.cpu+cpu, g.io+io, random.IntN(100_000_000)
			total.cpu, total.io = total.cpu+cpu, total.io+io
			slice.memory += g.memory
			write(g.path, g)
		}
		total.cpu += random.IntN(1_000_000) // of the kernel's own, in no group
		total.memory = slice.memory
		slice.cpu, slice.io = total.cpu, total.io
		write("system.slice", &slice)
		write("", &total)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "sys/fs/cgroup"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "sys/fs/cgroup/cgroup.controllers"), []byte("cpu memory io\n"), 0o600))
	step()
	f := startFixtureHost(t, root, onlyScrapers("cgroup"), func(cfg *Config) {
		cfg.Temporality = temporality
		cfg.Scrapers.Cgroup.Get().Top = ProcessTop{N: 2, By: []string{rankCPU, rankMemory}, Hysteresis: 1.5}
	})
	f.first(t)
	var sums cgroupSums
	base := total
	for range 25 {
		step()
		memory := sums.add(f.after(t, 10*time.Second))
		assert.InDelta(t, float64(total.memory), memory, 0, "memory")
		if temporality == TemporalityDelta {
			assert.InDelta(t, float64(total.cpu-base.cpu)/1e6, sums.cpu, 1e-6, "CPU time")
			assert.InDelta(t, float64(total.io-base.io), sums.io, 0, "I/O")
		}
	}
}

// cgroupSums are what the points of all groups add up to.
type cgroupSums struct {
	cpu, io float64
}

// add adds up the counters, which are deltas, and returns the memory of this scrape.
func (s *cgroupSums) add(md pmetric.Metrics) (memory float64) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, p := range numberPointsOf(m).All() {
					v := p.DoubleValue()
					if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
						v = float64(p.IntValue())
					}
					switch m.Name() {
					case "container.memory.usage":
						memory += v
					case "container.cpu.time":
						s.cpu += v
					case "container.disk.io":
						s.io += v
					}
				}
			}
		}
	}
	return memory
}

// TestProcessesJoinTheirGroups: a process has the attributes of the group that is shown for it.
func TestProcessesJoinTheirGroups(t *testing.T) {
	f := startFixtureHost(t, copyServer(t), onlyScrapers("cgroup", "process"), func(cfg *Config) {
		cfg.Scrapers.Process.Get().CollectionInterval = 0
		cfg.Scrapers.Process.Get().Top.N = 0
		identify(&cfg.ResourceAttributes)
	})
	f.first(t)
	md := f.after(t, 10*time.Second)
	keys := []string{"container.id", "container.name", "container.image.name", "container.runtime.name", "systemd.unit.name", "systemd.slice"}
	groups := make(map[string]map[string]any)
	var processes []map[string]any
	for _, rm := range md.ResourceMetrics().All() {
		a := rm.Resource().Attributes().AsRaw()
		if path, ok := a["linux.cgroup.path"].(string); ok && a["process.pid"] == nil {
			groups[path] = a
		} else if ok {
			processes = append(processes, a)
		}
	}
	joined, named := 0, 0
	for _, p := range processes {
		path := p["linux.cgroup.path"].(string)
		group, ok := groups[path]
		if !ok {
			assert.Equal(t, "/", path, "a process that is in no group")
			continue
		}
		joined++
		for _, key := range keys {
			assert.Equal(t, group[key], p[key], "%s of a process in %s", key, path)
		}
		if p["container.name"] == "shop" {
			named++
		}
	}
	assert.Positive(t, joined)
	assert.Positive(t, named, "of the container")
}

// TestUsersBorrowNoNames: a user may name a group as that of a container of root's, and gets nothing of what is known of that.
func TestUsersBorrowNoNames(t *testing.T) {
	const id = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755))
	write("var/lib/docker/containers/"+id+"/config.v2.json", `{"Name":"/shop","Config":{"Image":"shop:2.1"}}`)
	write("sys/fs/cgroup/cgroup.controllers", "cpu\n")
	const stat = "usage_usec 5\nuser_usec 5\nsystem_usec 0\n"
	const user = "/user.slice/user-1000.slice/user@1000.service/kubepods-pod6f9d7c1e_0b7a_4f6e_9d53_1f2a3b4c5d6e.slice/docker-" + id + ".scope"
	const ofRoot = "/system.slice/docker-" + id + ".scope"
	write("sys/fs/cgroup"+user+"/cpu.stat", stat)
	write("sys/fs/cgroup"+ofRoot+"/cpu.stat", stat)
	f := startFixtureHost(t, root, onlyScrapers("cgroup"))
	f.first(t)
	md := f.after(t, 10*time.Second)
	names := map[string]string{}
	for i := range md.ResourceMetrics().Len() {
		a := md.ResourceMetrics().At(i).Resource().Attributes()
		text := func(key string) string {
			if v, ok := a.Get(key); ok {
				return v.Str()
			}
			return ""
		}
		names[text("linux.cgroup.path")] = text("container.name") + text("k8s.pod.uid")
	}
	assert.Equal(t, "shop", names[ofRoot])
	require.Contains(t, names, user)
	assert.Empty(t, names[user])
}
