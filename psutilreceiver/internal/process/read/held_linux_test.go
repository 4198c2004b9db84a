package read

import (
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
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// heldOf lists the files of a process that this process has open, by name.
func heldOf(t *testing.T, pid int) []string {
	t.Helper()
	names, err := openFiles("/" + strconv.Itoa(pid) + "/")
	require.NoError(t, err)
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	return names
}

// openFiles lists the paths that this process has open and that contain part.
func openFiles(part string) ([]string, error) {
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, d := range descriptors {
		// The descriptor that lists the directory is closed by now.
		path, err := os.Readlink("/proc/self/fd/" + d.Name())
		if err == nil && strings.Contains(path, part) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

func startSleep(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}

func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait(), "killed")
}

// mine makes a visit that reads fields of one process only, and collects its samples.
func mine(r *Reader, pid int, want Fields, seen *[]Sample) func(*Sample) {
	return func(s *Sample) {
		if int(s.PID) == pid {
			r.Read(s, want)
			*seen = append(*seen, *s)
		}
	}
}

func TestFilesAreKeptOpenWhileTheyAreReadOfALivingProcess(t *testing.T) {
	r := New("")
	cmd := startSleep(t)
	pid := cmd.Process.Pid
	var seen []Sample
	const want = FieldDiskIO | FieldShared
	require.NoError(t, r.Scan(mine(r, pid, want, &seen)))
	assert.ElementsMatch(t, []string{"stat", "io", "statm"}, heldOf(t, pid))
	require.NoError(t, r.Scan(mine(r, pid, want, &seen)))
	assert.ElementsMatch(t, []string{"stat", "io", "statm"}, heldOf(t, pid), "the same, not others beside them")

	require.NoError(t, r.Scan(mine(r, pid, 0, &seen)))
	require.NoError(t, r.Scan(mine(r, pid, 0, &seen)))
	assert.Equal(t, []string{"stat"}, heldOf(t, pid), "what a scan did not read is closed by the next")

	end(t, cmd)
	require.NoError(t, r.Scan(mine(r, pid, want, &seen)))
	assert.Len(t, seen, 4, "a process that has exited is not visited")
	require.NoError(t, r.Scan(mine(r, pid, want, &seen)))
	assert.Empty(t, heldOf(t, pid), "one scan later nothing of it is left")

	require.NotEmpty(t, heldOf(t, os.Getpid()))
	require.NoError(t, r.Close())
	left, err := openFiles("/stat")
	require.NoError(t, err)
	assert.Empty(t, left)
	require.NoError(t, r.Scan(func(*Sample) {}), "a scan opens them again")
	require.NotEmpty(t, heldOf(t, os.Getpid()))
	require.NoError(t, r.Close())
}

// TestHeldFileOfAnExitedProcessFails tests why files can be kept open: reading one that was opened while the process lived fails with ESRCH
// once the process has been waited for, and the reader then opens the file by its name again.
func TestHeldFileOfAnExitedProcessFails(t *testing.T) {
	r := liveReader(t)
	cmd := startSleep(t)
	pid := cmd.Process.Pid
	var seen []Sample
	require.NoError(t, r.Scan(mine(r, pid, FieldDiskIO|FieldShared, &seen)))
	end(t, cmd)
	for _, f := range []File{FileStat, FileIO, FileStatm} {
		fd, ok := r.dir.files.Get(heldKey(int32(pid), f))
		require.True(t, ok, f)
		_, err := heldfile.ReadOnce(fd, make([]byte, 100))
		assert.Equal(t, unix.ESRCH, err, f)
		opened := 0
		r.dir.intercept = func(int32, File) unix.Errno {
			opened++
			return 0
		}
		_, errno := r.dir.read(int32(pid), f)
		r.dir.intercept = nil
		assert.Equal(t, unix.ENOENT, errno, f)
		assert.Equal(t, 1, opened, "by its name")
	}
	assert.Empty(t, heldOf(t, pid))
}

// TestPidUsedAgainIsAnotherProcess keeps the files of one process open until its pid is another's. It needs a pid namespace, where the next pid
// can be chosen.
func TestPidUsedAgainIsAnotherProcess(t *testing.T) {
	testenv.Root(t, "makes a pid namespace")
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	cmd := exec.Command(os.Args[0])
	proctest.SetRole(cmd, "reuse")
	cmd.Env = append(cmd.Env, "PROCESS_TEST_ROOT="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(err.Error(), "operation not permitted") {
		testenv.Missing(t, "no pid namespaces: %v", err)
	}
	require.NoError(t, err, string(out))
	if reason, ok := strings.CutPrefix(string(out), "skip: "); ok {
		testenv.Missing(t, "%s", reason)
	}
	assert.Equal(t, "another start, its own values, no descriptor of the first\n", string(out))
}

// playReuse is the first process of a pid namespace.
func playReuse() error {
	root := os.Getenv("PROCESS_TEST_ROOT")
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	proc := filepath.Join(root, "proc")
	if err := syscall.Mount("proc", proc, "proc", 0, ""); err != nil {
		fmt.Println("skip: no procfs can be mounted here:", err)
		return nil
	}
	defer func() { _ = syscall.Unmount(proc, syscall.MNT_DETACH) }()
	// This shell writes, so that its io differs from that of the next with its pid.
	first := exec.Command("sh", "-c", "i=0; while [ $i -lt 200 ]; do echo x; i=$((i+1)); done >/dev/null; kill -STOP $$")
	if err := first.Start(); err != nil {
		return err
	}
	pid := first.Process.Pid
	if err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED, nil); err != nil {
		return err
	}
	r := New(root)
	defer func() { _ = r.Close() }()
	var seen []Sample
	visit := mine(r, pid, FieldLogicalIO|FieldShared, &seen)
	if err := r.Scan(visit); err != nil {
		return err
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	second, err := usePIDAgain(proc, pid, seen[0].Start)
	if second == nil || err != nil {
		return err
	}
	defer func() {
		_ = second.Process.Kill()
		_ = second.Wait()
	}()
	if err := r.Scan(visit); err != nil {
		return err
	}
	return compareReuse(proc, pid, seen)
}

// usePIDAgain starts a process with a pid that was another's, a tick or more later: within one the two could not be distinguished.
func usePIDAgain(proc string, pid int, start uint64) (*exec.Cmd, error) {
	for range 10_000 {
		err := os.WriteFile(filepath.Join(proc, "sys/kernel/ns_last_pid"), []byte(strconv.Itoa(pid-1)), 0o600)
		if err != nil {
			fmt.Println("skip: the next pid can't be chosen:", err)
			return nil, nil
		}
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(cmd.Process.Pid), "stat"))
		var now Sample
		if err == nil && parseStat(text, 1, &now) && int(now.PID) == pid && now.Start != start {
			return cmd, nil
		}
		_ = cmd.Process.Kill() // A thread of this process was faster, or the tick is still the same.
		_ = cmd.Wait()
	}
	fmt.Println("skip: the pid was not used again")
	return nil, nil
}

func compareReuse(proc string, pid int, seen []Sample) error {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "io"))
	if err != nil {
		return err
	}
	var fresh Sample
	if len(seen) != 2 || !parseIO(text, &fresh) {
		return fmt.Errorf("seen %d times, io is %q", len(seen), text)
	}
	was, is, actual := seen[0].Totals[LogicalWriteBytes], seen[1].Totals[LogicalWriteBytes], fresh.Totals[LogicalWriteBytes]
	if seen[0].Start == seen[1].Start || was < 200 || is != actual {
		return fmt.Errorf("bytes written are %d of the first, %d of the second, which has %d", was, is, actual)
	}
	held, err := openFiles("/" + strconv.Itoa(pid) + "/")
	if err != nil || len(held) != 3 {
		return fmt.Errorf("files open: %q, %w", held, err)
	}
	fmt.Println("another start, its own values, no descriptor of the first")
	return nil
}

func TestHeldFilesStayWithinTheirLimit(t *testing.T) {
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	t.Cleanup(func() { assert.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)) })
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 48, Max: limit.Max}))
	for range 20 {
		startSleep(t)
	}
	before, err := openFiles("")
	require.NoError(t, err)
	r := New("")
	for range 3 {
		whole, held := 0, 0
		require.NoError(t, r.Scan(func(s *Sample) {
			r.Read(s, FieldDiskIO)
			if s.PPID == int32(os.Getpid()) && s.Have&FieldDiskIO != 0 {
				whole++
			}
		}))
		held = r.dir.files.Len()
		assert.Equal(t, 20, whole, "what is not kept open is read nevertheless")
		assert.Equal(t, 12, held, "a quarter")
		after, err := openFiles("")
		require.NoError(t, err)
		assert.Len(t, after, len(before)+held+1, "and the directory")
	}
	require.NoError(t, r.Close())
	after, err := openFiles("")
	require.NoError(t, err)
	assert.Len(t, after, len(before))
}

func TestHeldLimitIsAQuarterAndBounded(t *testing.T) {
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	r := liveReader(t)
	require.NoError(t, r.Scan(func(*Sample) {}))
	assert.Equal(t, int64(min(limit.Cur/4, 16384)), heldBudget.Limit())
}

func TestNothingIsKeptOpenOutsideProcfs(t *testing.T) {
	h := proctest.NewHost(t)
	for pid := int32(1); pid <= 5; pid++ {
		h.Process(pid, "p", 1, map[string]string{"io": proctest.IOText, "statm": "1 2 3 0 0 0 0\n"})
	}
	r := readerOf(t, h)
	for range 2 {
		require.Len(t, scan(t, r, FieldDiskIO|FieldShared), 5)
		open, err := openFiles(h.Root)
		require.NoError(t, err)
		assert.Equal(t, []string{filepath.Join(h.Root, "proc")}, open)
	}
}

// playDenied scans as a user who may not read the io of most processes, and prints how many of which file it keeps open.
func playDenied() error {
	r := New("")
	defer func() { _ = r.Close() }()
	processes, readable := 0, 0
	for range 2 {
		processes, readable = 0, 0
		if err := r.Scan(func(s *Sample) {
			r.Read(s, FieldDiskIO)
			processes++
			if s.Have&FieldDiskIO != 0 {
				readable++
			}
		}); err != nil {
			return err
		}
	}
	stats, err := openFiles("/stat")
	if err != nil {
		return err
	}
	io, err := openFiles("/io")
	fmt.Println(processes, readable, r.ReadErrors().Denied[FileIO] > 0, len(stats), len(io))
	return err
}

func TestFilesThatAreDeniedAreNotKeptOpen(t *testing.T) {
	testenv.Root(t, "gives up privileges")
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	binary, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	program := filepath.Join(dir, "unprivileged")
	require.NoError(t, os.WriteFile(program, binary, 0o755))
	cmd := exec.Command(program)
	proctest.SetRole(cmd, "denied")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	var processes, readable, stats, io int
	var denied bool
	_, err = fmt.Sscan(string(out), &processes, &readable, &denied, &stats, &io)
	require.NoError(t, err, string(out))
	assert.True(t, denied)
	assert.Positive(t, readable, "its own")
	assert.Less(t, readable, processes)
	// Files of processes that exited between the two scans may still be open.
	assert.GreaterOrEqual(t, stats, processes)
	assert.GreaterOrEqual(t, io, readable)
	assert.Less(t, io, processes, "what is denied costs no descriptor")
}
