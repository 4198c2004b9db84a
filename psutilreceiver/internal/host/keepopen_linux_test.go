package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// openFiles counts the files of the host that are open.
func openFiles(h *Host) int {
	n := 0
	for _, f := range h.files {
		if f.file.IsOpen() {
			n++
		}
	}
	return n
}

func TestKeptOpenFilesGiveWhatIsNew(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.KeepOpen()
	var last int64
	for range 3 {
		require.NoError(t, exec.Command("true").Run()) // A fork more.
		h.Begin()
		kernel, err := h.Kernel()
		require.NoError(t, err)
		assert.Greater(t, kernel.Forks, last, "the file is read again from its beginning")
		last = kernel.Forks
	}
	_, err = h.Memory()
	require.NoError(t, err)
	assert.Equal(t, 2, openFiles(h))
	require.NoError(t, h.Close())
	assert.Zero(t, openFiles(h))
}

func TestALargeFileIsReadWhole(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.KeepOpen()
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	for range 2 { // The kernel gives this file in pieces, of a page at most.
		h.Begin()
		kept, err := h.read("proc/kallsyms")
		if err != nil {
			testenv.Missing(t, "no /proc/kallsyms: %v", err)
		}
		whole, err := os.ReadFile("/proc/kallsyms")
		require.NoError(t, err)
		require.Len(t, kept, len(whole))
	}
}

func TestAKeptOpenFileThatFailsIsOpenedAgain(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.KeepOpen()
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	h.Begin()
	before, err := h.Load()
	require.NoError(t, err)
	// In place of the file a directory, which can't be read.
	dir, err := rootfs.Root{}.OpenDir("/proc")
	require.NoError(t, err)
	f := h.files[loadavgFile]
	f.file.Close()
	f.file = heldfile.FileOf(dir)
	h.Begin()
	after, err := h.Load()
	require.NoError(t, err)
	assert.InDelta(t, before.Avg15, after.Avg15, 1)
	assert.Equal(t, 1, openFiles(h))
}

func TestACopyOfProcfsIsNotKeptOpen(t *testing.T) {
	root := t.TempDir()
	put := func(text string) {
		path := filepath.Join(root, "proc/loadavg")
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	put("1.00 0.00 0.00 1/100 1\n")
	h, err := New(root)
	require.NoError(t, err)
	h.KeepOpen()
	for _, want := range []struct {
		text string
		avg  float64
	}{{"1.00 0.00 0.00 1/100 1\n", 1}, {"2.50 0.00 0.00 1/100 1\n", 2.5}} {
		put(want.text)
		h.Begin()
		l, err := h.Load()
		require.NoError(t, err)
		assert.InDelta(t, want.avg, l.Avg1, 0)
		assert.Zero(t, openFiles(h))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(root, "proc/loadavg")))
	h.Begin()
	_, err = h.Load()
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestReadingKeptOpenFilesAllocatesNothing(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.KeepOpen()
	interfaces := NewInterfaces(h, 0, func(string) bool { return true })
	disks := NewDisks(h, func(string, DiskKind) bool { return true })
	now := time.Unix(1_800_000_000, 0)
	read := func() {
		h.Begin()
		now = now.Add(time.Second)
		_, err1 := h.CPU()
		_, err2 := h.Load()
		_, err3 := h.Memory()
		_, err4 := interfaces.Read()
		_, err5 := disks.Read(now)
		for _, err := range []error{err1, err2, err3, err4, err5} {
			require.NoError(t, err)
		}
	}
	read()
	read()
	assert.Zero(t, testing.AllocsPerRun(100, read))
	require.NoError(t, interfaces.Close())
	require.NoError(t, disks.Close())
	require.NoError(t, h.Close())
}

func TestAValueOfSysctlIsReadAtOnceAndWhole(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	for _, name := range []string{"proc/sys/kernel/version", "proc/sys/kernel/sem", tcpMemFile, threadsMaxFile} {
		whole, err := os.ReadFile("/" + name)
		require.NoError(t, err)
		for range 3 {
			h.Begin()
			held, err := h.readHeld(name)
			require.NoError(t, err)
			assert.Equal(t, string(whole), string(held), name)
		}
		assert.True(t, h.files[name].file.IsOpen(), name)
	}
}
