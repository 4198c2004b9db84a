// Package live tests the built-in configuration of the built distribution: `--config live:`, its page and its API.
package live

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// waitLimit is how long anything is waited for before the test fails. It is no expectation of speed.
const waitLimit = 60 * time.Second

// agent is a running distribution.
type agent struct {
	t      *testing.T
	base   string
	cmd    *exec.Cmd
	output *bytes.Buffer
	mu     sync.Mutex
	exited chan error
}

func (a *agent) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.output.Write(b)
}

func (a *agent) said() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.output.String()
}

// start runs the agent on a port of its own.
func start(t *testing.T, args ...string) *agent {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	a := &agent{t: t, base: "http://" + address, output: &bytes.Buffer{}, exited: make(chan error, 1)}
	args = append([]string{"--config", "live:"}, args...)
	a.cmd = exec.Command(harness.Binary(t), append(args, "--set", "exporters::host_page::endpoint="+address)...)
	a.cmd.Dir = t.TempDir()
	a.cmd.Stdout, a.cmd.Stderr = a, a
	signal.Ignore(syscall.SIGHUP) // The agent inherits this, see reload.
	require.NoError(t, a.cmd.Start())
	go func() { a.exited <- a.cmd.Wait() }()
	t.Cleanup(func() {
		_ = a.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the agent said:\n%s", a.said())
		}
	})
	return a
}

// reload has the agent read its configuration again. The Collector minds signals only some time after it has said that it is ready, and until then
// ignores this one; so it is asked until it answers.
func (a *agent) reload() {
	a.t.Helper()
	require.Eventually(a.t, func() bool {
		if strings.Contains(a.said(), "Received signal from OS") {
			return true
		}
		_ = a.cmd.Process.Signal(syscall.SIGHUP)
		return false
	}, waitLimit, time.Second)
}

// ready waits until the agent has said so many times that it is ready.
func (a *agent) ready(times int) {
	a.t.Helper()
	require.Eventually(a.t, func() bool { return strings.Count(a.said(), "Everything is ready") == times }, waitLimit, 20*time.Millisecond)
}

// get reads JSON, and waits until there is an answer.
func (a *agent) get(path string, into any) {
	a.t.Helper()
	require.EventuallyWithT(a.t, func(c *assert.CollectT) {
		r, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.base+path, http.NoBody)
		require.NoError(c, err)
		res, err := harness.Client.Do(r)
		require.NoError(c, err)
		defer func() { _ = res.Body.Close() }()
		require.Equal(c, http.StatusOK, res.StatusCode)
		require.NoError(c, json.NewDecoder(res.Body).Decode(into))
	}, waitLimit, 50*time.Millisecond)
}

type rangeAnswer struct {
	Store  string
	Groups []struct {
		Times  []int64
		Series []struct {
			ID  uint32
			Avg []*float64
		}
	}
}

type processesAnswer struct {
	Time         *int64 `json:"t"`
	Columns      []string
	Rows         [][]any
	Groups       []map[string]any
	Unattributed *float64
	Total        *struct{ CPU, CPUs float64 }
}

// TestLive: nothing but `--config live:`, and the page shows the host as the kernel does.
func TestLive(t *testing.T) {
	a := start(t)
	var memory rangeAnswer
	require.Eventually(t, func() bool {
		memory = rangeAnswer{}
		a.get("/api/range?series=system.memory.limit&from=-1m", &memory)
		return len(memory.Groups) == 1 && len(memory.Groups[0].Times) >= 3
	}, waitLimit, 200*time.Millisecond)
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib float64
		_, err = fmt.Sscanf(string(text), "MemTotal: %f kB", &kib)
		require.NoError(t, err)
		assert.InDelta(t, kib*1024, *memory.Groups[0].Series[0].Avg[0], 1)
	}
	var table processesAnswer
	require.Eventually(t, func() bool {
		table = processesAnswer{}
		a.get("/api/processes", &table)
		return table.Total != nil
	}, waitLimit, 200*time.Millisecond)
	column := map[string]int{}
	for i, name := range table.Columns {
		column[name] = i
	}
	sum, self := *table.Unattributed, false
	add := func(v any) {
		if f, ok := v.(float64); ok {
			sum += f
		}
	}
	for _, row := range table.Rows {
		add(row[column["cpu"]])
		add(row[column["children"]])
		self = self || row[column["pid"]] == float64(a.cmd.Process.Pid)
	}
	for _, g := range table.Groups {
		add(g["cpu"])
		add(g["children"])
	}
	assert.InDelta(t, table.Total.CPU, sum, 1e-3, "what is shown, others and unattributed are all")
	assert.True(t, self, "the agent itself is among the processes")
	var health struct{ Status string }
	a.get("/health", &health)
	assert.Equal(t, "ok", health.Status)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.base+"/api/meta", http.NoBody)
	require.NoError(t, err)
	r.Host = "evil.example"
	res, err := harness.Client.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, http.StatusForbidden, res.StatusCode)
}

// TestLiveReloadAndStop: a reload keeps the history, streams come back, and a stop waits for no viewer.
func TestLiveReloadAndStop(t *testing.T) {
	a := start(t)
	var before, after struct {
		Store   string
		Started int64
	}
	a.ready(1)
	a.get("/api/meta", &before)
	a.reload()
	a.ready(2)
	a.get("/api/meta", &after)
	assert.Equal(t, before, after, "the history is the same")

	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	var byes sync.WaitGroup
	for range 8 {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+"/api/stream?series=system.cpu.utilization", http.NoBody)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode)
		first := make(chan struct{})
		byes.Go(func() {
			defer func() { _ = res.Body.Close() }()
			lines := bufio.NewScanner(res.Body)
			lines.Buffer(nil, 1<<20)
			last, hello := "", false
			for lines.Scan() {
				if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
					if last = event; event == "hello" && !hello {
						hello = true
						close(first)
					}
				}
			}
			assert.Equal(t, "bye", last)
		})
		<-first
	}
	require.NoError(t, a.cmd.Process.Signal(syscall.SIGTERM))
	begin := time.Now()
	select {
	case err := <-a.exited:
		require.NoError(t, err)
	case <-time.After(waitLimit):
		t.Fatal("it does not stop")
	}
	t.Logf("stopped with 8 viewers within %v", time.Since(begin))
	byes.Wait()
}

// TestLiveChanged: --set and a second --config change what live: says.
func TestLiveChanged(t *testing.T) {
	more := t.TempDir() + "/more.yaml"
	require.NoError(t, os.WriteFile(more, []byte("exporters: {host_page: {viewers: 3}}\nreceivers: {psutil: {collection_interval: 2s}}\n"), 0o600))
	a := start(t, "--config", more, "--set", "exporters::host_page::history::max_memory=64MiB")
	var meta struct {
		Limits struct{ Viewers int }
		Memory struct{ Limit int64 }
	}
	a.get("/api/meta", &meta)
	assert.Equal(t, 3, meta.Limits.Viewers)
	assert.Equal(t, int64(64<<20), meta.Memory.Limit)
}

func TestWideBindIsRefused(t *testing.T) {
	for endpoint, ok := range map[string]bool{"0.0.0.0:0": false, "localhost:0": true} {
		out, err := exec.Command(harness.Binary(t), "validate", "--config", "live:", "--set", "exporters::host_page::endpoint="+endpoint).CombinedOutput()
		if ok {
			require.NoError(t, err, "%s", out)
		} else {
			require.Error(t, err)
			assert.Contains(t, string(out), "set allow_anonymous: true")
		}
	}
	out, err := exec.Command(harness.Binary(t), "validate", "--config", "live:more").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "nothing may follow")
}

// TestFigures: the mean over CPUs agrees with /proc/stat over the same time.
func TestFigures(t *testing.T) {
	if runtime.GOOS != "linux" {
		return
	}
	busy := func() (busy, all float64) {
		text, err := os.ReadFile("/proc/stat")
		require.NoError(t, err)
		line, _, _ := strings.Cut(string(text), "\n")
		for i, field := range strings.Fields(line)[1:9] {
			v, err := strconv.ParseFloat(field, 64)
			require.NoError(t, err)
			all += v
			if i != 3 { // Idle.
				busy += v
			}
		}
		return busy, all
	}
	a := start(t)
	var r rangeAnswer
	a.get("/health", &r)
	time.Sleep(1100 * time.Millisecond) // The first scrape has no share.
	b0, all0 := busy()
	from := time.Now()
	time.Sleep(5 * time.Second)
	b1, all1 := busy()
	to := time.Now()
	want := (b1 - b0) / (all1 - all0)

	var meta struct {
		Metrics []struct {
			Name   string
			Series []struct {
				ID     int
				Values []string
			}
		}
	}
	a.get("/api/meta", &meta)
	for _, m := range meta.Metrics {
		for _, s := range m.Series {
			if m.Name == "host_page.cpu.utilization" && s.Values[0] == "busy" {
				a.get(fmt.Sprintf("/api/range?series=%d&from=%d&to=%d", s.ID, from.UnixMilli(), to.UnixMilli()+1000), &r)
			}
		}
	}
	require.Len(t, r.Groups, 1)
	sum, n := 0.0, 0.0
	for _, v := range r.Groups[0].Series[0].Avg {
		if v != nil {
			sum, n = sum+*v, n+1
		}
	}
	require.Positive(t, n)
	got := sum / n
	t.Logf("busy: the page says %.3f, /proc/stat %.3f", got, want)
	// The two look at times that are up to a scrape apart at each end.
	assert.LessOrEqual(t, math.Abs(got-want), 0.05+1.5/n)
}

var _ io.Writer = (*agent)(nil)
