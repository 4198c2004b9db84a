package host

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

func TestLiveFilesystemsAgainstDF(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "df", "-a", "-B1", "--output=target,size,used,avail,itotal,iused").Output()
	if len(out) == 0 {
		testenv.Missing(t, "no df of coreutils: %v", err)
	}
	df := make(map[string][]int64)
	for l := range strings.Lines(string(out)) {
		f := strings.Fields(l)
		var numbers []int64
		for _, text := range f[1:] {
			v, _ := strconv.ParseInt(text, 10, 64) // A dash, where there is none, is 0.
			numbers = append(numbers, v)
		}
		df[f[0]] = numbers
	}
	found, err := NewFilesystems(liveHost(t), time.Minute, everyMount).Read(time.Now())
	if err != nil {
		require.ErrorIs(t, err, os.ErrPermission, "other users' FUSE mounts")
	}
	require.NotEmpty(t, found)
	for _, f := range found {
		want, ok := df[f.Mountpoint]
		if !assert.True(t, ok, f.Mountpoint) {
			continue
		}
		const drift = 1 << 30 // Others write too.
		assert.Equal(t, want[0], f.Total, f.Mountpoint)
		assert.InDelta(t, want[1], f.Used, drift, f.Mountpoint)
		assert.InDelta(t, want[2], f.Free, drift, f.Mountpoint)
		assert.Equal(t, f.Total, f.Used+f.Free+f.Reserved)
		assert.Equal(t, want[3], max(f.Inodes, 0), f.Mountpoint)
	}
}

// TestLiveMounts compares the reader with mounts that the test makes.
func TestLiveMounts(t *testing.T) {
	if !inNamespaces(t, unix.CLONE_NEWNS) {
		return
	}
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	dir := t.TempDir()
	mount(t, "memory", dir+"/a b", "tmpfs", 0, "size=8m,nr_inodes=100")
	require.NoError(t, os.WriteFile(dir+"/a b/file", make([]byte, 1<<20), 0o600))
	mount(t, dir+"/a b", dir+"/a longer name", "", unix.MS_BIND, "")
	mount(t, "memory", dir+"/hidden", "tmpfs", 0, "size=1m")
	mount(t, "memory", dir+"/hidden/below", "tmpfs", 0, "size=2m")
	mount(t, "memory", dir+"/hidden", "tmpfs", unix.MS_RDONLY, "size=4m")

	found, err := NewFilesystems(liveHost(t), time.Minute, func(m *Mount) bool { return m.Device == "memory" }).Read(time.Now())
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, []Filesystem{
		{
			Mount: Mount{Device: "memory", Mountpoint: dir + "/a b", Type: "tmpfs", Virtual: true},
			Space: Space{Total: 8 << 20, Used: 1 << 20, Free: 7 << 20, Inodes: 100, InodesUsed: 2, InodesFree: 98},
		},
		{
			Mount: Mount{Device: "memory", Mountpoint: dir + "/hidden", Type: "tmpfs", ReadOnly: true, Virtual: true},
			Space: Space{Total: 4 << 20, Free: 4 << 20, Inodes: found[1].Inodes, InodesUsed: 1, InodesFree: found[1].Inodes - 1},
		},
	}, found)
}

// TestLiveModesAreTheHosts gives this process a read-only view of the host, as a service manager does.
func TestLiveModesAreTheHosts(t *testing.T) {
	if !inNamespaces(t, unix.CLONE_NEWNS) {
		return
	}
	hosts, err := os.ReadFile("/proc/1/mountinfo")
	if err != nil {
		testenv.Missing(t, "the mounts of the first process are hidden: %v", err)
	}
	writable := map[string]bool{}
	for _, m := range visibleMounts(parseMountinfo(hosts)) {
		writable[m.mountpoint] = !m.readOnly
	}
	if !writable["/"] {
		testenv.Missing(t, "/ is read-only on this host")
	}
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
	require.ErrorIs(t, os.WriteFile("/a file", nil, 0o600), unix.EROFS)
	found, err := NewFilesystems(liveHost(t), time.Minute, func(m *Mount) bool { return m.Mountpoint == "/" }).Read(time.Now())
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.False(t, found[0].ReadOnly)
}

// TestLiveMountThatNeverAnswers mounts a FUSE filesystem whose daemon is this test, which keeps silent.
func TestLiveMountThatNeverAnswers(t *testing.T) {
	if !inNamespaces(t, unix.CLONE_NEWNS) {
		return
	}
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	daemon, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		testenv.Missing(t, "no FUSE: %v", err)
	}
	dir := t.TempDir()
	mount(t, "silent", dir+"/fuse", "fuse.silent", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", daemon))
	mount(t, "memory", dir+"/tmp", "tmpfs", 0, "size=8m")

	h := liveHost(t)
	fs := NewFilesystems(h, readDeadline, func(m *Mount) bool { return strings.HasPrefix(m.Mountpoint, dir) })
	now := time.Now()
	for range 3 {
		h.Begin()
		found, err := fs.Read(now)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, []string{dir + "/tmp"}, mountpointsOf(found))
		assert.Equal(t, 1, fs.Stuck())
		now = now.Add(time.Minute)
	}
	require.NoError(t, unix.Close(daemon)) // Breaks the connection: the kernel answers for the daemon.
	waitForResult(t, fs, dir+"/fuse")
	_, err = fs.Read(now)
	require.Error(t, err, "a late error is no answer")
	assert.Equal(t, 1, fs.Stuck())

	require.NoError(t, unix.Unmount(dir+"/fuse", unix.MNT_DETACH))
	h.Begin()
	_, err = fs.Read(now)
	require.NoError(t, err)
	assert.Equal(t, 0, fs.Stuck())
}

func BenchmarkFilesystems(b *testing.B) {
	h, err := New("")
	require.NoError(b, err)
	fs := NewFilesystems(h, time.Minute, realMounts)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		h.Begin()
		if _, err := fs.Read(now); err != nil {
			b.Fatal(err)
		}
	}
}
