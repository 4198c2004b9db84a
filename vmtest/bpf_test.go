package vmtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
)

const (
	// readerPackage has the reader of processes by programs in the kernel, with tests that hold it against /proc, and against what parents of processes that ended know.
	readerPackage = "./psutilreceiver/internal/process/read/bpf"
	// readerLimit is how long these tests may take in a machine that is emulated.
	readerLimit = 10 * time.Minute
)

// TestProcessReader runs the tests of the reader of processes by BPF in each kernel, with control groups of version 2, and of both versions. It also boots the
// oldest kernel that Debian has of those that the reader promises to run on.
func TestProcessReader(t *testing.T) {
	if os.Getenv("VMTEST_BPF") == "" || os.Getenv("OTELCOL_PSUTIL") == "" {
		t.Skip("run `make vmtest-bpf`") //nolint:forbidigo // It takes long.
	}
	folder := t.TempDir()
	build := exec.Command("go", "test", "-c", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(folder, "bpf.test"), readerPackage)
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	agent := buildAgent(t)
	for _, series := range append([]string{"5.10"}, kernels...) {
		t.Run(series, func(t *testing.T) {
			vm := boot(t, series, machine.Guest{Collector: os.Getenv("OTELCOL_PSUTIL"), Agent: agent, Folder: folder})
			for _, s := range []scenario{{"version 2", testReader}, {"distribution", testReaderOfDistribution}, {"hybrid", testReaderHybrid}} {
				inScenario(t, series, vm, s)
			}
		})
	}
}

// testReaderHybrid has controllers of version 1 beside a hierarchy of version 2 without any, as systemd had it before 2021.
func testReaderHybrid(t *testing.T, vm *machine.Machine) {
	t.Helper()
	run(t, vm, `umount /sys/fs/cgroup; mount -t tmpfs tmpfs /sys/fs/cgroup; cd /sys/fs/cgroup; mkdir unified pids
mount -t cgroup2 cgroup2 unified; mount -t cgroup -o pids cgroup pids`)
	testReader(t, vm)
}

func testReader(t *testing.T, vm *machine.Machine) {
	t.Helper()
	for _, test := range ofKernel {
		inScenario(t, vm.Kernel.Series, vm, scenario{test, func(t *testing.T, vm *machine.Machine) {
			t.Helper()
			log := "/run/" + test + itoa(len(t.Name())) + ".log"
			pid, err := vm.Start(log, 0, "sh", "-c", fmt.Sprintf(
				"cd /tmp && REQUIRE_ROOT=1 READER_STARTS=2 PROCESS_LOAD_PAUSES=30 PROCESS_SCRAPES=%s STORM_PROCESSES=%s exec /packages/bpf.test -test.v -test.timeout %v -test.run '^%s$'",
				fromEnvironment("VMTEST_SCRAPES", "800"), fromEnvironment("VMTEST_STORM", "300"), readerLimit, test))
			require.NoError(t, err)
			code, err := vm.Wait(pid, readerLimit)
			text, fetched := vm.Fetch(log)
			t.Logf("%s", text)
			require.NoError(t, err)
			require.NoError(t, fetched)
			require.Zero(t, code)
		}})
	}
}

// ofKernel are the tests that depend on the kernel, the shortest first.
var ofKernel = []string{
	"TestVerifierAcceptsEachProgram", "TestThisProcess", "TestEndOfAProcessThatNoScanSaw", "TestGroupOfAProcessThatMoves", "TestEndsOfAStorm",
	"TestNothingIsLeftAfterAKill", "TestEndedProcessesLeaveNothingInTheMaps", "TestEachValueIsBetweenThoseOfProc", "TestNothingIsLeftAfterClose",
}

// readerConfig reads processes by what is given, and says so.
const readerConfig = `
receivers:
  psutil: {collection_interval: 1s, scrapers: {process: {collection_interval: 1s, reader: %s}}}
exporters:
  file: {path: metrics.jsonl, append: true, flush_interval: 100ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: info, encoding: console}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file]}
`

// testReaderOfDistribution kills the distribution while it reads by BPF, with what can't be caught: nothing stays in the kernel. It then runs it as a user
// who may not load programs: it reads /proc, and says so once.
func testReaderOfDistribution(t *testing.T, vm *machine.Machine) {
	t.Helper()
	const programs = "PROCESS_TEST_ROLE=programs /packages/bpf.test"
	require.Empty(t, run(t, vm, programs))
	c := startCollector(t, vm, fmt.Sprintf(readerConfig, "bpf"))
	c.batches(t, 2)
	require.Contains(t, run(t, vm, programs), "process_releas") // The kernel keeps 15 bytes of a name.
	require.NoError(t, vm.Signal(c.pid, syscall.SIGKILL))
	_, err := vm.Wait(c.pid, stopLimit)
	require.NoError(t, err)
	c.stopped = true
	eventually(t, vm, `[ -z "$(`+programs+`)" ]`)

	run(t, vm, "rm -rf %s", c.folder)
	c = startCollectorAs(t, vm, fmt.Sprintf(readerConfig, "auto"), "nobody")
	c.batches(t, 3)
	require.Empty(t, run(t, vm, programs))
	c.stop(t)
	var said []string
	for line := range strings.Lines(c.log(t)) {
		if strings.Contains(line, "BPF") {
			said = append(said, line)
		}
	}
	require.Len(t, said, 1, "%s", c.log(t))
	assert.Contains(t, said[0], "Processes are read from /proc")
}

func fromEnvironment(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
