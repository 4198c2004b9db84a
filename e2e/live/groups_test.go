package live

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// TestGroupsOfTheHost: the built-in configuration shows the control groups of this host, none of them as series, and processes name theirs.
func TestGroupsOfTheHost(t *testing.T) {
	if _, err := os.Stat("/sys/fs/cgroup"); err != nil {
		testenv.Missing(t, "control groups")
	}
	a := start(t)
	a.ready(1)
	var groups struct {
		Time    *int64 `json:"t"`
		Columns []string
		Rows    [][]any
	}
	require.Eventually(t, func() bool {
		a.get("/api/groups", &groups)
		return groups.Time != nil && len(groups.Rows) > 0
	}, waitLimit, 200*time.Millisecond)
	path, cpu := slices.Index(groups.Columns, "path"), slices.Index(groups.Columns, "cpu")
	require.GreaterOrEqual(t, path, 0)
	require.GreaterOrEqual(t, cpu, 0)
	known := map[any]bool{}
	for _, row := range groups.Rows {
		known[row[path]] = true
	}
	var meta struct {
		Features struct{ Groups bool }
		Metrics  []struct{ Name string }
	}
	a.get("/api/meta", &meta)
	require.True(t, meta.Features.Groups)
	for _, m := range meta.Metrics {
		require.False(t, strings.HasPrefix(m.Name, "container."), m.Name)
	}
	var processes processesAnswer
	require.Eventually(t, func() bool {
		a.get("/api/processes", &processes)
		return processes.Time != nil && len(processes.Rows) > 0
	}, waitLimit, 200*time.Millisecond)
	group := slices.Index(processes.Columns, "group")
	require.GreaterOrEqual(t, group, 0)
	joined := 0
	for _, row := range processes.Rows {
		if known[row[group]] {
			joined++
		}
	}
	require.NotZero(t, joined, "no process is in one of %v: %v", known, processes.Rows)
}
