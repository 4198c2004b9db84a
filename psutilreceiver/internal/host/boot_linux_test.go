package host

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestUptime(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1216804.37 4590221.05\n":    1216804*time.Second + 370*time.Millisecond,
		"0.00 0.00\n":                0,
		"0.29 0.01\n":                290 * time.Millisecond, // As a float64 it is a little less.
		"88123 160221\n":             88123 * time.Second,
		"3600.25\n":                  3600250 * time.Millisecond,
		"3600.25":                    3600250 * time.Millisecond,
		"9223372036.85 9223372036.0": 9223372036850 * time.Millisecond,
	} {
		got, err := hostWith(t, map[string]string{"proc/uptime": text}).Uptime()
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "\n", " 4590221.05\n", "-1.00 2.00\n", "x", "1.2.3 4\n", "18446744073709551615 0\n", "9223372036.86 0\n"} {
		_, err := hostWith(t, map[string]string{"proc/uptime": text}).Uptime()
		require.ErrorIs(t, err, errMalformed, "%q", text)
	}
}

func TestBootTimeIsBelowTheSecond(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)
	boot, err := hostWith(t, map[string]string{"proc/uptime": "3600.25 1.00\n"}).BootTime(now)
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 3, 1, 10, 59, 59, 873_000_000, time.UTC), boot)

	_, err = hostWith(t, nil).BootTime(now)
	require.Error(t, err)
}

// TestBootTimeOfThisKernel pins that the instant does not depend on when it is read, as one computed from /proc/uptime would in
// its last digit. What is left is the time between the reads of the two clocks, and the edge of a millisecond.
func TestBootTimeOfThisKernel(t *testing.T) { checkBootTime(t, liveHost(t)) }

func TestBootTimeByAProcfsBelowARoot(t *testing.T) {
	if inNamespaces(t, unix.CLONE_NEWNS) {
		checkBootTime(t, hostWithProcfs(t))
	}
}

func checkBootTime(t *testing.T, h *Host) {
	t.Helper()
	boot := func() (at time.Time, within time.Duration) {
		var before, boottime, after unix.Timespec
		require.NoError(t, unix.ClockGettime(unix.CLOCK_REALTIME, &before))
		at, err := h.BootTime(time.Unix(before.Unix()))
		require.NoError(t, err)
		require.NoError(t, unix.ClockGettime(unix.CLOCK_BOOTTIME, &boottime))
		require.NoError(t, unix.ClockGettime(unix.CLOCK_REALTIME, &after))
		kernels := time.Unix(after.Unix()).Add(-time.Duration(boottime.Nano()))
		within = time.Duration(after.Nano()-before.Nano()) + time.Millisecond
		assert.WithinDuration(t, kernels, at, within)
		return at, within
	}
	first, firstWithin := boot()
	for range 20 {
		again, within := boot()
		assert.WithinDuration(t, first, again, firstWithin+within)
		assert.Zero(t, again.Nanosecond()%int(time.Millisecond))
	}
}

func TestIdentityOfHosts(t *testing.T) {
	for name, want := range map[string]Identity{
		"server-6.x": {
			ID: "6c1f0f6bb3c94c1a9e63a5d20c8e4b71", Name: "db-07", Description: "Fedora Linux 42 (Server Edition)",
			OS:      OS{"Fedora Linux", "42", "6.14.5-300.fc42.x86_64"},
			CPU:     CPUModel{"GenuineIntel", "6", "85", "Intel(R) Xeon(R) Silver 4208 CPU @ 2.10GHz", "7", 1 << 20},
			Machine: Machine{"Dell Inc.", "PowerEdge R440"},
		},
		"kernel-4.4": {
			ID: "f3a9127be04d4c6fb1c02d8e7a5596d3", Name: "build-old", Description: "Ubuntu 16.04.7 LTS",
			OS:  OS{"Ubuntu", "16.04", "4.4.0-210-generic"},
			CPU: CPUModel{"0x41", "8", "0xd08", "", "3", 0}, Machine: Machine{"", "Raspberry Pi 4 Model B Rev 1.4"},
		},
		"container": {
			ID: "0b7de4a19c55483f9a1e6f20d3c8b744", Name: "node-3", Description: "Alpine Linux v3.22",
			OS: OS{"Alpine Linux", "3.22.1", "6.12.31-0-lts"},
		},
	} {
		want.OSType, want.Arch = "linux", arch()
		assert.Equal(t, want, fixtureHost(t, name).Identity(), name)
	}
}

func TestIdentityIsTheHostsAndNotThisContainers(t *testing.T) {
	t.Run("nothing is known", func(t *testing.T) {
		// The kernel answers for the reader's own container in sys/kernel/hostname, whichever proc it is read in.
		h := hostWith(t, map[string]string{"proc/sys/kernel/hostname": "my-container\n", "etc/machine-id": "uninitialized\n"})
		assert.Equal(t, Identity{OSType: "linux", Arch: arch()}, h.Identity())
	})
	t.Run("absolute links lead below the root", func(t *testing.T) {
		h := hostWith(t, map[string]string{"nix/store/hostname": "far-away\n", "lib/machine-id": "0123456789abcdef0123456789abcdef\n"})
		link(t, h.Root(), "etc/hostname", "/nix/store/hostname")
		link(t, h.Root(), "var/lib/dbus/machine-id", "/lib/machine-id")
		id := h.Identity()
		assert.Equal(t, "far-away", id.Name)
		assert.Equal(t, "0123456789abcdef0123456789abcdef", id.ID)
	})
}

func TestArch(t *testing.T) {
	assert.Equal(t, "linux", osType())
	want, renamed := map[string]string{"386": "x86", "arm": "arm32", "ppc64le": "ppc64"}[runtime.GOARCH]
	if !renamed {
		want = runtime.GOARCH
	}
	assert.Equal(t, want, arch())
}

func FuzzParseUptime(f *testing.F) {
	for _, seed := range []string{"", "1216804.37 4590221.05\n", "1.", ".1", "9223372036.86", "0.00000000000000000001 1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		up, err := parseUptime(text)
		assert.GreaterOrEqual(t, up, time.Duration(0))
		if err != nil {
			assert.Zero(t, up)
		}
	})
}

// TestPresentDoesNotFollowTheWallClock: the clock of a boot that was read before a step continues as if there had been none.
func TestPresentDoesNotFollowTheWallClock(t *testing.T) {
	h := liveHost(t)
	before := time.Now().Add(2 * time.Hour) // The clock was ahead and is set right.
	boot, err := h.BootTime(before)
	require.NoError(t, err)
	assert.WithinDuration(t, before, h.Present(boot, time.Now()), time.Minute)

	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	assert.Equal(t, now, hostWith(t, map[string]string{"proc/uptime": "3600.25 1.00\n"}).Present(now.Add(-time.Hour), now), "a copy of a proc")
}
