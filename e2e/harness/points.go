// Package e2e tests the built distribution from outside, as a user runs it: it starts the binary, reads what comes out, and compares
// with the kernel.
package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// patience is how long anything is waited for before the test fails. It is no expectation of speed.
const patience = 60 * time.Second

// binary is the distribution under test, which `make test` builds and names.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("OTELCOL_PSUTIL")
	if path == "" {
		t.Skip("OTELCOL_PSUTIL names no binary: run `make test`, which builds it")
	}
	return path
}

// collector is a running distribution.
type collector struct {
	cmd    *exec.Cmd
	output *lockedBuffer
	exited chan error
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start runs the distribution with the given configuration text in a folder of its own, and stops it when the test ends.
func start(t *testing.T, dir, config string) *collector {
	t.Helper()
	path := filepath.Join(dir, "collector.yaml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	c := &collector{cmd: exec.Command(binary(t), "--config", path), output: &lockedBuffer{}, exited: make(chan error, 1)}
	c.cmd.Dir = dir
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	require.NoError(t, c.cmd.Start())
	go func() { c.exited <- c.cmd.Wait() }()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the collector said:\n%s", c.output)
		}
	})
	return c
}

// stop sends a signal and returns how the collector exited.
func (c *collector) stop(t *testing.T, signal os.Signal) error {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(signal))
	select {
	case err := <-c.exited:
		return err
	case <-time.After(patience):
		t.Fatal("the collector did not exit")
		return nil
	}
}

// freePort is a loopback port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// eventually asks until the answer is no error.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	var err error
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = ask(); err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

// batches reads the OTLP JSON lines that the file exporter has finished.
func batches(path string) ([]pmetric.Metrics, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var out []pmetric.Metrics
	reader := bufio.NewReader(file)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil // What has no newline yet is still being written.
		}
		if err != nil {
			return nil, err
		}
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err != nil {
			return nil, err
		}
		out = append(out, md)
	}
}

// point is a data point with its metric and, in a readable form, its attributes.
type point struct {
	metric     pmetric.Metric
	attributes string
	value      float64
	start, at  time.Time
}

// pointsOf lists the number points of a batch by "name{key=value,…}", attributes sorted by key.
func pointsOf(md pmetric.Metrics) map[string]point {
	out := make(map[string]point)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				var dps pmetric.NumberDataPointSlice
				switch m.Type() {
				case pmetric.MetricTypeSum:
					dps = m.Sum().DataPoints()
				case pmetric.MetricTypeGauge:
					dps = m.Gauge().DataPoints()
				default:
					continue
				}
				for _, dp := range dps.All() {
					p := point{metric: m, attributes: attributesOf(dp), start: dp.StartTimestamp().AsTime(), at: dp.Timestamp().AsTime()}
					p.value = dp.DoubleValue()
					if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
						p.value = float64(dp.IntValue())
					}
					out[m.Name()+p.attributes] = p
				}
			}
		}
	}
	return out
}

func attributesOf(dp pmetric.NumberDataPoint) string {
	if dp.Attributes().Len() == 0 {
		return ""
	}
	var parts []string
	for k, v := range dp.Attributes().All() {
		parts = append(parts, k+"="+v.AsString())
	}
	sortStrings(parts)
	return "{" + strings.Join(parts, ",") + "}"
}

// scrapePrometheus reads the series of a Prometheus endpoint by their text.
func scrapePrometheus(port int) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", port), http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	out := make(map[string]float64)
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || i < 0 {
			continue
		}
		var v float64
		if _, err := fmt.Sscan(line[i+1:], &v); err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		out[line[:i]] = v
	}
	return out, lines.Err()
}

var interrupt = syscall.SIGINT
