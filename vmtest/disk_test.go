package vmtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// testDisk plugs in a disk, replaces it by another that gets its name, at once and after a while, and puts a filesystem on the last.
func testDisk(t *testing.T, vm *machine.Machine) {
	t.Helper()
	c := startCollector(t, vm, `
receivers:
  psutil: {collection_interval: 1s, scrapers: {disk: {}, filesystem: {}}}
`+metricsTo("psutil"))
	c.record(t)
	c.batches(t, 1)
	const written = 4 << 20
	for i := range 3 {
		plugDisk(t, vm, i)
		run(t, vm, "dd if=/dev/zero of=/dev/vda bs=64k count=%d oflag=direct 2>&1; dd if=/dev/vda of=/dev/null bs=64k count=%d iflag=direct 2>&1",
			written>>16, written>>17)
		c.batches(t, 3)
		require.NoError(t, vm.Unplug(fmt.Sprintf("disk%d", i)))
		require.NoError(t, vm.Monitor("blockdev-del", map[string]any{"node-name": fmt.Sprintf("medium%d", i)}))
		if i == 1 {
			c.batches(t, 3)
		}
	}
	plugDisk(t, vm, 3)
	run(t, vm, "mke2fs -q /dev/vda 2>&1; mkdir -p /mnt/vda; mount -t ext4 /dev/vda /mnt/vda; dd if=/dev/zero of=/mnt/vda/file bs=64k count=32 conv=fsync 2>&1")
	c.batches(t, 3)
	space := run(t, vm, "stat -f -c '%%b %%f %%S' /mnt/vda; umount /mnt/vda")
	c.batches(t, 2)
	require.NoError(t, vm.Unplug("disk3"))
	c.batches(t, 2)
	truth := c.recording(t)
	ps := c.finish(t, points.Allowed{})

	wrong, compared := truth.Compare(ps)
	none(t, "totals", wrong)
	assert.Greater(t, compared, 100)
	noFault(t, "disk: one stream for each disk", wrongDisks(ps, written))
	mounted := ps.Of("system.filesystem.limit", "system.filesystem.mountpoint", "/mnt/vda")
	require.NotEmpty(t, mounted)
	var blocks, free, size float64
	_, err := fmt.Sscan(space, &blocks, &free, &size)
	require.NoError(t, err)
	assert.InDelta(t, blocks*size, mounted[0].Value, 0, "size of the filesystem")
	used := ps.Of("system.filesystem.usage", "system.filesystem.mountpoint", "/mnt/vda", "system.filesystem.state", "used")
	assert.InDelta(t, (blocks-free)*size, used[len(used)-1].Value, 0, "used space of the filesystem")
	assert.LessOrEqual(t, len(mounted), 5, "points of a filesystem that is mounted for three seconds")
}

// plugDisk plugs in a disk of 64 MiB.
func plugDisk(t *testing.T, vm *machine.Machine, i int) {
	t.Helper()
	medium := fmt.Sprintf("medium%d", i)
	path := filepath.Join(t.TempDir(), medium)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, 64<<20))
	require.NoError(t, vm.Monitor("blockdev-add", map[string]any{"driver": "file", "node-name": medium, "filename": path}))
	require.NoError(t, vm.Monitor("device_add", map[string]any{"driver": "virtio-blk-pci", "id": fmt.Sprintf("disk%d", i), "drive": medium}))
	eventually(t, vm, "[ -b /dev/vda ]")
}

// wrongDisks tells whether the three disks that had one name are three streams, each with what was written to it, and none begins before the last
// point of the disk before.
func wrongDisks(ps points.Points, written float64) (wrong []string) {
	last := make(map[int64]*points.Point) // by start
	var starts []int64
	for _, p := range ps.Of("system.disk.io", "system.device", "vda", "disk.io.direction", "write") {
		if last[p.Start] == nil {
			starts = append(starts, p.Start)
		}
		last[p.Start] = p
	}
	if len(starts) != 4 {
		wrong = append(wrong, fmt.Sprintf("%d streams for 4 disks", len(starts)))
	}
	for i, start := range starts[:min(3, len(starts))] {
		if told := last[start].Value; told != written {
			wrong = append(wrong, fmt.Sprintf("%.0f bytes were written to disk %d: %v", written, i, last[start]))
		}
	}
	return wrong
}
