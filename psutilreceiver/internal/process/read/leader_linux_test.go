package read

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// The main function of a process in the role runs on its first thread, so that it can end it.
func init() {
	if proctest.Role() == "leaderless" {
		runtime.LockOSThread()
	}
}

// playLeaderless ends the first thread of the process. Another one says so, and waits for the test to end it.
func playLeaderless() error {
	go func() {
		for !hasExited(os.Getpid()) {
			time.Sleep(time.Millisecond)
		}
		fmt.Println("done")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	_, _, errno := unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
	return errno
}

func hasExited(tid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(tid), "stat"))
	_, after, _ := strings.Cut(string(text), ") ")
	return err == nil && strings.HasPrefix(after, "Z")
}

func TestLiveProcessWhoseFirstThreadHasExited(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	proctest.SetRole(cmd, "leaderless")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "done\n", line)
	require.True(t, hasExited(cmd.Process.Pid))

	r := liveReader(t)
	all := FieldDiskIO | FieldLogicalIO | FieldShared | FieldSwap | FieldSwitches | FieldDescriptors | FieldProportional
	s := find(t, r, cmd.Process.Pid, all)
	assert.NotEqual(t, byte('Z'), s.State)
	assert.Equal(t, all, s.Have&all)
	assert.Greater(t, s.Levels[Resident], uint64(1<<20))
	assert.Greater(t, s.Levels[Virtual], s.Levels[Resident])
	assert.Positive(t, s.Levels[Shared])
	assert.Positive(t, s.Levels[Proportional])
	assert.GreaterOrEqual(t, s.Levels[Descriptors], uint64(3))
	withStat := find(t, r, cmd.Process.Pid, 0)
	assert.Greater(t, withStat.Levels[Resident], uint64(1<<20), "without a file but stat")
	var id Identity
	require.True(t, r.Identify(&s, AttributeExecutable|AttributeCommandLine|AttributeOwner, &id))
	assert.Equal(t, filepath.Base(os.Args[0]), id.Executable)
	assert.Contains(t, id.CommandLine, filepath.Base(os.Args[0]))
	assert.Equal(t, Errors{}.Failed, r.ReadErrors().Failed)
}

func TestReaderOfAProcessWhoseFirstThreadHasExited(t *testing.T) {
	dead := strings.Replace(proctest.StatOf(7, "daemon", 'Z', 1, 3), " 4096 2 ", " 0 0 ", 1)
	h := proctest.NewHost(t)
	h.Write("proc/7/stat", dead)
	h.Write("proc/7/statm", "0 0 0 0 0 0 0\n")
	h.Write("proc/7/task/7/stat", dead)
	h.Write("proc/7/task/8/stat", strings.Replace(dead, "7 (", "8 (", 1))
	h.Write("proc/7/task/9/stat", proctest.StatOf(9, "worker", 'D', 1, 3))
	h.Write("proc/7/task/9/statm", "70 60 50 0 0 0 0\n")
	h.Write("proc/7/task/9/status", proctest.StatusText)
	h.Write("proc/7/task/9/fd/4", "")
	// All threads but one have exited, and that one exits while it is looked for.
	h.Write("proc/12/stat", strings.Replace(dead, "7 (", "12 (", 1))
	h.Write("proc/12/task/12/stat", strings.Replace(dead, "7 (", "12 (", 1))
	// One that has exited and that nobody has waited for.
	zombie := strings.Replace(proctest.StatOf(20, "zombie", 'Z', 1, 3), " 4096 2 ", " 0 0 ", 1)
	h.Write("proc/20/stat", withThreads(t, zombie, 1))
	h.Write("proc/20/task/20/stat", withThreads(t, zombie, 1))

	page := uint64(os.Getpagesize())
	r := readerOf(t, h)
	all := scan(t, r, FieldShared|FieldSwap|FieldDescriptors)
	s := all[7]
	assert.Equal(t, "daemon", s.Comm())
	assert.Equal(t, byte('D'), s.State)
	assert.Equal(t, 60*page, s.Levels[Resident])
	assert.Equal(t, 50*page, s.Levels[Shared])
	assert.Equal(t, uint64(12<<10), s.Levels[Swap])
	assert.Equal(t, uint64(1), s.Levels[Descriptors])
	assert.Equal(t, 2*page, scan(t, r, 0)[7].Levels[Resident])
	assert.Equal(t, byte('Z'), all[12].State)
	assert.Equal(t, byte('Z'), all[20].State)
	assert.Zero(t, all[20].LiveThread, "nothing is left over from the process before")
}

// withThreads changes the number of threads in a text of stat.
func withThreads(t *testing.T, text string, n int) string {
	t.Helper()
	head, tail, ok := strings.Cut(text, ") ")
	require.True(t, ok)
	fields := strings.Fields(tail)
	fields[17] = strconv.Itoa(n)
	return head + ") " + strings.Join(fields, " ") + "\n"
}
