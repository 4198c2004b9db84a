package psutilreceiver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// python has psutil if the package python3-psutil is installed.
const python = "/usr/bin/python3"

// psutilScript prints what psutil reports of the processes whose pids are its arguments, a line each.
const psutilScript = `
import json, sys, psutil
for pid in map(int, sys.argv[1:]):
    p = psutil.Process(pid)
    with p.oneshot():
        cpu, memory, io, switches = p.cpu_times(), p.memory_info(), p.io_counters(), p.num_ctx_switches()
        print(json.dumps({
            "pid": pid, "user": cpu.user, "system": cpu.system, "rss": memory.rss, "vms": memory.vms, "shared": memory.shared,
            "threads": p.num_threads(), "fds": p.num_fds(), "read": io.read_bytes, "write": io.write_bytes,
            "rchar": io.read_chars, "wchar": io.write_chars, "voluntary": switches.voluntary, "involuntary": switches.involuntary,
            "nice": p.nice(), "ppid": p.ppid(), "created": p.create_time(), "owner": p.username(), "status": p.status(), "exe": p.exe(),
        }))
`

// psutilProcess is a line of psutilScript.
type psutilProcess struct {
	PID                    int
	User, System           float64
	RSS, VMS, Shared       float64
	Threads, FDs           float64
	Read, Write            float64
	RChar, WChar           float64
	Voluntary, Involuntary float64
	Nice                   float64
	PPID                   int64
	Created                float64
	Owner, Status, Exe     string
}

func askPsutil(t *testing.T, pids []int) []psutilProcess {
	t.Helper()
	args := []string{"-c", psutilScript}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	cmd := exec.Command(python, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var found []psutilProcess
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var p psutilProcess
		require.NoError(t, json.Unmarshal(lines.Bytes(), &p))
		found = append(found, p)
	}
	require.Len(t, found, len(pids))
	return found
}

// attributesByPID returns the resource attributes of each process.
func attributesByPID(md pmetric.Metrics) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, rm := range md.ResourceMetrics().All() {
		if pid, ok := rm.Resource().Attributes().Get("process.pid"); ok {
			all[pid.AsString()] = rm.Resource().Attributes().AsRaw()
		}
	}
	return all
}

// waitForState waits until the state of a process in /proc/[pid]/stat is the given letter.
func waitForState(t *testing.T, pid int, state string) {
	t.Helper()
	require.Eventually(t, func() bool {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err == nil && bytes.Contains(text, []byte(") "+state+" "))
	}, time.Minute, time.Millisecond)
}

// TestProcessesAgreeWithPsutil reads the same live processes, one of them at work, before and after psutil does. What only grows must lie
// between; what may do either must be what one of the readings has, or between them.
func TestProcessesAgreeWithPsutil(t *testing.T) { eachReader(t, agreeWithPsutil) }

func agreeWithPsutil(t *testing.T, reader ProcessReader) {
	t.Helper()
	if exec.Command(python, "-c", "import psutil").Run() != nil {
		testenv.Missing(t, "no psutil: install python3-psutil")
	}
	busy := startChild(t, exec.Command("sh", "-c", `echo ready; while :; do read -r line </proc/self/stat; done`))
	require.Equal(t, "ready", busy.answer())
	idle := startChild(t, exec.Command("nice", "-n", "7", "sh", "-c", "exec 5</etc/passwd 6</dev/null; echo ready; read -r line"))
	require.Equal(t, "ready", idle.answer())
	stopped := startChild(t, exec.Command("sh", "-c", `echo ready; kill -STOP $$; read -r line`))
	require.Equal(t, "ready", stopped.answer())
	waitForState(t, idle.cmd.Process.Pid, "S") // A shell that has answered is not yet in its read.
	waitForState(t, stopped.cmd.Process.Pid, "T")
	pids := []int{os.Getpid(), busy.cmd.Process.Pid, idle.cmd.Process.Pid, stopped.cmd.Process.Pid}

	live, first := watchProcessBatches(t, TemporalityCumulative, func(c *Config, p *ProcessConfig) {
		for _, pid := range pids {
			p.Include.PIDs = append(p.Include.PIDs, int32(pid))
		}
		p.Top.N, p.Other, p.Reader = 0, false, reader
		c.Metrics.ProcessMemoryShared.Enabled = true
		c.Metrics.ProcessIoLogical.Enabled = true
		c.Metrics.ProcessContextSwitches.Enabled = true
		c.Metrics.ProcessUnixFileDescriptorCount.Enabled = true
		c.Metrics.ProcessNice.Enabled = true
		c.Metrics.ProcessStatus.Enabled = true
		c.ResourceAttributes.ProcessExecutablePath.Enabled = true
	})
	attributes := attributesByPID(first)
	before := processValuesIn(first)
	psutil := askPsutil(t, pids)
	after := live.scrape()
	for _, p := range psutil {
		steady := p.PID == idle.cmd.Process.Pid || p.PID == stopped.cmd.Process.Pid
		comparePsutil(t, &p, reader, steady, before, after, attributes[strconv.Itoa(p.PID)])
	}
}

func comparePsutil(t *testing.T, p *psutilProcess, reader ProcessReader, steady bool, before, after batchValues, attributes map[string]any) {
	t.Helper()
	pid := strconv.Itoa(p.PID)
	self := p.PID == os.Getpid()
	within := func(metric string, value, least, most float64) {
		t.Helper()
		require.Contains(t, before[metric], pid, metric)
		a, b := before[metric][pid], after[metric][pid]
		assert.GreaterOrEqual(t, value, min(a, b)-least-1e-6, "%s of %s", metric, p.Exe)
		assert.LessOrEqual(t, value, max(a, b)+most+1e-6, "%s of %s", metric, p.Exe)
	}
	between := func(metric string, value float64) {
		t.Helper()
		within(metric, value, 0, 0)
	}
	if reader == ProcessReaderBPF {
		// It gives microseconds and psutil whole ticks, of which each reading of /proc decides again how they are split.
		within("process.cpu.time/user", p.User, 2*tickSeconds, tickSeconds)
		within("process.cpu.time/system", p.System, 2*tickSeconds, tickSeconds)
	} else {
		between("process.cpu.time/user", p.User)
		between("process.cpu.time/system", p.System)
	}
	between("process.disk.io/read", p.Read)
	between("process.disk.io/write", p.Write)
	between("process.io.logical/read", p.RChar)
	between("process.io.logical/write", p.WChar)
	between("process.memory.virtual", p.VMS)
	between("process.nice", p.Nice)
	if !self { // This process opens and maps things meanwhile: the pipes of psutil, for one.
		between("process.thread.count", p.Threads)
		between("process.memory.usage", p.RSS)
		between("process.memory.shared", p.Shared)
		if steady { // The one at work opens and closes a file all the time.
			between("process.unix.file_descriptor.count", p.FDs)
		}
		// psutil counts the switches of the first thread; these have but one.
		between("process.context_switches/voluntary", p.Voluntary)
		between("process.context_switches/involuntary", p.Involuntary)
	}
	states := map[string]string{"running": "running", "sleeping": "sleeping", "disk-sleep": "sleeping", "stopped": "stopped"}
	assert.Contains(t, states, p.Status)
	if state := "process.status/" + states[p.Status]; steady { // The others come and go between states.
		assert.InDelta(t, 2, before[state][pid]+after[state][pid], 0, state)
	}
	assert.Equal(t, p.PPID, attributes["process.parent_pid"])
	assert.Equal(t, p.Owner, attributes["process.owner"])
	assert.Equal(t, p.Exe, attributes["process.executable.path"])
	u, err := user.Current()
	require.NoError(t, err)
	assert.Equal(t, u.Username, attributes["process.owner"])
	created, err := time.Parse(time.RFC3339, attributes["process.creation.time"].(string))
	require.NoError(t, err)
	// psutil counts from the btime of /proc/stat, which is cut to the second.
	assert.InDelta(t, p.Created, float64(created.UnixMilli())/1000, 1.1)
}
