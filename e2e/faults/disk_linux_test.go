package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// besides has a pipeline besides that of the queue, which writes to another disk.
const besides = `{exporters: {file: {path: scraped-0.jsonl, flush_interval: 50ms}},
  service: {telemetry: {logs: {level: debug, sampling: {enabled: false}}},
    pipelines: {metrics/besides: {receivers: [psutil, psutil/delta], exporters: [file]}}}}`

// onSmallDisk has the state of a collector on a filesystem of its own, 3 MB large, and gives the way to it.
func (s *sender) onSmallDisk() (state func() string) {
	s.t.Helper()
	testenv.Root(s.t, "mounts a filesystem")
	dir := filepath.Join(s.dir, "state")
	require.NoError(s.t, os.Mkdir(dir, 0o700))
	if out, err := exec.Command("unshare", "-m", "mount", "-t", "tmpfs", "none", dir).CombinedOutput(); err != nil {
		testenv.Missing(s.t, "not even root may mount a filesystem: %v: %s", err, out)
	}
	s.wrap = func(program string, args ...string) *exec.Cmd {
		const script = `mount -t tmpfs -o size=3m none "$0" && exec "$@"`
		return exec.Command("unshare", append([]string{"-m", "sh", "-c", script, dir, program}, args...)...)
	}
	return func() string { return filepath.Join("/proc", fmt.Sprint(s.PID()), "root", dir) }
}

// fillDisk writes to a file until the disk is full.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	for err == nil {
		_, err = f.Write(make([]byte, os.Getpagesize()))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}

// refusing waits for the queue to take no more.
func (s *sender) refusing() {
	s.t.Helper()
	harness.Eventually(s.t, "the queue takes no more", func() error {
		n, err := s.telemetryOf("otelcol_exporter_enqueue_failed_metric_points")
		if err == nil && n == 0 {
			err = errors.New("nothing was refused")
		}
		return err
	})
}

// TestFaultQueueFull fills the queue up to its size while the backend is down.
func TestFaultQueueFull(t *testing.T) {
	t.Parallel()
	s := newSender(t, "otlp_grpc", `{exporters: {otlp_grpc: {sending_queue: {queue_size: 300_000}}},
  receivers: {psutil: {collection_interval: 200ms}, psutil/delta: {collection_interval: 200ms}}}`)
	s.begin(besides)
	s.turn()
	s.backend.down()
	s.refusing()
	s.scrapes(10)
	s.backend.up()
	s.resumes()
	s.stopTurning()
	assert.Zero(t, s.lostButNotRefused())
	s.ends()
}

// TestFaultQueueDiskFull fills the disk of the queue while the backend is down. Then there is room again, or the backend is back first.
func TestFaultQueueDiskFull(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"room", "backend"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			s := newSender(t, "otlp_grpc")
			state := s.onSmallDisk()
			s.begin(besides)
			s.turn()
			s.backend.down()
			s.scrapes(10)
			ballast := filepath.Join(state(), "ballast")
			fillDisk(t, ballast)
			s.refusing()
			fillDisk(t, ballast)
			s.scrapes(10)
			if first == "room" {
				require.NoError(t, os.Remove(ballast))
				s.scrapes(10)
				s.backend.up()
			} else {
				s.backend.up()
				s.resumes()
				require.NoError(t, os.Remove(ballast))
			}
			s.resumes()
			s.stopTurning()
			// A queue that can't write down what it takes out has been seen to lose it.
			unwritten := strings.Count(s.Output(), "Failed to dispatch item")
			assert.LessOrEqual(t, s.lostButNotRefused(), unwritten)
			if first == "room" {
				assert.Zero(t, unwritten)
			}
			s.ends()
		})
	}
}

// resumes waits for a scrape from now on to arrive.
func (s *sender) resumes() {
	s.t.Helper()
	s.passes(time.Now())
}

// lostButNotRefused counts the scrapes that did not arrive without the exporter having said that it refused them.
func (s *sender) lostButNotRefused() int {
	s.t.Helper()
	refused := func() float64 {
		n, err := s.telemetryOf("otelcol_exporter_enqueue_failed_metric_points")
		require.NoError(s.t, err)
		return n
	}
	var before float64
	var lost, points, seen int
	harness.Eventually(s.t, "nothing is refused any more", func() error {
		before = refused()
		now := time.Now()
		s.passes(now)
		harness.Eventually(s.t, "the other pipeline is as far", func() (err error) {
			lost, points, seen, err = s.absent(now)
			return err
		})
		if after := refused(); after > before {
			return fmt.Errorf("%v points more", after-before)
		}
		return nil
	})
	said := strings.Count(s.Output(), "Rejecting data")
	require.Positive(s.t, lost)
	require.GreaterOrEqual(s.t, float64(points), before)
	more := lost - said
	assert.InDelta(s.t, more*points/lost, float64(points)-before, 0, "the log and the counter say the same")
	s.t.Logf("%d of %d scrapes were refused, and %d more were lost; %v points were refused", said, seen, more, before)
	return more
}

// absent counts the scrapes until an instant that another pipeline has seen and the backend has not. It is an error if that pipeline is not so far.
func (s *sender) absent(until time.Time) (lost, points, seen int, err error) {
	all, err := harness.Batches(filepath.Join(s.dir, "scraped-0.jsonl"))
	if err != nil {
		return 0, 0, 0, err
	}
	err = fmt.Errorf("none of %d scrapes is later than %v", len(all), until)
	_ = s.backend.look(func(l *ledger) error {
		for _, md := range all {
			one, ok := scrapeOf(harness.PointsOf(md))
			if !ok || one.at.After(until) {
				err = nil
				continue
			}
			seen++
			if _, ok := l.scrapes[one]; !ok {
				lost++
				points += md.DataPointCount()
			}
		}
		return nil
	})
	return lost, points, seen, err
}

// TestFaultQueueCorrupted starts a collector on a queue of which a power failure, say, has left pieces. They are moved away, and it runs.
func TestFaultQueueCorrupted(t *testing.T) {
	t.Parallel()
	s := newSender(t, "otlp_grpc")
	s.begin()
	s.backend.down()
	s.scrapes(10)
	s.Kill()
	path := filepath.Join(s.dir, "state", "exporter_otlp_grpc__metrics")
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	const pages = 2 // which say where all others are
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, 1<<20), int64(pages*os.Getpagesize()))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	s.backend.up()
	s.begin()
	s.resumes()
	assert.Contains(t, s.Output(), "was damaged and is moved away")
	assert.NotContains(t, s.Output(), "panic")
	s.ends()
}
