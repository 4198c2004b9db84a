package vmtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	if os.Getenv("VMTEST_BPF") == "" {
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
			vm := boot(t, series, machine.Guest{Agent: agent, Folder: folder})
			for _, s := range []scenario{{"version 2", func(t *testing.T, vm *machine.Machine) { t.Helper(); testReader(t, vm) }}, {"hybrid", testReaderHybrid}} {
				inScenario(t, series, vm, s)
			}
		})
	}
}

// testReaderHybrid has controllers of version 1 beside a hierarchy of version 2 without any, as systemd had it before 2021.
func testReaderHybrid(t *testing.T, vm *machine.Machine) {
	t.Helper()
	run(t, vm, `umount /sys/fs/cgroup; mount -t tmpfs tmpfs /sys/fs/cgroup; cd /sys/fs/cgroup; mkdir unified pids memory
mount -t cgroup2 cgroup2 unified; mount -t cgroup -o pids cgroup pids; mount -t cgroup -o memory cgroup memory`)
	testReader(t, vm)
}

func testReader(t *testing.T, vm *machine.Machine) {
	t.Helper()
	skip := ""
	if vm.Kernel.Series == "5.10" {
		skip = "TestBothFormsOfTheIteratorLoad" // It has no bpf_loop.
	}
	out, err := vm.RunWithin(readerLimit, "sh", "-c", fmt.Sprintf(
		"cd /tmp && REQUIRE_ROOT=1 PROCESS_SCRAPES=%s STORM_PROCESSES=%s /packages/bpf.test -test.v -test.timeout %v -test.skip '%s' 2>&1",
		fromEnvironment("VMTEST_SCRAPES", "4000"), fromEnvironment("VMTEST_STORM", "1000"), readerLimit, skip))
	for line := range strings.Lines(out) {
		t.Log(strings.TrimRight(line, "\n"))
	}
	require.NoError(t, err)
}

func fromEnvironment(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
