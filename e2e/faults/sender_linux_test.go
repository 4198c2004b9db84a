package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// memoryBound is what a collector may have in memory at most, whatever waits in its queue.
const memoryBound = 200 << 20

// fastAndCounted lays over examples/agent.yaml: two receivers of a played host, one of totals and one of deltas, ten times a second.
const fastAndCounted = `
receivers:
  psutil: &receiver
    collection_interval: %[5]v
    initial_delay: 0s
    root_path: %[1]q
    scrapers: {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, network: {}, system: {}}
  psutil/delta: {<<: *receiver, temporality: delta}
exporters:
  %[2]s: {endpoint: %[3]q, tls: {insecure: true}}
service:
  telemetry:
    logs: {level: info}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %[4]d}}}}]}
  pipelines:
    metrics: {receivers: [psutil, psutil/delta], exporters: [%[2]s, alert]}
    logs/alerts: {exporters: [%[2]s]}
`

// eager has an exporter try again soon, and the queue give disk back soon.
const eager = `{exporters: {%s: {retry_on_failure: {initial_interval: 50ms, max_interval: 500ms}}},
  extensions: {file_storage: {compaction: {rebound_needed_threshold_mib: 1, rebound_trigger_threshold_mib: 1, check_interval: 500ms}}}}`

// protocols are those of OTLP, by the exporter that speaks them.
var protocols = []string{"otlp_grpc", "otlp_http"}

// sender is a collector that sends what it reads of a host, whose counter turns, to a faulty backend.
type sender struct {
	*harness.Process
	t         *testing.T
	dir       string
	host      *harness.FixtureHost
	backend   *faultyBackend
	telemetry int // port
	configs   []string
	wrap      func(program string, args ...string) *exec.Cmd

	from, value atomic.Int64
	stopTurning func()
	unretrieved int // requests that a start says were lost as the start before it moved them
}

// newSender prepares, and starts nothing. Settings lie over all others.
func newSender(t *testing.T, protocol string, settings ...string) *sender {
	t.Helper()
	harness.Binary(t)
	s := &sender{t: t, dir: t.TempDir(), host: harness.NewFixtureHost(t), backend: newFaultyBackend(t), telemetry: harness.FreePort(t), wrap: exec.Command}
	s.configs = []string{harness.Repository(t, "examples", "agent.yaml")}
	endpoint := s.backend.address
	if protocol == "otlp_http" {
		endpoint = "http://" + endpoint
	}
	_, long, interval := outage(t)
	if !long {
		settings = append([]string{fmt.Sprintf(eager, protocol)}, settings...)
	}
	settings = append([]string{
		strings.Replace(recommended(t), "otlp_grpc:", protocol+":", 1),
		fmt.Sprintf(fastAndCounted, s.host.Root, protocol, endpoint, s.telemetry, interval),
	}, settings...)
	for i, text := range settings {
		path := filepath.Join(s.dir, fmt.Sprintf("settings-%d.yaml", i))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		s.configs = append(s.configs, path)
	}
	return s
}

// recommended is the configuration that docs/reliability.md recommends.
func recommended(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(harness.Repository(t, "docs", "reliability.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```yaml\n")
	require.True(t, found)
	config, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	return config
}

// begin starts a collector, the first one or the next after it, with settings for it alone.
func (s *sender) begin(settings ...string) {
	s.t.Helper()
	var args []string
	for _, path := range s.configs {
		args = append(args, "--config", path)
	}
	for _, text := range settings {
		args = append(args, "--config", "yaml:"+text)
	}
	cmd := s.wrap(harness.Binary(s.t), args...)
	cmd.Env = append(os.Environ(), "STATE_DIRECTORY="+filepath.Join(s.dir, "state"))
	s.Process = harness.Run(s.t, s.dir, cmd)
}

// gone ends a life: one that is killed here, or has been.
func (s *sender) gone() {
	s.t.Helper()
	s.Kill()
	s.unretrieved += strings.Count(s.Output(), "Failed retrieving item")
}

var contextSwitches = regexp.MustCompile(`(?m)^ctxt (\d+)$`)

// turn waits for the stream of deltas to have begun, and turns the counter from then on until rest is called, or the test ends.
func (s *sender) turn() {
	s.t.Helper()
	harness.Eventually(s.t, "the deltas begin", func() error {
		return s.backend.look(func(l *ledger) error {
			if len(l.deltas[turning]) == 0 {
				return errors.New("none yet")
			}
			return nil
		})
	})
	path := filepath.Join(s.host.Root, "proc", "stat")
	text, err := os.ReadFile(path)
	require.NoError(s.t, err)
	value, err := strconv.ParseInt(contextSwitches.FindStringSubmatch(string(text))[1], 10, 64)
	require.NoError(s.t, err)
	s.from.Store(value)
	s.value.Store(value)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := int64(1); ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-tick.C:
			}
			value += n%97 + 1
			next := contextSwitches.ReplaceAll(text, fmt.Appendf(nil, "ctxt %d", value))
			err := os.WriteFile(path+".next", next, 0o600)
			if err == nil {
				err = os.Rename(path+".next", path)
			}
			if err != nil {
				stopped <- err
				return
			}
			s.value.Store(value)
		}
	}()
	var once atomic.Bool
	s.stopTurning = func() {
		if once.CompareAndSwap(false, true) {
			close(stop)
			assert.NoError(s.t, <-stopped)
		}
	}
	s.t.Cleanup(s.stopTurning)
}

// total is what the counter stands at.
func (s *sender) total() float64 { return float64(s.value.Load()) }

// scrapes waits for so many more scrapes, whether they arrive or not.
func (s *sender) scrapes(n int) {
	s.t.Helper()
	var before float64
	harness.Eventually(s.t, "the telemetry of the collector", func() (err error) {
		before, err = s.telemetryOf("otelcol_scraper_scraped_metric_points")
		return err
	})
	const pointsOfAScrape = 100 // More than that, so that n are passed for sure.
	harness.Eventually(s.t, fmt.Sprintf("%d more scrapes", n), func() error {
		now, err := s.telemetryOf("otelcol_scraper_scraped_metric_points")
		if err == nil && now < before+float64(n*pointsOfAScrape) {
			err = fmt.Errorf("%v points, %v before", now, before)
		}
		return err
	})
}

// telemetryOf adds up the series of a metric of the collector's own.
func (s *sender) telemetryOf(name string) (sum float64, err error) {
	series, err := harness.ScrapePrometheus(s.telemetry)
	for text, v := range series {
		if metric, _, _ := strings.Cut(text, "{"); metric == name || metric == name+"_total" {
			sum += v
		}
	}
	return sum, err
}

// arrives stops the counter, and waits for its deltas to add up to what it was turned by: nothing was lost.
func (s *sender) arrives() {
	s.t.Helper()
	s.stopTurning()
	want := s.total() - float64(s.from.Load())
	ask := func() error {
		return s.backend.look(func(l *ledger) error {
			if got := l.turned(); got != want || l.totals[turning].Value != s.total() {
				return fmt.Errorf("%v of %v, the newest total is %v of %v", got, want, l.totals[turning].Value, s.total())
			}
			return l.whole()
		})
	}
	// After a long outage gRPC itself waits for up to two minutes before it connects again.
	if _, long, _ := outage(s.t); long {
		for deadline := time.Now().Add(5 * time.Minute); ask() != nil && time.Now().Before(deadline); {
			wait(s.t, 100*time.Millisecond)
		}
	}
	harness.Eventually(s.t, "the deltas add up", ask)
}

// ends stops the collector, holds its memory against the bound, and tells what was seen.
func (s *sender) ends() {
	s.t.Helper()
	peak := memoryPeak(s.t, s.PID())
	assert.Less(s.t, peak, int64(memoryBound))
	refused, err := s.telemetryOf("otelcol_exporter_enqueue_failed_metric_points")
	require.NoError(s.t, err)
	require.NoError(s.t, s.Stop(s.t, syscall.SIGTERM))
	n := 0
	require.NoError(s.t, s.backend.look(func(l *ledger) error { n = len(l.scrapes); return nil }))
	s.t.Logf("%d scrapes arrived, %d requests twice, %v points refused, %d MiB of memory at most", n, s.backend.duplicates(), refused, peak>>20)
}

// memoryPeak is the most resident memory that a process has had.
func memoryPeak(t *testing.T, pid int) int64 {
	t.Helper()
	return int64(harness.FirstNumber(t, "/", fmt.Sprintf("proc/%d/status", pid), "VmHWM:")) << 10
}

// outage is how long a backend is down: 5 seconds, or what E2E_OUTAGE says. With a long one retries are as recommended, and there are
// no more than some 6,000 scrapes.
func outage(t *testing.T) (down time.Duration, long bool, interval time.Duration) {
	t.Helper()
	text := os.Getenv("E2E_OUTAGE")
	if text == "" {
		return 5 * time.Second, false, 100 * time.Millisecond
	}
	down, err := time.ParseDuration(text)
	require.NoError(t, err)
	return down, true, max(100*time.Millisecond, down/3000)
}

// wait lets time pass, as an outage does.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// diskUsage is what the state takes of the disk.
func (s *sender) diskUsage() (bytes int64) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "state", "exporter_*"))
	require.NoError(s.t, err)
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(s.t, err)
		const block = 512
		bytes += info.Sys().(*syscall.Stat_t).Blocks * block
	}
	return bytes
}
