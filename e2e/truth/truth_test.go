package truth

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func sortStrings(s []string) { sort.Strings(s) }

const everything = `
receivers:
  psutil:
    collection_interval: 1s
    initial_delay: 0s
    scrapers: {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {}, network: {}, connections: {}, pressure: {}, sensors: {}, processes: {}, system: {}}
exporters:
  file: {path: metrics.jsonl, flush_interval: 100ms}
  prometheus: {endpoint: "127.0.0.1:%d", without_scope_info: true}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, prometheus]}
`

// kernel is what the test itself reads of the kernel, in the units of the metrics, by the name and attributes of the point.
func kernel(t *testing.T) map[string]float64 {
	t.Helper()
	out := make(map[string]float64)
	fields := func(file string) [][]string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var rows [][]string
		for line := range strings.Lines(string(text)) {
			rows = append(rows, strings.Fields(line))
		}
		return rows
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return v
	}
	for _, row := range fields("/proc/stat") {
		switch row[0] {
		case "cpu":
			for i, mode := range []string{"user", "nice", "system", "idle", "iowait"} {
				out["system.cpu.time{cpu.mode="+mode+"}"] = number(row[1+i]) / 100
			}
			out["system.cpu.time{cpu.mode=interrupt}"] = (number(row[6]) + number(row[7])) / 100
		case "ctxt":
			out["system.cpu.context_switches"] = number(row[1])
		case "intr":
			out["system.cpu.interrupts"] = number(row[1])
		case "processes":
			out["system.process.created"] = number(row[1])
		}
	}
	for _, row := range fields("/proc/vmstat") {
		switch row[0] {
		case "pgmajfault":
			out["system.paging.faults{system.paging.fault.type=major}"] = number(row[1])
		case "pswpin":
			out["system.paging.operations{system.paging.direction=in,system.paging.fault.type=major}"] = number(row[1])
		}
	}
	for _, row := range fields("/proc/diskstats") {
		// A whole disk that is hardware stands on a device of its own.
		if _, err := os.Stat("/sys/block/" + row[2] + "/device"); err != nil {
			continue
		}
		device := ",system.device=" + row[2] + "}"
		out["system.disk.io{disk.io.direction=read"+device] = number(row[5]) * 512
		out["system.disk.io{disk.io.direction=write"+device] = number(row[9]) * 512
		out["system.disk.operations{disk.io.direction=read"+device] = number(row[3])
	}
	for _, row := range fields("/proc/net/dev")[2:] {
		name := strings.TrimSuffix(row[0], ":")
		out["system.network.io{network.interface.name="+name+",network.io.direction=receive}"] = number(row[1])
		out["system.network.io{network.interface.name="+name+",network.io.direction=transmit}"] = number(row[9])
		out["system.network.packet.count{network.io.direction=receive,system.device="+name+"}"] = number(row[2])
	}
	return out
}

// TestFiguresAreTheKernels runs the distribution and compares counters with what the test reads before and after, and levels with what
// stands still.
func TestFiguresAreTheKernels(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	dir, port := t.TempDir(), freePort(t)
	before := kernel(t)
	c := start(t, dir, fmt.Sprintf(everything, port))
	var got []pmetric.Metrics
	eventually(t, "three batches in the file", func() (err error) {
		if got, err = batches(filepath.Join(dir, "metrics.jsonl")); err == nil && len(got) < 3 {
			err = fmt.Errorf("only %d batches", len(got))
		}
		return err
	})
	var series map[string]float64
	eventually(t, "the Prometheus endpoint", func() (err error) { series, err = scrapePrometheus(port); return err })
	after := kernel(t)

	points := pointsOf(got[len(got)-1])
	for name, low := range before {
		p, ok := points[name]
		if !assert.True(t, ok, "%s is missing", name) {
			continue
		}
		assert.GreaterOrEqual(t, p.value, low, name)
		assert.LessOrEqual(t, p.value, after[name], name)
		assert.Less(t, p.start, p.at, name)
		assert.True(t, p.metric.Sum().IsMonotonic(), name)
	}
	checkLevels(t, points)
	assert.InDelta(t, points["system.memory.limit"].value, series["system_memory_limit_bytes"], 0)
	assert.GreaterOrEqual(t, series[`system_cpu_time_seconds_total{cpu_mode="user"}`], before["system.cpu.time{cpu.mode=user}"])
	assert.LessOrEqual(t, series[`system_cpu_time_seconds_total{cpu_mode="user"}`], after["system.cpu.time{cpu.mode=user}"])

	asked := time.Now()
	require.NoError(t, c.stop(t, syscall.SIGTERM), "SIGTERM must end it with status 0")
	assert.Less(t, time.Since(asked), patience)
	assert.Empty(t, c.output.String(), "nothing to warn of on a healthy host")
}

// checkLevels compares figures that hold still, or that must agree with one another.
func checkLevels(t *testing.T, points map[string]point) {
	t.Helper()
	var total float64
	for _, state := range []string{"used", "free", "buffers", "cached"} {
		total += points["system.memory.usage{system.memory.state="+state+"}"].value
	}
	assert.InDelta(t, points["system.memory.limit"].value, total, 0, "memory states sum to the limit")

	var share float64
	for name, p := range points {
		if strings.HasPrefix(name, "system.cpu.utilization{") {
			share += p.value
		}
	}
	assert.InDelta(t, 1, share, 1e-9, "CPU shares sum to 1")

	var count float64
	for name, p := range points {
		if strings.HasPrefix(name, "system.process.count{") {
			count += p.value
		}
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	assert.InDelta(t, len(dirs), count, 50, "processes")

	out, err := exec.Command("df", "-B1", "--output=size,used", "/").Output()
	require.NoError(t, err)
	df := strings.Fields(strings.Split(strings.TrimSpace(string(out)), "\n")[1])
	size, err := strconv.ParseFloat(df[0], 64)
	require.NoError(t, err)
	found := false
	for name, p := range points {
		if strings.HasPrefix(name, "system.filesystem.limit{") && strings.Contains(name, "mountpoint=/,") {
			found = true
			assert.InDelta(t, size, p.value, 0, name)
		}
	}
	assert.True(t, found, "the root file system is missing")
}

func TestTakenPortIsToldByName(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	first := start(t, dir, fmt.Sprintf(everything, port))
	eventually(t, "the first collector listens", func() error { _, err := scrapePrometheus(port); return err })
	second := start(t, t.TempDir(), fmt.Sprintf(everything, port))
	select {
	case err := <-second.exited:
		require.Error(t, err)
	case <-time.After(patience):
		t.Fatal("the second collector runs on a port that is taken")
	}
	assert.Contains(t, second.output.String(), "address already in use")
	assert.Contains(t, second.output.String(), strconv.Itoa(port))
	require.NoError(t, first.stop(t, interrupt))
}
