package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/protocol"
)

// recorded are the files that hold what most metrics are made of.
var recorded = []string{
	"/proc/stat", "/proc/meminfo", "/proc/vmstat", "/proc/diskstats", "/proc/uptime", "/proc/loadavg", "/proc/pressure/cpu",
	"/proc/self/net/dev",
}

// snapshot reads the files between two readings of the clocks. Names may be patterns, as of Glob.
func snapshot(further []string) *protocol.Snapshot {
	s := &protocol.Snapshot{Files: make(map[string]string), Before: clocks()}
	for _, pattern := range append(slices.Clip(recorded), further...) {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, path := range paths {
			if text, err := os.ReadFile(path); err == nil {
				s.Files[path] = string(text)
			}
		}
	}
	s.After = clocks()
	return s
}

func clocks() protocol.Clocks {
	return protocol.Clocks{
		Realtime: clock(unix.CLOCK_REALTIME), Monotonic: clock(unix.CLOCK_MONOTONIC), Boottime: clock(unix.CLOCK_BOOTTIME),
	}
}

func clock(id int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		panic(err) // There is no Linux without these clocks.
	}
	return t.Nano()
}

func moveClock(by time.Duration) error {
	t := unix.NsecToTimespec(clock(unix.CLOCK_REALTIME) + int64(by))
	tv := unix.NsecToTimeval(t.Nano())
	return unix.Settimeofday(&tv)
}

// recorder writes snapshots to a file, one a line.
type recorder struct {
	quit chan struct{}
	done chan error
}

func record(path string, interval time.Duration, further []string) (*recorder, error) {
	if interval <= 0 {
		return nil, fmt.Errorf("the interval of a recording is %v", interval)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	r := &recorder{quit: make(chan struct{}), done: make(chan error, 1)}
	go func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		buffered := bufio.NewWriter(f)
		lines := json.NewEncoder(buffered)
		for {
			if err := lines.Encode(snapshot(further)); err != nil {
				r.done <- err
				return
			}
			select {
			case <-ticker.C:
			case <-r.quit:
				if err := buffered.Flush(); err != nil {
					r.done <- err
					return
				}
				r.done <- f.Close()
				return
			}
		}
	}()
	return r, nil
}

func (r *recorder) stop() error {
	close(r.quit)
	return <-r.done
}
