package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// makeCgroups makes groups of this kernel in each of its hierarchies, which go with the test, and returns their paths there.
func makeCgroups(tb testing.TB, names ...string) (hierarchies []string) {
	tb.Helper()
	candidates := []string{"/sys/fs/cgroup"}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err != nil {
		candidates = nil
		for _, names := range hierarchiesOfTest() {
			candidates = append(candidates, "/sys/fs/cgroup/"+names)
		}
	}
	for _, base := range candidates {
		made := true
		for _, name := range names {
			path := filepath.Join(base, name)
			if err := os.Mkdir(path, 0o755); err != nil {
				made = false
				break
			}
			tb.Cleanup(func() { _ = os.Remove(path) })
		}
		if made {
			hierarchies = append(hierarchies, base)
		}
	}
	return hierarchies
}

func hierarchiesOfTest() (names []string) {
	seen := map[string]bool{}
	for _, places := range hierarchies {
		for _, name := range places {
			path := "/sys/fs/cgroup/" + name
			if target, err := filepath.EvalSymlinks(path); err == nil && !seen[target] {
				seen[target] = true
				names = append(names, filepath.Base(target))
			}
		}
	}
	return names
}

// TestCgroupLive compares a group of this kernel, in which a process uses the CPU, with the kernel's own files.
func TestCgroupLive(t *testing.T) {
	parent := fmt.Sprintf("psutiltest%d", os.Getpid())
	bases := makeCgroups(t, parent, parent+"/a.service")
	if len(bases) == 0 {
		testenv.Missing(t, "no control group can be made")
	}
	h, err := New("")
	require.NoError(t, err)
	c := NewCgroups(h, CgroupOptions{Wanted: everyCgroupValue()})
	defer func() { require.NoError(t, c.Close()) }()
	path := "/" + parent + "/a.service"
	require.NotNil(t, groupAt(t, c, path))

	burn := exec.Command("sh", "-c", "read start; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; read end")
	in, err := burn.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, burn.Start())
	for _, base := range bases {
		require.NoError(t, os.WriteFile(base+path+"/cgroup.procs", []byte(strconv.Itoa(burn.Process.Pid)), 0o600))
	}
	_, err = in.Write([]byte("start\n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		g := groupAt(t, c, path)
		return g != nil && g.Now.Values.CPUTime() > 50_000
	}, time.Minute, 10*time.Millisecond)
	_, _ = in.Write([]byte("end\n"))
	_ = burn.Wait()

	g := groupAt(t, c, path)
	require.NotNil(t, g)
	for _, f := range c.files {
		text, err := os.ReadFile(c.mounts[f.mount].path + path + "/" + f.Name)
		if err != nil {
			continue
		}
		var want cgroup.Sample
		want.Reset()
		assert.True(t, f.Parse(text, &want), "%s: %q", f.Name, text)
		for _, v := range f.Gives {
			if want.Values[v] >= 0 && v != cgroup.CPULimit && v < cgroup.Pressure(cgroup.ResourceCPU, false, cgroup.Stall10s) {
				assert.InDelta(t, want.Values[v], g.Now.Values[v], float64(want.Values[v])/10+1<<20, "%s: value %d", f.Name, v)
			}
		}
	}
	for _, base := range bases {
		require.NoError(t, os.Remove(base+path))
	}
	assert.Nil(t, groupAt(t, c, path), "a group that has gone is no fault")
}

func groupAt(tb testing.TB, c *Cgroups, path string) *Cgroup {
	tb.Helper()
	groups, err := c.Read()
	require.NoError(tb, err)
	require.NoError(tb, c.FileErrors())
	for _, g := range groups {
		if g.Path == path {
			return g
		}
	}
	return nil
}

// BenchmarkCgroups reads a thousand groups of this kernel, in each of its hierarchies.
func BenchmarkCgroups(b *testing.B) {
	const groups = 1000
	parent := fmt.Sprintf("psutilbench%d.slice", os.Getpid())
	names := []string{parent}
	for i := range groups {
		names = append(names, fmt.Sprintf("%s/s%d.service", parent, i))
	}
	if len(makeCgroups(b, names...)) == 0 {
		testenv.Missing(b, "no control group can be made")
	}
	h, err := New("")
	require.NoError(b, err)
	var w cgroup.Wanted
	for _, v := range []cgroup.Value{
		cgroup.CPUUser, cgroup.CPUSystem, cgroup.Periods, cgroup.CPULimit, cgroup.MemoryUsage, cgroup.MemoryRSS, cgroup.MemoryLimit, cgroup.EventOOMKill,
	} {
		w.Values[v] = true
	}
	w.IO = true
	c := NewCgroups(h, CgroupOptions{Wanted: w})
	defer func() { _ = c.Close() }()
	cgroupBudget.SetLimit(15 * groups)
	for range 3 {
		_, err = c.Read()
		require.NoError(b, err)
	}
	files := 0
	for _, n := range c.nodes {
		for i := range n.files {
			if n.files[i].IsOpen() {
				files++
			}
		}
	}
	var before, after unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &before))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		_, err = c.Read()
		require.NoError(b, err)
	}
	b.StopTimer()
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &after))
	used := func(r *unix.Rusage) int64 { return (r.Utime.Nano() + r.Stime.Nano()) / 1000 }
	b.ReportMetric(float64(used(&after)-used(&before))/float64(b.N)/float64(files), "CPU-µs/file")
	b.ReportMetric(float64(files), "files")
}
