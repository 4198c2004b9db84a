package host

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFileHandlesOfHosts(t *testing.T) {
	for name, want := range map[string]FileHandles{
		"server-6.x": {Allocated: 9824, Limit: math.MaxInt64},
		"kernel-4.4": {Allocated: 1952, Limit: 401122},
		"container":  {Allocated: 3104, Limit: 1620112},
	} {
		got, err := fixtureHost(t, name).FileHandles()
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
}

func TestTaskLimitsOfHosts(t *testing.T) {
	for name, want := range map[string]struct{ threads, pids, limit int64 }{
		"server-6.x": {514402, 4194304, 514402},
		"kernel-4.4": {31504, 32768, 31504},
		"container":  {126990, 4194304, 126990},
	} {
		got, err := fixtureHost(t, name).TaskLimits()
		require.NoError(t, err)
		assert.Equal(t, TaskLimits{Threads: want.threads, PIDs: want.pids}, got, name)
		assert.Equal(t, want.limit, got.Limit(), name)
	}
	assert.Equal(t, int64(32768), TaskLimits{Threads: 192731, PIDs: 32768}.Limit())
}

func TestSystemFilesThatAreBad(t *testing.T) {
	h := hostWith(t, nil)
	_, err := h.FileHandles()
	require.ErrorIs(t, err, ErrUnsupported, "WSL 1 and gVisor have none")
	_, err = h.TaskLimits()
	require.ErrorIs(t, err, ErrUnsupported)

	for _, text := range []string{"", "10\n", "10\t0\n", "10\t11\t20\n", "x\t0\t1\n"} {
		_, err := hostWith(t, map[string]string{"proc/sys/fs/file-nr": text}).FileHandles()
		require.ErrorIs(t, err, errMalformed, "%q", text)
	}
	for text, want := range map[string]FileHandles{
		"-1\t0\t9\n": {Odd, 9}, "7\tx\t9\n": {Odd, 9}, "7\t\t9\n": {Odd, 9}, "7\t1\t18446744073709551615\n": {6, Odd}, "7\t8\t9\n": {Odd, 9},
	} {
		got, err := hostWith(t, map[string]string{"proc/sys/fs/file-nr": text}).FileHandles()
		require.True(t, IsOdd(err), text)
		assert.Equal(t, want, got, text)
	}
	h = hostWith(t, map[string]string{"proc/sys/kernel/threads-max": "1000\n", "proc/sys/kernel/pid_max": "many\n"})
	_, err = h.TaskLimits()
	require.ErrorIs(t, err, errMalformed)
	require.ErrorContains(t, err, "/proc/sys/kernel/pid_max")
}

func FuzzParseFileNr(f *testing.F) {
	for _, seed := range []string{"", "9824\t0\t9223372036854775807\n", "1 2 3", "18446744073709551615 0 1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseFileNr(text)
		assert.True(t, err == nil || IsOdd(err) || got == FileHandles{})
		assert.GreaterOrEqual(t, got.Allocated, int64(Odd))
		assert.GreaterOrEqual(t, got.Limit, int64(Odd))
	})
}
