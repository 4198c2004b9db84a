//go:build linux

package backends

import (
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

const (
	burnerEnv = "E2E_BURN_CPU"
	// burned is how much CPU time a burner uses up before it rests.
	burned = 2 * time.Second
)

// startBurner runs a process under a name of its own, which burns CPU time and then rests until the test ends. It gives the pid and how to
// read what the kernel counts for it, in seconds of CPU time.
func startBurner(t *testing.T) (pid string, cpuTime func() float64) {
	t.Helper()
	program := filepath.Join(t.TempDir(), burnerName)
	self, err := os.Executable()
	require.NoError(t, err)
	harness.CopyProgram(t, self, program)
	cmd := exec.Command(program, "-test.run", "^TestBurnCPU$")
	cmd.Env = append(os.Environ(), burnerEnv+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	pid = strconv.Itoa(cmd.Process.Pid)
	return pid, func() float64 {
		text, err := os.ReadFile("/proc/" + pid + "/stat")
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(text), ") ") // The fields behind the name, from the third on.
		fields := strings.Fields(rest)
		user, err := strconv.ParseFloat(fields[11], 64)
		require.NoError(t, err)
		system, err := strconv.ParseFloat(fields[12], 64)
		require.NoError(t, err)
		return (user + system) / 100
	}
}

// TestBurnCPU is the burner itself.
func TestBurnCPU(t *testing.T) {
	if os.Getenv(burnerEnv) == "" {
		t.Skip("runs in a process of its own, for other tests") //nolint:forbidigo // It is no test.
	}
	for x := 1.0; ; {
		for range 1_000_000 {
			x = math.Sqrt(x + 1)
		}
		var usage syscall.Rusage
		require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		if time.Duration(usage.Utime.Nano()) >= burned {
			break
		}
	}
	_, err := io.ReadAll(os.Stdin)
	require.NoError(t, err)
}
