package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// presetOf is a collector with one scraper, the rules of the preset, and files for what comes in and what they say.
const presetOf = `
receivers: {psutil: {collection_interval: 250ms, initial_delay: 0s, scrapers: {%s}}}
connectors: {alert: {preset: {host: {override: {cpu: {for: 0s}, memory: {for: 0s}}}}, evaluation_interval: 1s, defaults: {flapping: {enabled: false}}}}
exporters:
  file/metrics: {path: metrics.jsonl, flush_interval: 50ms}
  file/alerts: {path: alerts.jsonl, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file/metrics, alert]}
    logs: {receivers: [alert], exporters: [file/alerts]}
`

// TestBurnedCPURaisesOneAlert burns all CPUs of this host. Other load may come and go, so that the records are held against what the
// values that came out beside them ask for.
func TestBurnedCPURaisesOneAlert(t *testing.T) {
	dir := t.TempDir()
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	c := harness.Start(t, dir, fmt.Sprintf(presetOf, "cpu: {}"))
	harness.NthBatch(t, filepath.Join(dir, "metrics.jsonl"), 3)
	var burners []*exec.Cmd
	for range 2 * runtime.NumCPU() {
		cmd := exec.Command("sh", "-c", burn)
		startFor(t, cmd)
		burners = append(burners, cmd)
	}
	alerts.Until(t, "a critical record", func() bool {
		records := alerts.Of(t, "cpu")
		return len(records) > 0 && records[len(records)-1].Severity() == "critical"
	})
	for _, cmd := range burners {
		end(cmd)
	}
	stopped := len(busyShares(t, dir))
	harness.Eventually(t, "the host comes to rest, or will not", func() error {
		shares := busyShares(t, dir)
		if n := len(shares); n < stopped+20 && (n < stopped+4 || shares[n-1] > 0.7) {
			return fmt.Errorf("%v of the CPUs is busy", shares[max(0, n-1):])
		}
		return nil
	})
	require.NoError(t, c.Stop(t, syscall.SIGTERM))

	shares := busyShares(t, dir)
	var want []string
	level := 0
	names := []string{"", "warning", "critical"}
	for _, busy := range shares {
		before := level
		if level = ladder(level, busy); level == before {
			continue
		}
		transition := "escalate"
		switch {
		case before == 0:
			transition = "fire"
		case level == 0:
			transition = "resolve"
		case level < before:
			transition = "deescalate"
		}
		name := names[level]
		if level == 0 {
			name = names[before]
		}
		want = append(want, transition+" "+name)
	}
	require.NotEmpty(t, want)
	assert.Equal(t, want, harness.TransitionsOf(t, alerts.Of(t, "cpu")), "of %v", shares)
}

// ladder is the preset's for the CPU, written again: above 80 % warns until 70 %, above 95 % is critical until 85 %.
func ladder(level int, busy float64) int {
	switch {
	case busy > 0.95:
		return 2
	case level == 2 && busy > 0.85:
		return 2
	case busy > 0.8, level > 0 && busy > 0.7:
		return 1
	default:
		return 0
	}
}

// busyShares gives the share of CPU time that was not idle, in each batch that has one.
func busyShares(t *testing.T, dir string) (shares []float64) {
	t.Helper()
	all, err := harness.Batches(filepath.Join(dir, "metrics.jsonl"))
	require.NoError(t, err)
	for _, md := range all {
		if idle, ok := harness.PointsOf(md)["system.cpu.utilization{cpu.mode=idle}"]; ok {
			shares = append(shares, 1-idle.Value)
		}
	}
	return shares
}

// mounting gives a command that mounts a small tmpfs where only the collector sees it, and becomes the collector. The mount ends with
// it.
func mounting(t *testing.T, mountpoint, config string) *exec.Cmd {
	t.Helper()
	testenv.Root(t, "mounts a filesystem")
	command := func(program ...string) *exec.Cmd {
		cmd := exec.Command("sh", append([]string{"-c", `mount -t tmpfs -o size=16m none "$0" && exec "$@"`, mountpoint}, program...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		return cmd
	}
	if out, err := command("true").CombinedOutput(); err != nil {
		testenv.Missing(t, "no mount namespace with a tmpfs: %v %s", err, out)
	}
	return command(harness.Binary(t), "--config", config)
}

const tmpfsSize = 16 << 20

// within waits until a process of mounting has its file system, and gives the way to it from here.
func within(t *testing.T, c *harness.Process, mountpoint string) (path string) {
	t.Helper()
	path = fmt.Sprintf("/proc/%d/root%s", c.PID(), mountpoint)
	harness.Eventually(t, "the mount", func() error {
		var st unix.Statfs_t
		if err := unix.Statfs(path, &st); err != nil {
			return err
		}
		if size := st.Blocks * uint64(st.Bsize); size != tmpfsSize {
			return fmt.Errorf("%d bytes", size)
		}
		return nil
	})
	return path
}

// fill takes a share of a file system of mounting.
func fill(t *testing.T, path string, share float64) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, unix.Fallocate(int(f.Fd()), 0, 0, int64(share*tmpfsSize)))
	require.NoError(t, f.Close())
}

func TestFilledFilesystemClimbsTheLadder(t *testing.T) {
	dir, mountpoint := t.TempDir(), t.TempDir()
	config := filepath.Join(dir, "collector.yaml")
	command := mounting(t, mountpoint, config)
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, presetOf,
		fmt.Sprintf("filesystem: {include_virtual_filesystems: true, include_mount_points: {mount_points: [%q]}}", mountpoint)), 0o600))
	c := harness.Run(t, dir, command)
	path, alerts := within(t, c, mountpoint), harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	harness.NthBatch(t, filepath.Join(dir, "metrics.jsonl"), 2)
	require.Empty(t, alerts.Read(t), "an empty file system is no reason")

	fill(t, filepath.Join(path, "first"), 0.9)
	alerts.Await(t, "disk", "fire", 1)
	fill(t, filepath.Join(path, "second"), 0.08)
	alerts.Await(t, "disk", "escalate", 1)
	// Space is given back page by page; no scrape is to see that.
	require.NoError(t, c.Signal(syscall.SIGSTOP))
	require.NoError(t, os.Remove(filepath.Join(path, "first")))
	require.NoError(t, os.Remove(filepath.Join(path, "second")))
	require.NoError(t, c.Signal(syscall.SIGCONT))
	alerts.Await(t, "disk", "resolve", 1)
	require.NoError(t, c.Stop(t, syscall.SIGTERM))

	records := alerts.Read(t)
	require.Equal(t, []string{"fire warning", "escalate critical", "resolve critical"}, harness.TransitionsOf(t, records))
	for i, bounds := range [][2]float64{{0.85, 0.901}, {0.95, 0.981}, {0, 0.01}} {
		assert.Equal(t, mountpoint, records[i].Attributes["system.filesystem.mountpoint"])
		assert.Equal(t, "tmpfs", records[i].Attributes["system.filesystem.type"])
		assert.Contains(t, records[i].Body, mountpoint)
		value, err := strconv.ParseFloat(records[i].Attributes["alert.value"], 64)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, value, bounds[0])
		assert.LessOrEqual(t, value, bounds[1])
	}
	assert.Equal(t, []string{"0.85", "0.95", "0.8"}, []string{
		records[0].Attributes["alert.threshold"], records[1].Attributes["alert.threshold"], records[2].Attributes["alert.threshold"],
	})
}

func TestSwapInUseRaisesAnAlert(t *testing.T) {
	testenv.Root(t, "adds swap")
	dir := t.TempDir()
	swap := filepath.Join(dir, "swap")
	require.NoError(t, os.WriteFile(swap, make([]byte, 16<<20), 0o600))
	for _, command := range [][]string{{"mkswap", swap}, {"swapon", "-p", "32767", swap}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			testenv.Missing(t, "no swap can be added: %v: %v %s", command, err, out)
		}
	}
	t.Cleanup(func() { assert.NoError(t, exec.Command("swapoff", swap).Run()) })
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	c := harness.Start(t, dir, fmt.Sprintf(presetOf, "paging: {}"))
	harness.NthBatch(t, filepath.Join(dir, "metrics.jsonl"), 2)

	memory, err := unix.Mmap(-1, 0, 12<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	require.NoError(t, err)
	for range 100 { // Pages that are in use at the moment stay.
		if err = unix.Madvise(memory, unix.MADV_PAGEOUT); err != nil || swapUsed(t, swap) > 10<<20 {
			break
		}
	}
	if used := swapUsed(t, swap); used < 10<<20 {
		_ = unix.Munmap(memory)
		testenv.Missing(t, "the kernel swaps nothing out: %d bytes in swap, %v", used, err)
	}
	ours := func() (records []harness.AlertRecord) {
		for _, r := range alerts.Of(t, "swap") {
			if r.Attributes["system.device"] == swap {
				records = append(records, r)
			}
		}
		return records
	}
	alerts.Until(t, "the alert", func() bool { return len(ours()) > 0 })
	require.NoError(t, unix.Munmap(memory))
	alerts.Until(t, "its end", func() bool { return len(ours()) > 1 })
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	assert.Equal(t, []string{"fire warning", "resolve warning"}, harness.TransitionsOf(t, ours()))
}

// swapUsed gives the bytes that are in a swap file.
func swapUsed(t *testing.T, path string) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/swaps")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); fields[0] == path {
			used, err := strconv.ParseInt(fields[3], 10, 64)
			require.NoError(t, err)
			return used << 10
		}
	}
	require.Failf(t, "no such swap", "%s in %s", path, text)
	return 0
}
