//go:build linux && (amd64 || arm64)

package bpf

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

func newReader(t testing.TB) *Reader {
	t.Helper()
	r, err := New(read.New("/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { require.NoError(t, r.Close()) })
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
		assert.Equal(t, int32(os.Getppid()), s.PPID)
		assert.Equal(t, uint32(os.Geteuid()), s.UID)
		assert.False(t, s.KernelThread)
		assert.Positive(t, s.Levels[read.Resident])
		assert.Positive(t, s.Levels[read.Threads])
		assert.Positive(t, s.Levels[read.Descriptors])
		assert.Positive(t, s.Totals.CPU())
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
	used := command.ProcessState.SysUsage().(*unix.Rusage)
	_ = used
}

func BenchmarkScan(b *testing.B) {
	r := newReader(b)
	n := 0
	for b.Loop() {
		n = 0
		require.NoError(b, r.Scan(func(*read.Sample) { n++ }))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/process")
}

func BenchmarkTake(b *testing.B) {
	r := newReader(b)
	for b.Loop() {
		var err error
		r.written, err = r.programs.dump(r.written[:0])
		require.NoError(b, err)
	}
}
