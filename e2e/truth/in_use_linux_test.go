package truth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// inUseConfig shows one host to the rules of the preset, to the page and to a file.
const inUseConfig = `
receivers: {psutil: {root_path: %q, collection_interval: 1s, initial_delay: 0s, scrapers: {cpu: {per_cpu: %t}, memory: {}, filesystem: {}}}}
connectors: {alert: {preset: {host: {override: {cpu: {for: 0s}, memory: {for: 0s}}}}, evaluation_interval: 1s}}
exporters:
  file/metrics: {path: metrics.jsonl, flush_interval: 100ms}
  file/alerts: {path: alerts.jsonl, flush_interval: 100ms}
  host_page: {endpoint: %q}
service:
  telemetry: {metrics: {level: none}, logs: {level: info}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file/metrics, host_page, alert]}
    logs: {receivers: [alert], exporters: [file/alerts, host_page]}
`

// Of each CPU's time in the fixture. In iowait nothing runs.
const (
	fixtureBusy, fixtureWaits, fixtureIdle = 0.84, 0.08, 0.08

	fixtureMemory, fixtureAvailable = 16_000_000, 1_600_000 // kB
	fixtureMemoryUsed               = 0.9
	fixtureHugePages                = 1000 // Free ones, of 2 MiB: they are not available, and not in the state used.
)

// TestOneMeaningOfInUse: terminal, preset, page, dashboard and README say of one host that as much of its CPUs, memory and disk is in use as top,
// free and df do.
func TestOneMeaningOfInUse(t *testing.T) {
	for _, perCPU := range []bool{false, true} {
		t.Run(fmt.Sprintf("per_cpu=%t", perCPU), func(t *testing.T) { inUse(t, perCPU) })
	}
	t.Run("dashboard", dashboardInUse)
	t.Run("README", func(t *testing.T) {
		text, err := os.ReadFile(harness.Repository(t, "README.md"))
		require.NoError(t, err)
		said := strings.Join(strings.Fields(string(text)), " ")
		assert.Contains(t, said, "of CPU all but idle and iowait; of memory 1 − available / total; of a disk used / (used + available)")
	})
}

func inUse(t *testing.T, perCPU bool) {
	t.Helper()
	dir := t.TempDir()
	root := harness.CopyHosts(t, dir, "server-6.x")[0]
	write := func(file, text string) {
		path := filepath.Join(root, file)
		assert.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
		assert.NoError(t, os.Rename(path+".new", path))
	}
	write("proc/meminfo", fmt.Sprintf("MemTotal: %d kB\nMemFree: 100000 kB\nMemAvailable: %d kB\nBuffers: 0 kB\nCached: 3000000 kB\n"+
		"SwapTotal: 0 kB\nSwapFree: 0 kB\nHugePages_Total: %d\nHugePages_Free: %[3]d\nHugepagesize: 2048 kB\n", fixtureMemory, fixtureAvailable, fixtureHugePages))
	begun := time.Now()
	runCPUs := func() {
		ticks := 50 * time.Since(begun).Seconds() // Half of what there is, so that a moment in which this test is not run is not too much at once.
		line := func(name string, cpus float64) string {
			return fmt.Sprintf("%s %d 0 0 %d %d 0 0 0 0 0\n", name, 100_000+int(cpus*ticks*fixtureBusy), 100_000+int(cpus*ticks*fixtureIdle), 100_000+int(cpus*ticks*fixtureWaits))
		}
		write("proc/stat", line("cpu ", 2)+line("cpu0", 1)+line("cpu1", 1))
	}
	runCPUs()
	ended, stopped := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(ended); <-stopped })
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-ended:
				tick.Stop()
				return
			case <-tick.C:
				runCPUs()
			}
		}
	}()
	address := harness.FreeAddress(t)
	harness.Start(t, dir, fmt.Sprintf(inUseConfig, root, perCPU, address))

	// The preset: what its alerts say, and that the disk's is of the metrics of which the page makes its own.
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	const tolerance = 0.03 // Ticks of a second.
	for rule, want := range map[string]float64{"cpu": fixtureBusy, "memory": fixtureMemoryUsed} {
		alerts.Until(t, "an alert of "+rule, func() bool { return len(alerts.Of(t, rule)) > 0 })
		got, err := strconv.ParseFloat(alerts.Of(t, rule)[0].Attributes["alert.value"], 64)
		require.NoError(t, err)
		assert.InDelta(t, want, got, tolerance, "the rule %s", rule)
	}

	// The terminal and the page, whose vital signs are the same.
	assert.InDelta(t, fixtureBusy, pageBusy(t, address), tolerance, "the page")
	screen := terminal(t, address)
	assert.InDelta(t, fixtureBusy, shareAfter(t, screen, "CPU"), tolerance, screen)
	assert.InDelta(t, fixtureMemoryUsed, shareAfter(t, screen, "mem"), tolerance, screen)
	var st unix.Statfs_t
	require.NoError(t, unix.Statfs(root, &st))
	df := float64(st.Blocks-st.Bfree) / float64(st.Blocks-st.Bfree+st.Bavail)
	disk := regexp.MustCompile(`(?m)^.*\b\S*/\S* +[^\n]*?([\d.]+) % [^\n]*free`).FindStringSubmatch(screen)
	require.NotNil(t, disk, "a filesystem in\n%s", screen)
	got, err := strconv.ParseFloat(disk[1], 64)
	require.NoError(t, err)
	assert.InDelta(t, df, got/100, tolerance, "df")
}

// pageBusy is the newest mean of the CPUs that the page has.
func pageBusy(t *testing.T, address string) float64 {
	t.Helper()
	var meta struct {
		Metrics []struct {
			Name   string
			Series []struct {
				ID     uint32
				Values []*string
			}
		}
	}
	getJSON(t, "http://"+address+"/api/meta", &meta)
	for _, m := range meta.Metrics {
		for _, s := range m.Series {
			if m.Name != "host_page.cpu.utilization" || *s.Values[0] != "busy" {
				continue
			}
			var answer struct {
				Groups []struct{ Series []struct{ Avg []*float64 } }
			}
			getJSON(t, fmt.Sprintf("http://%s/api/range?series=%d&from=-1m", address, s.ID), &answer)
			for _, g := range answer.Groups {
				for _, x := range g.Series {
					for _, v := range slices.Backward(x.Avg) {
						if v != nil {
							return *v
						}
					}
				}
			}
		}
	}
	return math.NaN()
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "curl", "-sf", url).Output()
	require.NoError(t, err, url)
	require.NoError(t, json.Unmarshal(out, into), url)
}

// terminal is what hosttop shows.
func terminal(t *testing.T, address string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "-once", "-width", "90", "http://"+address)
	cmd.Dir = harness.Repository(t, "cmd", "hosttop")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	return string(out)
}

func shareAfter(t *testing.T, screen, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`\b` + name + ` +([\d.]+) %`).FindStringSubmatch(screen)
	require.NotNil(t, m, "%s in\n%s", name, screen)
	v, err := strconv.ParseFloat(m[1], 64)
	require.NoError(t, err)
	return v / 100
}

// dashboardInUse holds the queries of the shares in use.
func dashboardInUse(t *testing.T) {
	text, err := os.ReadFile(harness.Repository(t, "dashboards", "otelcol-psutil.json"))
	require.NoError(t, err)
	var shares []string
	for _, m := range regexp.MustCompile(`"expr": (".*")`).FindAllSubmatch(text, -1) {
		var query string
		require.NoError(t, json.Unmarshal(m[1], &query))
		query = strings.NewReplacer(`{host_name="$host"}`, "", `host_name="$host",`, "", "[$__rate_interval]", "").Replace(query)
		shares = append(shares, query)
	}
	for _, want := range []string{
		`1 - sum(rate(system_cpu_time_seconds_total{cpu_mode=~"idle|iowait"})) / sum(rate(system_cpu_time_seconds_total))`,
		`1 - max(system_memory_linux_available_bytes) / max(system_memory_limit_bytes)`,
		`sum by (system_filesystem_mountpoint) (system_filesystem_usage_bytes{system_filesystem_state="used"}) / ` +
			`sum by (system_filesystem_mountpoint) (system_filesystem_usage_bytes{system_filesystem_state=~"used|free"})`,
	} {
		assert.Contains(t, shares, want)
	}
}
