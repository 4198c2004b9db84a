package process

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// child is a process that a test owns. It is this test binary in the part that TestMain finds in its environment.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

const childPart = "PROCESS_TEST_PART"

func TestMain(m *testing.M) {
	switch os.Getenv(childPart) {
	case "":
		os.Exit(m.Run())
	case "parent":
		err := playParent(os.Stdin, os.Stdout)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "burn":
		burn(50 * time.Millisecond)
	case "unprivileged":
		playUnprivileged()
	}
}

func startChild(t *testing.T, part string, credential *syscall.Credential) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childPart+"="+part)
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
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

// ask sends a line and waits for the answer.
func (c *child) ask(line string) string {
	c.t.Helper()
	_, err := fmt.Fprintln(c.stdin, line)
	require.NoError(c.t, err)
	answer, err := c.out.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSpace(answer)
}

// playParent does what it is told: use CPU time itself, or through a child that it waits for, or write to a pipe.
func playParent(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch lines.Text() {
		case "burn":
			burn(50 * time.Millisecond)
		case "burn in a child":
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childPart+"=burn")
			if err := cmd.Run(); err != nil {
				return err
			}
		case "pipe":
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
		}
		if _, err := fmt.Fprintln(out, "done"); err != nil {
			return err
		}
	}
	return lines.Err()
}

// burn uses as much CPU time.
func burn(d time.Duration) {
	used := func() time.Duration {
		var u unix.Rusage
		_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	for end := used() + d; used() < end; {
	}
}

// playUnprivileged scans as who it is and prints what came of it.
func playUnprivileged() {
	r := New("")
	whole, described := 0, 0
	err := r.Scan(func(s *Sample) {
		r.Read(s, FieldDiskIO|FieldDescriptors|FieldSwap)
		if s.Have&fakeStat == fakeStat {
			whole++
		}
		if s.Have&FieldDescriptors != 0 {
			described++
		}
		var id Identity
		r.Identify(s, AttributeExecutable|AttributeOwner|AttributeCgroup, &id)
	})
	access, accessErr := ProbeAccess("")
	tally := r.Tally()
	fmt.Printf("%v %v %d %d %d %d %d %q\n", err == nil, accessErr == nil, whole, described,
		tally.Denied[FileIO], tally.Denied[FileExe], tally.Denied[FileStat], access)
}

// find scans the live host and returns one process.
func find(t *testing.T, r *Reader, pid int, want Fields) Sample {
	t.Helper()
	var found Sample
	require.NoError(t, r.Scan(func(s *Sample) {
		if int(s.PID) == pid {
			r.Read(s, want)
			found = *s
		}
	}))
	require.Equal(t, int32(pid), found.PID)
	return found
}

func liveReader(tb testing.TB) *Reader {
	tb.Helper()
	r := New("")
	tb.Cleanup(func() { assert.NoError(tb, r.Close()) })
	return r
}

// lineOf returns the number behind a key of a file of /proc, read by the test itself.
func lineOf(t *testing.T, path, key string) uint64 {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			v, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			require.NoError(t, err)
			return v
		}
	}
	t.Fatalf("%s has no %s", path, key)
	return 0
}

func TestLiveFiguresOfAChild(t *testing.T) {
	c := startChild(t, "parent", nil)
	require.Equal(t, "done", c.ask(""))
	r := liveReader(t)
	pid := c.cmd.Process.Pid
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	all := FieldDiskIO | FieldLogicalIO | FieldShared | FieldSwap | FieldSwitches | FieldDescriptors | FieldProportional
	before := find(t, r, pid, all)
	assert.Equal(t, int32(os.Getpid()), before.PPID)
	assert.Equal(t, all, before.Have&all)
	fds, err := os.ReadDir(filepath.Join(dir, "fd"))
	require.NoError(t, err)
	assert.Equal(t, uint64(len(fds)), before.Levels[Descriptors])
	tasks, err := os.ReadDir(filepath.Join(dir, "task"))
	require.NoError(t, err)
	assert.Equal(t, uint64(len(tasks)), before.Levels[Threads])
	assert.Equal(t, lineOf(t, filepath.Join(dir, "io"), "rchar"), before.Counters[LogicalReadBytes])
	var switches uint64
	for _, task := range tasks {
		switches += lineOf(t, filepath.Join(dir, "task", task.Name(), "status"), "voluntary_ctxt_switches")
	}
	assert.LessOrEqual(t, before.Counters[VoluntarySwitches], switches)
	assert.Positive(t, before.Counters[VoluntarySwitches])
	assert.Positive(t, before.Levels[Proportional])
	assert.LessOrEqual(t, before.Levels[Unique], before.Levels[Proportional])

	require.Equal(t, "done", c.ask("pipe"))
	require.Equal(t, "done", c.ask("burn"))
	after := find(t, r, pid, all)
	assert.Equal(t, before.Key, after.Key)
	assert.GreaterOrEqual(t, after.Counters.CPU()-before.Counters.CPU(), uint64(30_000))
	assert.GreaterOrEqual(t, after.Counters[LogicalWriteBytes]-before.Counters[LogicalWriteBytes], uint64(16*4096))
	assert.Equal(t, before.Counters[DiskWriteBytes], after.Counters[DiskWriteBytes], "a pipe is no storage")
}

func TestLiveIdentityAndStart(t *testing.T) {
	c := startChild(t, "parent", nil)
	require.Equal(t, "done", c.ask(""))
	r := liveReader(t)
	s := find(t, r, c.cmd.Process.Pid, 0)
	var id Identity
	require.True(t, r.Identify(&s, AttributeExecutable|AttributeCommand|AttributeOwner|AttributeCgroup, &id))
	self, err := os.Executable()
	require.NoError(t, err)
	assert.Equal(t, self, id.ExecutablePath)
	assert.Equal(t, filepath.Base(self), id.Executable)
	assert.Equal(t, os.Args[0], id.Command)
	assert.Equal(t, "/", id.Cgroup[:1])
	assert.NotEmpty(t, id.Owner)
	var now, boot unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_REALTIME, &now))
	require.NoError(t, unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot))
	created := s.Created(time.Unix(now.Unix()).Add(-time.Duration(boot.Nano())))
	assert.WithinDuration(t, time.Unix(now.Unix()), created, time.Minute)
}

func TestLiveTimeOfAChildThatNoScrapeSaw(t *testing.T) {
	c := startChild(t, "parent", nil)
	require.Equal(t, "done", c.ask(""))
	tracker := newTracker(t, liveReader(t), Options{Filter: Filter{Include: Match{PIDs: []int32{int32(c.cmd.Process.Pid)}}}})
	scrape(t, tracker, 0)
	require.Equal(t, "done", c.ask("burn in a child"))
	s := scrape(t, tracker, 1)
	require.Len(t, s.Shown, 1)
	p := s.Shown[0]
	assert.GreaterOrEqual(t, p.Delta[ReapedUser]+p.Delta[ReapedSystem], uint64(40_000))
	assert.Equal(t, p.Delta[ReapedUser], p.Total[ReapedUser])
}

func TestLiveWithoutPrivileges(t *testing.T) {
	testenv.Root(t, "gives up privileges")
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	for d := dir; d != "/"; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		require.NoError(t, err)
		if info.Mode()&0o005 != 0o005 {
			testenv.Missing(t, "the user nobody cannot reach the test binary")
		}
	}
	binary, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	path := filepath.Join(dir, "unprivileged")
	require.NoError(t, os.WriteFile(path, binary, 0o755))
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), childPart+"=unprivileged")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), out.String())
	var ok, accessOK bool
	var whole, described, io, exe, stat int
	var access string
	_, err = fmt.Sscanf(out.String(), "%t %t %d %d %d %d %d %q", &ok, &accessOK, &whole, &described, &io, &exe, &stat, &access)
	require.NoError(t, err, out.String())
	assert.True(t, ok)
	assert.True(t, accessOK)
	assert.Positive(t, whole)
	assert.Positive(t, io, "the io of others' processes is denied, and counted")
	assert.Positive(t, exe)
	assert.Less(t, io, whole, "its own is not")
	assert.Contains(t, access, "CAP_SYS_PTRACE")
	assert.Contains(t, access, "CAP_DAC_READ_SEARCH")
	r := liveReader(t)
	require.NoError(t, r.Scan(func(*Sample) {}))
	if r.dir.fdSizes && stat == 0 {
		assert.Equal(t, whole, described, "descriptors are counted without privileges")
	}
}

func TestProbeAccess(t *testing.T) {
	h := newHost(t)
	mount := "22 1 0:21 / " + filepath.Join(h.root, "proc") + " rw shared:5 - proc proc rw,hidepid=invisible\n"
	h.write("proc/self/mountinfo", mount)
	access, err := ProbeAccess(h.root)
	require.NoError(t, err)
	hidden := ""
	if slices.Contains(access.Lacks, capSysPtrace) && os.Getegid() != 0 {
		hidden = "invisible"
	}
	assert.Equal(t, hidden, access.Hidepid, "nothing is hidden from who may trace all")
	assert.Equal(t, len(access.Lacks) == 0, access.String() == "")
	_, err = ProbeAccess(t.TempDir())
	require.ErrorContains(t, err, "reading mounts of procfs")
}

func TestMissingAccess(t *testing.T) {
	trace, search := uint64(1)<<unix.CAP_SYS_PTRACE, uint64(1)<<unix.CAP_DAC_READ_SEARCH
	assert.Equal(t, Access{}, missingAccess(trace|search, false))
	assert.Equal(t, []string{"CAP_SYS_PTRACE"}, missingAccess(search, false).Lacks)
	assert.Equal(t, Access{Lacks: []string{"CAP_DAC_READ_SEARCH"}, Unreadable: []string{"disk and logical I/O", "descriptor count"}}, missingAccess(trace, false))
	none := missingAccess(0, true)
	assert.Equal(t, []string{"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}, none.Lacks)
	assert.NotContains(t, none.Unreadable, "descriptor count")
	none.Hidepid = "invisible"
	assert.Equal(t, "without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH there is no executable path, proportional and unique memory, disk and logical I/O "+
		"of other users' processes; procfs is mounted with hidepid=invisible, which hides other users' processes from one without CAP_SYS_PTRACE", none.String())
}
