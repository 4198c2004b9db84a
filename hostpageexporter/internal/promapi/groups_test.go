package promapi

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// groups fills the tables of control groups of some minutes, one each ten seconds: a service that is throttled and takes more and more, and a group without limits.
func (a *api) groups(minutes int) {
	nan := math.NaN()
	for i := range 6*minutes + 1 {
		n := float64(i)
		w := a.store.Begin(a.now)
		r, ok := w.Resource(history.Key{A: 1, B: 1}, func() []history.Attribute { return []history.Attribute{{Key: "host.name", Value: "web1"}} })
		require.True(a.t, ok)
		start := epoch.Add(-time.Hour).UnixNano()
		w.ControlGroup(r, &history.GroupSample{
			ControlGroup: history.ControlGroup{
				Path: "/system.slice/docker-1.scope", Container: "web", ContainerID: "0123", Image: "nginx:1", Runtime: "docker", Unit: "docker-1.scope",
				Pod: "shop-1", Namespace: "prod", PodContainer: "cart",
			},
			Time: a.now.UnixNano(), Start: start, CPU: 5 * n, Periods: 100 * n, ThrottledPeriods: 25 * n, Read: 1000 * n, Write: 2000 * n, OOMKills: n, Usage: nan,
			CPULimit: 2, Memory: 4096, MemoryLimit: 16384,
		})
		w.ControlGroup(r, &history.GroupSample{
			ControlGroup: history.ControlGroup{Path: "other"}, Time: a.now.UnixNano(), Start: start, CPU: n, Periods: nan, ThrottledPeriods: nan, Read: nan, Write: nan,
			OOMKills: nan, Usage: nan, CPULimit: nan, Memory: 100, MemoryLimit: nan,
		})
		w.Commit()
		a.now = a.now.Add(10 * time.Second)
	}
	a.now = a.now.Add(-10 * time.Second)
}

// valueOf is the one value of a query, "" if there is none.
func (a *api) valueOf(query string) string {
	a.t.Helper()
	_, body := a.ask("query", "query", query, "time", seconds(a.now))
	data, _ := body["data"].(map[string]any)
	list, _ := data["result"].([]any)
	if len(list) == 0 {
		return ""
	}
	require.Len(a.t, list, 1, "%s: %v", query, list)
	return fmt.Sprint(list[0].(map[string]any)["value"].([]any)[1]) //nolint:forcetypeassert // as the API is
}

func TestMetricsOfControlGroups(t *testing.T) {
	a := newAPI(t)
	assert.Empty(t, a.valueOf("container_cpu_time_seconds_total"), "there is none yet")
	a.groups(10)
	of := `{container_name="web"}`
	for query, want := range map[string]string{
		"rate(container_cpu_time_seconds_total" + of + "[5m])":                                    "0.5",
		"container_cpu_usage" + of:                                                                "0.5",
		"container_cpu_limit" + of:                                                                "2",
		"container_cpu_limit_utilization_ratio" + of:                                              "0.25",
		"rate(container_cpu_throttling_data_periods_total" + of + "[5m])":                         "10",
		"rate(container_cpu_throttling_data_throttled_periods_total" + of + "[5m])":               "2.5",
		"container_memory_working_set_bytes" + of:                                                 "4096",
		"container_memory_usage_limit_bytes" + of:                                                 "16384",
		"container_memory_available_bytes" + of:                                                   "12288",
		"container_memory_limit_utilization_ratio" + of:                                           "0.25",
		`rate(container_disk_io_bytes_total{container_name="web",disk_io_direction="read"}[5m])`:  "100",
		`rate(container_disk_io_bytes_total{container_name="web",disk_io_direction="write"}[5m])`: "200",
		`container_memory_linux_events_total{linux_cgroup_memory_event="oom_kill"}`:               "60",
		`rate(container_cpu_time_seconds_total{linux_cgroup_path="other"}[5m])`:                   "0.1",
		`container_memory_limit_utilization_ratio{linux_cgroup_path="other"}`:                     "",
		`container_cpu_limit{linux_cgroup_path="other"}`:                                          "",
		`sum(rate({__name__=~"container_cpu_time.*",host_name="web1"}[5m]))`:                      "0.6",
	} {
		got := a.valueOf(query)
		if want == "" || got == "" {
			assert.Equal(t, want, got, query)
			continue
		}
		var w, g float64
		_, _ = fmt.Sscan(want, &w)
		_, _ = fmt.Sscan(got, &g)
		assert.InEpsilon(t, w, g, 1e-3, query)
	}
	assert.JSONEq(t, `[{"__name__":"container_cpu_limit","host_name":"web1","linux_cgroup_path":"/system.slice/docker-1.scope","container_name":"web",
		"container_id":"0123","container_image_name":"nginx:1","container_runtime_name":"docker","systemd_unit_name":"docker-1.scope","k8s_pod_name":"shop-1",
		"k8s_namespace_name":"prod","k8s_container_name":"cart"}]`, a.data("series", "match[]", "container_cpu_limit"))
	assert.Contains(t, a.data("label/__name__/values"), `"container_memory_working_set_bytes"`)
	assert.Contains(t, a.data("label/container_name/values"), `"web"`)
	assert.Contains(t, a.data("metadata"), `"container_cpu_time_seconds_total":[{"help":"CPU seconds of a group","type":"counter","unit":"s"}]`)
}

// TestControlGroupsThatEnd holds that a group that has gone is not answered for any more.
func TestControlGroupsThatEnd(t *testing.T) {
	a := newAPI(t)
	a.groups(1)
	a.now = a.now.Add(10 * time.Second)
	for range 2 {
		w := a.store.Begin(a.now)
		r, _ := w.Resource(history.Key{A: 1, B: 1}, func() []history.Attribute { return nil })
		w.ControlGroup(r, &history.GroupSample{ControlGroup: history.ControlGroup{Path: "other"}, Time: a.now.UnixNano(), Memory: 1})
		w.Commit()
		a.now = a.now.Add(time.Second)
	}
	assert.Empty(t, a.valueOf(`container_memory_working_set_bytes{container_name="web"}`))
	assert.Equal(t, "1", a.valueOf(`container_memory_working_set_bytes{linux_cgroup_path="other"}`))
}

// TestMetricsOfDashboards holds that what the dashboards ask for of control groups is there.
func TestMetricsOfDashboards(t *testing.T) {
	a := newAPI(t)
	a.groups(1)
	metadata := a.data("metadata")
	files, err := filepath.Glob("../../../dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	asked := 0
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // The repository's own.
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`container_[a-z0-9_]+(_total|_bytes|_ratio|_seconds)\b`).FindAllString(string(text), -1) {
			asked++
			assert.Contains(t, metadata, `"`+name+`":`, "%s of %s", name, filepath.Base(file))
		}
	}
	assert.Positive(t, asked)
}

// TestNamesOfControlGroups holds that each metric has the name and unit that the receiver has.
func TestNamesOfControlGroups(t *testing.T) {
	text, err := os.ReadFile("../../../psutilreceiver/metadata.yaml")
	require.NoError(t, err)
	for i := range groupMetrics {
		m := &groupMetrics[i]
		_, after, ok := strings.Cut(string(text), "\n  "+m.name+":\n")
		require.True(t, ok, m.name)
		after, _, _ = strings.Cut(after, "\n  container.")
		assert.Contains(t, after, `unit: "`+m.unit+`"`, m.name)
		assert.Equal(t, m.kind == history.Counter, strings.Contains(after, "monotonic: true"), m.name)
	}
}
