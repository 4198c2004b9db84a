package psutilreceiver

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kernelModel is a host of two CPUs, one disk and one interface, whose files change as time passes.
type kernelModel struct {
	root  string
	clock *steppedClock

	user, idle        int64 // ticks of 1/100 s
	written, received int64 // bytes
	stalled           int64 // microseconds
	load              float64
	freeKiB           int64
}

// activity is what the host does in every second of a span of time.
type activity struct {
	busy              float64 // share of the CPUs
	written, received int64   // bytes
	stalled           float64 // share of the time
}

func newKernelModel(t *testing.T) *kernelModel {
	t.Helper()
	k := &kernelModel{
		root: t.TempDir(), clock: &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		user: 100_000, idle: 9_000_000, written: 1 << 40, received: 1 << 41, stalled: 5_000_000, load: 0.25, freeKiB: 4_000_000,
	}
	k.write(t)
	return k
}

// pass lets time go by under an activity.
func (k *kernelModel) pass(t *testing.T, d time.Duration, a activity) {
	t.Helper()
	k.clock.step(d)
	ticks := int64(math.Round(d.Seconds() * 200))
	user := int64(math.Round(float64(ticks) * a.busy))
	k.user += user
	k.idle += ticks - user
	k.written += int64(d.Seconds() * float64(a.written))
	k.received += int64(d.Seconds() * float64(a.received))
	k.stalled += int64(d.Seconds() * 1e6 * a.stalled)
	k.write(t)
}

func (k *kernelModel) write(t *testing.T) {
	t.Helper()
	stall := fmt.Sprintf("some avg10=0.00 avg60=0.00 avg300=0.00 total=%d\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=%d\n", k.stalled, k.stalled/2)
	k.put(t, map[string]string{
		"proc/stat": fmt.Sprintf("cpu  %d 0 0 %d 0 0 0 0 0 0\ncpu0 %d 0 0 %d 0 0 0 0 0 0\ncpu1 %d 0 0 %d 0 0 0 0 0 0\nbtime 1766401203\n",
			k.user, k.idle, k.user/2, k.idle/2, k.user-k.user/2, k.idle-k.idle/2),
		"proc/loadavg": fmt.Sprintf("%.2f 0.20 0.10 1/100 4242\n", k.load),
		"proc/meminfo": fmt.Sprintf("MemTotal: 8000000 kB\nMemFree: %d kB\nMemAvailable: %d kB\nBuffers: 0 kB\nCached: 0 kB\nDirty: 12 kB\n", k.freeKiB, k.freeKiB),
		"proc/vmstat":  "pgfault 1\npgmajfault 0\npswpin 0\npswpout 0\noom_kill 0\n",
		"proc/net/dev": "Inter-|\n face |\n" + k.netLine("eth0"),
		"proc/diskstats": fmt.Sprintf(" 8 0 sda 100 0 2000 30 %d 0 %d 40 0 50 70\n 8 1 sda1 100 0 2000 30 1 0 8 40 0 50 70\n",
			k.written/4096, k.written/512),
		"proc/pressure/cpu": stall, "proc/pressure/memory": stall, "proc/pressure/io": stall,
		"proc/uptime": "1000.00 2000.00\n",
	})
}

func (k *kernelModel) netLine(name string) string {
	return fmt.Sprintf("%s: %d %d 0 0 0 0 0 0 %d 0 0 0 0 0 0 0\n", name, k.received, k.received/1000, k.received/10)
}

func (k *kernelModel) put(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(k.root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
}
