package read

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

func readerOf(t *testing.T, h proctest.Host) *Reader {
	t.Helper()
	r := New(h.Root)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

// scan reads all processes with the wanted fields, by pid.
func scan(t *testing.T, r *Reader, want Fields) map[int32]Sample {
	t.Helper()
	found := map[int32]Sample{}
	require.NoError(t, r.Scan(func(s *Sample) {
		r.Read(s, want)
		found[s.PID] = *s
	}))
	return found
}

func TestReaderOfAHost(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(1, "systemd", 1, nil)
	h.Process(1<<22, "web) (worker", 900, map[string]string{
		"io": proctest.IOText, "status": proctest.StatusText, "statm": "1 2 3 0 0 0 0\n", "smaps_rollup": proctest.SmapsText, "fd/0": "", "fd/1": "", "fd/17": "",
	})
	h.Process(50, "new\\nline", 5, nil)
	h.Write("proc/2/stat", strings.Replace(proctest.StatOf(2, "kthreadd", 'S', 0, 1), " -1 0 ", " -1 2129984 ", 1))
	h.Write("proc/60/stat", strings.Replace(proctest.StatOf(60, "defunct", 'Z', 7, 1), " 4096 2 ", " 0 0 ", 1))
	r := readerOf(t, h)
	all := scan(t, r, FieldDiskIO|FieldShared|FieldSwap|FieldSwitches|FieldDescriptors|FieldProportional)
	require.Len(t, all, 5)

	web := all[1<<22]
	assert.Equal(t, "web) (worker", web.Comm())
	assert.Equal(t, uint64(5), web.Totals[DiskReadBytes])
	assert.Equal(t, uint64(3)*uint64(os.Getpagesize()), web.Levels[Shared])
	assert.Equal(t, uint64(12<<10), web.Levels[Swap])
	assert.Equal(t, uint64(3), web.Levels[Descriptors], "descriptor 0 counts")
	assert.Equal(t, uint64(700<<10), web.Levels[Proportional])
	assert.Equal(t, uint64(150), web.Totals[VoluntarySwitches])
	assert.Equal(t, uint32(33), web.UID)

	assert.Equal(t, "new\nline", func() string { s := all[50]; return s.Comm() }())
	assert.True(t, all[2].KernelThread)
	assert.Equal(t, byte('Z'), all[60].State)
	assert.Zero(t, all[60].Levels[Resident])
	assert.Zero(t, all[1].Have&(FieldDiskIO|FieldSwap|FieldDescriptors), "without a file there is no field")
	assert.Zero(t, all[1].Totals[DiskReadBytes], "nothing is left over from the process before")
	assert.Equal(t, Errors{}, *r.ReadErrors(), "a file that is not there is no error")
}

func TestReaderSumsSwitchesOverThreads(t *testing.T) {
	h := proctest.NewHost(t)
	thread := func(voluntary int) string {
		return fmt.Sprintf("Uid:\t0\t0\t0\t0\nvoluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t1\n", voluntary)
	}
	h.Process(7, "threads", 1, map[string]string{"status": thread(10), "task/7/status": thread(10), "task/8/status": thread(20), "task/9/stat": "gone"})
	h.Write("proc/7/stat", proctest.StatOf(7, "threads", 'S', 1, 3))
	s := scan(t, readerOf(t, h), FieldSwitches)[7]
	assert.Equal(t, uint64(30), s.Totals[VoluntarySwitches])
	assert.Equal(t, uint64(2), s.Totals[InvoluntarySwitches])
}

func TestReaderErrors(t *testing.T) {
	const want = FieldDiskIO | FieldSwap
	full := map[string]string{"io": proctest.IOText, "status": proctest.StatusText}
	cases := map[string]struct {
		file  File
		errno unix.Errno
		seen  bool
		have  Fields
		count func(*Errors)
	}{
		"gone before its stat is read": {FileStat, unix.ENOENT, false, 0, func(t *Errors) { t.Gone = 1 }},
		"gone while its stat is read":  {FileStat, unix.ESRCH, false, 0, func(t *Errors) { t.Gone = 1 }},
		"hidden by hidepid=noaccess":   {FileStat, unix.EPERM, false, 0, func(t *Errors) { t.Denied[FileStat] = 1 }},
		"gone between stat and io":     {FileIO, unix.ESRCH, true, FieldSwap, func(*Errors) {}},
		"io denied":                    {FileIO, unix.EACCES, true, FieldSwap, func(t *Errors) { t.Denied[FileIO] = 1 }},
		"status fails":                 {FileStatus, unix.EIO, true, FieldDiskIO, func(t *Errors) { t.Failed[FileStatus] = 1 }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := proctest.NewHost(t)
			h.Process(7, "a", 1, full)
			h.Process(8, "b", 1, full)
			r := readerOf(t, h)
			r.dir.intercept = func(pid int32, f File) unix.Errno {
				if pid == 7 && f == c.file {
					return c.errno
				}
				return 0
			}
			all := scan(t, r, want)
			s, seen := all[7]
			assert.Equal(t, c.seen, seen)
			assert.Equal(t, c.have, s.Have&want)
			assert.Equal(t, want, all[8].Have&want, "the others are whole")
			var expected Errors
			c.count(&expected)
			assert.Equal(t, expected, *r.ReadErrors())
		})
	}
}

func TestReaderOfAProcessThatVanishes(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "a", 1, map[string]string{"io": proctest.IOText})
	r := readerOf(t, h)
	r.dir.intercept = func(_ int32, f File) unix.Errno {
		if f == FileIO {
			require.NoError(t, os.RemoveAll(filepath.Join(h.Root, "proc/7")))
		}
		return 0
	}
	s := scan(t, r, FieldDiskIO)[7]
	assert.NotZero(t, s.Have&FieldCPU)
	assert.Zero(t, s.Have&FieldDiskIO)
	assert.Equal(t, Errors{}, *r.ReadErrors())
	var id Identity
	assert.False(t, r.Identify(&s, AttributeExecutable|AttributeOwner, &id))
	assert.Equal(t, Identity{}, id)
}

func TestReaderOfMalformedFiles(t *testing.T) {
	h := proctest.NewHost(t)
	h.Write("proc/7/stat", "not a stat")
	h.Write("proc/8/stat", proctest.StatOf(9, "of another", 'S', 1, 1))
	h.Write("proc/9/stat", "")
	h.Write("proc/99999999999/stat", statText)
	h.Process(10, "whole", 1, map[string]string{"io": "read_bytes 1\n", "status": "?", "smaps_rollup": "", "statm": "x"})
	r := readerOf(t, h)
	all := scan(t, r, FieldDiskIO|FieldSwap|FieldProportional|FieldShared)
	assert.Len(t, all, 1)
	var expected Errors
	expected.Malformed[FileStat] = 3
	expected.Malformed[FileIO], expected.Malformed[FileStatus], expected.Malformed[FileSmapsRollup], expected.Malformed[FileStatm] = 1, 1, 1, 1
	assert.Equal(t, expected, *r.ReadErrors())
}

func TestReaderWithoutProc(t *testing.T) {
	r := New(t.TempDir())
	err := r.Scan(func(*Sample) { t.Error("there is nothing to visit") })
	require.ErrorIs(t, err, unix.ENOENT)
	require.ErrorContains(t, err, "opening ")
	assert.NoError(t, r.Close())
}

func TestReaderReopensWhatIsMountedAgain(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "old", 1, nil)
	r := readerOf(t, h)
	assert.Contains(t, scan(t, r, 0), int32(7))
	opened := r.dir.fd
	assert.Contains(t, scan(t, r, 0), int32(7))
	assert.Equal(t, opened, r.dir.fd, "the directory stays open")

	require.NoError(t, os.Rename(filepath.Join(h.Root, "proc"), filepath.Join(h.Root, "was")))
	h.Process(8, "new", 1, nil)
	assert.Len(t, scan(t, r, 0), 1)
	assert.Contains(t, scan(t, r, 0), int32(8))

	require.NoError(t, r.Close())
	require.NoError(t, r.Close(), "closing twice is no error")
	assert.Contains(t, scan(t, r, 0), int32(8), "a scan opens it again")
}

func TestReaderKeepsItsRoot(t *testing.T) {
	one, two := proctest.NewHost(t), proctest.NewHost(t)
	one.Process(7, "one", 1, nil)
	two.Process(7, "two", 1, nil)
	two.Write("etc/passwd", "zero:x:"+strconv.Itoa(os.Getuid())+":0::/:\n")
	for h, want := range map[*proctest.Host]string{&one: "one", &two: "two"} {
		s := scan(t, readerOf(t, *h), 0)[7]
		assert.Equal(t, want, s.Comm())
	}
	r := readerOf(t, two)
	s := scan(t, r, 0)[7]
	var id Identity
	require.True(t, r.Identify(&s, AttributeOwner, &id))
	assert.Equal(t, "zero", id.Owner)
}

func TestReaderIdentifies(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "nginx", 1, map[string]string{
		"cmdline": "nginx: worker\x00--token\x00abc\x00", "cgroup": "0::/system.slice/nginx.service\n",
	})
	require.NoError(t, os.Symlink("/usr/sbin/nginx (deleted)", filepath.Join(h.Root, "proc/7/exe")))
	h.Process(8, "kworker/0:1", 1, map[string]string{"cmdline": "", "cgroup": "0::/\n"})
	h.Write("etc/passwd", "me:x:"+strconv.Itoa(os.Getuid())+":0::/:\n")
	r := readerOf(t, h)
	ids := map[int32]Identity{}
	const all = AttributeExecutable | AttributeCommand | AttributeCommandLine | AttributeOwner | AttributeCgroup
	require.NoError(t, r.Scan(func(s *Sample) {
		var id Identity
		require.True(t, r.Identify(s, all, &id))
		ids[s.PID] = id
	}))
	assert.Equal(t, map[int32]Identity{
		7: {
			Executable: "nginx", ExecutablePath: "/usr/sbin/nginx", Command: "nginx: worker", CommandLine: "nginx: worker --token ********",
			Owner: "me", Cgroup: "/system.slice/nginx.service", CgroupText: "0::/system.slice/nginx.service", Unit: "nginx.service", Have: all,
		},
		8: {Executable: "kworker/0:1", Owner: "me", Cgroup: "/", CgroupText: "0::/", Have: all},
	}, ids)
}

func TestReaderFollowsPasswd(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "a", 1, nil)
	owner := func(r *Reader) string {
		s := scan(t, r, 0)[7]
		var id Identity
		require.True(t, r.Identify(&s, AttributeOwner, &id))
		return id.Owner
	}
	uid := strconv.Itoa(os.Getuid())
	h.Write("etc/passwd", "first:x:"+uid+":0::/:\n")
	r := readerOf(t, h)
	assert.Equal(t, "first", owner(r))
	h.Write("etc/passwd", "another:x:"+uid+":0::/:\n")
	assert.Equal(t, "another", owner(r))
	require.NoError(t, os.Remove(filepath.Join(h.Root, "etc/passwd")))
	assert.Equal(t, uid, owner(r), "without a name the number stands")
}

func TestReaderTakesNoNamesFromOutsideTheRoot(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "a", 1, nil)
	uid := strconv.Itoa(os.Getuid())
	outside := filepath.Join(t.TempDir(), "passwd")
	require.NoError(t, os.WriteFile(outside, []byte("container:x:"+uid+":0::/:\n"), 0o600))
	h.Write("run/host/passwd", "inside:x:"+uid+":0::/:\n")
	passwd := filepath.Join(h.Root, "etc/passwd")
	r := readerOf(t, h)
	for target, want := range map[string]string{outside: uid, "/run/host/passwd": "inside", "../run/host/passwd": "inside"} {
		require.NoError(t, os.Remove(passwd))
		require.NoError(t, os.Symlink(target, passwd))
		s := scan(t, r, 0)[7]
		var id Identity
		require.True(t, r.Identify(&s, AttributeOwner, &id))
		assert.Equal(t, want, id.Owner, target)
	}
}

func TestReaderDoesNotTakeAnotherProcessForTheOneItIdentifies(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(7, "a", 1, nil)
	r := readerOf(t, h)
	s := scan(t, r, 0)[7]
	h.Process(7, "b", 2, map[string]string{"cgroup": "0::/b\n"})
	var id Identity
	assert.False(t, r.Identify(&s, AttributeCgroup, &id))
	assert.Empty(t, id.Cgroup)
}

func TestReaderReadsLongFilesToTheirEnd(t *testing.T) {
	h := proctest.NewHost(t)
	groups := "Groups:\t" + strings.Repeat("4294967294 ", 5000) + "\n"
	h.Process(7, "a", 1, map[string]string{"status": "Uid:\t0\t1\t0\t0\n" + groups + "VmSwap:\t3 kB\n"})
	assert.Equal(t, uint64(3<<10), scan(t, readerOf(t, h), FieldSwap)[7].Levels[Swap])
}
