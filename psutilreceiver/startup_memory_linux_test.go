package psutilreceiver

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOnlyUnchangedMappingsOfTheProgramAreUnmapped(t *testing.T) {
	smaps := `00400000-01000000 r-xp 00000000 fe:00 1234                           /opt/a b/otelcol
Size:              12288 kB
Rss:                9000 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
01000000-02000000 r--p 00c00000 fe:00 1234                           /opt/a b/otelcol
Anonymous:             4 kB
02000000-02100000 rw-p 01c00000 fe:00 1234                           /opt/a b/otelcol
Anonymous:             0 kB
02100000-02200000 r--p 00000000 fe:00 1235                           /opt/a b/otelcol.so
Anonymous:             0 kB
02200000-02300000 r--p 01d00000 fe:00 1234                           /opt/a b/otelcol
Anonymous:             0 kB
7f0000000000-7f0000001000 rw-p 00000000 00:00 0
Anonymous:             0 kB
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
Anonymous:             0 kB
`
	assert.Equal(t, []mapping{{0x400000, 0x1000000}, {0x2200000, 0x2300000}}, fileMappings(smaps, "/opt/a b/otelcol"))
	assert.Empty(t, fileMappings(smaps, ""))
	assert.Empty(t, fileMappings("", "/opt/a b/otelcol"))
	assert.Empty(t, fileMappings("x-y r-xp 0 0 0 p\nAnonymous: 0 kB\n2-1 r-xp 0 0 0 p\nAnonymous: 0 kB", "p"))
}

// TestWhatIsUnmappedIsMappedAgainWhenItRuns maps a file as the kernel maps a program, for the test's own code runs all the time.
func TestWhatIsUnmappedIsMappedAgainWhenItRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("x", 1<<20)), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	pages, err := unix.Mmap(int(f.Fd()), 0, 1<<20, unix.PROT_READ, unix.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Munmap(pages) })
	resident := func() (kib string) {
		smaps, err := os.ReadFile("/proc/self/smaps")
		require.NoError(t, err)
		_, after, found := strings.Cut(string(smaps), path+"\n")
		require.True(t, found)
		_, after, _ = strings.Cut(after, "\nRss:")
		return strings.Fields(after)[0]
	}
	sum := 0
	for i := range pages {
		sum += int(pages[i])
	}
	require.Equal(t, "1024", resident())
	smaps, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	unmap(fileMappings(string(smaps), path))
	assert.Equal(t, "0", resident())
	for i := range pages {
		sum -= int(pages[i])
	}
	assert.Zero(t, sum)
	unmapUnusedCode() // And this program goes on.
}

func TestMemoryOfStartingIsGivenBackOnceAfterTheLastStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released atomic.Int32
		s := startupMemory{release: func() { released.Add(1) }}
		s.end()
		s.begin()
		time.Sleep(startupTime / 2)
		s.begin()
		time.Sleep(startupTime - 1)
		synctest.Wait()
		assert.Zero(t, released.Load())
		time.Sleep(10 * startupTime)
		synctest.Wait()
		assert.EqualValues(t, 1, released.Load())
		s.begin()
		s.end()
		time.Sleep(10 * startupTime)
		synctest.Wait()
		assert.EqualValues(t, 1, released.Load())
	})
}
