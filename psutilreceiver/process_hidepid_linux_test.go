package psutilreceiver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// rootVariable is the root directory of the host for a part that is played below another one.
const rootVariable = "PSUTIL_TEST_ROOT"

const nobody = 65534

// playHidden mounts a procfs that hides the processes of others, in a mount namespace of its own, and lets an unprivileged onlooker see it.
func playHidden() error {
	proc := filepath.Join(os.Getenv(rootVariable), "proc")
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	if err := syscall.Mount("proc", proc, "proc", 0, "hidepid=2"); err != nil {
		fmt.Println("skip: the kernel mounts no procfs with hidepid here:", err)
		return nil
	}
	onlooker := part(os.Args[0], "onlooker")
	onlooker.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	onlooker.Stdout, onlooker.Stderr = os.Stdout, os.Stderr
	return onlooker.Run()
}

// playOnlooker runs the receiver for one scrape and prints what it logs, and how many processes it shows.
func playOnlooker() error {
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = os.Getenv(rootVariable)
	cfg.InitialDelay = 0
	cfg.Scrapers = offeredScrapers()
	process := cfg.Scrapers.Process.GetOrInsertDefault()
	process.Top.N, process.Reader = 0, ProcessReaderProc
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	batches := make(chan pmetric.Metrics, 1)
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		batches <- md
		return nil
	})
	if err != nil {
		return err
	}
	r, err := newReceiver(set, cfg, next)
	if err != nil {
		return err
	}
	if err := r.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		return err
	}
	got := processValuesIn(<-batches)
	if err := r.Shutdown(context.Background()); err != nil {
		return err
	}
	for _, entry := range logs.All() {
		fmt.Printf("%s: %s\n", entry.Level, entry.Message)
	}
	for pid := range got["process.memory.usage"] {
		if pid != otherGroup {
			fmt.Println("shown:", pid)
		}
	}
	return nil
}

// TestHiddenProcessesAreLoggedOnce: under hidepid an unprivileged collector sees only its own user's processes, and logs that in one line.
func TestHiddenProcessesAreLoggedOnce(t *testing.T) {
	testenv.Root(t, "mounts a procfs and gives up privileges")
	root := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(root), 0o755))
	require.NoError(t, os.Chmod(root, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	binary, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	program := filepath.Join(root, "self")
	require.NoError(t, os.WriteFile(program, binary, 0o755))

	neighbour := exec.Command("sleep", "600")
	neighbour.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	require.NoError(t, neighbour.Start())
	t.Cleanup(func() {
		_ = neighbour.Process.Kill()
		_ = neighbour.Wait()
	})
	hidden := part(program, "hidden", rootVariable+"="+root)
	hidden.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := hidden.CombinedOutput()
	if err != nil && strings.Contains(err.Error(), "operation not permitted") {
		testenv.Missing(t, "no mount namespaces: %v", err)
	}
	require.NoError(t, err, string(out))
	if reason, ok := strings.CutPrefix(string(out), "skip: "); ok {
		testenv.Missing(t, "%s", reason)
	}
	var logged, shown []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if pid, ok := strings.CutPrefix(line, "shown: "); ok {
			shown = append(shown, pid)
		} else {
			logged = append(logged, line)
		}
	}
	require.Len(t, logged, 1, "one line, and no warning")
	t.Log(logged[0])
	assert.Contains(t, logged[0], "info: Some metrics of processes are left out")
	assert.Contains(t, logged[0], "hidepid=invisible")
	assert.Contains(t, logged[0], "CAP_SYS_PTRACE")
	assert.Contains(t, shown, strconv.Itoa(neighbour.Process.Pid), "of the same user")
	assert.NotContains(t, shown, strconv.Itoa(os.Getpid()), "of root")
	assert.NotContains(t, shown, "1")
}
