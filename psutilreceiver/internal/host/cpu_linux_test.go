package host

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	for _, tc := range []struct {
		name   string
		text   string
		total  CPUTimes
		online []int
		kernel KernelSample
	}{
		{
			name:   "a kernel of today",
			text:   "cpu  1000 20 300 4000 50 6 7 8 9 1\ncpu0 600 10 100 2000 20 3 4 5 9 1\ncpu1 400 10 200 2000 30 3 3 3 0 0\nintr 77 1 2\nctxt 88\nbtime 1700000000\nprocesses 99\nprocs_running 2\nprocs_blocked 1\nsoftirq 66 0 1\n",
			total:  CPUTimes{Number: -1, User: 10, Nice: 0.2, System: 3, Idle: 40, IOWait: 0.5, Interrupt: 0.13, Steal: 0.08},
			online: []int{0, 1},
			kernel: KernelSample{ContextSwitches: 88, Interrupts: 77, SoftInterrupts: 66, Forks: 99, TasksRunning: 2, TasksBlocked: 1},
		},
		{
			name:   "guest time is within user and nice, and not added again",
			text:   "cpu 1000 500 0 0 0 0 0 0 900 400\ncpu0 1000 500 0 0 0 0 0 0 900 400\n",
			total:  CPUTimes{Number: -1, User: 10, Nice: 5},
			online: []int{0},
			kernel: noKernel,
		},
		{
			name:   "an offline CPU leaves a hole",
			text:   "cpu 4 0 0 4\ncpu0 1 0 0 1\ncpu2 2 0 0 2\ncpu11 1 0 0 1\nctxt 5\n",
			total:  CPUTimes{Number: -1, User: 0.04, Idle: 0.04},
			online: []int{0, 2, 11},
			kernel: KernelSample{ContextSwitches: 5, Interrupts: -1, SoftInterrupts: -1, Forks: -1, TasksRunning: -1, TasksBlocked: -1},
		},
		{
			name:   "a kernel before 2.6 has four columns",
			text:   "cpu 100 200 300 400\ncpu0 100 200 300 400\npage 1 2\nswap 1 2\nintr 5 1\ndisk_io: (8,0):(1,1,1,0,0)\nctxt 6\n",
			total:  CPUTimes{Number: -1, User: 1, Nice: 2, System: 3, Idle: 4},
			online: []int{0},
			kernel: KernelSample{ContextSwitches: 6, Interrupts: 5, SoftInterrupts: -1, Forks: -1, TasksRunning: -1, TasksBlocked: -1},
		},
		{
			name:   "thousands of interrupt lines",
			text:   "cpu 1 1 1 1\nintr 123456" + strings.Repeat(" 0", 100_000) + "\nctxt 7\nsoftirq 9" + strings.Repeat(" 1", 100_000) + "\n",
			total:  CPUTimes{Number: -1, User: 0.01, Nice: 0.01, System: 0.01, Idle: 0.01},
			kernel: KernelSample{ContextSwitches: 7, Interrupts: 123456, SoftInterrupts: 9, Forks: -1, TasksRunning: -1, TasksBlocked: -1},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := hostWith(t, map[string]string{"proc/stat": tc.text})
			cpu, err := h.CPU()
			require.NoError(t, err)
			assert.Equal(t, tc.total, cpu.Total)
			assert.Equal(t, tc.online, numbers(cpu))
			kernel, err := h.Kernel()
			require.NoError(t, err)
			assert.Equal(t, tc.kernel, *kernel)
		})
	}
}

func numbers(s *CPUSample) []int {
	var n []int
	for _, c := range s.PerCPU {
		n = append(n, c.Number)
	}
	return n
}

func TestParseStatRefuses(t *testing.T) {
	for name, text := range map[string]string{"an empty file": "", "no CPU": "ctxt 5\n", "no CPU that can be told": "cpux 1 2 3 4\ncpu 1 2\n"} {
		t.Run(name, func(t *testing.T) {
			h := hostWith(t, map[string]string{"proc/stat": text})
			_, err := h.CPU()
			require.ErrorIs(t, err, errMalformed)
			_, err = h.Kernel()
			require.ErrorIs(t, err, errMalformed)
			assert.False(t, IsOdd(err))
			assert.Equal(t, "malformed", ErrorClass(err))
		})
	}
}

// TestAnOddCPUTimeCostsItsMode replaces each time of the total and of a CPU.
func TestAnOddCPUTimeCostsItsMode(t *testing.T) {
	const odd = float64(Odd)
	modes := func(c *CPUTimes) []float64 {
		return []float64{c.User, c.Nice, c.System, c.Idle, c.IOWait, c.Interrupt, c.Interrupt, c.Steal}
	}
	text := func(column int, number string) string {
		columns := strings.Split("100 200 300 400 500 600 700 800 0 0", " ")
		if column >= 0 {
			columns[column] = number
		}
		return strings.Join(columns, " ")
	}
	for column := range 8 {
		for _, number := range []string{"-1", "214748364801", "9223372036854775808", "18446744073709551615", "99999999999999999999", "", "x"} {
			want := []float64{1, 2, 3, 4, 5, 13, 13, 8}
			want[column] = odd
			if column == 5 || column == 6 {
				want[5], want[6] = odd, odd
			}
			h := hostWith(t, map[string]string{"proc/stat": "cpu  " + text(column, number) + "\ncpu0 " + text(-1, "") + "\nctxt 5\n"})
			cpu, err := h.CPU()
			require.True(t, IsOdd(err))
			assert.Equal(t, want, modes(&cpu.Total), "%d %q", column, number)
			assert.Equal(t, []float64{1, 2, 3, 4, 5, 13, 13, 8}, modes(&cpu.PerCPU[0]))
			kernel, err := h.Kernel()
			require.NoError(t, err, "which is of other lines")
			assert.Equal(t, int64(5), kernel.ContextSwitches)

			h = hostWith(t, map[string]string{"proc/stat": "cpu  " + text(-1, "") + "\ncpu0 " + text(column, number) + "\nctxt -5\nprocesses 3\n"})
			cpu, err = h.CPU()
			require.True(t, IsOdd(err))
			assert.Equal(t, want, modes(&cpu.PerCPU[0]), "%d %q", column, number)
			assert.Equal(t, 1, cpu.Count)
			kernel, err = h.Kernel()
			require.True(t, IsOdd(err))
			assert.Equal(t, []int64{Odd, 3}, []int64{kernel.ContextSwitches, kernel.Forks})
		}
	}
}

func TestCPUsThatCantBeTold(t *testing.T) {
	for text, want := range map[string]int{
		"cpu 1 2 3 4\ncpu0 1 2 3 4\ncpux 1 2 3 4\n": Odd, "cpu 1 2 3 4\ncpu0 1 2 3 4\ncpu0 7 2 3 4\n": 1,
		"cpu 1 2 3 4\ncpu0 1 2 3 4\ncpu99999999 1 2 3 4\n": Odd, "cpu 1 2 3 4\ncpu0 1 2 3 4\ncpu1 1 2": Odd,
		"cpu 1 2\ncpu0 1 2 3 4\n": 1, "cpu0 1 2 3 4\n": 1,
	} {
		cpu, err := hostWith(t, map[string]string{"proc/stat": text}).CPU()
		require.True(t, IsOdd(err), text)
		assert.Equal(t, want, cpu.Count, text)
		assert.Equal(t, []int{0}, numbers(cpu), text)
		assert.InDelta(t, 0.01, cpu.PerCPU[0].User, 1e-9, "the first line counts: %s", text)
	}
	cpu, err := hostWith(t, map[string]string{"proc/stat": "cpu 3 3 3 3\ncpu0 1 1 1 1\ncpu2 1 1 1 1\ncpu1 1 1 1 1\n"}).CPU()
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, numbers(cpu), "in another order")
}

func TestCPUGoesOfflineAndComesBack(t *testing.T) {
	const both, one = "cpu 9 9 9 9\ncpu0 1 0 0 1\ncpu1 2 0 0 2\n", "cpu 9 9 9 9\ncpu0 1 0 0 1\n"
	h := hostWith(t, map[string]string{"proc/stat": both})
	for i, step := range []struct {
		text string
		want []int
	}{{both, []int{0, 1}}, {one, []int{0}}, {both, []int{0, 1}}, {"malformed", nil}, {one, []int{0}}} {
		put(t, h.Root(), "proc/stat", step.text)
		h.Begin()
		cpu, err := h.CPU()
		if step.want == nil {
			require.Error(t, err, "step %d", i)
			continue
		}
		require.NoError(t, err, "step %d", i)
		assert.Equal(t, step.want, numbers(cpu), "step %d", i)
	}
}

func TestCPUOfHosts(t *testing.T) {
	for name, want := range map[string]struct {
		online []int
		cores  int
		err    error
	}{
		"server-6.x": {[]int{0, 1, 2, 3}, 2, nil},
		"kernel-4.4": {[]int{0, 1}, 2, nil},
		"container":  {[]int{0, 2}, 0, ErrUnsupported},
	} {
		h := fixtureHost(t, name)
		cpu, err := h.CPU()
		require.NoError(t, err)
		assert.Equal(t, want.online, numbers(cpu), name)
		assert.Equal(t, -1, cpu.Total.Number)
		cores, err := h.PhysicalCPUs()
		require.ErrorIs(t, err, want.err, name)
		assert.Equal(t, want.cores, cores, name)
	}
}

func TestStatAgreesWithProcfs(t *testing.T) {
	for _, name := range []string{"server-6.x", "kernel-4.4", "container"} {
		h := fixtureHost(t, name)
		fs, err := procfs.NewFS(h.Path("proc"))
		require.NoError(t, err)
		want, err := fs.Stat()
		require.NoError(t, err)

		cpu, err := h.CPU()
		require.NoError(t, err)
		kernel, err := h.Kernel()
		require.NoError(t, err)
		assertTimes(t, want.CPUTotal, cpu.Total)
		require.Len(t, cpu.PerCPU, len(want.CPU))
		for _, c := range cpu.PerCPU {
			assertTimes(t, want.CPU[int64(c.Number)], c)
		}
		assert.Equal(t, KernelSample{
			ContextSwitches: int64(want.ContextSwitches), Interrupts: int64(want.IRQTotal), SoftInterrupts: int64(want.SoftIRQTotal),
			Forks: int64(want.ProcessCreated), TasksRunning: int64(want.ProcessesRunning), TasksBlocked: int64(want.ProcessesBlocked),
		}, *kernel)
	}
}

func assertTimes(t *testing.T, want procfs.CPUStat, got CPUTimes) {
	t.Helper()
	const tick = 0.005
	assert.InDelta(t, want.User, got.User, tick)
	assert.InDelta(t, want.Nice, got.Nice, tick)
	assert.InDelta(t, want.System, got.System, tick)
	assert.InDelta(t, want.Idle, got.Idle, tick)
	assert.InDelta(t, want.Iowait, got.IOWait, tick)
	assert.InDelta(t, want.IRQ+want.SoftIRQ, got.Interrupt, tick)
	assert.InDelta(t, want.Steal, got.Steal, tick)
}

func TestPhysicalCPUsWithoutTopologyDescription(t *testing.T) {
	// The kernel's defaults: every CPU is its own sibling, and all have core_id 0.
	files := map[string]string{"proc/stat": "cpu 1 1 1 1\ncpu0 1 1 1 1\ncpu1 1 1 1 1\n"}
	for _, n := range []string{"0", "1"} {
		files["sys/devices/system/cpu/cpu"+n+"/topology/thread_siblings_list"] = n + "\n"
		files["sys/devices/system/cpu/cpu"+n+"/topology/core_id"] = "0\n"
	}
	cores, err := hostWith(t, files).PhysicalCPUs()
	require.NoError(t, err)
	assert.Equal(t, 2, cores)
}

func TestCPUFrequencies(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	got, err := h.CPUFrequencies()
	require.NoError(t, err)
	const low, high = 800_000_000, 4_700_000_000
	assert.Equal(t, []CPUFrequency{
		{Number: 0, Current: 3_401_122_000, Min: low, Max: high},
		{Number: 1, Current: 1_200_110_000, Min: low, Max: high},
		{Number: 2, Current: 2_904_402_000, Min: low, Max: high},
		{Number: 3, Current: -1, Min: low, Max: high}, // The kernel did not know it.
	}, got)

	_, err = fixtureHost(t, "kernel-4.4").CPUFrequencies()
	require.ErrorIs(t, err, ErrUnsupported)

	h = hostWith(t, map[string]string{
		"proc/stat": "cpu 1 1 1 1\ncpu0 1 1 1 1\ncpu1 1 1 1 1\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1000\n",
	})
	require.NoError(t, os.MkdirAll(h.Path("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq"), 0o755)) // Can't be read.
	got, err = h.CPUFrequencies()
	require.ErrorContains(t, err, "cpu1")
	assert.Equal(t, []CPUFrequency{{Number: 0, Current: 1_000_000, Min: -1, Max: -1}}, got)
}

func FuzzParseStat(f *testing.F) {
	for _, seed := range []string{
		"", "cpu", "cpu ", "cpu  1 2 3 4\n", "cpu 1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4\ncpu1 1 2 3", "cpu 1 2 3 4\nctxt 1\nintr 5 1 2 3\nsoftirq",
		"cpu -1 2 3 4\n", "cpu 18446744073709551615 18446744073709551615 0 0 0 18446744073709551615 18446744073709551615\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s statSample
		if parseStat(text, &s) != nil {
			return
		}
		assert.Equal(t, -1, s.cpu.Total.Number)
		assert.True(t, slices.IsSortedFunc(s.cpu.PerCPU, func(a, b CPUTimes) int { return a.Number - b.Number }))
		for _, c := range append(s.cpu.PerCPU, s.cpu.Total) {
			for _, v := range []float64{c.User, c.Nice, c.System, c.Idle, c.IOWait, c.Interrupt, c.Steal} {
				assert.GreaterOrEqual(t, v, float64(Odd))
			}
		}
		k := s.kernel
		for _, v := range []int64{k.ContextSwitches, k.Interrupts, k.SoftInterrupts, k.Forks, k.TasksRunning, k.TasksBlocked} {
			assert.GreaterOrEqual(t, v, int64(Odd))
		}
	})
}

func BenchmarkParseStat(b *testing.B) {
	text, err := fixtureHost(b, "server-6.x").read(statFile)
	require.NoError(b, err)
	var s statSample
	b.ReportAllocs()
	for b.Loop() {
		if err := parseStat(text, &s); err != nil {
			b.Fatal(err)
		}
	}
}
