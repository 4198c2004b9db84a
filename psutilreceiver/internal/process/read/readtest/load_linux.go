package readtest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// The main function of a process in a role runs on its first thread, so that it can end it, or have its credentials.
func init() {
	if proctest.Role() != "" {
		runtime.LockOSThread()
	}
}

// loadRole is the role of a process of the mixture; loadVariable names the environment variable with the kind.
const (
	loadRole     = "load"
	loadVariable = "PROCESS_TEST_LOAD"
	// pausesVariable names that with how much longer than usual the processes pause: 30 where a machine is emulated.
	pausesVariable = "PROCESS_LOAD_PAUSES"
)

// Roles are those that a test binary needs in [proctest.Main] to be started again by [StartMixture] and [RunStorm].
func Roles() map[string]func() error {
	return map[string]func() error{loadRole: playLoad, stormRole: playStorm}
}

// StartMixture starts so many processes of each kind, and idle ones besides, that run until the test ends. One that ends before is started again.
func StartMixture(tb testing.TB, ofEach, idle int) {
	tb.Helper()
	proctest.StartSleepers(tb, idle)
	folder := tb.TempDir()
	done := make(chan struct{})
	var running []chan struct{}
	for _, kind := range Kinds() {
		for range ofEach {
			ended := make(chan struct{})
			running = append(running, ended)
			first, err := startLoad(kind, folder)
			require.NoError(tb, err)
			go func() {
				defer close(ended)
				keepLoad(first, kind, folder, done)
			}()
		}
	}
	tb.Cleanup(func() {
		close(done)
		for _, ended := range running {
			<-ended
		}
	})
}

func startLoad(kind, folder string) (*exec.Cmd, error) {
	cmd := exec.Command(os.Args[0], kind)
	proctest.SetRole(cmd, loadRole)
	cmd.Env = append(cmd.Env, loadVariable+"="+kind, "PROCESS_TEST_FOLDER="+folder, "GOMAXPROCS=2", "GOGC=400")
	cmd.Stderr = os.Stderr
	// The group ends with it: a process of the mixture has children that may outlive it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, cmd.Start()
}

// keepLoad waits for a process of the mixture and starts it again, until the test is done.
func keepLoad(cmd *exec.Cmd, kind, folder string, done chan struct{}) {
	for {
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait()
			close(ended)
		}()
		select {
		case <-ended:
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		case <-done:
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
			return
		}
		select {
		case <-done:
			return
		case <-time.After(50 * time.Millisecond):
		}
		next, err := startLoad(kind, folder)
		for ; err != nil; next, err = startLoad(kind, folder) { // The machine may have no process left for a moment.
			select {
			case <-done:
				return
			case <-time.After(time.Second):
			}
		}
		cmd = next
	}
}

// playLoad is what a process of the mixture does until the test kills it, or until its kind has no more to do.
func playLoad() error {
	start := kinds[os.Getenv(loadVariable)]
	if start == nil {
		return fmt.Errorf("no kind %q", os.Getenv(loadVariable))
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	work, err := start(os.Getenv("PROCESS_TEST_FOLDER"))
	if err != nil {
		return err
	}
	pauses, err := strconv.Atoi(os.Getenv(pausesVariable))
	if err != nil {
		pauses = 1
	}
	for {
		if err := work(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", os.Getenv(loadVariable), err)
		}
		time.Sleep(time.Duration(pauses*(10+rand.IntN(90))) * time.Millisecond)
	}
}
