package read

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// TestAnExecutableWhoseNameIsLikeTheKernelsMark runs one, then removes it, then another whose name the mark is part of.
func TestAnExecutableWhoseNameIsLikeTheKernelsMark(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	program, err := os.ReadFile(sleep)
	require.NoError(t, err)
	for _, name := range []string{"program", "program (deleted)"} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, program, 0o700))
		cmd := exec.Command(path, "600")
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		assert.Equal(t, name, executableOf(t, cmd.Process.Pid), "while it is there")
		require.NoError(t, os.Remove(path))
		assert.Equal(t, name, executableOf(t, cmd.Process.Pid), "after it was removed")
	}
}

// TestAnExecutableOfWhichOnlyTheMarkIsLeft has the name that the kernel keeps of it.
func TestAnExecutableOfWhichOnlyTheMarkIsLeft(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "nginx", 1, nil)
	require.NoError(t, os.Symlink(" (deleted)", filepath.Join(h.Root, "proc/7/exe")))
	r := New(h.Root)
	seen := false
	require.NoError(t, r.Scan(func(s *Sample) {
		var id Identity
		r.Identify(s, AttributeExecutable, &id)
		assert.Equal(t, "nginx", id.Executable)
		assert.Empty(t, id.ExecutablePath)
		seen = true
	}))
	assert.True(t, seen)
	require.NoError(t, r.Close())
}

func executableOf(t *testing.T, pid int) string {
	t.Helper()
	r := New("")
	var id Identity
	require.NoError(t, r.Scan(func(s *Sample) {
		if s.PID == int32(pid) {
			r.Identify(s, AttributeExecutable, &id)
		}
	}))
	require.NoError(t, r.Close())
	return id.Executable
}
