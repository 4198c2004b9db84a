package host

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fakeMounts replaces the calls to filesystems, some of which hang until they are released.
type fakeMounts struct {
	mu      sync.Mutex
	hanging map[string]chan error // what the hung call to a path returns
	underWay, highest,
	calls map[string]int
}

func newFakeMounts(hanging ...string) *fakeMounts {
	f := &fakeMounts{
		hanging: make(map[string]chan error), underWay: make(map[string]int), highest: make(map[string]int),
		calls: make(map[string]int),
	}
	for _, path := range hanging {
		f.hang(path)
	}
	return f
}

func (f *fakeMounts) hang(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hanging[path] = make(chan error, 1)
}

// free lets the hung call to path go on, and all later ones.
func (f *fakeMounts) free(path string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hanging[path] <- err
	delete(f.hanging, path)
}

func (f *fakeMounts) statfs(path string) (Space, error) {
	f.mu.Lock()
	f.calls[path]++
	f.underWay[path]++
	f.highest[path] = max(f.highest[path], f.underWay[path])
	hung := f.hanging[path]
	f.mu.Unlock()
	var err error
	if hung != nil {
		err = <-hung
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.underWay[path]--
	return spaceOf(100, 60, 50, 4096, 10, 4), err
}

func (f *fakeMounts) count(counts map[string]int, path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return counts[path]
}

// Calls that hang are played in a bubble of testing/synctest: there all deadlines end at once, and a call that does not hang meets each,
// however busy the machine is.

// brief is a timeout below the deadline of a read.
const brief = 200 * time.Millisecond

func everyMount(*Mount) bool { return true }

// mountTableOf is a mountinfo with an ext4 of its own at each of these places.
func mountTableOf(mountpoints ...string) string {
	var b strings.Builder
	for i, m := range mountpoints {
		id, parent := 30+i, 20
		if m == "/" {
			id, parent = 20, 1
		}
		fmt.Fprintf(&b, "%d %d 8:%d / %s rw - ext4 /dev/sd%c1 rw\n", id, parent, i, m, 'a'+i)
	}
	return b.String()
}

func filesystemsOf(t *testing.T, fake *fakeMounts, timeout time.Duration, mountpoints ...string) *Filesystems {
	t.Helper()
	h := hostWith(t, map[string]string{"proc/1/mountinfo": mountTableOf(mountpoints...)})
	fs := NewFilesystems(h, timeout, everyMount)
	fs.statfs = func(path string) (Space, error) { return fake.statfs(strings.TrimPrefix(path, h.Root())) }
	return fs
}

func mountpointsOf(found []Filesystem) []string {
	var places []string
	for i := range found {
		places = append(places, found[i].Mountpoint)
	}
	return places
}

// waitForResult waits until the mount at path has an answer that nobody has taken.
func waitForResult(t *testing.T, fs *Filesystems, path string) {
	t.Helper()
	for _, m := range fs.mounts {
		if m.Mountpoint == path {
			require.Eventually(t, func() bool { return len(m.results) == 1 }, time.Minute, time.Millisecond)
		}
	}
}

// TestAMountThatNeverAnswers pins what a dead server costs: its own metrics, and nothing else.
func TestAMountThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeMounts("/dead", "/gone")
		fs := filesystemsOf(t, fake, brief, "/", "/dead", "/data", "/gone", "/home")
		now := time.Now()
		for i := range 20 {
			fs.host.Begin()
			now = now.Add(time.Minute)
			found, err := fs.Read(now)
			assert.Equal(t, []string{"/", "/data", "/home"}, mountpointsOf(found), "read %d", i)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.ErrorContains(t, err, "reading the filesystem at /dead: no answer within 200ms")
			require.ErrorContains(t, err, "reading the filesystem at /gone: no answer within 200ms")
			assert.Equal(t, "timeout", ErrorClass(err))
			assert.Equal(t, 2, fs.Stuck())
		}
		assert.Equal(t, 1, fake.count(fake.calls, "/dead"), "one call a mount, and with it one goroutine, however often it is read")
		assert.Equal(t, 1, fake.count(fake.calls, "/gone"))
		assert.Equal(t, 20, fake.count(fake.calls, "/home"))

		fake.free("/dead", nil)
		waitForResult(t, fs, "/dead")
		found, err := fs.Read(now.Add(time.Second))
		assert.Equal(t, []string{"/", "/dead", "/data", "/home"}, mountpointsOf(found))
		require.Error(t, err, "the other one")
		assert.Equal(t, 1, fs.Stuck())
		assert.Equal(t, 1, fake.count(fake.highest, "/dead"))
		fake.free("/gone", nil)
	})
}

// TestAHangingMountIsNotWaitedForTwice pins that with a timeout above the deadline of a read no read takes as long as the timeout, and
// only the first waits.
func TestAHangingMountIsNotWaitedForTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeMounts("/dead")
		fs := filesystemsOf(t, fake, time.Hour, "/dead", "/data")
		now := time.Now()
		found, err := fs.Read(now) // Returns, so it did not wait for an hour.
		require.NoError(t, err, "not yet late")
		assert.Equal(t, []string{"/data"}, mountpointsOf(found))
		assert.Equal(t, 0, fs.Stuck())

		found, err = fs.Read(now.Add(59 * time.Minute))
		require.NoError(t, err)
		assert.Equal(t, []string{"/data"}, mountpointsOf(found))
		assert.Equal(t, 0, fs.Stuck())

		_, err = fs.Read(now.Add(time.Hour))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 1, fs.Stuck())
		fake.free("/dead", nil)
	})
}

// TestALateAnswerCounts pins that a slow filesystem is shown, as of when it answered, and as prompt again when it is.
func TestALateAnswerCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeMounts("/slow")
		fs := filesystemsOf(t, fake, time.Hour, "/slow")
		now := time.Now()
		found, err := fs.Read(now)
		require.NoError(t, err)
		assert.Empty(t, found)
		assert.True(t, fs.mounts[0].slow)

		fake.free("/slow", nil)
		waitForResult(t, fs, "/slow")
		fake.hang("/slow")
		found, err = fs.Read(now.Add(time.Minute))
		require.NoError(t, err)
		assert.Equal(t, []string{"/slow"}, mountpointsOf(found), "the result of the request before")
		assert.Equal(t, 2, fake.count(fake.calls, "/slow"))

		found, err = fs.Read(now.Add(2 * time.Minute))
		require.NoError(t, err)
		assert.Empty(t, found, "and none since")

		fake.free("/slow", nil)
		waitForResult(t, fs, "/slow")
		now = now.Add(3 * time.Minute)
		found, err = fs.Read(now)
		require.NoError(t, err)
		assert.Len(t, found, 1)
		assert.False(t, fs.mounts[0].slow)
		assert.Equal(t, 1, fake.count(fake.highest, "/slow"))
	})
}

// TestLateErrorsBackOff pins that a mount which answers with an error after minutes, as a soft NFS mount does, stays stuck and is
// tried after longer and longer times.
func TestLateErrorsBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeMounts("/soft")
		fs := filesystemsOf(t, fake, brief, "/soft")
		now := time.Now()
		for tries, wait := 1, 2*brief; tries < 6; tries, wait = tries+1, 2*wait {
			_, err := fs.Read(now)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, tries, fake.count(fake.calls, "/soft"))
			fake.free("/soft", unix.EIO)
			waitForResult(t, fs, "/soft")
			fake.hang("/soft")

			now = now.Add(time.Hour)
			_, err = fs.Read(now)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded, "an error after so long is no answer")
			assert.Equal(t, 1, fs.Stuck())
			now = now.Add(wait - 1)
			_, err = fs.Read(now)
			require.Error(t, err)
			assert.Equal(t, tries, fake.count(fake.calls, "/soft"), "left alone")
			now = now.Add(1)
		}
		m := fs.mounts[0]
		m.failed, m.stuck = 1000, true
		m.results <- statfsResult{err: unix.EIO}
		m.takeLateResult(now, time.Minute)
		assert.Equal(t, now.Add(maxBackOff), m.retryAt)

		fake.free("/soft", nil)
		now = now.Add(maxBackOff)
		_, err := fs.Read(now)
		require.NoError(t, err)
		assert.Equal(t, 0, fs.Stuck())
	})
}

func TestErrorsOfMounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, map[string]string{"proc/1/mountinfo": mountTableOf("/", "/stale", "/unmounted", "/secret")})
		fs := NewFilesystems(h, time.Minute, everyMount)
		fs.statfs = func(path string) (Space, error) {
			return spaceOf(100, 60, 50, 4096, 10, 4), map[string]error{
				"/stale": unix.ESTALE, "/unmounted": unix.ENOENT, "/secret": unix.EACCES,
			}[strings.TrimPrefix(path, h.Root())]
		}
		found, err := fs.Read(time.Now())
		assert.Equal(t, []string{"/"}, mountpointsOf(found))
		require.EqualError(t, err, "reading the filesystem at /stale: "+unix.ESTALE.Error()+
			"\nreading the filesystem at /secret: "+unix.EACCES.Error())
		assert.Equal(t, 0, fs.Stuck())
	})
}

// TestAHungMountThatLeavesTheTable pins that one that was unmounted lazily and is back is not requested a second time beside the call that still
// hangs.
func TestAHungMountThatLeavesTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeMounts("/dead")
		fs := filesystemsOf(t, fake, brief, "/", "/dead")
		read := func(table string) {
			t.Helper()
			put(t, fs.host.Root(), "proc/1/mountinfo", table)
			fs.host.Begin()
			found, _ := fs.Read(time.Now())
			assert.Equal(t, []string{"/"}, mountpointsOf(found))
		}
		read(mountTableOf("/", "/dead"))
		assert.Equal(t, 1, fs.Stuck())
		read(mountTableOf("/"))
		assert.Equal(t, 0, fs.Stuck(), "no mount, no stuck one")
		read(mountTableOf("/", "/dead"))
		assert.Equal(t, 1, fs.Stuck())
		assert.Equal(t, 1, fake.count(fake.calls, "/dead"))

		state := fs.states[mountKey{"8:1", "/dead"}]
		read(mountTableOf("/"))
		fake.free("/dead", nil)
		synctest.Wait()
		assert.Len(t, state.results, 1)
		read(mountTableOf("/"))
		assert.NotContains(t, fs.states, mountKey{"8:1", "/dead"}, "nothing is kept of what is gone and hangs no more")
	})
}

func TestATableThatCantBeReadLeavesTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := filesystemsOf(t, newFakeMounts(), time.Minute, "/", "/data")
		_, err := fs.Read(time.Now())
		require.NoError(t, err)
		require.NoError(t, os.Remove(fs.host.Path("proc/1/mountinfo")))
		fs.host.Begin()
		found, err := fs.Read(time.Now())
		require.ErrorIs(t, err, os.ErrNotExist)
		assert.Equal(t, []string{"/", "/data"}, mountpointsOf(found))
	})
}

func TestFilesystemsAllocateNothing(t *testing.T) {
	fs := filesystemsOf(t, newFakeMounts(), time.Minute, "/", "/data", "/home")
	space := Space{Total: 1}
	fs.statfs = func(string) (Space, error) { return space, nil }
	now := time.Now()
	var err error
	// What is left is the worker: its goroutine and its channel.
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		_, e := fs.Read(now)
		err = errors.Join(err, e)
	}), 3.0)
	require.NoError(t, err)
}
