package host

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheFirstOfTwoLinesOfOneNameCounts gives a name two lines that differ.
func TestTheFirstOfTwoLinesOfOneNameCounts(t *testing.T) {
	h := hostWith(t, map[string]string{
		"proc/swaps":     "Filename Type Size Used Priority\n/dev/sda2 partition 1000 10 -2\n/dev/sda2 partition 1000 20 -3\n/dev/sda3 partition 1000 30 -4\n",
		"proc/diskstats": "8 0 sda 11 0 22 1 33 0 44 1 0 1 1\n8 0 sda 99 0 22 1 33 0 44 1 0 1 1\n8 16 sda 98 0 22 1 33 0 44 1 0 1 1\n",
		"proc/net/dev":   "h\nh\neth0: 11 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\neth0: 99 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n",
		"proc/stat": "cpu  3 0 0 0 0 0 0 0 0 0\ncpu  9 0 0 0 0 0 0 0 0 0\ncpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 2 0 0 0 0 0 0 0 0 0\n" +
			"cpu0 9 0 0 0 0 0 0 0 0 0\ncpu1 9 0 0 0 0 0 0 0 0 0\n",
	})
	for range 2 {
		h.Begin()
		swaps, err := h.Swaps()
		require.NoError(t, err)
		require.Len(t, swaps, 2)
		assert.Equal(t, int64(10*1024), swaps[0].Used)

		cpu, err := h.CPU()
		require.True(t, IsOdd(err), "which CPU the line is of can't be told")
		require.Len(t, cpu.PerCPU, 2)
		assert.InDelta(t, 0.03, cpu.Total.User, 1e-9)
	}
	disks := NewDisks(h, func(string, DiskKind) bool { return true })
	interfaces := NewInterfaces(h, 0, func(string) bool { return true })
	for range 2 {
		h.Begin()
		found, err := disks.Read(time.Now())
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, int64(11), found[0].Reads)

		read, err := interfaces.Read()
		require.NoError(t, err)
		require.Len(t, read, 1)
		assert.Equal(t, int64(11), read[0].Received.Bytes)
	}
}

func TestTasksThatCantBe(t *testing.T) {
	h := hostWith(t, map[string]string{
		"proc/stat":    "cpu  3 0 0 0 0 0 0 0 0 0\ncpu0 3 0 0 0 0 0 0 0 0 0\nctxt 4294967295\nprocs_running 4294967295\nprocs_blocked 2\n",
		"proc/loadavg": "0.10 0.20 0.30 1/4294967295 7\n",
	})
	k, err := h.Kernel()
	assert.True(t, IsOdd(err))
	assert.Equal(t, []int64{Odd, 2, 4294967295}, []int64{k.TasksRunning, k.TasksBlocked, k.ContextSwitches})
	l, err := h.Load()
	assert.True(t, IsOdd(err))
	assert.Equal(t, int64(Odd), l.Tasks)
	assert.InDelta(t, 0.1, l.Avg1, 0)
}

func TestFaultsThatContradictEachOther(t *testing.T) {
	vm, err := parseVmstat([]byte("pgfault 5\npgmajfault 6\npswpin 3\n"))
	assert.True(t, IsOdd(err))
	assert.Equal(t, []int64{Odd, 6, 3}, []int64{vm.Faults, vm.MajorFaults, vm.SwappedIn})
}

func TestAnEmptyFileIsSaidToBeEmpty(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/stat": "", "proc/meminfo": "", "proc/loadavg": "", "proc/uptime": "", "proc/sys/fs/file-nr": ""})
	_, stat := h.CPU()
	_, meminfo := h.Memory()
	_, loadavg := h.Load()
	_, uptime := h.Uptime()
	_, handles := h.FileHandles()
	for file, err := range map[string]error{"stat": stat, "meminfo": meminfo, "loadavg": loadavg, "uptime": uptime, "sys/fs/file-nr": handles} {
		require.ErrorIs(t, err, errMalformed)
		assert.Contains(t, err.Error(), "parsing /proc/"+file+": the file is empty")
	}
}
