package read

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

func TestMain(m *testing.M) {
	proctest.Main(m, map[string]func() error{"unprivileged": playUnprivileged, "reuse": playReuse, "denied": playDenied, "leaderless": playLeaderless})
}

// playUnprivileged scans as who it is and prints what came of it.
func playUnprivileged() error {
	r := New("")
	whole, described := 0, 0
	err := r.Scan(func(s *Sample) {
		r.Read(s, FieldDiskIO|FieldDescriptors|FieldSwap)
		if s.Have&statFields == statFields {
			whole++
		}
		if s.Have&FieldDescriptors != 0 {
			described++
		}
		var id Identity
		r.Identify(s, AttributeExecutable|AttributeOwner|AttributeCgroup, &id)
	})
	access, accessErr := ProbeAccess("")
	errors := r.ReadErrors()
	fmt.Printf("%v %v %d %d %d %d %d %q\n", err == nil, accessErr == nil, whole, described,
		errors.Denied[FileIO], errors.Denied[FileExe], errors.Denied[FileStat], access)
	return nil
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

func TestLiveStatisticsOfAChild(t *testing.T) {
	c := proctest.StartChild(t)
	require.Equal(t, "done", c.Ask(""))
	r := liveReader(t)
	pid := c.PID()
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
	assert.Equal(t, proctest.LineOf(t, filepath.Join(dir, "io"), "rchar"), before.Totals[LogicalReadBytes])
	var switches uint64
	for _, task := range tasks {
		switches += proctest.LineOf(t, filepath.Join(dir, "task", task.Name(), "status"), "voluntary_ctxt_switches")
	}
	assert.LessOrEqual(t, before.Totals[VoluntarySwitches], switches)
	assert.Positive(t, before.Totals[VoluntarySwitches])
	assert.Positive(t, before.Levels[Proportional])
	assert.LessOrEqual(t, before.Levels[Unique], before.Levels[Proportional])

	require.Equal(t, "done", c.Ask("pipe"))
	require.Equal(t, "done", c.Ask("burn"))
	after := find(t, r, pid, all)
	assert.Equal(t, before.Key, after.Key)
	assert.GreaterOrEqual(t, after.Totals.CPU()-before.Totals.CPU(), uint64(30_000))
	assert.GreaterOrEqual(t, after.Totals[LogicalWriteBytes]-before.Totals[LogicalWriteBytes], uint64(16*4096))
	assert.Equal(t, before.Totals[DiskWriteBytes], after.Totals[DiskWriteBytes], "a pipe is no storage")
}

func TestLiveIdentityAndStart(t *testing.T) {
	c := proctest.StartChild(t)
	require.Equal(t, "done", c.Ask(""))
	r := liveReader(t)
	s := find(t, r, c.PID(), 0)
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
	proctest.SetRole(cmd, "unprivileged")
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
	h := proctest.NewHost(t)
	mount := "22 1 0:21 / " + filepath.Join(h.Root, "proc") + " rw shared:5 - proc proc rw,hidepid=invisible\n"
	h.Write("proc/self/mountinfo", mount)
	access, err := ProbeAccess(h.Root)
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
	assert.Empty(t, missingAccess(trace, false).OfIdentity().String())
	assert.Equal(t, Access{Lacks: []string{"CAP_SYS_PTRACE"}, Unreadable: []string{"executable path", "proportional and unique memory"}}, missingAccess(0, false).OfIdentity())
	none := missingAccess(0, true)
	assert.Equal(t, []string{"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}, none.Lacks)
	assert.NotContains(t, none.Unreadable, "descriptor count")
	none.Hidepid = "invisible"
	assert.Equal(t, "without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH there is no executable path, proportional and unique memory, disk and logical I/O "+
		"of other users' processes; procfs is mounted with hidepid=invisible, which hides other users' processes from one without CAP_SYS_PTRACE", none.String())
}

// TestNameWithABackslash is as the process has set it, whether or not the kernel escapes it in stat.
func TestNameWithABackslash(t *testing.T) {
	for _, name := range []string{`\n6`, "a\nb", `a\b`, `a\\b`, "a\\\nb", `\`, `a)\n(b`} {
		program := filepath.Join(t.TempDir(), name)
		sleep, err := exec.LookPath("sleep")
		require.NoError(t, err)
		require.NoError(t, os.Symlink(sleep, program))
		command := exec.Command(program, "60")
		require.NoError(t, command.Start())
		found := ""
		r := New("")
		require.NoError(t, r.Scan(func(s *Sample) {
			if int(s.PID) == command.Process.Pid {
				found = s.Comm()
			}
		}))
		assert.NoError(t, r.Close())
		assert.NoError(t, command.Process.Kill())
		_ = command.Wait()
		assert.Equal(t, name, found)
	}
}
