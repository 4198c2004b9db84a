package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// TestCgroupIOBeforeRecursive holds that the files of a group alone are read where there are no recursive ones, and only there.
func TestCgroupIOBeforeRecursive(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"old":  {map[string]string{"throttle.io_service_bytes": "8:0 Read 7\nTotal 7\n"}, 7},
		"new":  {map[string]string{"throttle.io_service_bytes": "8:0 Read 9\nTotal 9\n", "throttle.io_service_bytes_recursive": "8:0 Read 5\nTotal 5\n"}, 5},
		"BFQ":  {map[string]string{"throttle.io_service_bytes_recursive": "Total 0\n", "bfq.io_service_bytes_recursive": "8:0 Read 6\nTotal 6\n"}, 6},
		"CFQ":  {map[string]string{"throttle.io_service_bytes": "Total 0\n", "io_service_bytes_recursive": "8:0 Read 4\nTotal 4\n"}, 4},
		"none": {map[string]string{"throttle.io_service_bytes_recursive": "Total 0\n"}, 0},
	} {
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(root, "proc/1"), 0o755))
		for _, group := range []string{"", "a.service"} {
			dir := filepath.Join(root, "sys/fs/cgroup/blkio", group)
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "tasks"), nil, 0o600))
			for file, text := range c.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "blkio."+file), []byte(text), 0o600))
			}
		}
		h, err := New(root)
		require.NoError(t, err)
		groups := NewCgroups(h, CgroupOptions{Wanted: cgroup.Wanted{IO: true}})
		for range 3 {
			g := groupAt(t, groups, "/a.service")
			require.NotNil(t, g, name)
			read := int64(0)
			for _, d := range g.Now.Devices {
				read += d.IO.ReadBytes
			}
			assert.Equal(t, c.want, read, name)
		}
		require.NoError(t, groups.Close())
		require.NoError(t, h.Close())
	}
}

// TestCgroupIOOfThisKernel holds that version 1 has the I/O of a group without a limit where the disk has the scheduler BFQ.
func TestCgroupIOOfThisKernel(t *testing.T) {
	const blkio = "/sys/fs/cgroup/blkio"
	if _, err := os.Stat(blkio + "/blkio.bfq.io_service_bytes_recursive"); err != nil {
		testenv.Kernel(t, "no version 1 of blkio with BFQ: %v", err)
	}
	image := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.WriteFile(image, make([]byte, 8<<20), 0o600))
	out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		testenv.Kernel(t, "no loop device: %v: %s", err, out)
	}
	disk := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		assert.NoError(t, exec.Command("losetup", "--detach", disk).Run())
		renewLoopDevice(t, disk)
	})
	require.NoError(t, os.WriteFile("/sys/block/"+filepath.Base(disk)+"/queue/scheduler", []byte("bfq"), 0o600))
	group := fmt.Sprintf("psutil-bfq-%d.service", os.Getpid())
	require.NoError(t, os.Mkdir(blkio+"/"+group, 0o755))
	t.Cleanup(func() { assert.NoError(t, os.Remove(blkio+"/"+group)) })
	script := fmt.Sprintf("echo $$ >%s/%s/cgroup.procs && dd if=%s of=/dev/null bs=1M count=4 iflag=direct && dd if=/dev/zero of=%s bs=1M count=2 oflag=direct",
		blkio, group, disk, disk)
	out, err = exec.Command("sh", "-c", script).CombinedOutput()
	require.NoError(t, err, "%s", out)
	h, err := New("")
	require.NoError(t, err)
	groups := NewCgroups(h, CgroupOptions{Wanted: cgroup.Wanted{IO: true}})
	t.Cleanup(func() { require.NoError(t, groups.Close()) })
	g := groupAt(t, groups, "/"+group)
	require.NotNil(t, g)
	var io cgroup.IO
	for _, d := range g.Now.Devices {
		io.Add(d.IO)
	}
	assert.Equal(t, [2]int64{4 << 20, 2 << 20}, [2]int64{io.ReadBytes, io.WrittenBytes})
	assert.Positive(t, io.Reads)
	assert.Positive(t, io.Writes)
}

// renewLoopDevice puts a device that was never used in the place of one that was: the kernel shows the I/O of that for ever, and so would every agent that
// tests compare.
func renewLoopDevice(t *testing.T, disk string) {
	t.Helper()
	number, err := strconv.Atoi(strings.TrimPrefix(disk, "/dev/loop"))
	require.NoError(t, err)
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { assert.NoError(t, control.Close()) }()
	assert.Eventually(t, func() bool {
		return unix.IoctlSetInt(int(control.Fd()), unix.LOOP_CTL_REMOVE, number) == nil
	}, 10*time.Second, 20*time.Millisecond, "%s is busy", disk)
	assert.NoError(t, unix.IoctlSetInt(int(control.Fd()), unix.LOOP_CTL_ADD, number))
}
