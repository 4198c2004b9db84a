package host

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThrottlesOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	got, err := NewThrottles(h, true).Read()
	require.NoError(t, err)
	assert.Equal(t, []Throttle{
		{Scope: ThrottleCore, CPU: 0, Online: true, Events: 5, Time: 1.25},
		{Scope: ThrottlePackage, CPU: 0, Online: true, Events: 14, Time: 4.2},
		{Scope: ThrottleCore, CPU: 1, Online: true, Events: 12, Time: 2.25},
	}, got, "the two threads of a core count the same")
	for _, name := range []string{"kernel-4.4", "container"} {
		_, err = NewThrottles(fixtureHost(t, name), true).Read()
		require.ErrorIs(t, err, ErrUnsupported, name)
	}
}

// throttledHost is a host whose CPUs have counted, each a core of one package.
func throttledHost(t *testing.T, events ...int) *Host {
	t.Helper()
	h := hostWith(t, nil)
	stat := "cpu  1 1 1 1 1 1 1 1\n"
	for cpu, n := range events {
		dir := "sys/devices/system/cpu/cpu" + strconv.Itoa(cpu)
		put(t, h.Root(), dir+"/thermal_throttle/core_throttle_count", strconv.Itoa(n)+"\n")
		put(t, h.Root(), dir+"/topology/core_id", strconv.Itoa(cpu)+"\n")
		put(t, h.Root(), dir+"/topology/physical_package_id", "0\n")
		stat += "cpu" + strconv.Itoa(cpu) + " 1 1 1 1 1 1 1 1\n"
	}
	put(t, h.Root(), "proc/stat", stat)
	return h
}

func TestACoreThatGoesOfflineKeepsWhatItHasCounted(t *testing.T) {
	h := throttledHost(t, 3, 4)
	throttles := NewThrottles(h, true)
	sum := func() (total int64, online int) {
		h.Begin()
		parts, err := throttles.Read()
		require.NoError(t, err)
		for _, p := range parts {
			assert.InDelta(t, absent, p.Time, 0, "a kernel without times")
			total += p.Events
			if p.Online {
				online++
			}
		}
		return total, online
	}
	total, online := sum()
	assert.Equal(t, []int64{7, 2}, []int64{total, int64(online)})
	away := h.Path("away")
	require.NoError(t, os.Rename(h.Path("sys/devices/system/cpu/cpu1/thermal_throttle"), away))
	put(t, h.Root(), "proc/stat", "cpu  1 1 1 1 1 1 1 1\ncpu0 1 1 1 1 1 1 1 1\n")
	total, online = sum()
	assert.Equal(t, []int64{7, 1}, []int64{total, int64(online)})
	require.NoError(t, os.Rename(away, h.Path("sys/devices/system/cpu/cpu1/thermal_throttle")))
	put(t, h.Root(), "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "9\n")
	put(t, h.Root(), "proc/stat", "cpu  1 1 1 1 1 1 1 1\ncpu0 1 1 1 1 1 1 1 1\ncpu1 1 1 1 1 1 1 1 1\n")
	total, online = sum()
	assert.Equal(t, []int64{12, 2}, []int64{total, int64(online)})
}

func TestThrottlesAreReadWithoutAllocating(t *testing.T) {
	throttles := NewThrottles(throttledHost(t), false)
	assert.Zero(t, testing.AllocsPerRun(20, func() { _, _ = throttles.Read() }), "a host that counts none")
}
