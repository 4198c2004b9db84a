package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// Process is a running distribution, or a server beside it.
type Process struct {
	*collector.Process
}

// Start runs the distribution in a folder with a configuration, given as text, until the test ends.
func Start(t *testing.T, dir, config string) *Process {
	t.Helper()
	path := filepath.Join(dir, "collector.yaml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	return Run(t, dir, exec.Command(Binary(t), "--config", path))
}

// StartExample runs the distribution in a folder with a file of examples/, until the test ends. Settings are configurations, given as text,
// that are merged over it; env are environment variables beside those of the test.
func StartExample(t *testing.T, dir, name string, settings []string, env ...string) *Process {
	t.Helper()
	args := []string{"--config", Repository(t, "examples", name)}
	for i, text := range settings {
		path := filepath.Join(dir, fmt.Sprintf("settings-%d.yaml", i))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		args = append(args, "--config", path)
	}
	cmd := exec.Command(Binary(t), args...)
	cmd.Env = append(os.Environ(), env...)
	return Run(t, dir, cmd)
}

// Run runs a command in a folder until the test ends, and logs what it printed if the test failed.
func Run(t *testing.T, dir string, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := collector.Start(dir, cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Kill() // It may write to its folder until it is gone, and the folder is removed next.
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(cmd.Path), p.Output())
		}
	})
	return &Process{Process: p}
}

// Stop sends a signal, and returns how the process ended: nil for the status 0.
func (p *Process) Stop(t *testing.T, signal os.Signal) error {
	t.Helper()
	require.NoError(t, p.Signal(signal))
	return p.Await(t)
}

// Await waits for the process to end by itself, and returns how: nil for the status 0.
func (p *Process) Await(t *testing.T) error {
	t.Helper()
	select {
	case <-p.Exited():
		return p.Wait()
	case <-time.After(Timeout):
		t.Fatal("the process did not end")
		return nil
	}
}

// AwaitOutput waits until the process has printed a text.
func (p *Process) AwaitOutput(t *testing.T, text string) {
	t.Helper()
	Eventually(t, "the output", func() error {
		if output := p.Output(); !strings.Contains(output, text) {
			return fmt.Errorf("no %q in %s", text, output)
		}
		return nil
	})
}

// FreePort is a loopback port that no other test gets, and nobody else by chance.
func FreePort(t *testing.T) int {
	t.Helper()
	port, err := collector.FreePort()
	require.NoError(t, err)
	return port
}

// FreeAddress is a loopback address with a port of FreePort.
func FreeAddress(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", FreePort(t))
}
