package psutilreceiver

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadatatest"
)

// fuseDaemon serves an empty FUSE filesystem, and answers statfs unless a test has made it silent.
type fuseDaemon struct {
	device *os.File
	mu     sync.Mutex
	silent bool
	held   []uint64 // calls of statfs that wait for an answer
	asked  chan struct{}
}

// Of linux/fuse.h.
const (
	fuseForget    = 2
	fuseStatfs    = 17
	fuseInit      = 26
	fuseInterrupt = 36

	fuseInHeader  = 40 // length, opcode, unique, and more that is of no use here
	fuseOutHeader = 16 // length, error, unique
	fuseInitOut   = 64
	fuseStatfsOut = 80

	fuseBlocks, fuseFree, fuseBlockSize = 1000, 250, 4096 // what the filesystem says of itself
)

// mountFUSE mounts a filesystem of which the daemon is silent.
func mountFUSE(t *testing.T, at string) *fuseDaemon {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		testenv.Missing(t, "no FUSE: %v", err)
	}
	require.NoError(t, os.MkdirAll(at, 0o755))
	require.NoError(t, unix.Mount("stuck", at, "fuse.stuck", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)))
	d := &fuseDaemon{device: os.NewFile(uintptr(fd), "/dev/fuse"), silent: true, asked: make(chan struct{}, 1)}
	var serving sync.WaitGroup
	serving.Go(d.serve)
	t.Cleanup(func() {
		_ = d.device.Close() // The kernel answers for the daemon from then on.
		serving.Wait()
		_ = unix.Unmount(at, unix.MNT_DETACH)
	})
	return d
}

func (d *fuseDaemon) serve() {
	request := make([]byte, 128<<10)
	for {
		n, err := d.device.Read(request)
		if err != nil || n < fuseInHeader {
			return
		}
		unique := binary.NativeEndian.Uint64(request[8:])
		switch binary.NativeEndian.Uint32(request[4:]) {
		case fuseInit:
			out := make([]byte, fuseInitOut)
			binary.NativeEndian.PutUint32(out, 7)
			binary.NativeEndian.PutUint32(out[4:], 31)
			binary.NativeEndian.PutUint32(out[20:], 4096) // Of one write, at most.
			d.answer(unique, 0, out)
		case fuseStatfs:
			d.mu.Lock()
			if d.held = append(d.held, unique); !d.silent {
				d.answerHeld()
			}
			d.mu.Unlock()
			select {
			case d.asked <- struct{}{}:
			default:
			}
		case fuseForget, fuseInterrupt: // Want no answer.
		default:
			d.answer(unique, unix.ENOSYS, nil)
		}
	}
}

func (d *fuseDaemon) answer(unique uint64, errno unix.Errno, body []byte) {
	out := make([]byte, fuseOutHeader, fuseOutHeader+len(body))
	out = append(out, body...)
	binary.NativeEndian.PutUint32(out, uint32(len(out)))
	binary.NativeEndian.PutUint32(out[4:], uint32(-int32(errno)))
	binary.NativeEndian.PutUint64(out[8:], unique)
	_, _ = d.device.Write(out) // A call that has been given up is no more to be answered.
}

func (d *fuseDaemon) answerHeld() {
	for _, unique := range d.held {
		out := make([]byte, fuseStatfsOut)
		binary.NativeEndian.PutUint64(out, fuseBlocks)
		binary.NativeEndian.PutUint64(out[8:], fuseFree)
		binary.NativeEndian.PutUint64(out[16:], fuseFree)
		binary.NativeEndian.PutUint32(out[40:], fuseBlockSize)
		binary.NativeEndian.PutUint32(out[44:], 255)
		binary.NativeEndian.PutUint32(out[48:], fuseBlockSize)
		d.answer(unique, 0, out)
	}
	d.held = nil
}

func (d *fuseDaemon) setSilent(silent bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.silent = silent; !silent {
		d.answerHeld()
	}
}

// TestAStuckMountComesBack runs the receiver on this host, beside a filesystem that does not answer, then does, and in the end does not
// again while the receiver is shut down. The timeout is an hour: a wait for an answer would not end in time.
func TestAStuckMountComesBack(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	mountpoint := filepath.Join(t.TempDir(), "stuck")
	daemon := mountFUSE(t, mountpoint)
	f := startFixtureHost(t, "", onlyScrapers("load", "memory", "filesystem", "system"), func(cfg *Config) {
		cfg.Scrapers.Filesystem.Get().Timeout = time.Hour
	})
	limitOfMount := func(got map[string]float64) (limit float64, found bool) {
		for name, v := range got {
			if strings.HasPrefix(name, "system.filesystem.limit{") && strings.Contains(name, "mountpoint="+mountpoint+",") {
				return v, true
			}
		}
		return 0, false
	}

	f.first(t)
	within(t, daemon.asked)
	got := pointValues(t, f.after(t, time.Hour))
	assert.InDelta(t, 1, got["system.filesystem.stuck"], 0)
	for _, name := range []string{"system.cpu.load_average.1m", "system.memory.limit", "system.uptime"} {
		assert.Contains(t, got, name, "the others go on")
	}
	_, found := limitOfMount(got)
	assert.False(t, found)
	metadatatest.AssertEqualPsutilStuckMounts(t, f.telemetry, counts{count(1)}, untimed...)
	f.after(t, 15*time.Second)
	assert.Equal(t, map[string]int{
		"filesystem: timeout Some metrics can't be read and are left out; this is logged once an hour at most": 1,
	}, f.warnings())

	daemon.setSilent(false)
	require.Eventually(t, func() bool {
		got = pointValues(t, f.after(t, 15*time.Second))
		return got["system.filesystem.stuck"] == 0
	}, time.Minute, time.Millisecond)
	limit, found := limitOfMount(got)
	assert.True(t, found)
	assert.InDelta(t, fuseBlocks*fuseBlockSize, limit, 0)
	metadatatest.AssertEqualPsutilStuckMounts(t, f.telemetry, counts{count(0)}, untimed...)

	daemon.setSilent(true)
	drain(daemon.asked)
	f.clock.step(15 * time.Second)
	f.ticks <- time.Time{}
	within(t, daemon.asked)
	began, ended := time.Now(), make(chan error, 1)
	go func() { ended <- f.receiver.Shutdown(context.Background()) }()
	require.NoError(t, within(t, ended))
	t.Logf("Shutdown took %v while a filesystem was being asked", time.Since(began))
}

func drain(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}
