package vmtest

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// testNFS mounts what a server in the guest serves, stops the server and lets it go on: the mount is stuck meanwhile, and nothing else is.
func testNFS(t *testing.T, vm *machine.Machine) {
	t.Helper()
	run(t, vm, "modprobe -a nfs nfsv3; mkdir -p /run/served; echo hello >/run/served/file")
	server, err := vm.Start("/run/nfs.log", 0, "/guest", "nfs", "/run/served", "127.0.0.1:2049")
	require.NoError(t, err)
	eventually(t, vm, "nc 127.0.0.1 2049 </dev/null")
	run(t, vm, "/guest mountnfs 127.0.0.1:2049 /mnt/nfs && cat /mnt/nfs/file")
	c := startCollector(t, vm, `
receivers:
  psutil: {collection_interval: 1s, scrapers: {filesystem: {timeout: 2s}, cpu: {}}}
`+metricsTo("psutil"))
	c.batches(t, 4)

	stopped := nowIn(t, vm)
	require.NoError(t, vm.Signal(server, syscall.SIGSTOP))
	c.batches(t, 10)
	resumed := nowIn(t, vm)
	require.NoError(t, vm.Signal(server, syscall.SIGCONT))
	// A mount that was stuck is asked again after a while, and not at each scrape.
	back := awaitMount(t, c, resumed)
	run(t, vm, "umount /mnt/nfs")
	require.NoError(t, vm.Signal(server, syscall.SIGKILL))
	gone := nowIn(t, vm)
	c.batches(t, 3)
	ps := c.finish(t, points.Allowed{})

	const second = int64(time.Second)
	assert.NotEmpty(t, mountOf(ps).Between(0, stopped), "points of the mount while its server answers")
	assert.Empty(t, mountOf(ps).Between(stopped+4*second, resumed), "points of the mount while its server is away")
	assert.True(t, back, "the mount is shown again when its server is back")
	assert.Empty(t, mountOf(ps).Between(gone+second, gone+100*second), "points of a mount that is gone")
	var most float64
	for _, p := range ps.Of("system.filesystem.stuck").Between(stopped, resumed) {
		most = max(most, p.Value)
	}
	assert.InDelta(t, 1, most, 0, "mounts that are stuck")
	noFault(t, "nfs: scrapes go on while a mount is stuck", gaps(ps.Of("system.filesystem.limit", "system.filesystem.mountpoint", "/")))
}

func mountOf(ps points.Points) points.Points {
	return ps.Of("system.filesystem.limit", "system.filesystem.mountpoint", "/mnt/nfs")
}

// awaitMount waits for the mount to be shown again, for up to two minutes.
func awaitMount(t *testing.T, c *collector, since int64) bool {
	t.Helper()
	for range 12 {
		if len(mountOf(c.points(t)).Between(since, 1<<62)) > 0 {
			return true
		}
		c.batches(t, 10)
	}
	return false
}

func nowIn(t *testing.T, vm *machine.Machine) int64 {
	t.Helper()
	s, err := vm.Snapshot()
	require.NoError(t, err)
	return s.After.Realtime
}

// gaps finds points of an interval of a second that are further apart than scrapes can be that wait for nothing.
func gaps(ps points.Points) (wrong []string) {
	const most = 2500 * time.Millisecond
	for i := 1; i < len(ps); i++ {
		if apart := ps[i].At().Sub(ps[i-1].At()); apart > most {
			wrong = append(wrong, fmt.Sprintf("%v between scrapes: %v", apart, ps[i]))
		}
	}
	return wrong
}
