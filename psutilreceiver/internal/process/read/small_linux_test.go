package read

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

func TestWhetherAProcessRuns(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(42, "app", 100, nil)
	h.Write("proc/43/stat", "garbage\n")
	require.NoError(t, os.MkdirAll(filepath.Join(h.Root, "proc/44/stat"), 0o755))
	for key, want := range map[Key]bool{
		{PID: 42, Start: 100}: true,
		{PID: 42, Start: 99}:  false, // Another one has the pid.
		{PID: 41, Start: 100}: false,
		{PID: 43, Start: 100}: true, // Nobody knows.
		{PID: 44, Start: 100}: true,
	} {
		assert.Equal(t, want, Runs(h.Root, key), "%+v", key)
	}
}

// TestNamesThatCantBeReadAreSaidUntilTheyCan scans a host on which no process is new.
func TestNamesThatCantBeReadAreSaidUntilTheyCan(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "a", 1, nil)
	passwd := filepath.Join(h.Root, "etc/passwd")
	require.NoError(t, os.Remove(passwd))
	require.NoError(t, os.Mkdir(passwd, 0o755))
	r := readerOf(t, h)
	s := scan(t, r, 0)[7]
	require.NoError(t, r.errors.Users, "nobody has asked for a name")
	var id Identity
	require.True(t, r.Identify(&s, AttributeOwner, &id))
	for range 3 {
		require.Error(t, r.errors.Users)
		scan(t, r, 0)
	}
	require.NoError(t, os.Remove(passwd))
	h.Write("etc/passwd", "root:x:0:0::/:\n")
	scan(t, r, 0)
	require.NoError(t, r.errors.Users)
}

func TestAProcessThatExitedDoesNotRun(t *testing.T) {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	text, err := readSmall("", int32(child.Process.Pid), "stat")
	require.NoError(t, err)
	var sample Sample
	require.True(t, parseStat(text, 1, &sample))
	assert.True(t, Runs("", sample.Key))
	require.NoError(t, in.Close())
	require.NoError(t, child.Wait())
	assert.False(t, Runs("", sample.Key))
}

// TestASmallFileIsReadAsAWholeOrNot holds that a text is never cut off without an error, in an ordinary file or in one of a size unknown.
func TestASmallFileIsReadAsAWholeOrNot(t *testing.T) {
	h := proctest.NewHost(t)
	h.Write("proc/42/limits", strings.Repeat("x", maxSmallFile-1))
	text, err := readSmall(h.Root, 42, "limits")
	require.NoError(t, err)
	assert.Len(t, text, maxSmallFile-1)
	h.Write("proc/42/limits", strings.Repeat("x", maxSmallFile+1))
	_, err = readSmall(h.Root, 42, "limits")
	require.ErrorIs(t, err, rootfs.ErrTooLarge)

	child := exec.Command("sh", "-c", "read -r line", strings.Repeat("x", maxSmallFile))
	in, err := child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = readSmall("", int32(child.Process.Pid), "cmdline")
	require.ErrorIs(t, err, rootfs.ErrTooLarge)
	require.NoError(t, in.Close())
	_ = child.Wait() // Its status is that of read at the end of its input.
}
