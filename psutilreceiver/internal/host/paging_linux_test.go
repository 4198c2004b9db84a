package host

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const swapsHeading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

func TestSwapsOfHosts(t *testing.T) {
	// Read below the root: this machine's own swaps would not be these.
	for name, want := range map[string][]Swap{
		"server-6.x": {
			{Device: "/dev/nvme0n1p3", Size: 8388604 * 1024, Used: 1089536 * 1024},
			{Device: "/var/swap file", Size: 4194300 * 1024},
		},
		"kernel-4.4": {{Device: "/dev/sda5", Size: 1046524 * 1024}},
		"container":  nil,
	} {
		swaps, err := fixtureHost(t, name).Swaps()
		require.NoError(t, err)
		assert.Equal(t, want, swaps, name)
	}
	_, err := hostWith(t, nil).Swaps()
	require.ErrorIs(t, err, ErrUnsupported, "a kernel without swap")
}

func TestParseSwapsRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a line that is cut off":    swapsHeading + "/dev/sda5 partition 1046524",
		"a size that is none":       swapsHeading + "/dev/sda5 partition big 0 -1\n",
		"more used than there is":   swapsHeading + "/dev/sda5 partition 10 11 -1\n",
		"more than any machine has": swapsHeading + "/dev/sda5 partition 9223372036854775807 11 -1\n",
	} {
		_, err := hostWith(t, map[string]string{"proc/swaps": text}).Swaps()
		require.ErrorIs(t, err, errMalformed, name)
	}
}

// TestFaultsAreCounts pins the counts of /proc/vmstat, which gopsutil multiplies by the size of a page.
func TestFaultsAreCounts(t *testing.T) {
	page := int64(os.Getpagesize())
	for name, want := range map[string]VMSample{
		"server-6.x": {Faults: 7120334410, MajorFaults: 120331, SwappedIn: 40122, SwappedOut: 310224, OOMKills: 3, ZswapIn: 120, ZswapOut: 4410, PageSize: page},
		"kernel-4.4": {Faults: 80112204, MajorFaults: 9012, OOMKills: -1, ZswapIn: -1, ZswapOut: -1, PageSize: page}, // Oom_kill came with 4.13.
		"container":  {Faults: 902211033, MajorFaults: 12044, OOMKills: 1, ZswapIn: -1, ZswapOut: -1, PageSize: page},
	} {
		vm, err := fixtureHost(t, name).VM()
		require.NoError(t, err)
		assert.Equal(t, want, vm, name)
	}
}

func TestParseVmstatRefuses(t *testing.T) {
	for _, text := range []string{"pgfault", "pgfault x\n", "pgfault 1\noom_kill -1\n"} {
		_, err := hostWith(t, map[string]string{"proc/vmstat": text}).VM()
		require.ErrorIs(t, err, errMalformed, text)
	}
	vm, err := hostWith(t, map[string]string{"proc/vmstat": "pgfault 7\npgmajfault -1\npswpin 3\n"}).VM()
	require.True(t, IsOdd(err))
	assert.Equal(t, []int64{7, Odd, 3, -1}, []int64{vm.Faults, vm.MajorFaults, vm.SwappedIn, vm.SwappedOut})
	_, err = hostWith(t, nil).VM()
	require.ErrorIs(t, err, ErrUnsupported, "WSL 1")
}

func FuzzParseSwaps(f *testing.F) {
	for _, seed := range []string{
		"", swapsHeading, swapsHeading + "/dev/sda5 partition 1046524 12 -1\n", swapsHeading + `/a\040b file 10 1`, swapsHeading + "/dev/sda5 partition 10\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var h Host
		swaps, err := h.parseSwaps(text)
		require.True(t, err == nil || IsOdd(err))
		for _, s := range swaps {
			assert.GreaterOrEqual(t, s.Used, int64(0))
			assert.LessOrEqual(t, s.Used, s.Size)
		}
	})
}

func FuzzParseVmstat(f *testing.F) {
	for _, seed := range []string{"", "pgfault 1\npgmajfault 2\npswpin 3\npswpout 4\noom_kill 5\n", "pgfault", "pgfault 99999999999999999999\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parseVmstat(text)
		require.True(t, err == nil || IsOdd(err))
		for _, n := range []int64{v.Faults, v.MajorFaults, v.SwappedIn, v.SwappedOut, v.OOMKills} {
			assert.GreaterOrEqual(t, n, int64(Odd))
		}
		assert.Positive(t, v.PageSize)
	})
}
