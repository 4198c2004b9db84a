//go:build amd64 || arm64

package bpf

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// needsBPF ends a test where processes can't be read by BPF, as far as [Supported] knows.
func needsBPF(tb testing.TB) {
	tb.Helper()
	if err := Supported(""); err != nil {
		testenv.Kernel(tb, "BPF: %v", err)
	}
}

func newReader(tb testing.TB) *Reader {
	tb.Helper()
	needsBPF(tb)
	r, err := New(read.New(""))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, r.Close()) })
	return r
}

// TestThisProcess is seen with what it knows of itself.
func TestThisProcess(t *testing.T) {
	r := newReader(t)
	seen := 0
	require.NoError(t, r.Scan(func(s *read.Sample) {
		if int(s.PID) != os.Getpid() {
			return
		}
		seen++
		r.Read(s, read.FieldDescriptors) // There may be too many for the program.
		assert.Equal(t, int32(os.Getppid()), s.PPID)
		assert.Equal(t, uint32(os.Geteuid()), s.UID)
		assert.False(t, s.KernelThread)
		assert.Positive(t, s.Levels[read.Resident])
		assert.Positive(t, s.Levels[read.Threads])
		assert.Positive(t, s.Levels[read.Descriptors])
		assert.Equal(t, read.FieldCPU, s.Have&read.FieldCPU)
		assert.NotZero(t, s.CgroupID)
	}))
	assert.Equal(t, 1, seen)
}

// TestEndOfAProcessThatNoScanSaw is told with all that it used.
func TestEndOfAProcessThatNoScanSaw(t *testing.T) {
	r := newReader(t)
	require.NoError(t, r.Scan(func(*read.Sample) {}))
	command := exec.Command("sh", "-c", "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done")
	require.NoError(t, command.Run())
	used := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	var told uint64
	// The end comes a grace period of RCU after the process was waited for.
	require.Eventually(t, func() bool {
		r.Exits(func(e *read.Exit) {
			if e.Ancestor == int32(os.Getpid()) && e.Comm == "sh" {
				assert.Equal(t, uint64(1), e.Processes)
				assert.Zero(t, e.Key, "no scan has seen it")
				assert.Positive(t, e.Totals[read.MinorFaults])
				told += e.Totals.CPU()
			}
		})
		return told > 0
	}, 10*time.Second, 5*time.Millisecond)
	// It runs on for some microseconds after its parent may wait for it.
	assert.GreaterOrEqual(t, told+2, uint64(used.Microseconds()))
	assert.LessOrEqual(t, told, uint64(used.Microseconds())+10_000)
}
