package vmtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

func TestSmoke(t *testing.T) {
	inEachKernel(t, []scenario{
		{"host", testHost},
		{"facts", testFacts},
		{"cpu", testCPU},
		{"disk", testDisk},
		{"network", testNetwork},
		{"nfs", testNFS},
		{"cgroup", testCgroup},
		{"groups", testGroups},
		{"restart", testRestart},
		{"suspend", testSuspend},
		{"clock", testClock},
		{"alerts", testAlertClock},
	})
}

// testHost holds a host that does a little of everything against its kernel.
func testHost(t *testing.T, vm *machine.Machine) {
	t.Helper()
	c := startCollector(t, vm, hostConfig+metricsTo("psutil"))
	c.record(t)
	time.Sleep(snapshotInterval)
	burner, err := vm.Start(c.folder+"/burn", 0, "/guest", "burn", "1", "4s")
	require.NoError(t, err)
	run(t, vm, "dd if=/dev/zero of=/mnt/file bs=64k count=64 conv=fsync 2>&1; ping -c 3 -i 0.2 127.0.0.1; rm /mnt/file; sync")
	_, err = vm.Wait(burner, time.Minute)
	require.NoError(t, err)
	c.batches(t, 3)
	truth := c.recording(t)
	ps := c.finish(t, points.Allowed{})
	wrong, compared := truth.Compare(ps)
	none(t, "totals", wrong)
	none(t, "levels", truth.CompareLevels(ps))
	assert.Greater(t, compared, 200, "points that were compared")
	t.Logf("%d points of %d streams, %d compared with %d snapshots", len(ps), len(ps.Streams()), compared, len(truth))
}
