package alerts

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// watchedHost is the collector on the host: it sends what it measures to another one.
const watchedHost = `
receivers:
  psutil:
    collection_interval: 250ms
    initial_delay: 0s
    root_path: %q
    scrapers: {cpu: {}, memory: {}, network: {}, system: {}, filesystem: {include_mount_points: {mount_points: [/srv/data]}}}
exporters: {otlp_grpc: {endpoint: "127.0.0.1:%d", tls: {insecure: true}}}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines: {metrics: {receivers: [psutil], exporters: [otlp_grpc]}}
`

// watcher is the collector that alerts: on what hosts send, and on processes of its own host.
const watcher = `
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%[1]d"}}}
  psutil:
    collection_interval: 250ms
    initial_delay: 0s
    scrapers: {process: {collection_interval: 250ms, include: {names: [%[2]s, %[3]s]}, top: {n: 0}, other: false}}
connectors:
  alert:
    preset: {host: {disable: [ext4_errors], override: {cpu: {for: 0s}, memory: {for: 0s}}}}    # CPU, memory and disk above a percentage
    evaluation_interval: 1s
    rules:
      - name: host_down
        metric: system.uptime
        group_by: [resource.host.name]
        absent: {for: 4s}
        severity: critical
      - name: network_spike
        metric: system.network.io
        match: {network.interface.name: eno1, network.io.direction: receive}
        window: 2s
        aggregate: rate
        thresholds: {warning: {above: 100MiB, clear: 10MiB}}
      - name: process_stopped
        metric: process.cpu.time
        match: {resource: {process.executable.name: %[2]s}}
        absent: {for: 3s}
        severity: critical
      - name: process_cpu
        metric: process.cpu.utilization
        match: {resource: {process.executable.name: %[2]s}}
        group_by: [resource.process.executable.name]
        group_aggregate: sum
        window: 2s
        aggregate: avg
        thresholds: {warning: {above: 0.2%%, clear: 0.1%%}}
      - name: process_memory
        metric: process.memory.usage
        group_by: [resource.process.executable.name]
        thresholds: {warning: {above: 32MiB}}
        no_data: {after: 3s, action: resolve}
      - name: process_leak
        metric: process.memory.usage
        group_by: [resource.process.executable.name]
        forecast: {window: 3s, horizon: 5m}
        thresholds: {warning: {above: 300MiB, clear: 200MiB}}
exporters: {file: {path: alerts.jsonl, flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [otlp, psutil], exporters: [alert]}
    logs: {receivers: [alert], exporters: [file]}
`

// TestAlertsOfTheSystemUseCases raises and ends the alerts that the semantic conventions want to be possible with the metrics of hosts
// and processes (docs/non-normative/groups/system/use-cases.md, "System semantic conventions: general use cases"): a host is down, its
// network activity spikes, its memory, CPU or disk is above a percentage; a process stops, its memory or CPU is above a threshold,
// its memory only rises.
func TestAlertsOfTheSystemUseCases(t *testing.T) {
	dir, port, host := t.TempDir(), harness.FreePort(t), harness.NewFixtureHost(t)
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	workerPath, hoarderPath := namedProgram(t, "sh", "e2e-worker"), namedProgram(t, "tail", "e2e-hoarder")
	central := harness.Start(t, dir, fmt.Sprintf(watcher, port, filepath.Base(workerPath), filepath.Base(hoarderPath)))
	beginAgent, disk := agentOf(t, host, port)
	agent := beginAgent()

	worker := run(t, workerPath, "sh", "-c", burn)
	hoarder := newHoarder(t, hoarderPath)
	only := func(rules ...string) func() bool { return func() bool { return firing(t, alerts.Read(t), rules) } }
	trouble := []string{"cpu", "memory", "network_spike", "process_cpu"}

	host.TakeMemory()
	if disk != nil {
		fill(t, filepath.Join(disk(agent), "file"), 0.97)
		trouble = append(trouble, "disk")
	}
	load := func() {
		host.RunCPUs(true)
		host.Receive("eno1", 1<<30)
	}
	alerts.Until(t, "the host is in trouble, and a process busy", only(trouble...), load)
	trouble = append(trouble, "process_memory", "process_leak")
	alerts.Until(t, "a process grows", only(trouble...), load, hoarder.grow)

	host.FreeMemory()
	if disk != nil {
		require.NoError(t, os.Remove(filepath.Join(disk(agent), "file")))
	}
	require.NoError(t, worker.Process.Signal(syscall.SIGSTOP))
	alerts.Until(t, "but for the memory that a process keeps, all is well", only("process_memory"), func() { host.RunCPUs(false) })

	agent.Kill()
	end(worker)
	alerts.Until(t, "the host and a process are gone", only("process_memory", "host_down", "process_stopped"))
	beginAgent()
	run(t, workerPath, "sh", "-c", "read line")
	alerts.Until(t, "they are back", only("process_memory"))
	hoarder.end()
	alerts.Until(t, "the memory is given back", only())
	require.NoError(t, central.Stop(t, syscall.SIGTERM))

	for _, rule := range append(trouble, "host_down", "process_stopped") {
		harness.OneEpisode(t, alerts.Of(t, rule))
	}
	assert.Len(t, harness.ByAlert(alerts.Read(t)), len(trouble)+2, "nothing else is said")
	for _, rule := range []string{"cpu", "memory", "network_spike", "host_down"} {
		assert.Equal(t, "db-07", alerts.Of(t, rule)[0].Resource["host.name"])
	}
	assert.Equal(t, filepath.Base(hoarderPath), alerts.Of(t, "process_leak")[0].Attributes["process.executable.name"])
}

// firing tells whether the alerts that fire are one of each of the rules, and no others.
func firing(t *testing.T, records []harness.AlertRecord, rules []string) bool {
	t.Helper()
	var got []string
	for _, of := range harness.ByAlert(records) {
		if last := of[len(of)-1]; last.Transition() != "resolve" {
			got = append(got, last.Rule())
		}
	}
	return slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(rules)))
}

// agentOf gives how to start the collector of a played host, and the way to its disk while it runs; nil where none can be mounted.
func agentOf(t *testing.T, host *harness.FixtureHost, port int) (begin func() *harness.Process, disk func(*harness.Process) string) {
	t.Helper()
	dir, mountpoint := t.TempDir(), filepath.Join(host.Root, "srv", "data")
	require.NoError(t, os.MkdirAll(mountpoint, 0o755))
	config := filepath.Join(dir, "collector.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, watchedHost, host.Root, port), 0o600))
	command := func() *exec.Cmd { return exec.Command(harness.Binary(t), "--config", config) }
	test := t
	t.Run("disk", func(t *testing.T) {
		mounting(t, mountpoint, config) // Skips where that is not possible.
		command = func() *exec.Cmd { return mounting(test, mountpoint, config) }
		disk = func(c *harness.Process) string { return within(test, c, mountpoint) }
	})
	return func() *harness.Process { return harness.Run(t, dir, command()) }, disk
}

// hoarder is a process that keeps what it gets, up to 128 MiB.
type hoarder struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Writer
	left  int
}

func newHoarder(t *testing.T, path string) *hoarder {
	t.Helper()
	cmd := exec.Command(path, "-c", "200000000")
	cmd.Args[0] = "tail"
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	startFor(t, cmd)
	return &hoarder{t: t, cmd: cmd, stdin: stdin, left: 128}
}

// grow makes it larger by 1 MiB.
func (h *hoarder) grow() {
	h.t.Helper()
	if h.left == 0 {
		return
	}
	h.left--
	_, err := h.stdin.Write(bytes.Repeat([]byte("x"), 1<<20))
	require.NoError(h.t, err)
}

// end gives back what it has.
func (h *hoarder) end() { end(h.cmd) }
