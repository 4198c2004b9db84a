//go:build linux

package backends

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// prometheus is the URL of a running Prometheus.
type prometheus string

// startPrometheus runs a Prometheus at an address. It takes remote writes, and scrapes the targets every two seconds.
func startPrometheus(t *testing.T, address string, targets ...string) prometheus {
	t.Helper()
	program, dir := harness.LookServer(t, "prometheus"), t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
		"global: {scrape_interval: 2s, scrape_timeout: 2s}\nscrape_configs: [{job_name: hosts, static_configs: [{targets: [%s]}]}]\n",
		strings.Join(targets, ", ")), 0o600))
	harness.StartServer(t, dir, "http://"+address+"/-/ready", program,
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address,
		"--web.enable-remote-write-receiver", "--enable-feature=native-histograms")
	return prometheus("http://" + address)
}

// series is one series of an answer, with its latest value.
type series struct {
	labels map[string]string
	value  float64
}

// query gives the answer to a PromQL expression now. A scalar is a series without labels.
func (p prometheus) query(expression string) ([]series, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := harness.GetJSON(string(p)+"/api/v1/query?query="+url.QueryEscape(expression), &answer); err != nil {
		return nil, err
	}
	var out []series
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s has the value %v: %w", expression, r.Value, err)
		}
		out = append(out, series{labels: r.Metric, value: v})
	}
	return out, nil
}

// one gives the answer to an expression that has a single series.
func (p prometheus) one(expression string) (float64, error) {
	answer, err := p.query(expression)
	if err != nil {
		return 0, err
	}
	if len(answer) != 1 {
		return 0, fmt.Errorf("%s has %d series", expression, len(answer))
	}
	return answer[0].value, nil
}

// prometheusNames tells which counters a user of Prometheus finds under which names.
var prometheusNames = map[string]string{
	"system_cpu_time_seconds_total":     "system.cpu.time",
	"system_cpu_context_switches_total": "system.cpu.context_switches",
	"system_cpu_interrupts_total":       "system.cpu.interrupts",
	"system_process_created_total":      "system.process.created",
	"system_paging_faults_total":        "system.paging.faults",
	"system_paging_operations_total":    "system.paging.operations",
	"system_disk_io_bytes_total":        "system.disk.io",
	"system_disk_operations_total":      "system.disk.operations",
	"system_network_io_bytes_total":     "system.network.io",
	"system_network_packet_count_total": "system.network.packet.count",
}

// ofHost are the labels that say which host a series is of.
var ofHost = []string{"__name__", "host_id", "host_name", "os_type", "job", "instance"}

// counters gives the host's counters by the name and attributes that they had before Prometheus.
func (p prometheus) counters() (map[string]float64, error) {
	answer, err := p.query(`{__name__=~"system_.+_total"}`)
	if err != nil {
		return nil, err
	}
	out := make(map[string]float64)
	for _, s := range answer {
		var attributes []string
		for name, value := range s.labels {
			if !slices.Contains(ofHost, name) {
				attributes = append(attributes, strings.ReplaceAll(name, "_", ".")+"="+value)
			}
		}
		key := prometheusNames[s.labels["__name__"]]
		if len(attributes) > 0 {
			slices.Sort(attributes)
			key += "{" + strings.Join(attributes, ",") + "}"
		}
		out[key] = s.value
	}
	return out, nil
}

// TestPrometheusScrapesTheExample has Prometheus scrape the page of examples/prometheus.yaml.
func TestPrometheusScrapesTheExample(t *testing.T) {
	t.Parallel()
	address := harness.FreeAddress(t)
	p := startPrometheus(t, harness.FreeAddress(t), address)
	pid, cpuTime := startBurner(t)
	c := harness.StartExample(t, t.TempDir(), "prometheus.yaml", []string{everySecond}, "PROMETHEUS_LISTEN="+address)
	checkPrometheusHost(t, p, pid, cpuTime)
	t.Run("promtool", func(t *testing.T) { checkWithPromtool(t, "http://"+address+"/metrics") })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, p) })
	stopQuietly(t, c, "error encoding and sending metric family") // On a machine too busy for the time that a scrape is given.
}

// TestPrometheusTakesTheExamplesWrites has examples/prometheus-remote-write.yaml write to Prometheus, which comes later.
func TestPrometheusTakesTheExamplesWrites(t *testing.T) {
	t.Parallel()
	harness.LookServer(t, "prometheus")
	dir, address := t.TempDir(), harness.FreeAddress(t)
	c := harness.StartExample(t, dir, "prometheus-remote-write.yaml", []string{everySecond, withFile("prometheus_remote_write")},
		"PROMETHEUS_URL=http://"+address)
	file := filepath.Join(dir, "metrics.jsonl")
	harness.Eventually(t, "eight seconds without Prometheus", func() error { return hasScrapes(file, 8) })
	p := startPrometheus(t, address)
	pid, cpuTime := startBurner(t)
	checkPrometheusHost(t, p, pid, cpuTime)
	t.Run("whole", func(t *testing.T) {
		sent, err := scrapes(file)
		require.NoError(t, err)
		harness.Eventually(t, "every scrape", func() error {
			return near(p, `count_over_time(system_memory_limit_bytes[10m]) >= bool `+strconv.Itoa(sent), 1, 0)
		})
		// What is written together stands together: the states have added up to the limit at every moment.
		off, err := p.one(`max_over_time((abs(sum(system_memory_usage_bytes) - sum(system_memory_limit_bytes)))[10s:1s])`)
		require.NoError(t, err)
		assert.Zero(t, off)
	})
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, p) })
	stopQuietly(t, c, "503 Service Unavailable") // As Prometheus answers while it starts.
}

// checkPrometheusHost holds the answers to PromQL against the kernel.
func checkPrometheusHost(t *testing.T, p prometheus, pid string, cpuTime func() float64) {
	t.Helper()
	agrees(t, p.counters)
	for expression, want := range map[string]struct {
		value, delta float64
	}{
		`sum(system_memory_limit_bytes)`:                             {memTotal(t), 0},
		`sum(system_memory_usage_bytes)`:                             {memTotal(t), 0},
		`system_memory_usage_bytes{system_memory_state="free"}`:      {1024 * harness.FirstNumber(t, "/", "proc/meminfo", "MemFree:"), memTotal(t) / 10},
		`system_cpu_logical_count`:                                   {cpus(t), 0},
		`system_uptime_seconds`:                                      {harness.FirstNumber(t, "/", "proc/uptime", ""), 60},
		`count(system_cpu_load_average_1m)`:                          {1, 0},
		`count(count by (cpu_mode) (system_cpu_time_seconds_total))`: {7, 0},
	} {
		harness.Eventually(t, expression, func() error { return near(p, expression, want.value, want.delta) })
	}
	count := harness.WatchProcesses(t)
	harness.Eventually(t, "the number of processes", func() error {
		n, err := p.one(`sum(system_process_count)`)
		return errors.Join(err, count.Holds(n))
	})
	ofBurner := fmt.Sprintf(`sum(process_cpu_time_seconds_total{process_pid=%q,process_executable_name=%q})`, pid, burnerName)
	harness.Eventually(t, "the CPU time of a process", func() error {
		spent := cpuTime()
		if spent < burned.Seconds()-0.011 {
			return fmt.Errorf("the burner has only spent %v s", spent)
		}
		return near(p, ofBurner, spent, 0.011)
	})

	const window = "15s"
	harness.Eventually(t, "rates over "+window, func() error {
		_, err := p.one(`system_cpu_time_seconds_total{cpu_mode="idle"} offset ` + window)
		return err
	})
	rate, err := p.one(`sum(sum by (cpu_mode) (rate(system_cpu_time_seconds_total[` + window + `])))`)
	require.NoError(t, err)
	assert.InEpsilon(t, cpus(t), rate, 0.1, "the rates of CPU time by mode add up to the CPUs")
}

// near asks for an expression and says how it is off.
func near(p prometheus, expression string, want, delta float64) error {
	got, err := p.one(expression)
	if err == nil && (got < want-delta || got > want+delta) {
		err = fmt.Errorf("%s is %v, the kernel has %v", expression, got, want)
	}
	return err
}

// cpus counts the CPUs of /proc/stat.
func cpus(t *testing.T) float64 {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	require.NoError(t, err)
	return float64(strings.Count(string(stat), "\ncpu"))
}

// namedCount are the metrics whose names, which are those of the semantic conventions or made like them, end in count. Promtool keeps this
// ending for histograms.
var namedCount = []string{
	"process_group_process_count", "process_thread_count", "system_cpu_logical_count", "system_cpu_physical_count", "system_linux_file_handle_count",
	"system_linux_dentry_count", "system_linux_inode_count", "system_linux_task_count", "system_network_conntrack_count", "system_network_socket_count", "system_network_tcp_socket_count", "system_network_udp_socket_count", "system_process_count", "system_thread_count",
}

// checkWithPromtool has promtool look at a page. That a name ends in count is all that it may find.
func checkWithPromtool(t *testing.T, page string) {
	t.Helper()
	text, err := harness.Get(page)
	require.NoError(t, err)
	cmd := exec.Command(harness.LookServer(t, "promtool"), "check", "metrics")
	cmd.Stdin = bytes.NewReader(text)
	said, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(said)) {
		name, complaint, _ := strings.Cut(strings.TrimSpace(line), " ")
		assert.Equal(t, `non-histogram and non-summary metrics should not have "_count" suffix`, complaint, name)
		assert.Contains(t, namedCount, name)
	}
	var status *exec.ExitError
	if len(said) > 0 {
		require.ErrorAs(t, err, &status)
		assert.Equal(t, 3, status.ExitCode(), "3 is for style, 1 for what Prometheus can't read")
	} else {
		require.NoError(t, err)
	}
}
