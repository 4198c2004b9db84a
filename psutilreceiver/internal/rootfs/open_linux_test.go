package rootfs

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const anySize = 1 << 20

func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func textOf(t *testing.T, f *os.File, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer func() { assert.NoError(t, f.Close()) }()
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(text)
}

// fileOf is the file of a descriptor.
func fileOf(fd int, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "file"), nil
}

// rootWithLinks returns a root directory with links within it, and some out of it to a directory outside.
func rootWithLinks(t *testing.T) (root, outside string) {
	t.Helper()
	root, outside = t.TempDir(), t.TempDir()
	put(t, filepath.Join(root, "real/secret"), "inside\n")
	put(t, filepath.Join(outside, "secret"), "outside\n")
	for name, target := range map[string]string{"absolute": "/real", "relative": "real", "escape": outside, "above": "../../../../../../../../real"} {
		require.NoError(t, os.Symlink(target, filepath.Join(root, name)))
	}
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(root, "real/link")))
	return root, outside
}

func TestLinksStayBelowTheRoot(t *testing.T) {
	root, _ := rootWithLinks(t)
	host := At(root)
	for _, name := range []string{"absolute/secret", "relative/secret", "above/secret", "real/secret", "/real/../../../real/secret"} {
		f, err := host.Open(root+"/"+name, anySize)
		assert.Equal(t, "inside\n", textOf(t, f, err), name)
	}
	for _, name := range []string{"escape/secret", "real/link"} {
		_, err := host.Open(host.Join(name), anySize)
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, host.Join(name))
		_, err = host.Stat(host.Join(name))
		require.Equal(t, unix.ENOENT, err)
		assert.False(t, host.Exists(host.Join(name)))
		_, err = host.Statfs(host.Join(name))
		require.Equal(t, unix.ENOENT, err)
	}
	assert.Empty(t, host.ReadDir(host.Join("escape")))
	assert.Empty(t, host.Readlink(host.Join("escape/link")))
	assert.Equal(t, []string{"link", "secret"}, host.ReadDir(host.Join("absolute")))
	assert.Equal(t, "/real", host.Readlink(host.Join("absolute")))
	assert.Empty(t, host.Readlink(host.Join("real/secret")))
	assert.True(t, host.Exists(host.Join("absolute")))
	_, err := At(filepath.Join(root, "none")).OpenFile(filepath.Join(root, "none/real/secret"), anySize)
	require.Equal(t, unix.ENOENT, err)
}

func TestWithoutOpenat2LinksOutOfTheRootAreErrors(t *testing.T) {
	root, _ := rootWithLinks(t)
	f, err := fileOf(openBeneath(root, "relative/secret", fileFlags))
	assert.Equal(t, "inside\n", textOf(t, f, err))
	for _, flags := range []int{fileFlags, directoryFlags, pathFlags} {
		for _, name := range []string{"absolute/secret", "escape/secret", "above/secret", "real/link"} {
			_, err = openBeneath(root, name, flags)
			require.Error(t, err, name)
		}
	}
	fd, err := openBeneath(root, "real", pathFlags)
	require.NoError(t, err)
	require.NoError(t, unix.Close(fd))
	fifo := filepath.Join(root, "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	fd, err = openBeneath(root, "fifo", fileFlags)
	_, err = checkedFile(fd, err, anySize)
	require.Equal(t, ErrNotRegular, err)
}

func TestLinksOfTheOwnRootLeadAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "own\n")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	for _, root := range []string{"", "/", "//"} {
		f, err := At(root).Open(At(root).Join(link), anySize)
		assert.Equal(t, "own\n", textOf(t, f, err), root)
		assert.Equal(t, path, At(root).Readlink(link))
	}
}

// TestOnlyRegularFilesAreOpened pins that nothing else is read, and that nobody is waited for, with this host's own root and below another.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "file"), "12345678")
	require.NoError(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(root, "dir"), 0o700))
	listener, err := net.Listen("unix", filepath.Join(root, "socket"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	require.NoError(t, os.Symlink("/fifo", filepath.Join(root, "link")))
	devices := unix.Mknod(filepath.Join(root, "zero"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5))) == nil

	directory, err := At(root).OpenDir(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(directory)) })
	opens := map[string]func(name string, limit int64) (int, error){
		"own": func(name string, limit int64) (int, error) { return Root{}.OpenFile(filepath.Join(root, name), limit) },
		"root": func(name string, limit int64) (int, error) {
			return At(root).OpenFile(filepath.Join(root, name), limit)
		},
		"directory": func(name string, limit int64) (int, error) {
			return Directory{FD: directory, Path: root}.OpenFile(append([]byte(name), 0), limit)
		},
	}
	for how, open := range opens {
		for name, want := range map[string]error{"fifo": ErrNotRegular, "dir": unix.EISDIR, "socket": unix.ENXIO, "none": unix.ENOENT} {
			_, err := open(name, anySize)
			assert.Equal(t, want, err, "%s %s", how, name)
		}
		if devices && how != "own" { // A filesystem mounted with nodev lets nobody open it at all.
			_, err := open("zero", anySize)
			assert.Contains(t, []error{ErrNotRegular, unix.EACCES}, err, how)
		}
		if how == "root" {
			_, err := open("link", anySize)
			assert.Equal(t, ErrNotRegular, err)
		}
		_, err := open("file", 7)
		assert.Equal(t, ErrTooLarge, err, how)
		fd, err := open("file", 8)
		requireNonBlocking(t, fd, err)
		f, err := fileOf(fd, err)
		assert.Equal(t, "12345678", textOf(t, f, err), how)
	}
	_, err = At(root).OpenDir(filepath.Join(root, "fifo"))
	require.Equal(t, unix.ENOTDIR, err)
	fd, err := openBeneath(root, "file", fileFlags)
	requireNonBlocking(t, fd, err)
	require.NoError(t, unix.Close(fd))
	f, err := At(root).Open(filepath.Join(root, "file"), anySize)
	require.NoError(t, err)
	requireNonBlocking(t, int(f.Fd()), err)
	require.NoError(t, f.Close())
	_, err = At(root).Open(filepath.Join(root, "fifo"), anySize)
	require.ErrorIs(t, err, ErrNotRegular)
	var pathError *fs.PathError
	require.ErrorAs(t, err, &pathError)
}

// TestFilesOfThisKernelAreOpenedAsTheyAre holds that the way through a process to other files is no file of the kernel's.
func TestFilesOfThisKernelAreOpenedAsTheyAre(t *testing.T) {
	for _, path := range []string{"/proc/self/stat", "/proc/stat", "/sys/kernel/mm/transparent_hugepage/enabled"} {
		assert.True(t, isKernels(path), path)
	}
	fd, err := Root{}.OpenFile("/proc/self/stat", 0)
	requireNonBlocking(t, fd, err)
	require.NoError(t, unix.Close(fd))
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	held, err := unix.Open(filepath.Dir(fifo), directoryFlags, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(held)) })
	for _, path := range []string{"/proc/self/root" + fifo, fmt.Sprintf("/proc/self/fd/%d/fifo", held), "/procfs/stat", "/system/x", "/proc", "/sys", fifo} {
		assert.False(t, isKernels(path), path)
	}
	for _, path := range []string{"/proc/self/root" + fifo, fmt.Sprintf("/proc/self/fd/%d/fifo", held)} {
		_, err := Root{}.OpenFile(path, anySize)
		assert.Equal(t, ErrNotRegular, err, path)
	}
	_, err = Root{dir: "/", dirZ: []byte("/\x00")}.OpenFile("/proc/self", anySize)
	assert.Equal(t, unix.EISDIR, err, "another root is looked at")
}

// requireNonBlocking holds that neither to open a file nor to read it waits for anybody.
func requireNonBlocking(t *testing.T, fd int, err error) {
	t.Helper()
	require.NoError(t, err)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	require.NoError(t, err)
	assert.NotZero(t, flags&unix.O_NONBLOCK)
}

func TestADirectoryIsTheRootOfItsFiles(t *testing.T) {
	root, outside := rootWithLinks(t)
	fd, err := At(root).OpenDir(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(fd)) })
	d := Directory{FD: fd, Path: root}
	f, err := fileOf(d.OpenFile([]byte("absolute/secret\x00"), anySize))
	assert.Equal(t, "inside\n", textOf(t, f, err))
	_, err = d.OpenFile([]byte("escape/secret\x00"), anySize)
	require.Equal(t, unix.ENOENT, err)
	_, err = d.OpenDir([]byte("escape\x00"))
	require.Equal(t, unix.ENOENT, err)
	buf := make([]byte, 1000)
	n, err := d.Readlink([]byte("real/link\x00"), buf)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(outside, "secret"), string(buf[:n]))
	_, err = d.Readlink([]byte("escape/link\x00"), buf)
	require.Error(t, err)
}
