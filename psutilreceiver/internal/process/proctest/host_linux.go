package proctest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Texts of files of /proc/PID in which every value that is read differs from the others.
const (
	IOText     = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n"
	StatusText = "Name:\ta: b\nState:\tS (sleeping)\nPid:\t42\nUid:\t0\t33\t0\t0\nGroups:\t \nVmSwap:\t      12 kB\nThreads:\t2\n" +
		"voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n"
	SmapsText = "00400000-ffffffffff601000 ---p 00000000 00:00 0    [rollup]\nRss:  900 kB\nPss:  700 kB\nPss_Anon: 1 kB\n" +
		"Private_Clean: 5 kB\nPrivate_Dirty: 6 kB\nPrivate_Hugetlb: 0 kB\n"
)

// A Host is a directory that stands for the root directory of a host.
type Host struct {
	t    *testing.T
	Root string
}

// NewHost makes a host without processes.
func NewHost(t *testing.T) Host {
	t.Helper()
	h := Host{t: t, Root: t.TempDir()}
	require.NoError(t, os.MkdirAll(filepath.Join(h.Root, "proc"), 0o755))
	h.Write("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
	h.Write("proc/stat", "cpu 1 2 3\n")
	h.Write("proc/meminfo", "MemTotal: 1 kB\n")
	return h
}

// Write writes a file at a path below the root.
func (h Host) Write(path, text string) {
	h.t.Helper()
	path = filepath.Join(h.Root, path)
	require.NoError(h.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(h.t, os.WriteFile(path, []byte(text), 0o644))
}

// Process adds a process with a stat and the given other files, by their names in /proc/PID.
func (h Host) Process(pid int32, comm string, start uint64, files map[string]string) {
	h.t.Helper()
	dir := fmt.Sprintf("proc/%d/", pid)
	h.Write(dir+"stat", StatOf(pid, comm, 'S', start, 1))
	for name, text := range files {
		h.Write(dir+name, text)
	}
}

// StatOf returns the text of /proc/PID/stat of a process that is a child of process 1.
func StatOf(pid int32, comm string, state byte, start uint64, threads int) string {
	return fmt.Sprintf("%d (%s) %c 1 1 1 0 -1 0 1 0 2 0 30 40 0 0 20 0 %d 0 %d 4096 2 0 1 1 1 1 1 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n",
		pid, comm, state, threads, start)
}

// LineOf returns the number behind a key of a file of /proc, read by the test itself.
func LineOf(t *testing.T, path, key string) uint64 {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			v, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			require.NoError(t, err)
			return v
		}
	}
	t.Fatalf("%s has no %s", path, key)
	return 0
}
