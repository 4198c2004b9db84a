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

// kernels are the series of Debian that are tested.
var kernels = []string{"6.1", "6.12"}

// scenario is a test that runs in a machine, after others and before others.
type scenario struct {
	name string
	test func(*testing.T, *machine.Machine)
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, gone := range faultsThatAreGone() {
		fmt.Fprintln(os.Stderr, gone)
		code = 1
	}
	os.Exit(code)
}

// inEachKernel boots a machine for each series and runs the scenarios in it, in turn: one machine takes all cores of a small host.
func inEachKernel(t *testing.T, scenarios []scenario) {
	t.Helper()
	collector := os.Getenv("OTELCOL_PSUTIL")
	if collector == "" {
		t.Skip("OTELCOL_PSUTIL names no binary: run `make vmtest`, which builds it") //nolint:forbidigo // `go test ./...` alone has none.
	}
	agent := buildAgent(t)
	for _, series := range kernels {
		t.Run(series, func(t *testing.T) {
			vm := boot(t, series, machine.Guest{Collector: collector, Agent: agent})
			for _, s := range scenarios {
				inScenario(t, series, vm, s)
			}
		})
	}
}

// inScenario runs one scenario, says what came of it, and whether it passed.
func inScenario(t *testing.T, series string, vm *machine.Machine, s scenario) bool {
	t.Helper()
	return t.Run(s.name, func(t *testing.T) {
		began := time.Now()
		machine.Progress(series, "%s …", s.name)
		s.test(t, vm)
		result := "passed"
		if t.Failed() {
			result = "FAILED"
		}
		machine.Progress(series, "%s %s in %v", s.name, result, time.Since(began).Round(100*time.Millisecond))
	})
}

func buildAgent(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "guest")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// boot starts a machine that ends with the test. What the test leaves is kept if it fails.
func boot(t *testing.T, series string, g machine.Guest) *machine.Machine {
	t.Helper()
	k, err := machine.FindKernel(series)
	require.NoError(t, err)
	cache, err := machine.Cache()
	require.NoError(t, err)
	folder, err := os.MkdirTemp(cache, "run-"+series+"-") //nolint:usetesting // It is kept if the test fails.
	require.NoError(t, err)
	vm, err := machine.Boot(k, g, folder)
	if err != nil {
		t.Fatalf("%v\nkept: %s", err, folder)
	}
	t.Cleanup(func() {
		vm.Close()
		complain(t, vm)
		if t.Failed() {
			machine.Progress(series, "console, logs and metrics are kept in %s", folder)
			return
		}
		require.NoError(t, os.RemoveAll(folder))
	})
	return vm
}

// complain fails the test if the guest's kernel has had an accident, for then nothing else can be believed.
func complain(t *testing.T, vm *machine.Machine) {
	t.Helper()
	for line := range strings.Lines(vm.Console()) {
		for _, accident := range []string{"Kernel panic", "BUG:", "Oops:"} {
			if strings.Contains(line, accident) {
				t.Errorf("the guest's kernel says: %s", line)
			}
		}
	}
}

// run runs a shell script in the guest, up to the first command that fails.
func run(t *testing.T, vm *machine.Machine, format string, args ...any) string {
	t.Helper()
	out, err := vm.Run("sh", "-ec", fmt.Sprintf(format, args...))
	require.NoError(t, err)
	return strings.TrimSpace(out)
}

// eventually waits for a shell condition in the guest.
func eventually(t *testing.T, vm *machine.Machine, condition string) {
	t.Helper()
	run(t, vm, "i=0; until %s; do i=$((i+1)); [ $i -lt 300 ] || { echo 'never: %s'; exit 1; }; sleep 0.1; done", condition, strings.ReplaceAll(condition, "'", ""))
}
