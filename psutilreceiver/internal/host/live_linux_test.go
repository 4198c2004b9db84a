package host

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// The tests of this file compare the statistics of the machine they run on with the kernel's text, read by the test itself, and against
// gopsutil where it is right.

func liveHost(t *testing.T) *Host {
	t.Helper()
	h, err := New("")
	require.NoError(t, err)
	h.Begin()
	return h
}

// kernelText reads a file below / with the standard library.
func kernelText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("/" + name)
	require.NoError(t, err)
	return string(text)
}

// valueOf gives the number in the line of text that begins with key.
func valueOf(t *testing.T, text, key string) int64 {
	t.Helper()
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 1 && f[0] == key {
			v, err := strconv.ParseInt(f[1], 10, 64)
			require.NoError(t, err)
			return v
		}
	}
	require.Fail(t, "no such line", key)
	return 0
}

func TestLiveCPU(t *testing.T) {
	h := liveHost(t)
	before := kernelText(t, "proc/stat")
	sample, err := h.CPU()
	require.NoError(t, err)
	kernel, err := h.Kernel()
	require.NoError(t, err)
	after := kernelText(t, "proc/stat")

	for key, got := range map[string]int64{
		"ctxt": kernel.ContextSwitches, "intr": kernel.Interrupts, "softirq": kernel.SoftInterrupts, "processes": kernel.Forks,
	} {
		assert.GreaterOrEqual(t, got, valueOf(t, before, key), key)
		assert.LessOrEqual(t, got, valueOf(t, after, key), key)
	}
	user := sample.Total.User * proctext.TicksPerSecond
	assert.GreaterOrEqual(t, user+0.5, float64(valueOf(t, before, "cpu")))
	assert.LessOrEqual(t, user-0.5, float64(valueOf(t, after, "cpu")))

	logical, err := cpu.Counts(true)
	require.NoError(t, err)
	assert.Len(t, sample.PerCPU, logical)
	if cores, err := h.PhysicalCPUs(); err == nil {
		want, err := cpu.Counts(false)
		require.NoError(t, err)
		assert.Equal(t, want, cores)
	}
}

func TestLiveMemory(t *testing.T) {
	h := liveHost(t)
	before, err := mem.VirtualMemory()
	require.NoError(t, err)
	m, err := h.Memory()
	require.NoError(t, err)
	after, err := mem.VirtualMemory()
	require.NoError(t, err)

	assert.Equal(t, before.Total, uint64(m.Total))
	drift := m.Total / 8 // What other programs take or give back in between.
	assert.GreaterOrEqual(t, m.Available, int64(min(before.Available, after.Available))-drift)
	assert.LessOrEqual(t, m.Available, int64(max(before.Available, after.Available))+drift)
	assert.Equal(t, valueOf(t, kernelText(t, "proc/meminfo"), "MemTotal:")*1024, m.Total)
	checkStates(t, &m)
}

func TestLiveLoad(t *testing.T) {
	h := liveHost(t)
	before, err := load.Avg()
	require.NoError(t, err)
	got, err := h.Load()
	require.NoError(t, err)
	after, err := load.Avg()
	require.NoError(t, err)
	ours := fmt.Sprint(got.Avg1, got.Avg5, got.Avg15)
	assert.Contains(t, []string{
		fmt.Sprint(before.Load1, before.Load5, before.Load15), fmt.Sprint(after.Load1, after.Load5, after.Load15),
	}, ours, "the kernel recomputes them every five seconds")
}

func TestLivePaging(t *testing.T) {
	h := liveHost(t)
	before := kernelText(t, "proc/vmstat")
	vm, err := h.VM()
	require.NoError(t, err)
	after := kernelText(t, "proc/vmstat")
	for key, got := range map[string]int64{
		"pgfault": vm.Faults, "pgmajfault": vm.MajorFaults, "pswpin": vm.SwappedIn, "pswpout": vm.SwappedOut, "oom_kill": vm.OOMKills,
	} {
		assert.GreaterOrEqual(t, got, valueOf(t, before, key), key)
		assert.LessOrEqual(t, got, valueOf(t, after, key), key)
	}

	swaps, err := h.Swaps()
	require.NoError(t, err)
	assert.Len(t, swaps, strings.Count(kernelText(t, "proc/swaps"), "\n")-1)
	var total int64
	for _, s := range swaps {
		total += s.Size
	}
	assert.Equal(t, valueOf(t, kernelText(t, "proc/meminfo"), "SwapTotal:")*1024, total)
}

func TestLiveUptime(t *testing.T) {
	h := liveHost(t)
	before, err := host.Uptime()
	require.NoError(t, err)
	up, err := h.Uptime()
	require.NoError(t, err)
	after, err := host.Uptime()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, up, time.Duration(before-1)*time.Second, "sysinfo(2), which gopsutil calls, rounds up")
	assert.LessOrEqual(t, up, time.Duration(after)*time.Second)

	boot, err := h.BootTime(time.Now())
	require.NoError(t, err)
	assert.WithinDuration(t, time.Unix(valueOf(t, kernelText(t, "proc/stat"), "btime"), 0), boot, 2*time.Second)
}

func TestLiveIdentity(t *testing.T) {
	id := liveHost(t).Identity()
	name, err := os.Hostname()
	require.NoError(t, err)
	assert.Equal(t, name, id.Name)
	if machine, err := os.ReadFile("/etc/machine-id"); err == nil {
		assert.Equal(t, string(bytes.TrimSpace(machine)), id.ID)
	}
	for _, mac := range id.MACs {
		assert.Regexp(t, `^([0-9A-F]{2}-){5,}[0-9A-F]{2}$`, mac)
	}
	assert.NotContains(t, id.IPs, "127.0.0.1")
}

func TestLivePressure(t *testing.T) {
	h := liveHost(t)
	for _, r := range resources {
		got, err := h.Pressure(r)
		if err != nil {
			require.ErrorIs(t, err, ErrUnsupported, r)
			continue
		}
		after := kernelText(t, "proc/pressure/"+r.String())
		for kind, stall := range map[string]Stall{"some": got.Some, "full": got.Full} {
			assert.Equal(t, strings.Contains(after, kind+" "), stall.Reported, "%s of %s", kind, r)
			var avg10, avg60, avg300 float64
			var total int64
			for l := range strings.Lines(after) {
				if rest, ok := strings.CutPrefix(l, kind+" "); ok {
					_, err := fmt.Sscanf(rest, "avg10=%f avg60=%f avg300=%f total=%d", &avg10, &avg60, &avg300, &total)
					require.NoError(t, err)
				}
			}
			assert.LessOrEqual(t, stall.Total*1e6, float64(total)+0.5, "%s of %s", kind, r)
			assert.InDelta(t, float64(total), stall.Total*1e6, 5e6, "%s of %s, in microseconds", kind, r)
			assert.InDelta(t, avg300/100, stall.Avg300, 0.05, "%s of %s", kind, r)
		}
	}
}

func TestLiveSystem(t *testing.T) {
	h := liveHost(t)
	handles, err := h.FileHandles()
	require.NoError(t, err)
	assert.Positive(t, handles.Allocated)
	assert.Equal(t, strings.Fields(kernelText(t, "proc/sys/fs/file-nr"))[2], strconv.FormatInt(handles.Limit, 10))
	limits, err := h.TaskLimits()
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(kernelText(t, "proc/sys/kernel/threads-max")), strconv.FormatInt(limits.Threads, 10))
	assert.Equal(t, strings.TrimSpace(kernelText(t, "proc/sys/kernel/pid_max")), strconv.FormatInt(limits.PIDs, 10))
}

func TestLiveLogins(t *testing.T) {
	got, err := liveHost(t).Logins()
	users, want := host.Users()
	if want != nil {
		require.ErrorIs(t, err, ErrUnsupported)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, int64(len(users)), got.Sessions)
}
