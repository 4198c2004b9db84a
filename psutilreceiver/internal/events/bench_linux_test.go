package events

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// usedCPU is the CPU time of this process.
func usedCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLook is a look at this host with 300 processes more, for each group of kinds.
func BenchmarkLook(b *testing.B) {
	for range 300 {
		cmd := exec.Command("/bin/sleep", "600")
		require.NoError(b, cmd.Start())
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	for name, kinds := range map[string][]Kind{
		"processes": {ProcessStart, ProcessExit}, "oom": {OOMKill}, "oom_without_log": {OOMKill}, "containers": {ContainerStarted, ContainerEnded},
		"devices": {DiskAdded, InterfaceAdded, Mounted, ReadOnly, ClockStepped, Booted},
	} {
		b.Run(name, func(b *testing.B) {
			w, err := NewWatcher(Options{Kinds: kinds}, NewLog(1))
			require.NoError(b, err)
			if s, ok := w.sources[0].(*oomSource); ok && name == "oom_without_log" {
				s.inferAlone()
			}
			b.Cleanup(func() { assert.NoError(b, w.Close()) })
			before := usedCPU(b)
			for b.Loop() {
				_ = w.Look(time.Now())
			}
			b.ReportMetric(float64(usedCPU(b)-before)/float64(b.N), "cpu-ns/op") // Other processes may use the CPU meanwhile.
		})
	}
}
