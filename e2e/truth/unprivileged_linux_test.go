package truth

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// nobody is a user who owns nothing.
const nobody = 65534

// defaultScrapers runs what runs by default, once a second, with every process and all of its metrics.
const defaultScrapers = `
receivers:
  psutil:
    collection_interval: 1s
    initial_delay: 0s
    scrapers:
      {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {}, network: {}, pressure: {}, processes: {}, system: {},
       process: {collection_interval: 1s, top: {n: 0}}}
    metrics:
      process.context_switches: {enabled: true}
      process.io.logical: {enabled: true}
      process.memory.shared: {enabled: true}
      process.memory.swap: {enabled: true}
      process.memory.utilization: {enabled: true}
      process.nice: {enabled: true}
      process.paging.faults: {enabled: true}
      process.status: {enabled: true}
      process.unix.file_descriptor.count: {enabled: true}
      process.uptime: {enabled: true}
exporters: {file: {path: metrics.jsonl, flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}, logs: {level: info, encoding: json}}
  pipelines: {metrics: {receivers: [psutil], exporters: [file]}}
`

// privileged are the metrics of other users' processes that need a capability.
var privileged = []string{"process.disk.io", "process.io.logical"}

// passing is there when something has happened since the receiver began to look: children of the process came and went.
const passing = "process.children.cpu.time"

// TestWithoutPrivilegesOnlyWhatNeedsThemIsMissing compares what root sees with what a user sees who may do nothing.
func TestWithoutPrivilegesOnlyWhatNeedsThemIsMissing(t *testing.T) {
	testenv.Root(t, "becomes another user")
	const scrapes = 5
	all, rootLog := runAs(t, 0, scrapes)
	some, log := runAs(t, nobody, scrapes)

	system, seen := harness.PointsOf(hostOnly(all)), harness.PointsOf(hostOnly(some))
	for name := range system {
		assert.Contains(t, seen, name)
	}
	unprivileged := byProcess(t, some)
	compared := 0
	for pid, p := range byProcess(t, all) {
		same, ok := unprivileged[pid]
		if !ok || same.created.Sub(p.created).Abs() > time.Second {
			continue // It ended in between.
		}
		compared++
		for metric := range p.metrics {
			if metric != passing && !slices.Contains(privileged, metric) {
				assert.True(t, same.metrics[metric], "%s of process %s is not seen without privileges", metric, pid)
			}
		}
	}
	assert.Greater(t, compared, 3)

	reader, others := readerOf(linesOf(rootLog, "info"))
	assert.Len(t, reader, 1)
	assert.Empty(t, others, "root misses nothing")
	assert.Empty(t, linesOf(rootLog, "warn", "error"))
	assert.Empty(t, linesOf(log, "warn", "error"))
	reader, said := readerOf(linesOf(log, "info"))
	require.Len(t, reader, 1)
	assert.Contains(t, reader[0], "/proc", "it takes privileges to read by BPF")
	require.Len(t, said, 1, "one line says what is missing")
	for _, word := range []string{"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "disk and logical I/O", "executable path"} {
		assert.Contains(t, said[0], word)
	}
}

// runAs runs the collector as a user until it has scraped so often, and gives the batch of that scrape and its log.
func runAs(t *testing.T, uid uint32, scrapes int) (pmetric.Metrics, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "otelcol-psutil") //nolint:usetesting // T.TempDir has a parent that others can't enter.
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chown(dir, int(uid), int(uid)))
	config, program := filepath.Join(dir, "collector.yaml"), filepath.Join(dir, "otelcol-psutil")
	require.NoError(t, os.WriteFile(config, []byte(defaultScrapers), 0o644))
	harness.CopyProgram(t, harness.Binary(t), program)

	cmd := exec.Command(program, "--config", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	c := harness.Run(t, dir, cmd)
	nth := harness.NthBatch(t, filepath.Join(dir, "metrics.jsonl"), scrapes)
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	return nth, c.Output()
}

// hostOnly gives the part of a batch that is about the host itself.
func hostOnly(md pmetric.Metrics) pmetric.Metrics {
	host := pmetric.NewMetrics()
	for _, rm := range md.ResourceMetrics().All() {
		_, ofProcess := rm.Resource().Attributes().Get("process.pid")
		_, ofGroup := rm.Resource().Attributes().Get("process.group.name")
		if !ofProcess && !ofGroup {
			rm.CopyTo(host.ResourceMetrics().AppendEmpty())
		}
	}
	return host
}

// shownProcess is what a batch has of a process.
type shownProcess struct {
	created time.Time
	metrics map[string]bool
}

// byProcess gives the processes by pid, without those that have ended and wait for their parent: their memory is gone.
func byProcess(t *testing.T, md pmetric.Metrics) map[string]shownProcess {
	t.Helper()
	processes := make(map[string]shownProcess)
	for _, rm := range md.ResourceMetrics().All() {
		pid, ok := rm.Resource().Attributes().Get("process.pid")
		if !ok {
			continue
		}
		attribute, _ := rm.Resource().Attributes().Get("process.creation.time")
		created, err := time.Parse(time.RFC3339, attribute.Str())
		require.NoError(t, err)
		one := pmetric.NewMetrics()
		rm.CopyTo(one.ResourceMetrics().AppendEmpty())
		points := harness.PointsOf(one)
		if _, ended := points["process.status{process.state=defunct}"]; ended {
			continue
		}
		p := shownProcess{created: created, metrics: make(map[string]bool)}
		for _, point := range points {
			p.metrics[point.Metric.Name()] = true
		}
		processes[pid.AsString()] = p
	}
	return processes
}

// linesOf gives what the psutil receiver, or at the other levels anybody, said at one of the levels. That a component is in development
// is the Collector's own word.
func linesOf(log string, levels ...string) (lines []string) {
	for line := range strings.Lines(log) {
		var entry struct{ Level, Msg, Scraper string }
		ofReceiver := strings.Contains(line, `"otelcol.component.id":"psutil"`) && !strings.Contains(line, "Development component")
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			lines = append(lines, line) // A panic, or a library that prints.
		} else if slices.Contains(levels, entry.Level) && (entry.Level != "info" || ofReceiver) {
			lines = append(lines, entry.Msg)
		}
	}
	return lines
}

// readerOf parts the lines that say which reader of processes runs from the others.
func readerOf(lines []string) (reader, others []string) {
	for _, line := range lines {
		if strings.HasPrefix(line, "Processes are read ") {
			reader = append(reader, line)
		} else {
			others = append(others, line)
		}
	}
	return reader, others
}
