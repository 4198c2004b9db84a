//go:build linux && (amd64 || arm64)

package bpf

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// identifiers are those of what a reader has in the kernel. None is used again soon.
type identifiers struct {
	Programs []ebpf.ProgramID
	Maps     []ebpf.MapID
	Links    []link.ID
}

func (r *Reader) identifiers() (ids identifiers, err error) {
	for _, program := range r.programs.collection.Programs {
		info, err := program.Info()
		if err != nil {
			return ids, err
		}
		id, _ := info.ID()
		ids.Programs = append(ids.Programs, id)
	}
	for _, m := range r.programs.collection.Maps {
		info, err := m.Info()
		if err != nil {
			return ids, err
		}
		id, _ := info.ID()
		ids.Maps = append(ids.Maps, id)
	}
	for _, l := range append([]link.Link{r.programs.iterator}, r.programs.links...) {
		info, err := l.Info()
		if errors.Is(err, ebpf.ErrNotSupported) {
			continue // Before Linux 5.10 a tracepoint's has no identifier.
		} else if err != nil {
			return ids, err
		}
		ids.Links = append(ids.Links, info.ID)
	}
	return ids, nil
}

// left counts what is still in the kernel.
func (ids *identifiers) left(tb testing.TB) (n int) {
	tb.Helper()
	count := func(c io.Closer, err error) {
		if err == nil {
			n++
			_ = c.Close()
		} else {
			require.ErrorIs(tb, err, os.ErrNotExist)
		}
	}
	for _, id := range ids.Programs {
		p, err := ebpf.NewProgramFromID(id)
		count(p, err)
	}
	for _, id := range ids.Maps {
		m, err := ebpf.NewMapFromID(id)
		count(m, err)
	}
	for _, id := range ids.Links {
		l, err := link.NewFromID(id)
		count(l, err)
	}
	return n
}

// isGone waits until the kernel has removed all, which it does a grace period after the last descriptor was closed.
func (ids *identifiers) isGone(tb testing.TB) {
	tb.Helper()
	require.GreaterOrEqual(tb, len(ids.Programs), 4)
	require.GreaterOrEqual(tb, len(ids.Maps), 3)
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		runtime.GC() // The library unmaps what it has mapped of a map when that is collected.
		left := ids.left(tb)
		if left == 0 {
			return
		}
		require.False(tb, time.Now().After(end), "%d programs, maps or links of %d are left in the kernel", left, len(ids.Programs)+len(ids.Maps)+len(ids.Links))
	}
}

// TestNothingIsLeftAfterClose loads and closes again and again, READER_STARTS times: nothing is left in the kernel, and nothing grows in this process.
func TestNothingIsLeftAfterClose(t *testing.T) {
	r := newReader(t)
	require.NoError(t, r.Scan(func(*read.Sample) {}))
	require.NoError(t, r.Close())
	starts := 20
	if n, err := strconv.Atoi(os.Getenv("READER_STARTS")); err == nil {
		starts = n
	}
	descriptors, goroutines := openDescriptors(t), runtime.NumGoroutine()
	var all identifiers
	for range starts {
		require.NoError(t, r.Scan(func(*read.Sample) {}))
		r.Exits(func(*read.Exit) {})
		ids, err := r.identifiers()
		require.NoError(t, err)
		require.Positive(t, ids.left(t))
		all.Programs, all.Maps, all.Links = append(all.Programs, ids.Programs...), append(all.Maps, ids.Maps...), append(all.Links, ids.Links...)
		require.NoError(t, r.Close())
	}
	all.isGone(t)
	assert.LessOrEqual(t, openDescriptors(t), descriptors)
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(all)
}

// playReader reads once, says what it has in the kernel, and waits to be killed.
func playReader() error {
	r, err := New(read.New(""))
	if err != nil {
		return err
	}
	if err := r.Scan(func(*read.Sample) {}); err != nil {
		return err
	}
	ids, err := r.identifiers()
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(ids); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// playPrograms prints the names of all programs that are in the kernel.
func playPrograms() error {
	for id, err := ebpf.ProgramGetNextID(0); ; id, err = ebpf.ProgramGetNextID(id) {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		p, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		info, err := p.Info()
		_ = p.Close()
		if err != nil {
			return err
		}
		fmt.Println(info.Name)
	}
}

// TestNothingIsLeftAfterAKill kills a process that reads, with what can't be caught.
func TestNothingIsLeftAfterAKill(t *testing.T) {
	needsBPF(t)
	cmd := exec.Command(os.Args[0])
	proctest.SetRole(cmd, "reader")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer func() { _ = stdin.Close() }()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var ids identifiers
	require.NoError(t, json.Unmarshal(line, &ids))
	assert.Positive(t, ids.left(t))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	ids.isGone(t)
}

// TestEndedProcessesLeaveNothingInTheMaps starts processes with threads that end, and ends them: what is kept of each in the kernel goes with it.
func TestEndedProcessesLeaveNothingInTheMaps(t *testing.T) {
	r := newReader(t)
	require.NoError(t, r.Scan(func(*read.Sample) {}))
	if r.hidesProcessOne() {
		t.Skip("this kernel runs no program in place of process 1, and so does not tell of each end") //nolint:forbidigo // No setting changes it.
	}
	for range 50 {
		cmd := exec.Command(os.Args[0])
		proctest.SetRole(cmd, "burn")
		require.NoError(t, cmd.Run())
	}
	m := r.programs.collection.Maps[programsMapEndings]
	require.Eventually(t, func() bool {
		alive := make(map[uint64]bool)
		require.NoError(t, r.Scan(func(s *read.Sample) { alive[uint64(s.PID)] = true }))
		var name struct{ Start, Pid uint64 }
		value := make([]byte, m.ValueSize())
		dead := 0
		for all := m.Iterate(); all.Next(&name, &value); {
			if !alive[name.Pid] {
				dead++
			}
		}
		return dead == 0
	}, 20*time.Second, 50*time.Millisecond)
}
