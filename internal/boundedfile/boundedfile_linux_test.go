package boundedfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOnlyRegularFilesOfABoundedSizeAreRead(t *testing.T) {
	dir := t.TempDir()
	file, link, fifo := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "fifo")
	require.NoError(t, os.WriteFile(file, []byte("12345678"), 0o600))
	require.NoError(t, os.Symlink(file, link))
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	for _, path := range []string{file, link} {
		text, err := Read(path, 8)
		require.NoError(t, err)
		assert.Equal(t, "12345678", string(text))
		_, err = Read(path, 7)
		require.ErrorIs(t, err, ErrTooLarge)
		require.ErrorContains(t, err, path)
	}
	for _, path := range []string{fifo, dir, os.DevNull} {
		_, err := Read(path, 1000)
		require.ErrorIs(t, err, ErrNotRegular)
		require.ErrorContains(t, err, path)
	}
	_, err := Read(filepath.Join(dir, "none"), 1)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.Truncate(file, 2<<30))
	_, err = Read(file, 1<<20)
	require.ErrorIs(t, err, ErrTooLarge)
	// Its size is 0 before it is read.
	_, err = Read("/proc/self/status", 10)
	require.ErrorIs(t, err, ErrTooLarge)
}
