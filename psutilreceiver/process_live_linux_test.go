package psutilreceiver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read/bpf"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// tickSeconds is the kernel's unit of CPU time in /proc, in seconds.
const tickSeconds = 1.0 / proctext.TicksPerSecond

// liveProcesses is a whole receiver, its process scraper on, that scrapes this host when the test makes it.
type liveProcesses struct {
	t       *testing.T
	ticks   chan time.Time
	batches chan pmetric.Metrics
	logs    *observer.ObservedLogs
}

// watchProcesses starts the receiver and returns what its first scrape found.
func watchProcesses(t *testing.T, temporality Temporality, configure func(*Config, *ProcessConfig)) (*liveProcesses, batchValues) {
	t.Helper()
	live, first := watchProcessBatches(t, temporality, configure)
	return live, processValuesIn(first)
}

func watchProcessBatches(t *testing.T, temporality Temporality, configure func(*Config, *ProcessConfig)) (*liveProcesses, pmetric.Metrics) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Scrapers = offeredScrapers()
	configure(cfg, cfg.Scrapers.Process.GetOrInsertDefault())
	cfg.Temporality = temporality
	cfg.InitialDelay = 0
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	l := &liveProcesses{t: t, ticks: make(chan time.Time), batches: make(chan pmetric.Metrics, 1), logs: logs}
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		l.batches <- md
		return nil
	})
	require.NoError(t, err)
	r, err := newReceiver(set, cfg, next)
	require.NoError(t, err)
	r.options = append(r.options, scraperhelper.WithTickerChannel(l.ticks))
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return l, <-l.batches
}

func (l *liveProcesses) scrape() batchValues {
	l.ticks <- time.Time{}
	return processValuesIn(<-l.batches)
}

// batchValues has the values of one batch, by metric: of each process by its pid, of each group by its name. The host itself has the name "".
// The points of a metric that differ in an attribute are distinguished behind a slash.
type batchValues map[string]map[string]float64

func processValuesIn(md pmetric.Metrics) batchValues {
	f := batchValues{}
	for _, rm := range md.ResourceMetrics().All() {
		name := ""
		if v, ok := rm.Resource().Attributes().Get("process.pid"); ok {
			name = v.AsString()
		} else if v, ok := rm.Resource().Attributes().Get("process.group.name"); ok {
			name = v.Str()
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				var points pmetric.NumberDataPointSlice
				if m.Type() == pmetric.MetricTypeSum {
					points = m.Sum().DataPoints()
				} else {
					points = m.Gauge().DataPoints()
				}
				for _, p := range points.All() {
					f.add(m.Name(), name, p)
				}
			}
		}
	}
	return f
}

func (f batchValues) add(metric, name string, p pmetric.NumberDataPoint) {
	for _, v := range p.Attributes().All() {
		metric += "/" + v.AsString()
	}
	if f[metric] == nil {
		f[metric] = map[string]float64{}
	}
	value := p.DoubleValue()
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		value = float64(p.IntValue())
	}
	f[metric][name] += value
}

// sum adds up all processes and groups, and the given metrics.
func (f batchValues) sum(metrics ...string) float64 {
	sum := 0.0
	for _, metric := range metrics {
		for _, v := range f[metric] {
			sum += v
		}
	}
	return sum
}

var (
	cpuMetrics      = []string{"process.cpu.time/user", "process.cpu.time/system"}
	childrenMetrics = []string{"process.children.cpu.time/user", "process.children.cpu.time/system"}
)

// processReading is what the test itself reads of one process.
type processReading struct {
	user, system         float64 // seconds, in whole ticks
	ran                  float64 // seconds, exact, of the first thread
	resident             float64 // bytes, by stat
	exactResident        float64 // bytes, by statm
	diskRead, diskWrites float64 // bytes
}

// readProcess parses /proc/PID/stat and io in the plainest way.
func readProcess(t *testing.T, pid int) processReading {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	require.NoError(t, err)
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	number := func(n int) float64 { // by the numbers of proc(5), of which the first two are cut off
		v, err := strconv.ParseFloat(fields[n-3], 64)
		require.NoError(t, err)
		return v
	}
	statm, err := os.ReadFile(filepath.Join(dir, "statm"))
	require.NoError(t, err)
	exact, err := strconv.ParseFloat(strings.Fields(string(statm))[1], 64)
	require.NoError(t, err)
	schedstat, err := os.ReadFile(filepath.Join(dir, "schedstat"))
	require.NoError(t, err)
	ran, err := strconv.ParseFloat(strings.Fields(string(schedstat))[0], 64)
	require.NoError(t, err)
	return processReading{
		ran:           ran / 1e9,
		exactResident: exact * float64(os.Getpagesize()),
		user:          number(14) * tickSeconds, system: number(15) * tickSeconds, resident: number(24) * float64(os.Getpagesize()),
		diskRead: keyed(t, filepath.Join(dir, "io"), "read_bytes"), diskWrites: keyed(t, filepath.Join(dir, "io"), "write_bytes"),
	}
}

// needsBPF ends a test where processes can't be read by BPF.
func needsBPF(tb testing.TB) {
	tb.Helper()
	if err := bpf.Supported(""); err != nil {
		testenv.Kernel(tb, "BPF: %v", err)
	}
}

// eachReader runs a test by each of the readers that can be used here.
func eachReader(t *testing.T, test func(*testing.T, ProcessReader)) {
	t.Helper()
	t.Run("proc", func(t *testing.T) { test(t, ProcessReaderProc) })
	t.Run("bpf", func(t *testing.T) {
		needsBPF(t)
		test(t, ProcessReaderBPF)
	})
}

// keyed returns the number behind a key of a file of /proc.
func keyed(t *testing.T, path, key string) float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			v, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			require.NoError(t, err)
			return v
		}
	}
	require.Fail(t, "no "+key+" in "+path)
	return 0
}

// child is a process that a test owns and talks to by lines.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

func startChild(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{t: t, cmd: cmd}
	cmd.Stderr = os.Stderr
	var err error
	c.stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	c.out = bufio.NewReader(out)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = c.stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return c
}

func (c *child) tell(line string) {
	c.t.Helper()
	_, err := fmt.Fprintln(c.stdin, line)
	require.NoError(c.t, err)
}

func (c *child) answer() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSpace(line)
}

// programs puts programs under paths that no other process of this host runs, so that a test can watch its own processes alone.
func programs(t *testing.T) (shell, self string, only func(*Config, *ProcessConfig)) {
	t.Helper()
	dir := t.TempDir()
	shell, self = filepath.Join(dir, "sh"), filepath.Join(dir, "self")
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	for to, from := range map[string]string{shell: sh, self: os.Args[0]} {
		binary, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, binary, 0o700))
	}
	return shell, self, func(_ *Config, p *ProcessConfig) {
		p.Include.Executables, p.Include.MatchType = []string{"^" + dir + "/"}, MatchRegexp
		p.Top.N = 10
	}
}
