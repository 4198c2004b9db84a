package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FixtureHost is a copy of the host server-6.x of testdata/hosts, of which the test changes what the kernel shows.
type FixtureHost struct {
	t        *testing.T
	Root     string
	pristine map[string]string // files as they were, by path
}

// NewFixtureHost copies the host into a folder of the test.
func NewFixtureHost(t *testing.T) *FixtureHost {
	t.Helper()
	return &FixtureHost{t: t, Root: CopyHosts(t, t.TempDir(), "server-6.x")[0], pristine: make(map[string]string)}
}

// edit changes a file in one step, so that no scrape sees half of it.
func (h *FixtureHost) edit(file string, change func(text string) string) {
	h.t.Helper()
	path := filepath.Join(h.Root, file)
	text, err := os.ReadFile(path)
	require.NoError(h.t, err)
	if _, ok := h.pristine[file]; !ok {
		h.pristine[file] = string(text)
	}
	h.replace(path, change(string(text)))
}

// restore brings a file back to what it was.
func (h *FixtureHost) restore(file string) {
	h.t.Helper()
	h.replace(filepath.Join(h.Root, file), h.pristine[file])
}

func (h *FixtureHost) replace(path, text string) {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(h.t, os.Rename(path+".new", path))
}

const meminfo = "proc/meminfo"

var freeOrCached = regexp.MustCompile(`(?m)^(MemFree|MemAvailable|Cached|Buffers|SReclaimable):\s+\d+`)

// TakeMemory leaves some 1.5 % of the memory free, and nothing that could be freed.
func (h *FixtureHost) TakeMemory() {
	h.t.Helper()
	h.edit(meminfo, func(text string) string {
		return freeOrCached.ReplaceAllStringFunc(text, func(line string) string {
			name, _, _ := strings.Cut(line, ":")
			if strings.HasPrefix(name, "Mem") {
				return name + ": 1000000"
			}
			return name + ": 0"
		})
	})
}

// FreeMemory undoes TakeMemory.
func (h *FixtureHost) FreeMemory() { h.restore(meminfo) }

var cpuLine = regexp.MustCompile(`(?m)^cpu(\d*) .*$`)

// RunCPUs lets a moment pass on all CPUs, busy or idle.
func (h *FixtureHost) RunCPUs(busy bool) {
	h.t.Helper()
	const user, idle, jiffies = 1, 4, 5
	h.edit("proc/stat", func(text string) string {
		cpus := len(cpuLine.FindAllString(text, -1)) - 1
		return cpuLine.ReplaceAllStringFunc(text, func(line string) string {
			fields := strings.Fields(line)
			field, passed := idle, jiffies
			if busy {
				field = user
			}
			if fields[0] == "cpu" { // All of them together.
				passed *= cpus
			}
			fields[field] = h.plus(fields[field], int64(passed))
			return strings.Join(fields, " ")
		})
	})
}

// Receive lets bytes arrive at a network interface.
func (h *FixtureHost) Receive(name string, bytes int64) {
	h.t.Helper()
	line := regexp.MustCompile(`(?m)^( *` + name + `: *)(\d+)`)
	h.edit("proc/1/net/dev", func(text string) string {
		parts := line.FindStringSubmatch(text)
		require.NotEmpty(h.t, parts)
		return strings.Replace(text, parts[0], parts[1]+h.plus(parts[2], bytes), 1)
	})
}

func (h *FixtureHost) plus(number string, more int64) string {
	h.t.Helper()
	n, err := strconv.ParseInt(number, 10, 64)
	require.NoError(h.t, err)
	return strconv.FormatInt(n+more, 10)
}

// Interfaces replaces the network interfaces by n others, each with as many errors.
func (h *FixtureHost) Interfaces(n, errors int) {
	h.t.Helper()
	h.edit("proc/1/net/dev", func(text string) string {
		lines := strings.SplitAfterN(text, "\n", 3)
		var table strings.Builder
		table.WriteString(lines[0] + lines[1])
		for i := range n {
			fmt.Fprintf(&table, "veth%04d: 1000 10 %d 0 0 0 0 0 1000 10 0 0 0 0 0 0\n", i, errors)
		}
		return table.String()
	})
}

// CopyHosts copies hosts of testdata/hosts into a folder, and gives their root paths.
func CopyHosts(t *testing.T, dir string, names ...string) (roots []string) {
	t.Helper()
	for _, name := range names {
		root := filepath.Join(dir, name)
		require.NoError(t, os.CopyFS(root, os.DirFS(Repository(t, "testdata", "hosts", name))))
		roots = append(roots, root)
	}
	return roots
}
