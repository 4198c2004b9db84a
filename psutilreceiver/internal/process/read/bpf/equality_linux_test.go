//go:build linux && (amd64 || arm64)

package bpf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read/readtest"
)

func TestMain(m *testing.M) {
	roles := readtest.Roles()
	roles["reader"], roles["programs"] = playReader, playPrograms
	proctest.Main(m, roles)
}

// TestEachValueIsBetweenThoseOfProc compares processes that work with what /proc says of them before and after. PROCESS_SCRAPES says how many, each as often
// as it is read: see `make process-bracket`.
func TestEachValueIsBetweenThoseOfProc(t *testing.T) {
	r := newReader(t)
	readtest.StartMixture(t, 1, 50)
	b := readtest.NewBracket(r)
	b.RawIO, b.EndedSwitches, b.ByProc = r.rawIO, r.endedSwitches, r.readByProc
	defer func() { assert.NoError(t, b.Close()) }()
	require.NoError(t, b.Round())
	if r.hidesProcessOne() {
		b.Hidden = 1
		t.Log("this kernel shows process 1 to no program")
	}
	b.Report = readtest.NewReport()
	b.RunFor(t, readtest.ScrapesWanted(5_000))
	t.Log(b.Report.String())
	for _, fault := range b.Report.Faults() {
		t.Error(fault)
	}
}

// recordOf returns the record of a process in the last scan, nil if there is none.
func (r *Reader) recordOf(pid int32) *programsProcess {
	record, rest := nextRecord(r.written)
	for record != nil && record.Pid != uint32(pid) {
		record, rest = nextRecord(rest)
	}
	return record
}

// rawIO is the I/O of a process by the last scan as /proc/PID/io has it, with that of children that it waited for.
func (r *Reader) rawIO(pid int32) ([ioCounters]uint64, bool) {
	record := r.recordOf(pid)
	if record == nil {
		return [ioCounters]uint64{}, false
	}
	return record.Io, true
}

// endedSwitches are the context switches of the threads of a process that have ended, by the last scan.
func (r *Reader) endedSwitches(pid int32) ([2]uint64, bool) {
	record := r.recordOf(pid)
	if record == nil {
		return [2]uint64{}, false
	}
	return [2]uint64{record.EndedVoluntary, record.EndedInvoluntary}, record.Special&incomplete == 0
}

// readByProc tells whether the last scan read all of a process from /proc.
func (r *Reader) readByProc(pid int32) bool {
	record := r.recordOf(pid)
	return record == nil || record.Special&incomplete != 0
}

// hidesProcessOne tells whether this kernel does not show process 1 to programs. Such a kernel, of sandboxes, also runs no program in place of a thread of
// process 1, so that it does not tell of an end that happens to be found while one of these runs.
func (r *Reader) hidesProcessOne() bool { return r.recordOf(1) == nil }

// TestEndsOfAStorm compares what is told of short processes with what their parents were told.
func TestEndsOfAStorm(t *testing.T) {
	r := newReader(t)
	var ends readtest.Ends
	require.NoError(t, ends.Collect(r))
	done := make(chan readtest.Storm, 1)
	go func() {
		defer close(done) // Also where it fails.
		done <- readtest.RunStorm(t, readtest.StormPrefix(), 4, readtest.StormWanted(1_000))
	}()
	var storm readtest.Storm
	for running := true; running; {
		select {
		case storm = <-done:
			running = false
		case <-time.After(200 * time.Millisecond):
			require.NoError(t, ends.Collect(r))
		}
	}
	require.NotEmpty(t, storm)
	require.NoError(t, ends.Await(r, storm, 10*time.Second))
	ends.SomeMissed = r.hidesProcessOne()
	wrong, lines := ends.Compare(storm)
	for _, line := range lines {
		t.Log(line)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}
