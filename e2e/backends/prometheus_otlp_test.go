//go:build linux

package backends

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// startPrometheus3 runs the Prometheus 3 that `make e2e` builds, with its OTLP receiver, at an address and with a configuration.
func startPrometheus3(t *testing.T, address, config string) prometheus {
	t.Helper()
	program := harness.Repository(t, "build", "prometheus3")
	if _, err := os.Stat(program); err != nil {
		testenv.Missing(t, "no %s: `make build/prometheus3` builds it", program)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	harness.StartServer(t, dir, "http://"+address+"/-/ready", program,
		"--config.file="+path, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--web.enable-otlp-receiver")
	return prometheus("http://" + address)
}

// configurationIn gives the configuration of another program that the comment at the head of an example has, indented.
func configurationIn(t *testing.T, example string) string {
	t.Helper()
	text, err := os.ReadFile(harness.Repository(t, "examples", example))
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(string(text)) {
		if indented, ok := strings.CutPrefix(line, "#   "); ok {
			lines = append(lines, indented)
		}
	}
	require.NotEmpty(t, lines)
	return strings.Join(lines, "")
}

// TestPrometheus3TakesTheExamplesOTLP has examples/prometheus-otlp.yaml send to a Prometheus 3, which comes later and is configured as the example says.
func TestPrometheus3TakesTheExamplesOTLP(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), harness.FreeAddress(t)
	c := harness.StartExample(t, dir, "prometheus-otlp.yaml", []string{everySecond, withFile("otlp_http/prometheus")},
		"PROMETHEUS_URL=http://"+address, "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	file := filepath.Join(dir, "metrics.jsonl")
	harness.Eventually(t, "eight seconds without Prometheus", func() error { return hasScrapes(file, 8) })
	p := startPrometheus3(t, address, configurationIn(t, "prometheus-otlp.yaml"))
	pid, cpuTime := startBurner(t)
	checkPrometheusHost(t, p, pid, cpuTime)
	t.Run("whole", func(t *testing.T) {
		sent, err := scrapes(file)
		require.NoError(t, err)
		harness.Eventually(t, "every scrape", func() error {
			return near(p, fmt.Sprintf(`count_over_time(system_memory_limit_bytes[10m]) >= bool %d`, sent), 1, 0)
		})
	})
	t.Run("names", func(t *testing.T) { checkDocumentedNames(t, p) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, p) })
	stopQuietly(t, c, "connection refused", "Exporting failed. Will retry", "503 Service Unavailable") // While Prometheus is away, and while it starts.
}

// TestPrometheus3JoinsTargetInfo has the attributes of resources in target_info alone: the host has a name for Prometheus then, and its series are joined with
// those attributes. Processes, which attributes of their resources distinguish, are left out.
func TestPrometheus3JoinsTargetInfo(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), harness.FreeAddress(t)
	p := startPrometheus3(t, address, "{}\n")
	const named = `
receivers: {psutil: {collection_interval: 1s, initial_delay: 0s, scrapers: {memory: , cpu: }}}
processors:
  resource:
    attributes:
      - {key: service.name, value: hosts, action: insert}
      - {key: service.instance.id, from_attribute: host.name, action: insert}
service: {pipelines: {metrics: {processors: [resource]}}}
`
	c := harness.StartExample(t, dir, "prometheus-otlp.yaml", []string{named}, "PROMETHEUS_URL=http://"+address, "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	hostname, err := os.Hostname()
	require.NoError(t, err)
	const join = `system_memory_limit_bytes * on (job, instance) group_left (host_name, host_id, os_type) target_info`
	harness.Eventually(t, join, func() error {
		answer, err := p.query(join)
		if err == nil && (len(answer) != 1 || answer[0].labels["host_name"] != hostname || answer[0].labels["os_type"] != "linux" || answer[0].labels["job"] != "hosts") {
			err = fmt.Errorf("%v", answer)
		}
		return err
	})
	stopQuietly(t, c)
}

// checkDocumentedNames holds every series of a Prometheus against the table of docs/prometheus.md: its name stands there, with its labels, and those of
// the resource.
func checkDocumentedNames(t *testing.T, p prometheus) {
	t.Helper()
	text, err := os.ReadFile(harness.Repository(t, "docs", "prometheus.md"))
	require.NoError(t, err)
	labels := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `[^|]*` \\| `([^|]*)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(text), -1) {
		labels[row[1]] = strings.Split(strings.ReplaceAll(row[2], "`", ""), ", ")
	}
	require.Greater(t, len(labels), 50, "rows of the table")
	answer, err := p.query(`{__name__=~"(system|process|hw)_.+"}`)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, s := range answer {
		name := s.labels["__name__"]
		documented, there := labels[name]
		if seen[name] = true; !assert.True(t, there, "%s is in no row of docs/prometheus.md", name) {
			continue
		}
		for label := range s.labels {
			ofResource := label == "__name__" || strings.HasPrefix(label, "host_") || strings.HasPrefix(label, "os_") || strings.HasPrefix(name, "process_") &&
				strings.HasPrefix(label, "process_")
			assert.True(t, ofResource || slices.Contains(documented, label), "%s has the label %s", name, label)
		}
	}
	assert.Greater(t, len(seen), 40, "names in Prometheus")
}
