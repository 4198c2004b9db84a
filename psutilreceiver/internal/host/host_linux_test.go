package host

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// fixtureHost is one of the hosts in testdata/hosts of this module.
func fixtureHost(tb testing.TB, name string) *Host {
	tb.Helper()
	h, err := New(filepath.Join("..", "..", "..", "testdata", "hosts", name))
	require.NoError(tb, err)
	h.Begin()
	return h
}

// hostWith is a host that has these files.
func hostWith(tb testing.TB, files map[string]string) *Host {
	tb.Helper()
	root := tb.TempDir()
	require.NoError(tb, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	for name, text := range files {
		put(tb, root, name, text)
	}
	h, err := New(root)
	require.NoError(tb, err)
	h.Begin()
	return h
}

func put(tb testing.TB, root, name, text string) {
	tb.Helper()
	path := filepath.Join(root, name)
	require.NoError(tb, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(tb, os.WriteFile(path, []byte(text), 0o600))
}

func link(tb testing.TB, root, name, target string) {
	tb.Helper()
	path := filepath.Join(root, name)
	require.NoError(tb, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(tb, os.Symlink(target, path))
}

// opensOf counts how often the file at path is opened while f runs.
func opensOf(t *testing.T, path string, f func()) int {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	require.NoError(t, err)
	defer func() { _ = unix.Close(fd) }()
	_, err = unix.InotifyAddWatch(fd, path, unix.IN_OPEN|unix.IN_CLOSE_NOWRITE)
	require.NoError(t, err)
	f()
	var buf [4096]byte
	opens := 0
	for {
		n, err := unix.Read(fd, buf[:])
		if n <= 0 || err != nil {
			return opens
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			mask := binary.NativeEndian.Uint32(buf[at+4:])
			length := binary.NativeEndian.Uint32(buf[at+12:])
			if mask&unix.IN_OPEN != 0 {
				opens++
			}
			at += unix.SizeofInotifyEvent + int(length)
		}
	}
}

func TestEachFileIsOpenedOnceAScrape(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/stat": "cpu 1 2 3 4\ncpu0 1 2 3 4\nctxt 9\n"})
	useAll := func() {
		for range 3 {
			_, err := h.CPU()
			require.NoError(t, err)
			_, err = h.Kernel()
			require.NoError(t, err)
			_, _ = h.PhysicalCPUs()
		}
	}
	path := h.Path("proc/stat")
	assert.Equal(t, 0, opensOf(t, path, func() {}))
	assert.Equal(t, 1, opensOf(t, path, useAll))
	assert.Equal(t, 0, opensOf(t, path, useAll), "still the same scrape")
	assert.Equal(t, 1, opensOf(t, path, func() { h.Begin(); useAll() }), "the next scrape")
}

func TestReadIsTheSameThroughoutAScrape(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/loadavg": "1.00 0.50 0.25 1/100 4242\n"})
	first, err := h.Load()
	require.NoError(t, err)
	put(t, h.Root(), "proc/loadavg", "9.00 0.50 0.25 1/100 4242\n")
	again, err := h.Load()
	require.NoError(t, err)
	assert.Equal(t, first, again)

	h.Begin()
	next, err := h.Load()
	require.NoError(t, err)
	assert.InDelta(t, 9.0, next.Avg1, 0)

	require.NoError(t, os.Remove(h.Path("proc/loadavg")))
	h.Begin()
	_, err = h.Load()
	require.ErrorIs(t, err, os.ErrNotExist, "a file that has gone leaves nothing stale")
	assert.Equal(t, "missing", ErrorClass(err))

	put(t, h.Root(), "proc/loadavg", "3.00 0.50 0.25 1/100 4242\n")
	h.Begin()
	back, err := h.Load()
	require.NoError(t, err)
	assert.InDelta(t, 3.0, back.Avg1, 0)
}

func TestReadFileOfAnySize(t *testing.T) {
	for _, size := range []int{0, 1, 4095, 4096, 4097, 8192, 300_000} {
		want := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, want, 0o600))
		got, err := readFile(rootfs.Root{}, path, nil, maxFileSize)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, got), "%d bytes", size)
		again, err := readFile(rootfs.Root{}, path, got, maxFileSize)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, again), "%d bytes into a used buffer", size)
	}
}

func TestReadFileReusesItsBuffer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, make([]byte, 10_000), 0o600))
	buf, err := readFile(rootfs.Root{}, path, nil, maxFileSize)
	require.NoError(t, err)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { buf, err = readFile(rootfs.Root{}, path, buf, maxFileSize) }), 1.0)
	require.NoError(t, err)
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := readFile(rootfs.Root{}, filepath.Join(dir, "none"), nil, maxFileSize)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, filepath.Join(dir, "none"))
	got, err := readFile(rootfs.Root{}, dir, []byte("stale"), maxFileSize)
	require.ErrorIs(t, err, unix.EISDIR)
	assert.Empty(t, got)
}

func TestNew(t *testing.T) {
	dir := t.TempDir()
	_, err := New(dir)
	require.ErrorContains(t, err, "has no proc")
	_, err = New(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	put(t, dir, "file", "")
	_, err = New(filepath.Join(dir, "file"))
	require.ErrorContains(t, err, "is not a directory")

	require.NoError(t, os.Mkdir(filepath.Join(dir, "proc"), 0o755))
	h, err := New(dir + "//")
	require.NoError(t, err)
	assert.Equal(t, dir, h.Root())
	assert.Equal(t, dir+"/etc/passwd", h.Path("/etc/passwd"))

	for _, own := range []string{"", "/"} {
		h, err = New(own)
		require.NoError(t, err)
		assert.Empty(t, h.Root())
		assert.Equal(t, "/etc/passwd", h.Path("etc/passwd"))
	}
}

func TestLinksStayBelowTheRoot(t *testing.T) {
	h := hostWith(t, map[string]string{"real/secret": "inside\n"})
	outside := t.TempDir()
	put(t, outside, "secret", "outside\n")
	link(t, h.Root(), "absolute", "/real")
	link(t, h.Root(), "relative", "real")
	link(t, h.Root(), "escape", outside)

	for _, name := range []string{"absolute/secret", "relative/secret", "real/secret"} {
		text, err := h.readInRoot(name)
		require.NoError(t, err, name)
		assert.Equal(t, "inside\n", string(text), name)
	}
	_, err := h.readInRoot("escape/secret")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTwoRootsInOneProgramDoNotMix(t *testing.T) {
	server, old := fixtureHost(t, "server-6.x"), fixtureHost(t, "kernel-4.4")
	for range 2 {
		server.Begin()
		old.Begin()
		a, err := server.Memory()
		require.NoError(t, err)
		b, err := old.Memory()
		require.NoError(t, err)
		assert.Equal(t, int64(65806428*1024), a.Total)
		assert.Equal(t, int64(4046440*1024), b.Total)
	}
}

func TestErrorClass(t *testing.T) {
	assert.Equal(t, "permission", ErrorClass(&os.PathError{Op: "open", Path: "/proc/1/io", Err: unix.EACCES}))
	assert.Equal(t, "missing", ErrorClass(&os.PathError{Op: "open", Path: "/proc/stat", Err: unix.ENOENT}))
	assert.Equal(t, "malformed", ErrorClass(malformed("proc/stat", []byte("cpu x"))))
	assert.Equal(t, "timeout", ErrorClass(os.ErrDeadlineExceeded))
	assert.Equal(t, "timeout", ErrorClass(fmt.Errorf("asking: %w", context.DeadlineExceeded)))
	assert.Equal(t, "other", ErrorClass(unix.EIO))
}

func TestMalformedQuotesLittle(t *testing.T) {
	err := malformed("proc/stat", []byte(strings.Repeat("x", 1000)))
	require.EqualError(t, err, `parsing /proc/stat: unexpected text "`+strings.Repeat("x", 40)+`": malformed`)
}
