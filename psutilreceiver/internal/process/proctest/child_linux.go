package proctest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// roleVariable names the environment variable that says what a test binary that was started again does in place of the tests.
const roleVariable = "PROCESS_TEST_ROLE"

// Main is the TestMain of packages that call [StartChild]. Roles are what else the test binary can do when [SetRole] names it.
func Main(m *testing.M, roles map[string]func() error) {
	name := Role()
	if name == "" {
		os.Exit(m.Run())
	}
	role := map[string]func() error{
		"parent": func() error { return obey(os.Stdin, os.Stdout) },
		"burn": func() error {
			burn(50 * time.Millisecond)
			return nil
		},
	}[name]
	if role == nil {
		role = roles[name]
	}
	if err := role(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Role names the role that this test binary was started again to play, "" if it is to run the tests.
func Role() string { return os.Getenv(roleVariable) }

// SetRole makes a command that runs this test binary play a role.
func SetRole(cmd *exec.Cmd, role string) {
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
}

// A Child is a process that a test owns. It is the test binary in a role of [Main].
type Child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

// StartChild starts a process that obeys [Child.Ask] until the test ends.
func StartChild(t *testing.T) *Child {
	t.Helper()
	c := &Child{t: t, cmd: exec.Command(os.Args[0])}
	SetRole(c.cmd, "parent")
	c.cmd.Stderr = os.Stderr
	var err error
	c.stdin, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.out = bufio.NewReader(out)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		_ = c.stdin.Close()
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	return c
}

// PID returns the pid of the child.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Ask has the child do something and waits until it has answered "done": use CPU time itself ("burn"), or in a child that it waits for
// ("burn in a child"), or write to a pipe ("pipe"). For anything else it does nothing.
func (c *Child) Ask(line string) string {
	c.t.Helper()
	_, err := fmt.Fprintln(c.stdin, line)
	require.NoError(c.t, err)
	answer, err := c.out.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSpace(answer)
}

// obey is what a child does.
func obey(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch lines.Text() {
		case "burn":
			burn(50 * time.Millisecond)
		case "burn in a child":
			cmd := exec.Command(os.Args[0])
			SetRole(cmd, "burn")
			if err := cmd.Run(); err != nil {
				return err
			}
		case "pipe":
			if err := pipe(); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(out, "done"); err != nil {
			return err
		}
	}
	return lines.Err()
}

func pipe() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	for range 16 {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, make([]byte, 4096)); err != nil {
			return err
		}
	}
	return nil
}

// burn uses as much CPU time.
func burn(d time.Duration) {
	for end := CPUTime() + d; CPUTime() < end; {
	}
}

// StartSleepers starts idle processes that live as long as the test or benchmark.
func StartSleepers(tb testing.TB, count int) {
	tb.Helper()
	for range count {
		cmd := exec.Command("sleep", strconv.Itoa(int(time.Hour.Seconds())))
		require.NoError(tb, cmd.Start())
		tb.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
}

// CPUTime returns the CPU time that the test has used.
func CPUTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
