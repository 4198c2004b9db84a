package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// everyCgroupValue wants all that can be read.
func everyCgroupValue() (w cgroup.Wanted) {
	for v := range w.Values {
		w.Values[v] = true
	}
	w.IO = true
	return w
}

// writeCgroups makes a host of files.
func writeCgroups(tb testing.TB, files map[string]string) *Host {
	tb.Helper()
	root := tb.TempDir()
	require.NoError(tb, os.MkdirAll(filepath.Join(root, "proc"), 0o755))
	for name, text := range files {
		path := filepath.Join(root, "sys/fs/cgroup", name)
		require.NoError(tb, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(tb, os.WriteFile(path, []byte(text), 0o600))
	}
	h, err := New(root)
	require.NoError(tb, err)
	return h
}

func cpuStat(microseconds int) string {
	return fmt.Sprintf("usage_usec %d\nuser_usec %d\nsystem_usec 0\n", microseconds, microseconds)
}

func shownPaths(t *testing.T, c *Cgroups) (paths []string) {
	t.Helper()
	groups, err := c.Read()
	require.NoError(t, err)
	require.NoError(t, c.FileErrors())
	for _, g := range groups {
		paths = append(paths, g.Path)
	}
	slices.Sort(paths)
	return paths
}

// TestCgroupLayouts: of each kind of host the groups that are distinguished, none of which lies in another.
func TestCgroupLayouts(t *testing.T) {
	id, inner := strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)
	const pod = "pod6f9d7c1e-0b7a-4f6e-9d53-1f2a3b4c5d6e"
	for name, c := range map[string]struct {
		depth int
		mark  string // of version 2
		at    string // where the groups are
		file  string
		made  []string
		want  []string
	}{
		"version 2, systemd": {
			mark: "cgroup.controllers", file: "cpu.stat",
			made: []string{
				"/init.scope", "/system.slice/a.service", "/system.slice/b.service/worker", "/user.slice/user-1000.slice/session-1.scope",
				"/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "/machine.slice",
			},
			want: []string{
				"/init.scope", "/machine.slice", "/system.slice/a.service", "/system.slice/b.service", "/user.slice/user-1000.slice/session-1.scope",
				"/user.slice/user-1000.slice/user@1000.service",
			},
		},
		"no deeper than": {
			depth: 1, mark: "cgroup.controllers", file: "cpu.stat",
			made: []string{"/init.scope", "/system.slice/a.service", "/system.slice/b.service"}, want: []string{"/init.scope", "/system.slice"},
		},
		"Kubernetes, systemd": {
			mark: "cgroup.controllers", file: "cpu.stat",
			made: []string{
				"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6f9d7c1e_0b7a_4f6e_9d53_1f2a3b4c5d6e.slice/cri-containerd-" + id + ".scope",
				"/system.slice/kubelet.service", "/system.slice/containerd.service",
			},
			want: []string{
				"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6f9d7c1e_0b7a_4f6e_9d53_1f2a3b4c5d6e.slice/cri-containerd-" + id + ".scope",
				"/system.slice/containerd.service", "/system.slice/kubelet.service",
			},
		},
		"Kubernetes, cgroupfs": {
			mark: "cgroup.controllers", file: "cpu.stat", made: []string{"/kubepods/burstable/" + pod + "/" + id, "/kubepods/" + pod + "/" + inner},
			want: []string{"/kubepods/burstable/" + pod + "/" + id, "/kubepods/" + pod + "/" + inner},
		},
		"podman and its helper": {
			mark: "cgroup.controllers", file: "cpu.stat",
			made: []string{"/machine.slice/libpod-" + id + ".scope/container", "/machine.slice/libpod-conmon-" + id + ".scope"},
			want: []string{"/machine.slice/libpod-" + id + ".scope", "/machine.slice/libpod-conmon-" + id + ".scope"},
		},
		"podman of a user": {
			mark: "cgroup.controllers", file: "cpu.stat",
			made: []string{
				"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope/container",
				"/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "/user.slice/user-1000.slice/user@1000.service/init.scope",
			},
			want: []string{
				"/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "/user.slice/user-1000.slice/user@1000.service/init.scope",
				"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope",
			},
		},
		"containers in a container": {
			mark: "cgroup.controllers", file: "cpu.stat", made: []string{"/docker/" + id + "/docker/" + inner}, want: []string{"/docker/" + id},
		},
		"containers in a service": {
			mark: "cgroup.controllers", file: "cpu.stat", made: []string{"/system.slice/containerd.service/kubepods-x:cri-containerd:" + id},
			want: []string{"/system.slice/containerd.service/kubepods-x:cri-containerd:" + id},
		},
		"nspawn and LXC": {
			mark: "cgroup.controllers", file: "cpu.stat",
			made: []string{`/machine.slice/machine-box.scope/payload/system.slice/a.service`, "/lxc.payload.web/system.slice/ssh.service"},
			want: []string{"/lxc.payload.web", "/machine.slice/machine-box.scope"},
		},
		"in a cgroup namespace": {mark: "cgroup.controllers", file: "cpu.stat", want: nil},
		"version 1": {
			at: "cpu,cpuacct", file: "cpuacct.stat", made: []string{"/docker/" + id, "/system.slice/a.service"}, want: []string{"/docker/" + id, "/system.slice/a.service"},
		},
		"version 1, each controller apart": {
			at: "cpuacct", file: "cpuacct.stat", made: []string{"/docker/" + id}, want: []string{"/docker/" + id},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			text := cpuStat(1)
			if c.mark != "" {
				files[c.mark] = "cpu memory\n"
			} else {
				text = "user 1\nsystem 0\n"
				files[c.at+"/tasks"] = "1\n"
			}
			files[c.at+"/"+c.file] = text
			for _, g := range c.made {
				for path := g; path != "/"; path = filepath.Dir(path) {
					files[c.at+path+"/"+c.file] = text
				}
			}
			groups := NewCgroups(writeCgroups(t, files), CgroupOptions{Wanted: everyCgroupValue(), Depth: c.depth})
			assert.Equal(t, c.want, shownPaths(t, groups))
			assert.Equal(t, c.want, shownPaths(t, groups), "again")
			require.NoError(t, groups.Close())
		})
	}
}

// TestCgroupHybrid: times are those of version 1, and the pressure is that of version 2, of one group.
func TestCgroupHybrid(t *testing.T) {
	const group = "/system.slice/a.service/"
	groups := NewCgroups(writeCgroups(t, map[string]string{
		"cpu,cpuacct/tasks": "", "unified/cgroup.controllers": "", "memory/tasks": "",
		"cpu,cpuacct" + group + "cpuacct.stat": "user 100\nsystem 0\n", "unified" + group + "cpu.stat": cpuStat(77),
		"unified" + group + "memory.pressure":      "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
		"memory" + group + "memory.usage_in_bytes": "4096\n",
	}), CgroupOptions{Wanted: everyCgroupValue()})
	got, err := groups.Read()
	require.NoError(t, err)
	require.NoError(t, groups.FileErrors())
	require.Len(t, got, 1)
	v := &got[0].Now.Values
	assert.Equal(t, int64(1_000_000), v[cgroup.CPUUser])
	assert.Equal(t, int64(4096), v[cgroup.MemoryUsage])
	assert.Equal(t, int64(5), v[cgroup.Pressure(cgroup.ResourceMemory, false, cgroup.StallTotal)])
}

// TestCgroupInner: crun puts the processes of a container and their limits into a group in that of the container. The lower limit holds, wherever it is,
// and what was used is that of the whole container.
func TestCgroupInner(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	scope := "machine.slice/libpod-" + id + ".scope/"
	stat := func(usage, periods int) string {
		return fmt.Sprintf("%snr_periods %d\nnr_throttled %d\nthrottled_usec %d\n", cpuStat(usage), periods, periods/2, periods*100)
	}
	for name, limits := range map[string][2]string{"inner": {"max", "67108864"}, "outer": {"67108864", "max"}, "both": {"67108864", "99999999"}, "none": {"max", "max"}} {
		t.Run(name, func(t *testing.T) {
			h := writeCgroups(t, map[string]string{
				"cgroup.controllers": "cpu memory pids\n", "cpu.stat": cpuStat(10),
				scope + "cpu.stat": stat(9, 0), scope + "memory.max": limits[0] + "\n", scope + "memory.current": "5\n", scope + "cpu.max": "max 100000\n",
				scope + "container/cpu.stat": stat(8, 4), scope + "container/memory.max": limits[1] + "\n", scope + "container/memory.current": "3\n",
				scope + "container/cpu.max": "20000 100000\n",
			})
			c := NewCgroups(h, CgroupOptions{Wanted: everyCgroupValue()})
			for range 2 {
				groups, err := c.Read()
				require.NoError(t, err)
				require.NoError(t, c.FileErrors())
				require.Len(t, groups, 1)
				now := groups[0].Now.Values
				assert.Equal(t, "/"+strings.TrimSuffix(scope, "/"), groups[0].Path)
				want := int64(64 << 20)
				if name == "none" {
					want = cgroup.Absent
				}
				assert.Equal(t, want, now[cgroup.MemoryLimit])
				assert.Equal(t, int64(200_000), now[cgroup.CPULimit])
				assert.Equal(t, []int64{9, 5, 4, 2}, []int64{now[cgroup.CPUUser], now[cgroup.MemoryUsage], now[cgroup.Periods], now[cgroup.ThrottledPeriods]})
			}
		})
	}
}

// TestCgroupComesAndGoes: one that goes is no fault, and one that is made again is another.
func TestCgroupComesAndGoes(t *testing.T) {
	h := writeCgroups(t, map[string]string{
		"cgroup.controllers": "cpu memory\n", "cpu.stat": cpuStat(10), "system.slice/cpu.stat": cpuStat(9), "system.slice/a.service/cpu.stat": cpuStat(5),
		"system.slice/b.service/cpu.stat": cpuStat(4),
	})
	c := NewCgroups(h, CgroupOptions{Wanted: everyCgroupValue()})
	assert.Equal(t, []string{"/system.slice/a.service", "/system.slice/b.service"}, shownPaths(t, c))
	a := filepath.Join(h.root, "sys/fs/cgroup/system.slice/a.service")
	// Kept, so that the new one gets another inode.
	require.NoError(t, os.Rename(a, filepath.Join(h.root, "old")))
	assert.Equal(t, []string{"/system.slice/b.service"}, shownPaths(t, c))
	require.NoError(t, os.Mkdir(a, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(a, "cpu.stat"), []byte(cpuStat(1)), 0o600))
	assert.Equal(t, []string{"/system.slice/a.service", "/system.slice/b.service"}, shownPaths(t, c))
	again, err := c.Read()
	require.NoError(t, err)
	for _, g := range again {
		assert.False(t, g.New, g.Path)
	}

	require.NoError(t, os.Rename(a, filepath.Join(h.root, "older")))
	require.NoError(t, os.Mkdir(a, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(a, "cpu.stat"), []byte(cpuStat(2)), 0o600))
	again, err = c.Read()
	require.NoError(t, err)
	for _, g := range again {
		assert.Equal(t, strings.HasSuffix(g.Path, "a.service"), g.New, "made again between two scans: %s", g.Path)
		assert.Equal(t, g.New, g.Before == nil, g.Path)
	}
}

// TestCgroupWhole: what the root does not have is the sum of the groups right below it.
func TestCgroupWhole(t *testing.T) {
	c := NewCgroups(writeCgroups(t, map[string]string{
		"cgroup.controllers": "cpu memory\n", "cpu.stat": cpuStat(100), "system.slice/cpu.stat": cpuStat(60), "system.slice/memory.current": "70\n",
		"system.slice/a.service/cpu.stat": cpuStat(50), "system.slice/a.service/memory.current": "60\n",
		"init.scope/cpu.stat": cpuStat(3), "init.scope/memory.current": "5\n",
	}), CgroupOptions{Wanted: everyCgroupValue()})
	shownPaths(t, c)
	now, before := c.Whole()
	assert.Nil(t, before)
	assert.Equal(t, int64(100), now.Values[cgroup.CPUUser])
	assert.Equal(t, int64(75), now.Values[cgroup.MemoryUsage])
}

// TestCgroupHostileTree: links out of the root are not followed, and an odd file costs its own value.
func TestCgroupHostileTree(t *testing.T) {
	h := writeCgroups(t, map[string]string{
		"cgroup.controllers": "cpu memory\n", "system.slice/a.service/cpu.stat": cpuStat(5), "system.slice/a.service/memory.current": strings.Repeat("9", 4096),
	})
	base := filepath.Join(h.root, "sys/fs/cgroup")
	require.NoError(t, os.Symlink("/sys/fs/cgroup", filepath.Join(base, "away.slice")))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(base, "system.slice/a.service/memory.stat")))
	c := NewCgroups(h, CgroupOptions{Wanted: everyCgroupValue()})
	groups, err := c.Read()
	require.NoError(t, err)
	require.Len(t, groups, 1)
	assert.Equal(t, int64(5), groups[0].Now.Values[cgroup.CPUUser])
	assert.Equal(t, "malformed", ErrorClass(c.FileErrors()))
}

// TestGroupsWithoutEnd: a user may make groups in their own and name them as they like. They hide none of others, and cost little.
func TestGroupsWithoutEnd(t *testing.T) {
	const own = "user.slice/user-1000.slice/user@1000.service"
	files := map[string]string{"cgroup.controllers": "cpu memory\n", own + "/cpu.stat": cpuStat(7)}
	var want []string
	for i := range 10 {
		name := fmt.Sprintf("system.slice/s%d.service", i)
		files[name+"/cpu.stat"] = cpuStat(5)
		want = append(want, "/"+name)
	}
	h := writeCgroups(t, files)
	base := filepath.Join(h.root, "sys/fs/cgroup", own)
	mkdir := func(name string) { require.NoError(t, os.MkdirAll(filepath.Join(base, name), 0o755)) }
	mkdir("app.slice/docker-" + strings.Repeat("a", 64) + ".scope")
	for i := range 300 {
		mkdir(fmt.Sprintf("app.slice/g%d/x", i))
	}

	c := NewCgroups(h, CgroupOptions{Wanted: everyCgroupValue()})
	c.limit = 200
	groups, err := c.Read()
	require.ErrorIs(t, err, errTooManyCgroups)
	var services []string
	for _, g := range groups {
		if strings.HasPrefix(g.Path, "/system.slice") {
			services = append(services, g.Path)
		}
	}
	slices.Sort(services)
	assert.Equal(t, want, services)

	c = NewCgroups(h, CgroupOptions{Wanted: everyCgroupValue()})
	c.inUnit = 500
	assert.Equal(t, append(want, "/"+own), shownPaths(t, c), "the unit is one")
}
