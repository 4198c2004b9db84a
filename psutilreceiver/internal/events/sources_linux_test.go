package events

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

var begin = time.Unix(1_800_000_000, 0)

// watched is a host made of files, which is watched for all kinds of events.
type watched struct {
	t       *testing.T
	root    string
	watcher *Watcher
	log     *Log
	now     time.Time
	notices []string
}

func watchFiles(t *testing.T, files map[string]string, kinds ...Kind) *watched {
	t.Helper()
	w := &watched{t: t, root: t.TempDir(), log: NewLog(1000), now: begin}
	require.NoError(t, os.Mkdir(filepath.Join(w.root, "proc"), 0o755))
	for name, text := range files {
		w.write(name, text)
	}
	w.log.Follow()
	var err error
	w.watcher, err = NewWatcher(Options{
		Root: w.root, Kinds: kinds, Notice: func(what string, _ error) { w.notices = append(w.notices, what) },
	}, w.log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.watcher.Close()) })
	return w
}

func (w *watched) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.root, name)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(w.t, os.WriteFile(path, []byte(text), 0o600))
}

// look gives what is found at the next look, each as kind and the value of an attribute.
func (w *watched) look(key string) []string {
	w.t.Helper()
	w.now = w.now.Add(15 * time.Second)
	require.NoError(w.t, w.watcher.Look(w.now))
	events := w.log.Take(w.now, false)
	w.log.Delivered(len(events))
	found := []string{}
	for i := range events {
		found = append(found, fmt.Sprintf("%v %v", events[i].Kind, events[i].Field(key)))
	}
	return found
}

const (
	diskLine = "   8  %d %s 1 0 8 1 1 0 8 1 0 1 1 0 0 0 0 0 0\n"
	netHead  = "Inter-|   Receive                                                |  Transmit\n" +
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	netLine = "%s: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
)

func TestDiskEvents(t *testing.T) {
	sda, sdb := fmt.Sprintf(diskLine, 0, "sda"), fmt.Sprintf(diskLine, 16, "sdb")
	w := watchFiles(t, map[string]string{"proc/diskstats": sda}, DiskAdded, DiskRemoved)
	assert.Empty(t, w.look(keyDevice), "what was there before")
	assert.Empty(t, w.look(keyDevice))
	w.write("proc/diskstats", sda+sdb)
	assert.Equal(t, []string{"system.disk.added sdb"}, w.look(keyDevice))
	w.write("proc/diskstats", sdb)
	assert.Equal(t, []string{"system.disk.removed sda"}, w.look(keyDevice))
	w.write("proc/diskstats", sdb+fmt.Sprintf(diskLine, 32, "sda"))
	assert.Equal(t, []string{"system.disk.added sda"}, w.look(keyDevice))
	w.write("proc/diskstats", sdb+fmt.Sprintf(diskLine, 48, "sda"))
	assert.Equal(t, []string{"system.disk.removed sda", "system.disk.added sda"}, w.look(keyDevice), "another of the same name")
}

func TestDiskEventsOfAFileThatIsMissing(t *testing.T) {
	sda := fmt.Sprintf(diskLine, 0, "sda")
	w := watchFiles(t, map[string]string{"proc/diskstats": sda}, DiskAdded, DiskRemoved)
	assert.Empty(t, w.look(keyDevice))
	require.NoError(t, os.Remove(filepath.Join(w.root, "proc/diskstats")))
	_ = w.watcher.Look(w.now)
	w.write("proc/diskstats", sda)
	assert.Empty(t, w.look(keyDevice), "what could not be read did not go and come")
}

func TestInterfaceEvents(t *testing.T) {
	eth := fmt.Sprintf(netLine, "eth0")
	w := watchFiles(t, map[string]string{"proc/1/net/dev": netHead + eth}, InterfaceAdded, InterfaceRemoved)
	assert.Empty(t, w.look(keyInterface))
	w.write("proc/1/net/dev", netHead+eth+fmt.Sprintf(netLine, "tun0"))
	assert.Equal(t, []string{"system.network.interface.added tun0"}, w.look(keyInterface))
	w.write("proc/1/net/dev", netHead+eth)
	assert.Equal(t, []string{"system.network.interface.removed tun0"}, w.look(keyInterface))
}

func TestMountEvents(t *testing.T) {
	const root, data, bind, proc = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "21 20 8:17 / /data rw - xfs /dev/sdb1 %s\n",
		"22 20 8:1 /var/x /bound rw - ext4 /dev/sda1 rw\n", "23 20 0:22 / /proc rw - proc proc rw\n"
	const table = "proc/1/mountinfo"
	w := watchFiles(t, map[string]string{table: root}, Mounted, Unmounted, ReadOnly)
	assert.Empty(t, w.look(keyMountpoint))
	w.write(table, root+bind+proc)
	assert.Empty(t, w.look(keyMountpoint), "bind mounts and what has no storage")
	w.write(table, root+fmt.Sprintf(data, "rw"))
	assert.Equal(t, []string{"system.filesystem.mounted /data"}, w.look(keyMountpoint))
	w.write(table, root+fmt.Sprintf(data, "ro"))
	assert.Equal(t, []string{"system.filesystem.read_only /data"}, w.look(keyMountpoint))
	assert.Empty(t, w.look(keyMountpoint), "it is told of once")
	w.write(table, root+fmt.Sprintf(data, "rw"))
	assert.Empty(t, w.look(keyMountpoint))
	w.write(table, root+fmt.Sprintf(data, "rw,emergency_ro"))
	assert.Equal(t, []string{"system.filesystem.read_only /data"}, w.look(keyMountpoint))
	w.write(table, root)
	assert.Equal(t, []string{"system.filesystem.unmounted /data"}, w.look(keyMountpoint))
	w.write(table, root+fmt.Sprintf(data, "ro"))
	assert.Equal(t, []string{"system.filesystem.mounted /data"}, w.look(keyMountpoint), "one that was read-only from the start")
}

func TestClockEvents(t *testing.T) {
	offset := time.Hour
	s := &clockSource{offset: func() (time.Duration, error) { return offset, nil }}
	look := func(by time.Duration) (steps []any) {
		offset += by
		require.NoError(t, s.look(begin, func(e Event) { steps = append(steps, e.Field("system.clock.step")) }))
		return steps
	}
	assert.Empty(t, look(0))
	assert.Empty(t, look(0))
	assert.Empty(t, look(7*time.Millisecond), "a clock that is slewed")
	assert.Equal(t, []any{90.0}, look(90*time.Second))
	assert.Empty(t, look(0))
	assert.Equal(t, []any{-3600.0}, look(-time.Hour))
}

func TestBootEvents(t *testing.T) {
	announced.Lock()
	announced.boot = time.Time{} // Of another run of this test in this process.
	announced.Unlock()
	w := watchFiles(t, map[string]string{"proc/uptime": "30.00 20.00\n"}, Booted)
	assert.Len(t, w.look("system.boot.time"), 1)
	assert.Empty(t, w.look("system.boot.time"))
	again := watchFiles(t, map[string]string{"proc/uptime": "30.00 20.00\n"}, Booted)
	assert.Empty(t, again.look("system.boot.time"), "a reload is no boot")
	old := watchFiles(t, map[string]string{"proc/uptime": "3000.00 20.00\n"}, Booted)
	assert.Empty(t, old.look("system.boot.time"), "a host that has been up for long")
}

// statOf is a stat of a process with a resident set in pages.
func statOf(pid int, name string, pages int) string {
	return fmt.Sprintf("%d (%s) S 1 1 1 0 -1 4194560 0 0 0 0 300 200 0 0 20 0 1 0 %d 1000000 %d 18446744073709551615"+
		" 1 1 1 1 1 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", pid, name, pid*100, pages)
}

// TestOOMEventsWithoutTheLog holds that kills of the counter name the largest process that has gone.
func TestOOMEventsWithoutTheLog(t *testing.T) {
	vmstat := func(kills int) string {
		return fmt.Sprintf("pgfault 1\npgmajfault 1\npswpin 0\npswpout 0\noom_kill %d\n", kills)
	}
	w := watchFiles(t, map[string]string{
		"proc/vmstat": vmstat(3), "proc/10/stat": statOf(10, "small", 10), "proc/20/stat": statOf(20, "large", 5000), "proc/30/stat": statOf(30, "stays", 9000),
	}, OOMKill)
	assert.Empty(t, w.look(keyExecutable), "kills of before")
	assert.Len(t, w.notices, 1)
	require.NoError(t, os.RemoveAll(filepath.Join(w.root, "proc/10")))
	require.NoError(t, os.RemoveAll(filepath.Join(w.root, "proc/20")))
	w.write("proc/vmstat", vmstat(4))
	assert.Equal(t, []string{"system.oom_kill large"}, w.look(keyExecutable))
	assert.Empty(t, w.look(keyExecutable))
	w.write("proc/vmstat", vmstat(5))
	assert.Empty(t, w.look(keyExecutable), "a process that is being killed may not have gone yet")
	require.NoError(t, os.RemoveAll(filepath.Join(w.root, "proc/30")))
	assert.Equal(t, []string{"system.oom_kill stays"}, w.look(keyExecutable))
	w.write("proc/vmstat", vmstat(6))
	assert.Empty(t, w.look(keyExecutable))
	assert.Equal(t, []string{"system.oom_kill <nil>"}, w.look(keyExecutable), "a process that no look has seen")
}

// fakeLog is a log of the kernel that a test writes.
type fakeLog struct{ records []string }

func (l *fakeLog) next() ([]byte, bool, error) {
	if len(l.records) == 0 {
		return nil, false, nil
	}
	r := l.records[0]
	l.records = l.records[1:]
	return []byte(r), true, nil
}

func (*fakeLog) written(_ time.Duration, now time.Time) time.Time { return now }
func (*fakeLog) close() error                                     { return nil }

// TestOOMEventsOfLogAndCounter holds that each kill is told of once, whichever of the two has it first, and that one that the log has lost is told of.
func TestOOMEventsOfLogAndCounter(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	h, err := host.New(root)
	require.NoError(t, err)
	log := &fakeLog{}
	s := newOOMSource(h, nil)
	s.begun, s.log = true, log
	look := func(kills int, names ...string) (found []string) {
		text := fmt.Sprintf("pgfault 1\noom_kill %d\n", kills)
		require.NoError(t, os.WriteFile(filepath.Join(root, "proc/vmstat"), []byte(text), 0o600))
		for _, n := range names {
			log.records = append(log.records, "6,1,1,-;Out of memory: Killed process 7 ("+n+") total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB\n")
		}
		h.Begin()
		require.NoError(t, s.look(begin, func(e Event) { found = append(found, fmt.Sprint(e.Field(keyExecutable), " ", e.Field(keyKillSource))) }))
		return found
	}
	assert.Empty(t, look(5))
	assert.Equal(t, []string{"a kernel_log"}, look(6, "a"))
	assert.Empty(t, look(7), "the message comes after the counter")
	assert.Equal(t, []string{"b kernel_log"}, look(7, "b"))
	assert.Empty(t, look(8))
	assert.Equal(t, []string{"<nil> inferred"}, look(8), "the message was lost")
	assert.Empty(t, look(8))
	assert.Equal(t, []string{"c kernel_log", "d kernel_log"}, look(10, "c", "d"))
	assert.Empty(t, look(10))
}

func TestProcessEventsWithoutTheConnector(t *testing.T) {
	files := map[string]string{"proc/uptime": "3000.00 20.00\n", "proc/10/stat": statOf(10, "old", 10)}
	h := watchFiles(t, files, ProcessStart, ProcessExit)
	// The connector tells of this kernel's processes, which are none of these.
	for _, s := range h.watcher.sources {
		if p, ok := s.(*processSource); ok {
			p.begun, p.boot = true, begin.Add(-time.Hour)
		}
	}
	assert.Empty(t, h.look(keyExecutable))
	h.write("proc/20/stat", statOf(20, "new", 10))
	assert.Equal(t, []string{"process.start new"}, h.look(keyExecutable))
	require.NoError(t, os.RemoveAll(filepath.Join(h.root, "proc/20")))
	assert.Equal(t, []string{"process.exit new"}, h.look(keyExecutable))
	h.write("proc/10/stat", strings.Replace(statOf(10, "other", 10), " 1000 ", " 2000 ", 1))
	assert.Equal(t, []string{"process.exit old", "process.start other"}, h.look(keyExecutable), "a number that was used again")
}

// TestProcessConnector holds what the kernel's own connector tells, where it can be used: the exit of a process that lived between two looks, its code
// and its signal.
func TestProcessConnector(t *testing.T) {
	c, err := openConnector("")
	if err != nil {
		testenv.Missing(t, "the process connector can't be used: %v", err)
	}
	require.NoError(t, c.listen(func(processMessage) {}, func(err error) { assert.NoError(t, err) }))
	require.NoError(t, c.close())
	log := NewLog(100_000)
	log.Follow()
	w, err := NewWatcher(Options{Kinds: []Kind{ProcessStart, ProcessExit}}, log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	require.NoError(t, w.Look(time.Now()))
	exited := exec.Command("/bin/sh", "-c", "exit 7")
	require.Error(t, exited.Run())
	killedBy := exec.Command("/bin/sh", "-c", "kill -SEGV $$")
	require.Error(t, killedBy.Run())
	of := func(kind Kind, pid int) (found *Event) {
		require.Eventually(t, func() bool { // The goroutine that listens may be behind.
			require.NoError(t, w.Look(time.Now()))
			for _, e := range log.Take(time.Now(), false) {
				if e.Kind == kind && e.Field(keyPID) == int64(pid) {
					found = &e
				}
			}
			return found != nil
		}, time.Minute, 10*time.Millisecond, "%v of %d", kind, pid)
		return found
	}
	of(ProcessStart, exited.Process.Pid)
	e := of(ProcessExit, exited.Process.Pid)
	assert.Equal(t, int64(7), e.Field("process.exit.code"))
	assert.Equal(t, int64(os.Getpid()), e.Field("process.parent_pid"))
	assert.Equal(t, Warning, e.Severity)
	e = of(ProcessExit, killedBy.Process.Pid)
	assert.Equal(t, "SIGSEGV", e.Field("process.exit.signal"))
	assert.Equal(t, Error, e.Severity)
}

// TestKernelLog holds that the kernel's own log can be read to its end, and that what a process writes to it is no kill.
func TestKernelLog(t *testing.T) {
	log, err := openKernelLog("")
	if err != nil {
		testenv.Missing(t, "the kernel's log can't be read: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, log.close()) })
	const lie = "Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB"
	if os.WriteFile("/dev/kmsg", []byte(lie+"\n"), 0) != nil {
		return // Not everybody may write to it.
	}
	var p oomParser
	seen := false
	for {
		record, ok, err := log.next()
		require.NoError(t, err)
		if !ok {
			break
		}
		seen = seen || bytes.Contains(record, []byte(lie))
		_, isKill := p.record(record)
		assert.False(t, isKill && bytes.Contains(record, []byte(lie)))
	}
	assert.True(t, seen)
}

// memoryGroup makes a control group with a limit of memory, and returns the file to which a process writes its number to be in it.
func memoryGroup(t *testing.T, name string, limit int) string {
	t.Helper()
	testenv.Root(t, "control groups")
	for _, version := range []struct{ at, limit string }{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}} {
		dir := filepath.Join(version.at, name)
		if _, err := os.Stat(filepath.Join(version.at, "cgroup.procs")); err != nil || os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(dir) })
		if os.WriteFile(filepath.Join(dir, version.limit), []byte(strconv.Itoa(limit)), 0o600) == nil {
			return filepath.Join(dir, "cgroup.procs")
		}
	}
	testenv.Missing(t, "no control group with a limit of memory can be made")
	return ""
}

// TestOOMEventsOfGroups holds that kills of the counter are told of with the group that they were in and its limit, and name a process of that group.
func TestOOMEventsOfGroups(t *testing.T) {
	const stays, service, pod = "/system.slice/stays.service", "/system.slice/a.service", "/machine.slice/b.service"
	vmstat := func(kills int) string { return fmt.Sprintf("pgfault 1\noom_kill %d\n", kills) }
	counters := func(w map[string]string, group string, oom, kills int, limit string) {
		dir := "sys/fs/cgroup" + group + "/"
		w[dir+"memory.events"] = fmt.Sprintf("low 0\nhigh 0\nmax %d\noom %d\noom_kill %d\n", oom, oom, kills)
		w[dir+"memory.max"] = limit + "\n"
	}
	process := func(w map[string]string, pid int, name, group string, pages int) {
		w[fmt.Sprintf("proc/%d/stat", pid)] = statOf(pid, name, pages)
		w[fmt.Sprintf("proc/%d/cgroup", pid)] = "0::" + group + "\n"
	}
	files := map[string]string{"proc/vmstat": vmstat(3), "sys/fs/cgroup/cgroup.controllers": "memory\n"}
	counters(files, stays, 0, 0, "max")
	counters(files, service, 2, 3, "1048576")
	counters(files, pod, 0, 0, "2097152")
	process(files, 10, "small", service, 10)
	process(files, 20, "other", stays, 5000)
	process(files, 30, "large", pod, 3000)
	process(files, 31, "small", pod, 300)
	w := watchFiles(t, files, OOMKill)
	look := func() (found []string) {
		w.now = w.now.Add(15 * time.Second)
		require.NoError(t, w.watcher.Look(w.now))
		events := w.log.Take(w.now, false)
		w.log.Delivered(len(events))
		for i := range events {
			e := &events[i]
			found = append(found, fmt.Sprint(e.Field(keyPID), e.Field("process.linux.cgroup"), e.Field("systemd.unit.name"), e.Field("system.oom_kill.cgroup"),
				e.Field("system.oom_kill.limit"), e.Field("system.oom_kill.constraint")))
		}
		return found
	}
	change := func(kills int, edit func(map[string]string), gone ...int) {
		changed := map[string]string{"proc/vmstat": vmstat(kills)}
		edit(changed)
		for name, text := range changed {
			w.write(name, text)
		}
		for _, pid := range gone {
			require.NoError(t, os.RemoveAll(filepath.Join(w.root, fmt.Sprintf("proc/%d", pid))))
		}
	}
	assert.Empty(t, look())
	// A larger process of another group went, too.
	change(4, func(f map[string]string) { counters(f, service, 3, 4, "1048576") }, 10, 20)
	assert.Equal(t, []string{"10" + service + "a.service" + service + "1048576cgroup"}, look())
	assert.Empty(t, look())
	// The limit of the group was not reached: the memory of the host was.
	change(5, func(f map[string]string) { counters(f, pod, 0, 1, "2097152") }, 31)
	assert.Equal(t, []string{"31" + pod + "b.service<nil> <nil> <nil>"}, look())
	// The group has it before the host's counter.
	change(5, func(f map[string]string) { counters(f, pod, 1, 2, "2097152") })
	assert.Empty(t, look())
	change(6, func(map[string]string) {}, 30)
	assert.Equal(t, []string{"30" + pod + "b.service" + pod + "2097152cgroup"}, look())
	// A group that is new, and whose process lived between two looks.
	change(7, func(f map[string]string) { counters(f, "/system.slice/new.service", 1, 1, "4096") })
	assert.Empty(t, look(), "its process may not have gone yet")
	assert.Equal(t, []string{"<nil>/system.slice/new.servicenew.service/system.slice/new.service4096cgroup"}, look())
}

// TestOOMEventOfThisKernelWithoutTheLog has this kernel kill a process for the limit of its group, and holds that the right one is named.
func TestOOMEventOfThisKernelWithoutTheLog(t *testing.T) {
	const limit = 24 << 20
	group := fmt.Sprintf("oom-event-%d.service", os.Getpid())
	procs := memoryGroup(t, group, limit)
	log := NewLog(1000)
	log.Follow()
	w, err := NewWatcher(Options{Kinds: []Kind{OOMKill}}, log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	s, ok := w.sources[0].(*oomSource)
	require.True(t, ok)
	s.inferAlone()
	victim := exec.Command("/bin/sh", "-c", "echo $$ >"+procs+" && read start; exec tail /dev/zero")
	start, err := victim.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(procs)
		return len(text) > 0
	}, time.Minute, time.Millisecond)
	require.NoError(t, w.Look(time.Now()))
	_, err = start.Write([]byte("go\n"))
	require.NoError(t, err)
	require.Error(t, victim.Wait())
	require.NoError(t, w.Look(time.Now()))
	var found *Event
	for _, e := range log.Take(time.Now(), false) {
		if e.Field("system.oom_kill.cgroup") == "/"+group {
			found = &e
		}
	}
	require.NotNil(t, found, "an event of the first look after the kill")
	assert.Equal(t, int64(victim.Process.Pid), found.Field(keyPID))
	assert.Equal(t, "/"+group, found.Field("process.linux.cgroup"))
	assert.Equal(t, group, found.Field("systemd.unit.name"))
	assert.Equal(t, int64(limit), found.Field("system.oom_kill.limit"))
	assert.Equal(t, "inferred", found.Field(keyKillSource))
}

// TestOOMEventOfThisKernel has this kernel kill a process for the limit of its group, and holds the event against what the test knows of it.
func TestOOMEventOfThisKernel(t *testing.T) {
	if log, err := openKernelLog(""); err != nil {
		testenv.Missing(t, "the kernel's log can't be read: %v", err)
	} else {
		require.NoError(t, log.close())
	}
	const limit = 24 << 20
	group := fmt.Sprintf("oom-event-%d", os.Getpid())
	procs := memoryGroup(t, group, limit)
	log := NewLog(1000)
	log.Follow()
	w, err := NewWatcher(Options{Kinds: []Kind{OOMKill}}, log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	require.NoError(t, w.Look(time.Now()))
	before := time.Now()
	victim := exec.Command("/bin/sh", "-c", "echo $$ >"+procs+" && exec tail /dev/zero")
	require.Error(t, victim.Run())
	require.NoError(t, w.Look(time.Now()))
	var found *Event
	for _, e := range log.Take(time.Now(), false) {
		if e.Field(keyPID) == int64(victim.Process.Pid) {
			found = &e
		}
	}
	require.NotNil(t, found, "an event of the first look after the kill")
	assert.Equal(t, "tail", found.Field(keyExecutable))
	assert.Equal(t, "/"+group, found.Field("process.linux.cgroup"))
	assert.Equal(t, "/"+group, found.Field("system.oom_kill.cgroup"))
	assert.Equal(t, int64(limit), found.Field("system.oom_kill.limit"))
	assert.Equal(t, "cgroup", found.Field("system.oom_kill.constraint"))
	size, _ := found.Field("process.memory.usage").(int64)
	assert.Greater(t, size, int64(limit/2))
	assert.WithinDuration(t, before, found.Time, time.Minute)
}

// TestContainerEvents holds that containers are told of as they come and go, with the names that their runtime gives, and nothing else is.
func TestContainerEvents(t *testing.T) {
	id := strings.Repeat("ab", 32)
	docker := "sys/fs/cgroup/system.slice/docker-" + id + ".scope"
	const text = "usage_usec 10\nuser_usec 5\nsystem_usec 5\n"
	w := watchFiles(t, map[string]string{
		"sys/fs/cgroup/cgroup.controllers": "cpu memory\n", "sys/fs/cgroup/cpu.stat": text, "sys/fs/cgroup/system.slice/cpu.stat": text,
		"sys/fs/cgroup/system.slice/a.service/cpu.stat": text,
	}, ContainerStarted, ContainerEnded)
	assert.Empty(t, w.look("container.id"), "what was there before")
	w.write("var/lib/docker/containers/"+id+"/config.v2.json", `{"ID":"`+id+`","Name":"/web","Config":{"Image":"nginx:1"}}`)
	w.write(docker+"/cpu.stat", text)
	w.write("sys/fs/cgroup/system.slice/b.service/cpu.stat", text)
	assert.Equal(t, []string{"container.started web"}, w.look("container.name"))
	assert.Empty(t, w.look("container.id"))
	require.NoError(t, os.RemoveAll(filepath.Join(w.root, docker)))
	require.NoError(t, os.RemoveAll(filepath.Join(w.root, "var/lib/docker")))
	assert.Equal(t, []string{"container.ended nginx:1"}, w.look("container.image.name"), "its names are those that it had")
	assert.Empty(t, w.look("container.id"))
}

// TestContainerEventsOfThisKernel holds the same of a group that is made in this kernel's own hierarchy.
func TestContainerEventsOfThisKernel(t *testing.T) {
	id := fmt.Sprintf("%064x", os.Getpid())
	w, log := watchThisHost(t, ContainerStarted, ContainerEnded)
	group := memoryGroup(t, "docker-"+id+".scope", 24<<20)
	require.NoError(t, w.Look(time.Now()))
	require.NoError(t, os.Remove(filepath.Dir(group)))
	require.NoError(t, w.Look(time.Now()))
	var found []string
	for _, e := range log.Take(time.Now(), false) {
		if e.Field("container.id") == id {
			found = append(found, fmt.Sprint(e.Kind, " ", e.Field("container.runtime.name")))
		}
	}
	assert.Equal(t, []string{"container.started docker", "container.ended docker"}, found)
}

// watchThisHost has a watcher of this host look for the first time.
func watchThisHost(t *testing.T, kinds ...Kind) (*Watcher, *Log) {
	t.Helper()
	log := NewLog(100_000)
	log.Follow()
	w, err := NewWatcher(Options{Kinds: kinds}, log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	require.NoError(t, w.Look(time.Now()))
	return w, log
}
