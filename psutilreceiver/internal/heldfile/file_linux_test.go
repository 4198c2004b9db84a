package heldfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

func TestABudgetBoundsWhatIsKeptOpen(t *testing.T) {
	var none *Budget
	var zero, two Budget
	two.SetLimit(2)
	for _, c := range []struct {
		budget *Budget
		kept   int
	}{{none, 0}, {&zero, 0}, {&two, 2}} {
		var files [3]File
		kept := 0
		for i := range files {
			fd, err := unix.Open("/proc/self/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			require.NoError(t, err)
			assert.False(t, files[i].IsOpen())
			assert.Equal(t, kept < c.kept, c.budget.HasRoom())
			if c.budget.Keep(&files[i], fd) {
				assert.Equal(t, fd, files[i].FD())
				kept++
			} else {
				require.NoError(t, unix.Close(fd))
			}
		}
		assert.Equal(t, c.kept, kept)
		for i := range files {
			c.budget.Close(&files[i])
			c.budget.Close(&files[i])
			assert.False(t, files[i].IsOpen())
		}
	}
	assert.Zero(t, two.Open())
}

func TestABudgetIsAShareOfTheDescriptors(t *testing.T) {
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	var b Budget
	b.SetShare(4, 1<<40)
	assert.Equal(t, int64(limit.Cur/4), b.Limit())
	b.SetShare(4, 3)
	assert.Equal(t, int64(3), b.Limit())
}

func TestReadingFromTheBeginningToTheEnd(t *testing.T) {
	for _, size := range []int{0, 1, 15, 16, 17, 32, 33, initialSize, initialSize + 1, 100_000} {
		text := strings.Repeat("x", size)
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		require.NoError(t, err)
		f := FileOf(fd)
		for _, buf := range [][]byte{nil, make([]byte, 16)} {
			for range 2 {
				buf, err = ReadAll(fd, buf, 1<<20)
				require.NoError(t, err)
				assert.Equal(t, text, string(buf), "size %d", size)
			}
		}
		buf := make([]byte, 0, 16)
		for range 2 {
			buf, err = ReadWhole(fd, buf, 1<<20)
			require.NoError(t, err)
			assert.Equal(t, text, string(buf), "size %d", size)
		}
		n, err := ReadOnce(fd, make([]byte, 16))
		require.NoError(t, err)
		assert.Equal(t, min(size, 16), n)
		f.Close()
	}
}

func TestReadingStopsAtTheLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, make([]byte, 1_000_000), 0o600))
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	f := FileOf(fd)
	t.Cleanup(f.Close)
	_, err = ReadAll(fd, nil, 50_000)
	require.ErrorIs(t, err, rootfs.ErrTooLarge)
	text, err := ReadWhole(fd, make([]byte, 16), 50_000)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(text), 50_000)
	assert.Less(t, len(text), 1_000_000)
}

func TestErrorsAreBare(t *testing.T) {
	fd, err := unix.Open(t.TempDir(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	f := FileOf(fd)
	t.Cleanup(f.Close)
	for _, read := range []func() error{
		func() error { _, err := ReadAll(fd, nil, 100); return err },
		func() error { _, err := ReadWhole(fd, make([]byte, 10), 100); return err },
		func() error { _, err := ReadOnce(fd, make([]byte, 10)); return err },
	} {
		assert.Equal(t, unix.EISDIR, read())
	}
}

func TestFilesystems(t *testing.T) {
	for path, want := range map[string][2]bool{"/proc/self/stat": {true, false}, "/sys/class/net": {false, true}, os.Args[0]: {false, false}} {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			testenv.Missing(t, "%v", err)
			continue
		}
		assert.Equal(t, want, [2]bool{IsProcfs(fd), IsSysfs(fd)}, path)
		f := FileOf(fd)
		f.Close()
	}
}
