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

// playedHost is a copy of the fixture host server-6.x, whose kernel the test plays.
type playedHost struct {
	t        *testing.T
	root     string
	pristine map[string]string // files as they were, by path
}

func newPlayedHost(t *testing.T) *playedHost {
	t.Helper()
	return &playedHost{t: t, root: fixtures(t, t.TempDir(), "server-6.x")[0], pristine: make(map[string]string)}
}

// edit changes a file in one step, so that no scrape sees half of it.
func (h *playedHost) edit(file string, change func(text string) string) {
	h.t.Helper()
	path := filepath.Join(h.root, file)
	text, err := os.ReadFile(path)
	require.NoError(h.t, err)
	if _, ok := h.pristine[file]; !ok {
		h.pristine[file] = string(text)
	}
	h.replace(path, change(string(text)))
}

// restore brings a file back to what it was.
func (h *playedHost) restore(file string) {
	h.t.Helper()
	h.replace(filepath.Join(h.root, file), h.pristine[file])
}

func (h *playedHost) replace(path, text string) {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(h.t, os.Rename(path+".new", path))
}

const meminfo = "proc/meminfo"

var freeOrCached = regexp.MustCompile(`(?m)^(MemFree|MemAvailable|Cached|Buffers|SReclaimable):\s+\d+`)

// takeMemory leaves some 1.5 % of the memory free, and nothing that could be freed.
func (h *playedHost) takeMemory() {
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

func (h *playedHost) freeMemory() { h.restore(meminfo) }

var cpuLine = regexp.MustCompile(`(?m)^cpu(\d*) .*$`)

// runCPUs lets a moment pass on all CPUs, busy or idle.
func (h *playedHost) runCPUs(busy bool) {
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

// receive lets bytes arrive at a network interface.
func (h *playedHost) receive(name string, bytes int64) {
	h.t.Helper()
	line := regexp.MustCompile(`(?m)^( *` + name + `: *)(\d+)`)
	h.edit("proc/1/net/dev", func(text string) string {
		parts := line.FindStringSubmatch(text)
		require.NotEmpty(h.t, parts)
		return strings.Replace(text, parts[0], parts[1]+h.plus(parts[2], bytes), 1)
	})
}

func (h *playedHost) plus(number string, more int64) string {
	h.t.Helper()
	n, err := strconv.ParseInt(number, 10, 64)
	require.NoError(h.t, err)
	return strconv.FormatInt(n+more, 10)
}

// interfaces replaces the network interfaces by so many others, all with that many errors.
func (h *playedHost) interfaces(n, errors int) {
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
