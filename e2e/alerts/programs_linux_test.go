// Package alerts makes this host, and copies of others, do what alerts are for, and reads the records that the built distribution writes.
package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// namedProgram copies a program of this host under a name that no other process has, not even one of the same test.
func namedProgram(t *testing.T, program, name string) (path string) {
	t.Helper()
	from, err := exec.LookPath(program)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d", name, os.Getpid()))
	harness.CopyProgram(t, from, path)
	return path
}

// run starts a program of namedProgram, with an input that never comes, and ends it when the test ends.
func run(t *testing.T, path, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Args[0] = program // Some programs are many, distinguished by this.
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	startFor(t, cmd)
	return cmd
}

// startFor starts a command, and ends it when the test ends.
func startFor(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { end(cmd) })
}

// end kills a process, and waits until it is gone.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// burn is a shell script that keeps a CPU busy, for a minute of its time at most.
const burn = "ulimit -t 60; while :; do :; done"
