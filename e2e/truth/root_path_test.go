//go:build linux

package truth

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// allScrapers is every scraper, each process included, once a second.
const allScrapers = `collection_interval: 1s
    initial_delay: 0s
    scrapers:
      {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {include_virtual_filesystems: true}, network: {virtual: true}, connections: {},
       pressure: {}, sensors: {}, processes: {}, system: {}, process: {collection_interval: 1s, top: {n: 0}}}
    resource_attributes: {host.arch: {enabled: true}, os.description: {enabled: true}, process.linux.cgroup: {enabled: true}}`

// rootsConfig has a psutil receiver for each root, an empty one being that of this host, and another receiver that needs none.
func rootsConfig(port int, roots ...string) string {
	var config, names strings.Builder
	fmt.Fprintf(&config, "receivers:\n  otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:%d\"}}}\n", port)
	names.WriteString("otlp")
	for i, root := range roots {
		fmt.Fprintf(&config, "  psutil/%d:\n    root_path: %q\n    %s\n", i, root, allScrapers)
		fmt.Fprintf(&names, ", psutil/%d", i)
	}
	config.WriteString("exporters: {file: {path: metrics.jsonl, flush_interval: 100ms}}\n")
	fmt.Fprintf(&config, `service:
  telemetry: {metrics: {level: none}, logs: {level: info}}
  pipelines: {metrics: {receivers: [%s], exporters: [file]}}
`, names.String())
	return config.String()
}

// batchOf waits for the file to have three batches of a host, and gives the last of them.
func batchOf(t *testing.T, dir, host string) pmetric.Metrics {
	t.Helper()
	const n = 3
	var last pmetric.Metrics
	harness.Eventually(t, fmt.Sprintf("%d batches of %q", n, host), func() error {
		all, err := harness.Batches(filepath.Join(dir, "metrics.jsonl"))
		if err != nil {
			return err
		}
		seen := 0
		for _, md := range all {
			if hostOf(t, md) == host {
				last = md
				seen++
			}
		}
		if seen < n {
			return fmt.Errorf("only %d", seen)
		}
		return nil
	})
	return last
}

// hostOf gives the one host that a batch is about.
func hostOf(t *testing.T, md pmetric.Metrics) string {
	t.Helper()
	hosts := make(map[string]bool)
	for _, rm := range md.ResourceMetrics().All() {
		name, ok := rm.Resource().Attributes().Get("host.name")
		require.True(t, ok, "a resource without host.name")
		hosts[name.Str()] = true
	}
	require.Len(t, hosts, 1, "a batch of several hosts")
	for host := range hosts {
		return host
	}
	return ""
}

// TestTwoRootsNeverMix watches two hosts from one collector, which runs on a third.
func TestTwoRootsNeverMix(t *testing.T) {
	dir := t.TempDir()
	roots := harness.CopyHosts(t, dir, "server-6.x", "container")
	c := harness.Start(t, dir, rootsConfig(harness.FreePort(t), roots...))
	for _, root := range roots {
		id, err := os.ReadFile(filepath.Join(root, "etc", "hostname"))
		require.NoError(t, err)
		md := batchOf(t, dir, strings.TrimSpace(string(id)))
		points := harness.PointsOf(md)
		assert.InDelta(t, harness.FirstNumber(t, root, "proc/meminfo", "MemTotal:")*1024, points["system.memory.limit"].Value, 0)
		assert.InDelta(t, harness.FirstNumber(t, root, "proc/loadavg", ""), points["system.cpu.load_average.1m"].Value, 0)
		assert.InDelta(t, harness.FirstNumber(t, root, "proc/stat", "ctxt"), points["system.cpu.context_switches"].Value, 0)
		assert.InDelta(t, harness.FirstNumber(t, root, "proc/vmstat", "pgmajfault"),
			points["system.paging.faults{system.paging.fault.type=major}"].Value, 0)
		assert.InDelta(t, harness.FirstNumber(t, root, "proc/uptime", ""), points["system.uptime"].Value, 0)

		assert.ElementsMatch(t, interfacesOf(t, root), attributeValues(points, "network.interface.name"), "interfaces")
		assert.ElementsMatch(t, pidsOf(t, root), processPIDs(md), "processes")
		machineID, err := os.ReadFile(filepath.Join(root, "etc", "machine-id"))
		require.NoError(t, err)
		for _, rm := range md.ResourceMetrics().All() {
			id, _ := rm.Resource().Attributes().Get("host.id")
			assert.Equal(t, strings.TrimSpace(string(machineID)), id.Str())
		}
	}
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
}

func interfacesOf(t *testing.T, root string) (names []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "proc/1/net/dev"))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	require.NotEmpty(t, names)
	return names
}

func pidsOf(t *testing.T, root string) (pids []string) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(root, "proc", "[0-9]*"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		pids = append(pids, filepath.Base(dir))
	}
	return pids
}

func processPIDs(md pmetric.Metrics) (pids []string) {
	for _, rm := range md.ResourceMetrics().All() {
		if pid, ok := rm.Resource().Attributes().Get("process.pid"); ok {
			pids = append(pids, pid.AsString())
		}
	}
	return pids
}

// attributeValues gives the different values of an attribute of the points.
func attributeValues(points map[string]harness.Point, key string) (values []string) {
	pattern := regexp.MustCompile(`[{,]` + regexp.QuoteMeta(key) + `=([^,}]*)`)
	seen := make(map[string]bool)
	for _, p := range points {
		if m := pattern.FindStringSubmatch(p.Attributes); m != nil && !seen[m[1]] {
			seen[m[1]] = true
			values = append(values, m[1])
		}
	}
	return values
}

// TestNothingOutsideARootIsOpened traces what the collector opens. What it opens without any psutil receiver is the Go runtime's and the
// Collector's own.
func TestNothingOutsideARootIsOpened(t *testing.T) {
	testenv.Strace(t)
	dir := t.TempDir()
	roots := harness.CopyHosts(t, dir, "server-6.x", "container")
	port := harness.FreePort(t)
	own := opened(t, dir, rootsConfig(port), func(c *harness.Process) { c.AwaitOutput(t, "Everything is ready") })
	outside := func(paths map[string]int) (found []string) {
		for path, times := range paths {
			// The runtime looks at its own CPU limit for as long as it runs.
			again := times > own[path] && (own[path] == 0 || !strings.Contains(path, "cgroup"))
			if again && path != dir && !strings.HasPrefix(path, dir+"/") {
				found = append(found, path)
			}
		}
		return found
	}

	scraped := opened(t, dir, rootsConfig(port, roots...), func(*harness.Process) {
		batchOf(t, dir, "db-07")
		batchOf(t, dir, "node-3")
	})
	for _, root := range roots {
		for _, file := range []string{"proc/stat", "proc/1/net/dev", "proc/1/stat", "etc/hostname"} {
			assert.Positive(t, scraped[filepath.Join(root, file)], "%s below %s is read", file, root)
		}
	}
	assert.Empty(t, outside(scraped))

	found := outside(opened(t, dir, rootsConfig(port, ""), func(*harness.Process) { harness.NthBatch(t, filepath.Join(dir, "metrics.jsonl"), 3) }))
	for _, file := range []string{"/proc/stat", "/proc/meminfo", "/proc/net/dev", "/proc/1/stat", "/etc/machine-id"} {
		assert.Contains(t, found, file, "without a root the same look finds what is read")
	}
}

// opened runs the collector under strace until ready returns, and gives how often it opened a path or asked something of
// it.
func opened(t *testing.T, dir, config string, ready func(*harness.Process)) map[string]int {
	t.Helper()
	trace, path := filepath.Join(dir, "trace"), filepath.Join(dir, "collector.yaml")
	for _, old := range []string{trace, filepath.Join(dir, "metrics.jsonl")} {
		require.NoError(t, os.RemoveAll(old))
	}
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	// As a daemon strace is a grandchild, so that the signal reaches the collector itself.
	c := harness.Run(t, dir, exec.Command("strace", "-D", "-f", "-y", "-s", "4096", "-e", "trace=%file", "-e", "signal=none", "-o", trace,
		harness.Binary(t), "--config", path))
	ready(c)
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	text := harness.AwaitTrace(t, trace, c.PID())
	self := regexp.MustCompile(fmt.Sprintf(`/proc/%d\b`, c.PID()))
	return tracedPaths(self.ReplaceAllString(text, "/proc/self"), dir)
}

var (
	// tracedAt is a call with a path relative to a directory: its descriptor's path, and the path.
	tracedAt = regexp.MustCompile(`\b\w+\((?:AT_FDCWD|\d+)<([^>]*)>, "([^"]*)"`)
	// tracedPath is a call with a path alone.
	tracedPath = regexp.MustCompile(`\b\w+\("([^"]*)"`)
	// tracedResult is the path of the descriptor that a call gave, where links have led.
	tracedResult = regexp.MustCompile(`= \d+<(/[^>]*)>`)
)

func tracedPaths(trace, dir string) map[string]int {
	paths := make(map[string]int)
	for line := range strings.Lines(trace) {
		asked := ""
		if m := tracedAt.FindStringSubmatch(line); m != nil {
			asked = m[2]
			if !filepath.IsAbs(asked) || strings.Contains(line, "RESOLVE_IN_ROOT") {
				asked = filepath.Join(m[1], asked)
			}
		} else if m := tracedPath.FindStringSubmatch(line); m != nil {
			if asked = m[1]; !filepath.IsAbs(asked) {
				asked = filepath.Join(dir, asked)
			}
		}
		if asked != "" {
			paths[filepath.Clean(asked)]++
		}
		if m := tracedResult.FindStringSubmatch(line); m != nil && m[1] != asked {
			paths[m[1]]++
		}
	}
	return paths
}
