// Package examples runs the distribution as a user does, with the files of examples/: it is validated, started, reloaded and stopped.
package examples

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// initTimeout is how long a stop may take before an init system kills.
const initTimeout = 5 * time.Second

// agent runs an example as an agent that scrapes fast and sends to the given port, in a folder of its own.
func agent(t *testing.T, dir, example string, port int, args ...string) *harness.Process {
	t.Helper()
	path := harness.Repository(t, "examples", example)
	cmd := exec.Command(harness.Binary(t), append([]string{
		"--config", path,
		"--set", "receivers.psutil.collection_interval=200ms",
		"--set", "receivers.psutil.initial_delay=0s",
		"--set", "service.telemetry.metrics.level=none",
	}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("OTLP_ENDPOINT=127.0.0.1:%d", port), "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	return harness.Run(t, dir, cmd)
}

// stopInTime stops a collector, and fails unless it ends well and soon.
func stopInTime(t *testing.T, c *harness.Process, signal os.Signal) {
	t.Helper()
	asked := time.Now()
	require.NoError(t, c.Stop(t, signal), "the status is 0")
	assert.Less(t, time.Since(asked), initTimeout)
}

// scrapedAt gives the instants of the scrapes that are in a file: those of the metric system.memory.limit.
func scrapedAt(t *testing.T, path string) map[time.Time]bool {
	t.Helper()
	all, err := harness.Batches(path)
	require.NoError(t, err)
	instants := make(map[time.Time]bool)
	for _, md := range all {
		if p, ok := harness.PointsOf(md)["system.memory.limit"]; ok {
			instants[p.At] = true
		}
	}
	return instants
}

// records reads the log records that the file exporter wrote.
func records(t *testing.T, path string) (all []plog.LogRecord) {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(t, err)
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					all = append(all, record)
				}
			}
		}
	}
	return all
}

func attributeOf(record plog.LogRecord, key string) string {
	value, _ := record.Attributes().Get(key)
	return value.AsString()
}

// TestExamplesRunAndStop runs those examples for which nothing but a backend for OTLP must be there, until something has come out.
func TestExamplesRunAndStop(t *testing.T) {
	for example, run := range map[string]struct {
		sends bool   // to the backend; else
		file  string // that it writes
		args  []string
	}{
		"agent.yaml":            {sends: true},
		"alerts-connector.yaml": {sends: true},
		"container.yaml":        {sends: true, args: []string{"--set", "extensions.health_check.endpoint=127.0.0.1:0"}},
		"edge.yaml":             {file: "alerts/alerts.jsonl", args: []string{"--config", alwaysFiring}},
		"heavy-processes.yaml": {file: "heavy-processes/top.jsonl", args: []string{
			"--set", "receivers.psutil/top.scrapers.process.collection_interval=200ms",
		}},
	} {
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			t.Run(example+" "+signal.String(), func(t *testing.T) {
				dir, backend, port := t.TempDir(), t.TempDir(), harness.FreePort(t)
				path := filepath.Join(dir, run.file)
				if run.sends {
					harness.Start(t, backend, fmt.Sprintf(harness.FileBackend, port))
					path = filepath.Join(backend, "metrics.jsonl")
				}
				c := agent(t, dir, example, port, run.args...)
				harness.Eventually(t, "something in "+path, func() error {
					text, err := os.ReadFile(path)
					if err == nil && !strings.Contains(string(text), "\n") {
						err = fmt.Errorf("nothing yet")
					}
					return err
				})
				stopInTime(t, c, signal)
			})
		}
	}
}

// atWork also writes what the agent hands to its exporter to a file.
const atWork = `yaml:{exporters: {file: {path: scraped.jsonl, append: true, flush_interval: 50ms}},
  service: {pipelines: {metrics: {exporters: [file, otlp_grpc, alert]}}}}`

// deaf are the ways of a backend to be down.
var deaf = map[string]func(t *testing.T, port int) (hangUp func()){
	"refuses": func(*testing.T, int) func() { return func() {} },
	"never answers": func(t *testing.T, port int) func() {
		t.Helper()
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		require.NoError(t, err)
		var mu sync.Mutex
		var taken []net.Conn
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				mu.Lock()
				taken = append(taken, conn)
				mu.Unlock()
			}
		}()
		hangUp := sync.OnceFunc(func() {
			_ = l.Close()
			mu.Lock()
			defer mu.Unlock()
			for _, conn := range taken {
				_ = conn.Close()
			}
		})
		t.Cleanup(hangUp)
		return hangUp
	},
}

// TestStopWhileTheBackendIsDown stops an agent whose exporter tries again and again, and starts it with a backend that listens: all
// that was scraped arrives.
func TestStopWhileTheBackendIsDown(t *testing.T) {
	for name, silence := range deaf {
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			t.Run(name+" "+signal.String(), func(t *testing.T) {
				dir, backend, port := t.TempDir(), t.TempDir(), harness.FreePort(t)
				hangUp := silence(t, port)
				c := agent(t, dir, "agent.yaml", port, "--config", atWork)
				harness.NthBatch(t, filepath.Join(dir, "scraped.jsonl"), 5)
				stopInTime(t, c, signal)
				hangUp()
				scraped := scrapedAt(t, filepath.Join(dir, "scraped.jsonl"))
				require.NotEmpty(t, scraped)

				harness.Start(t, backend, fmt.Sprintf(harness.FileBackend, port))
				c = agent(t, dir, "agent.yaml", port, "--config", atWork)
				harness.Eventually(t, "what was scraped before the stop", func() error {
					arrived, err := os.ReadFile(filepath.Join(backend, "metrics.jsonl"))
					if err != nil || len(arrived) == 0 {
						return fmt.Errorf("nothing yet: %w", err)
					}
					got := scrapedAt(t, filepath.Join(backend, "metrics.jsonl"))
					for at := range scraped {
						if !got[at] {
							return fmt.Errorf("%d of %d scrapes, not that of %s", len(got), len(scraped), at)
						}
					}
					return nil
				})
				// A signal just ends a Collector that is starting, and for a moment after it says that it is ready.
				harness.Eventually(t, "two scrapes more", func() error {
					if now := scrapedAt(t, filepath.Join(dir, "scraped.jsonl")); len(now) < len(scraped)+2 {
						return fmt.Errorf("%d scrapes after %d", len(now), len(scraped))
					}
					return nil
				})
				stopInTime(t, c, syscall.SIGTERM)
			})
		}
	}
}

// alwaysFiring is a rule whose alert fires at the first scrape and never resolves.
const alwaysFiring = `yaml:{connectors: {alert: {rules: [
  {name: always, metric: system.memory.limit, thresholds: {critical: {above: 0}}}]}}}`

// TestAFiringAlertOutlivesARestart stops an agent while an alert is firing. Neither a stop nor a start says anything of it.
func TestAFiringAlertOutlivesARestart(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			dir, backend, port := t.TempDir(), t.TempDir(), harness.FreePort(t)
			harness.Start(t, backend, fmt.Sprintf(harness.FileBackend, port))
			logs := filepath.Join(backend, "logs.jsonl")
			ofTheAlert := func() (transitions []string) {
				for _, record := range records(t, logs) {
					if attributeOf(record, "alert.rule.name") == "always" {
						transitions = append(transitions, attributeOf(record, "alert.transition"))
					}
				}
				return transitions
			}
			c := agent(t, dir, "agent.yaml", port, "--config", alwaysFiring)
			harness.Eventually(t, "the alert", func() error {
				if len(ofTheAlert()) == 0 {
					return fmt.Errorf("no record of it")
				}
				return nil
			})
			for range 2 {
				stopInTime(t, c, signal)
				c = agent(t, dir, "agent.yaml", port, "--config", alwaysFiring)
				harness.NthBatch(t, filepath.Join(backend, "metrics.jsonl"), countBatches(t, backend)+10)
			}
			stopInTime(t, c, signal)
			assert.Equal(t, []string{"fire"}, ofTheAlert())
		})
	}
}

func countBatches(t *testing.T, dir string) int {
	t.Helper()
	all, err := harness.Batches(filepath.Join(dir, "metrics.jsonl"))
	require.NoError(t, err)
	return len(all)
}

// TestReloadBySIGHUP gives a running collector another configuration, and then one with a mistake.
func TestReloadBySIGHUP(t *testing.T) {
	const config = `
receivers: {psutil: {collection_interval: 200ms, initial_delay: 0s, scrapers: {%s: {}}}}
exporters: {file: {path: %s, flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}, logs: {level: info}}
  pipelines: {metrics: {receivers: [psutil], exporters: [file]}}
`
	dir := t.TempDir()
	rewrite := func(scraper, file string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "collector.yaml"), fmt.Appendf(nil, config, scraper, file), 0o600))
	}
	c := harness.Start(t, dir, fmt.Sprintf(config, "load", "before.jsonl"))
	harness.NthBatch(t, filepath.Join(dir, "before.jsonl"), 2)
	rewrite("memory", "after.jsonl")
	require.NoError(t, c.Signal(syscall.SIGHUP))
	points := harness.PointsOf(harness.NthBatch(t, filepath.Join(dir, "after.jsonl"), 2))
	assert.Contains(t, points, "system.memory.limit")
	assert.NotContains(t, points, "system.cpu.load_average.1m")

	rewrite("mmemory", "never.jsonl")
	require.Error(t, c.Stop(t, syscall.SIGHUP), "the Collector ends on a mistake: validate first, as the unit's ExecReload does")
	assert.Contains(t, c.Output(), "mmemory")
}

// TestOwnDistribution writes the sources of the example distribution from this tree, with the Collector's own builder, and builds them.
func TestOwnDistribution(t *testing.T) {
	harness.Binary(t)
	root := harness.Repository(t)
	manifest, err := os.ReadFile(filepath.Join(root, "examples", "own-distribution", "builder-config.yaml"))
	require.NoError(t, err)
	dir := t.TempDir()
	text := strings.ReplaceAll(string(manifest), "output_path: ./build", "output_path: "+filepath.Join(dir, "build"))
	for _, name := range []string{"psutilreceiver", "alertconnector"} {
		require.Contains(t, text, "    name: "+name+"\n")
		text = strings.ReplaceAll(text, "    name: "+name+"\n", "    name: "+name+"\n    path: "+root+"\n")
	}
	path := filepath.Join(dir, "builder-config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	version := otelVersion(t, root)
	assert.Contains(t, text, "cmd/builder@"+version)
	run := func(name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = filepath.Join(dir, "build"), append(os.Environ(), "CGO_ENABLED=0")
		if _, err := os.Stat(cmd.Dir); err != nil {
			cmd.Dir = root
		}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s:\n%s", cmd, out)
	}
	run("go", "run", "go.opentelemetry.io/collector/cmd/builder@"+version, "--config", path, "--skip-compilation")
	run("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "my-collector"), ".")
	run(filepath.Join(dir, "my-collector"), "validate", "--config", filepath.Join(root, "examples", "agent.yaml"))
}

// otelVersion is the version of the Collector that the Makefile builds with.
func otelVersion(t *testing.T, root string) string {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	for line := range strings.Lines(string(makefile)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "OTEL_VERSION" {
			return fields[2]
		}
	}
	require.Fail(t, "no OTEL_VERSION in the Makefile")
	return ""
}
