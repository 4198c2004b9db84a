//go:build linux && (amd64 || arm64)

package bpf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// hierarchies are where control groups are mounted: that of version 2, and one of version 1 for which this process may make groups, "" where there is none.
func hierarchies(t *testing.T) (unified, controller string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case words[2] == "cgroup2":
			unified = words[1]
		case words[2] == "cgroup" && strings.Contains(words[3], "pids"):
			controller = words[1]
		}
	}
	return unified, controller
}

// TestGroupOfAProcessThatMoves has the inode of its group in the unified hierarchy, and is told to have moved in each.
func TestGroupOfAProcessThatMoves(t *testing.T) {
	testenv.Root(t, "makes control groups")
	unified, controller := hierarchies(t)
	if unified == "" {
		testenv.Kernel(t, "no control groups of version 2 are mounted")
	}
	r := newReader(t)
	child := proctest.StartChild(t)
	find := func() (found read.Sample) {
		require.NoError(t, r.Scan(func(s *read.Sample) {
			if int(s.PID) == child.PID() {
				found = *s
			}
		}))
		require.Equal(t, int32(child.PID()), found.PID)
		return found
	}
	s := find()
	identify := func() string {
		var id read.Identity
		require.True(t, r.Identify(&s, read.AttributeCgroup, &id))
		return id.Cgroup
	}
	group := identify()
	assert.False(t, r.HasMoved(&s, group))
	for _, hierarchy := range []string{unified, controller} {
		if hierarchy == "" {
			continue
		}
		folder, err := os.MkdirTemp(hierarchy, "reader-test-") //nolint:usetesting // It is a control group.
		require.NoError(t, err)
		t.Cleanup(func() { _ = os.Remove(folder) })
		move := func(to string) {
			require.NoError(t, os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(strconv.Itoa(child.PID())), 0))
		}
		move(folder)
		s = find()
		assert.True(t, r.HasMoved(&s, group), "to %s", folder)
		group = identify()
		assert.False(t, r.HasMoved(&s, group))
		if hierarchy == unified {
			var st syscall.Stat_t
			require.NoError(t, syscall.Stat(folder, &st))
			assert.Equal(t, st.Ino, s.CgroupID)
		}
		move(hierarchy)
		s = find()
		assert.True(t, r.HasMoved(&s, group), "back from %s", folder)
		group = identify()
	}
}

// TestPathOfAGroupThatIsGone is known of one in which a process has ended.
func TestPathOfAGroupThatIsGone(t *testing.T) {
	testenv.Root(t, "makes control groups")
	unified, _ := hierarchies(t)
	if unified == "" {
		testenv.Kernel(t, "no control groups of version 2 are mounted")
	}
	if !seesWholePaths() {
		testenv.Kernel(t, "this is a namespace for control groups")
	}
	r := newReader(t)
	require.NoError(t, r.Scan(func(*read.Sample) {}))
	folder, err := os.MkdirTemp(unified, "reader-test-") //nolint:usetesting // It is a control group.
	require.NoError(t, err)
	defer func() { _ = os.Remove(folder) }()
	below := filepath.Join(folder, "once.service")
	require.NoError(t, os.Mkdir(below, 0o755))
	defer func() { _ = os.Remove(below) }()
	var group syscall.Stat_t
	require.NoError(t, syscall.Stat(below, &group))
	command := exec.Command("true")
	at, err := os.Open(below)
	require.NoError(t, err)
	defer func() { _ = at.Close() }()
	command.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(at.Fd())}
	require.NoError(t, command.Run())
	require.NoError(t, os.Remove(below))
	assert.Equal(t, "/"+filepath.Base(folder)+"/once.service", r.Cgroup(group.Ino))
	assert.Empty(t, r.Cgroup(1), "the root")
	assert.Empty(t, r.Cgroup(1<<60))
}
