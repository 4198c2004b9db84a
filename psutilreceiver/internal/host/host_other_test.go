//go:build !linux

package host

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARootOfItsOwnIsForLinux(t *testing.T) {
	_, err := New(t.TempDir())
	require.ErrorIs(t, err, ErrUnsupported)
	require.ErrorContains(t, err, "on Linux only")
}

func TestPortable(t *testing.T) {
	assert.Equal(t, ErrUnsupported, portable("reading", errors.New("not implemented yet")))
	require.EqualError(t, portable("reading the memory", errors.New("denied")), "reading the memory: denied")
}

func TestPortableStatistics(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	h.Begin()

	if sample, err := h.CPU(); err == nil {
		assert.NotEmpty(t, sample.PerCPU)
		assert.Positive(t, sample.Total.User)
		assert.Positive(t, sample.Total.Idle)
	} else {
		require.ErrorIs(t, err, ErrUnsupported)
	}

	m, err := h.Memory()
	require.NoError(t, err)
	s := m.States()
	assert.Equal(t, m.Total, s.Used+s.Free+s.Buffers+s.Cached)

	up, err := h.Uptime()
	require.NoError(t, err)
	boot, err := h.BootTime(time.Now())
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(-up), boot, 5*time.Second)
	again, err := h.BootTime(time.Now().Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, boot, again)

	for _, l := range []func() error{
		func() error { _, err := h.Load(); return err },
		func() error { _, err := h.Swaps(); return err },
		func() error { _, err := h.Kernel(); return err },
		func() error { _, err := h.VM(); return err },
		func() error { _, err := h.Logins(); return err },
		func() error { _, err := h.Pressure(ResourceCPU); return err },
		func() error { _, err := h.FileHandles(); return err },
		func() error { _, err := h.TaskLimits(); return err },
	} {
		if err := l(); err != nil {
			require.ErrorIs(t, err, ErrUnsupported)
		}
	}
}
