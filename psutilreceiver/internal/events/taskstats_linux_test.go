package events

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// program makes this test's binary something else to be watched, by an environment variable.
const program = "EVENTS_TEST_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(program) {
	case "":
		os.Exit(m.Run())
	case "threads":
		burnInThreads()
		os.Exit(5)
	}
}

// burnInThreads uses memory, and CPU time in several threads.
func burnInThreads() {
	const size, threads = 64 << 20, 3
	memory := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		memory[i] = 1
	}
	done := make(chan int)
	for range threads {
		go func() {
			sum := 0
			for i := range 60_000_000 {
				sum += i ^ int(memory[i%size])
			}
			done <- sum
		}()
	}
	for range threads {
		<-done
	}
}

// TestTaskStatisticsOfThisKernel holds what the kernel tells of processes that lived between two looks against what waiting for them has given.
func TestTaskStatisticsOfThisKernel(t *testing.T) {
	s, err := openStatistics("")
	if err != nil {
		testenv.Missing(t, "the task statistics can't be used: %v", err)
	}
	require.NoError(t, s.close())
	log := NewLog(100_000)
	log.Follow()
	w, err := NewWatcher(Options{Kinds: []Kind{ProcessExit}}, log)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	require.NoError(t, w.Look(time.Now()))

	threads := exec.Command(os.Args[0])
	threads.Env = append(os.Environ(), program+"=threads")
	require.Error(t, threads.Run())
	short := exec.Command("/bin/true")
	began := time.Now()
	require.NoError(t, short.Run())
	ended := time.Now()
	// Of a process that was waited for the kernel has told by then.
	require.NoError(t, w.Look(time.Now()))
	found := map[any]*Event{}
	for _, e := range log.Take(time.Now(), false) {
		found[e.Field(keyPID)] = &e
	}

	e := found[int64(short.Process.Pid)]
	require.NotNil(t, e)
	assert.Equal(t, "true", e.Field(keyExecutable))
	assert.Equal(t, int64(os.Getpid()), e.Field("process.parent_pid"))
	assert.Equal(t, exitStatistics, e.Field("process.exit.source"))
	assert.Equal(t, int64(0), e.Field("process.exit.code"))
	assert.Positive(t, e.Field("process.exit.memory.peak"))
	// A clock that is set meanwhile is not this test's matter.
	assert.WithinRange(t, e.Time, began.Add(-time.Second), ended.Add(time.Second))

	e = found[int64(threads.Process.Pid)]
	require.NotNil(t, e)
	usage, _ := threads.ProcessState.SysUsage().(*syscall.Rusage)
	assert.Equal(t, int64(5), e.Field("process.exit.code"))
	user, _ := e.Field("process.exit.cpu.user").(float64)
	system, _ := e.Field("process.exit.cpu.system").(float64)
	cpu := threads.ProcessState.UserTime() + threads.ProcessState.SystemTime()
	// The kernel tells of a thread before it frees what that had, which takes time, too.
	const most = 1.001
	assert.LessOrEqual(t, user+system, cpu.Seconds()*most)
	assert.GreaterOrEqual(t, user+system, cpu.Seconds()*0.8, "all threads")
	peak, _ := e.Field("process.exit.memory.peak").(int64)
	assert.InDelta(t, float64(usage.Maxrss)*1024, float64(peak), 4<<20)
	assert.Greater(t, peak, int64(64<<20))
	assert.Equal(t, int64(os.Getuid()), e.Field("process.user.id"))
}
