package psutilreceiver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// inMountNamespace runs the test that calls it once more, in a process that may mount as it likes. There it returns true.
func inMountNamespace(t *testing.T) bool {
	t.Helper()
	const marker = "PSUTIL_TEST_IN_MOUNT_NAMESPACE"
	if os.Getenv(marker) == t.Name() {
		require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), marker+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	testenv.InNamespace(t, out, err)
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS: "+t.Name(), "%s", out)
	t.Logf("%s", out)
	return false
}

// TestADeadMountDelaysNothing runs the receiver beside a FUSE mount whose daemon keeps silent, with a filesystem timeout of an hour:
// neither a scrape nor the end takes as long.
func TestADeadMountDelaysNothing(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	daemon, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		testenv.Missing(t, "no FUSE: %v", err)
	}
	dead := filepath.Join(t.TempDir(), "dead")
	require.NoError(t, os.Mkdir(dead, 0o755))
	require.NoError(t, unix.Mount("silent", dead, "fuse.silent", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", daemon)))
	t.Cleanup(func() {
		_ = unix.Close(daemon) // The kernel answers for the daemon: the call that hangs ends.
		_ = unix.Unmount(dead, unix.MNT_DETACH)
	})

	cfg := createDefaultConfig().(*Config)
	cfg.InitialDelay = 0
	cfg.Scrapers.Filesystem.Get().Timeout = time.Hour
	cfg.Scrapers.Process.Get().CollectionInterval = 0 // One group, so that all wait for each other if any waits.
	sink := &consumertest.MetricsSink{}
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	clock := &steppedClock{now: time.Now()}
	r.now = clock.read
	ticks := make(chan time.Time)
	r.options = append(r.options, scraperhelper.WithTickerChannel(ticks))
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	for n, stuck := range []int64{0, 0, 1} {
		if n > 0 {
			clock.step(40 * time.Minute)
			ticks <- time.Time{}
		}
		metrics := batch(t, sink, n)
		assert.Contains(t, metrics, "system.cpu.time")
		assert.Contains(t, metrics, "system.network.io")
		assert.Contains(t, metrics, "system.filesystem.usage", "the other mounts")
		require.Contains(t, metrics, "system.filesystem.stuck")
		assert.Equal(t, stuck, metrics["system.filesystem.stuck"].Sum().DataPoints().At(0).IntValue(), "scrape %d", n)
	}
	began := time.Now()
	require.NoError(t, r.Shutdown(t.Context()))
	t.Logf("Shutdown took %v", time.Since(began))
}

// batch waits for the nth batch that holds metrics of the host, and gives its metrics by name.
func batch(t *testing.T, sink *consumertest.MetricsSink, n int) map[string]pmetric.Metric {
	t.Helper()
	metrics := make(map[string]pmetric.Metric)
	require.Eventually(t, func() bool {
		seen := 0
		for _, md := range sink.AllMetrics() {
			clear(metrics)
			for _, rm := range md.ResourceMetrics().All() {
				for _, sm := range rm.ScopeMetrics().All() {
					for _, m := range sm.Metrics().All() {
						metrics[m.Name()] = m
					}
				}
			}
			if _, ok := metrics["system.filesystem.stuck"]; ok {
				if seen == n {
					return true
				}
				seen++
			}
		}
		return false
	}, time.Minute, time.Millisecond)
	return metrics
}
