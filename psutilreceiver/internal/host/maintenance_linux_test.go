package host

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestHungTasks(t *testing.T) {
	hung, err := fixtureHost(t, "server-6.x").HungTasks()
	require.NoError(t, err)
	assert.EqualValues(t, 2, hung)
	_, err = fixtureHost(t, "kernel-4.4").HungTasks()
	require.ErrorIs(t, err, ErrUnsupported)
	hung, err = hostWith(t, map[string]string{hungTasksFile: "-1\n"}).HungTasks()
	assert.EqualValues(t, Odd, hung)
	assert.True(t, IsOdd(err))
}

func TestKernelRelease(t *testing.T) {
	for name, want := range map[string]KernelRelease{
		"server-6.x": {"6.14.5-300.fc42.x86_64", "#1 SMP PREEMPT_DYNAMIC Fri May  2 14:16:46 UTC 2025"},
		"kernel-4.4": {"4.4.0-210-generic", "#242-Ubuntu SMP Fri Apr 16 09:57:56 UTC 2021"},
		"container":  {"6.12.31-0-lts", "#1-Alpine SMP PREEMPT_DYNAMIC 2025-05-29 09:46:51"},
	} {
		got, err := fixtureHost(t, name).KernelRelease()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", "\n", "6.1", "6\n1\n", "\x1b[31m6.1\n", "6.1\x00\n", "\xff\n", strings.Repeat("6", 300) + "\n"} {
		_, err := hostWith(t, map[string]string{kernelReleaseFile: text, kernelVersionFile: "#1\n"}).KernelRelease()
		assert.True(t, IsOdd(err), "%q", text)
	}
	_, err := hostWith(t, nil).KernelRelease()
	require.ErrorIs(t, err, ErrUnsupported)
}

func TestLiveKernelRelease(t *testing.T) {
	var name unix.Utsname
	require.NoError(t, unix.Uname(&name))
	got, err := liveHost(t).KernelRelease()
	require.NoError(t, err)
	assert.Equal(t, KernelRelease{unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Version[:])}, got)
}

func TestLiveHungTasks(t *testing.T) {
	h := liveHost(t)
	got, err := h.HungTasks()
	if !h.exists(hungTasksFile) {
		require.ErrorIs(t, err, ErrUnsupported)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, valueOf(t, "is "+kernelText(t, hungTasksFile), "is"), got)
}

func TestRebootRequired(t *testing.T) {
	for name, c := range map[string]struct {
		files    map[string]string
		known    bool
		required bool
	}{
		"nothing keeps a record":     {map[string]string{}, false, false},
		"Ubuntu, up to date":         {map[string]string{"usr/share/update-notifier/notify-reboot-required": ""}, true, false},
		"Ubuntu":                     {map[string]string{"usr/share/update-notifier/notify-reboot-required": "", "run/reboot-required": ""}, true, true},
		"Debian, up to date":         {map[string]string{"etc/kernel/postinst.d/unattended-upgrades": ""}, true, false},
		"openSUSE":                   {map[string]string{"usr/bin/zypper": "", "run/reboot-needed": ""}, true, true},
		"written by something other": {map[string]string{"run/reboot-required": ""}, true, true},
	} {
		required, err := hostWith(t, c.files).RebootRequired()
		assert.Equal(t, c.required, required, name)
		if c.known {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, ErrUnsupported, name)
		}
	}
	h := hostWith(t, nil)
	put(t, h.Root(), "run/reboot-required", "")
	link(t, h.Root(), "var/run", "/run")
	required, err := h.RebootRequired()
	require.NoError(t, err)
	assert.True(t, required)
}
