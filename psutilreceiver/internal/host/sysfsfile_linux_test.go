package host

import (
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

func TestFilesOfSysfsAreKeptOpen(t *testing.T) {
	const path = "/sys/class/net/lo/ifindex"
	if _, err := os.Stat(path); err != nil {
		testenv.Missing(t, "%v", err)
	}
	r := newSysfsReader(rootfs.Root{})
	r.budget.SetLimit(1)
	first, second := sysfsFile{path: path}, sysfsFile{path: path}
	thrice := func(f *sysfsFile) func() {
		return func() {
			for range 3 {
				assert.Equal(t, int64(1), r.number(f))
			}
		}
	}
	assert.Equal(t, 1, opensOf(t, path, thrice(&first)))
	assert.Equal(t, 3, opensOf(t, path, thrice(&second)), "there is room for one")
	assert.Equal(t, int64(1), r.budget.Open())
	r.close(&first, &second)
	assert.Zero(t, r.budget.Open())
	assert.Equal(t, int64(1), r.number(&second))
	assert.Equal(t, int64(1), r.budget.Open())
	r.close(&second)
	assert.Zero(t, r.budget.Open())
}

func TestFilesElsewhereAreOpenedEachTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "size")
	require.NoError(t, os.WriteFile(path, []byte(" 42\n"), 0o600))
	r := newSysfsReader(rootfs.Root{})
	f := sysfsFile{path: path}
	assert.Equal(t, int64(42), r.number(&f))
	assert.False(t, f.IsOpen())
	require.NoError(t, os.Remove(path))
	assert.Equal(t, int64(-1), r.number(&f))
	_, err := r.read(&f)
	require.ErrorIs(t, err, unix.ENOENT)
	require.NoError(t, os.WriteFile(path, []byte("many\n"), 0o600))
	assert.Equal(t, int64(-1), r.number(&f))
}

func TestEachInode(t *testing.T) {
	dir := t.TempDir()
	r := newSysfsReader(rootfs.Root{})
	want := make(map[string]uint64)
	for _, name := range []string{"lo", "eth0", "a name with blanks", "ähnlich"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(path, 0o755))
		want[name] = new(Host).inode(path)
	}
	for _, size := range []int{100, direntBuffer} {
		got := make(map[string]uint64)
		require.NoError(t, r.eachInode(&sysfsFile{path: dir}, make([]byte, size), func(name []byte, inode uint64) { got[string(name)] = inode }))
		maps.DeleteFunc(got, func(name string, _ uint64) bool { return name == "." || name == ".." })
		assert.Equal(t, want, got)
	}
	require.ErrorIs(t, r.eachInode(&sysfsFile{path: filepath.Join(dir, "none")}, make([]byte, 100), nil), unix.ENOENT)
}

// dirent makes a record of getdents64.
func dirent(inode uint64, name string, length int) []byte {
	record := make([]byte, 19, length)
	binary.NativeEndian.PutUint64(record, inode)
	binary.NativeEndian.PutUint16(record[16:], uint16(length))
	return append(record, name...)[:length]
}

func FuzzParseDirents(f *testing.F) {
	f.Add(slices.Concat(dirent(7, "eth0", 24), dirent(8, "a longer name", 40)))
	f.Add(dirent(7, "eth0", 24)[:20])
	f.Add(dirent(7, "", 20))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, records []byte) {
		var bytes int
		parseDirents(records, func(name []byte, _ uint64) { bytes += 19 + len(name) })
		assert.LessOrEqual(t, bytes, len(records))
	})
}
