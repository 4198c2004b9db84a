package host

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSoftInterruptsByKind(t *testing.T) {
	kinds, err := fixtureHost(t, "server-6.x").SoftInterrupts()
	require.NoError(t, err)
	assert.Equal(t, [SoftInterruptKinds]int64{19, 402113021, 2201, 311020331, 60119922, 0, 8812, 391022311, 0, 537651604}, kinds)
	kinds, err = parseSoftInterrupts([]byte("cpu 1 2\nsoftirq 9 1 x 3\n"))
	require.True(t, IsOdd(err))
	assert.Equal(t, [SoftInterruptKinds]int64{1, Odd, 3, absent, absent, absent, absent, absent, absent, absent}, kinds)
	_, err = parseSoftInterrupts([]byte("cpu 1 2\n"))
	require.ErrorIs(t, err, ErrUnsupported)

	h := liveHost(t)
	kinds, err = h.SoftInterrupts()
	require.NoError(t, err)
	kernel, err := h.Kernel()
	require.NoError(t, err)
	sum := int64(0)
	for _, v := range kinds {
		sum += v
	}
	assert.Equal(t, kernel.SoftInterrupts, sum, "of the same text")
}

func TestInterruptsOfServer(t *testing.T) {
	i := NewInterrupts(fixtureHost(t, "server-6.x"))
	for range 2 {
		list, err := i.Read()
		require.NoError(t, err)
		assert.Equal(t, []Interrupt{
			{"0", "IR-IO-APIC 2-edge timer", 41},
			{"8", "IR-IO-APIC 8-edge rtc0", 1},
			{"120", "IR-PCI-MSIX-0000:01:00.0 0-edge eno1-TxRx-0", 120343},
			{"121", "IR-PCI-MSIX-0000:01:00.0 1-edge eno1-TxRx-1", 4402110},
			{"NMI", "Non-maskable interrupts", 128},
			{"LOC", "Local timer interrupts", 880331204 + 770129933 + 790112044 + 801122033},
			{"RES", "Rescheduling interrupts", 1204402 + 1302204 + 1102044 + 1220331},
			{"ERR", "", 0},
			{"MIS", "", 2},
		}, list)
	}
}

// TestInterruptsAddUp holds that of any number of CPUs the numbers are added up, and that one that can't be costs its own line.
func TestInterruptsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		cpus := 1 + random.IntN(300)
		var text strings.Builder
		for c := range cpus {
			fmt.Fprintf(&text, "      CPU%d", c*2) // Offline ones have no column.
		}
		text.WriteString(" \n")
		want := make(map[string]int64)
		for line := range 5 {
			name := fmt.Sprint(line)
			fmt.Fprintf(&text, "%4s:", name)
			bad := -1
			if random.IntN(4) == 0 {
				bad = random.IntN(cpus)
			}
			for c := range cpus {
				v := int64(random.Uint32())
				if c == bad {
					fmt.Fprintf(&text, " %10s", []string{"", "-1", "x"}[random.IntN(3)])
					continue
				}
				want[name] += v
				fmt.Fprintf(&text, " %10d", v)
			}
			if bad >= 0 {
				want[name] = Odd
			}
			text.WriteString("  PCI-MSI 5-edge      a b\n")
		}
		list, _ := NewInterrupts(&Host{}).parse([]byte(text.String()))
		require.Len(t, list, 5)
		for _, i := range list {
			assert.Equal(t, want[i.Name], i.Count)
		}
	}
}

func TestInterruptsOfThisKernel(t *testing.T) {
	h := liveHost(t)
	list, err := NewInterrupts(h).Read()
	require.NoError(t, err)
	require.NotEmpty(t, list)
	sum := int64(0)
	for _, i := range list {
		assert.GreaterOrEqual(t, i.Count, int64(0), i.Name)
		sum += i.Count
	}
	assert.Positive(t, sum)
}

func TestRunQueuesOfServer(t *testing.T) {
	q, err := NewRunQueues(fixtureHost(t, "server-6.x")).Read()
	require.NoError(t, err)
	assert.InDelta(t, (402211033412+302211033412+202211033412+102211033412)/1e9, q.Run, 1e-6)
	assert.InDelta(t, (12033441201+11033441201+10033441201+9033441201)/1e9, q.Wait, 1e-6)
	assert.EqualValues(t, 99012044+89012044+79012044+69012044, q.Timeslices)
	_, err = NewRunQueues(fixtureHost(t, "kernel-4.4")).Read()
	require.ErrorIs(t, err, ErrUnsupported, "built without CONFIG_SCHEDSTATS")
}

// TestRunQueuesGoOn although a CPU goes offline, in every version that kernels write.
func TestRunQueuesGoOn(t *testing.T) {
	for version := 15; version <= 17; version++ {
		r := NewRunQueues(&Host{})
		line := func(cpu int, run int64) string {
			return fmt.Sprintf("cpu%d 0 0 7 8 9 10 %d 2000000000 5\ndomain0 3 1 2\n", cpu, run)
		}
		head := fmt.Sprintf("version %d\ntimestamp 1\n", version)
		q, err := r.parse([]byte(head + line(0, 1e9) + line(1, 2e9)))
		require.NoError(t, err)
		assert.Equal(t, RunQueue{Run: 3, Wait: 4, Timeslices: 10}, q)
		q, err = r.parse([]byte(head + line(0, 5e9)))
		require.NoError(t, err)
		assert.Equal(t, RunQueue{Run: 7, Wait: 4, Timeslices: 10}, q)
	}
	_, err := NewRunQueues(&Host{}).parse([]byte("version 14\ncpu0 1 2 3 4 5 6 7 8 9 10 11 12\n"))
	require.ErrorIs(t, err, ErrUnsupported)
	q, err := NewRunQueues(&Host{}).parse([]byte("version 15\ncpu0 0 0 0 0 0 0 1 x 3\n"))
	require.True(t, IsOdd(err))
	assert.InDelta(t, Odd, q.Wait, 0)
	assert.EqualValues(t, 3, q.Timeslices)
}

func TestKernelObjects(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	bits, err := h.Entropy()
	require.NoError(t, err)
	assert.EqualValues(t, 256, bits)
	inodes, err := h.Inodes()
	require.NoError(t, err)
	assert.Equal(t, Inodes{Count: 933377, Free: 23254}, inodes)
	dentries, err := h.Dentries()
	require.NoError(t, err)
	assert.Equal(t, Dentries{Count: 1037705, Unused: 1009955, Negative: 121532}, dentries)

	live := liveHost(t)
	bits, err = live.Entropy()
	require.NoError(t, err)
	assert.Positive(t, bits)
	inodes, err = live.Inodes()
	require.NoError(t, err)
	assert.Positive(t, inodes.Count)
	dentries, err = live.Dentries()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, dentries.Count, dentries.Unused)
	require.NoError(t, live.Close())
}

func TestIPCOfServer(t *testing.T) {
	var c IPC
	require.NoError(t, fixtureHost(t, "server-6.x").IPC(&c))
	assert.Equal(t, IPC{
		SemaphoreSets: 2, Semaphores: 18, SemaphoreSetLimit: 32000, SemaphoreLimit: 1024000000, MessageQueues: 1, Messages: 3, MessageBytes: 120,
		MessageQueueLimit: 32000, Segments: 2, SegmentBytes: 56 + 148471808, SegmentLimit: 4096, SharedMemoryLimit: 1048576 * pageSize,
	}, c)
	require.ErrorIs(t, fixtureHost(t, "container").IPC(&c), ErrUnsupported)
	without, ok := bytesOfPages([]byte("18446744073692774399"))
	assert.True(t, ok)
	assert.EqualValues(t, absent, without, "no limit")
}

// TestIPCOfThisKernel makes a segment, where it is allowed to, and sees it counted.
func TestIPCOfThisKernel(t *testing.T) {
	h := liveHost(t)
	var before, after IPC
	err := h.IPC(&before)
	if errors.Is(err, ErrUnsupported) {
		t.Log("a kernel without CONFIG_SYSVIPC")
		return
	}
	require.NoError(t, err)
	assert.GreaterOrEqual(t, before.Segments, int64(0))
	assert.Positive(t, before.SemaphoreLimit)
	ipcmk, err := exec.LookPath("ipcmk")
	if err != nil {
		t.Log("no ipcmk")
		return
	}
	out, err := exec.Command(ipcmk, "-M", "4096").Output()
	require.NoError(t, err)
	words := strings.Fields(string(out))
	t.Cleanup(func() { assert.NoError(t, exec.Command("ipcrm", "-m", words[len(words)-1]).Run()) })
	h.Begin()
	require.NoError(t, h.IPC(&after))
	assert.Positive(t, after.Segments)
	require.NoError(t, h.Close())
}

func FuzzKernelFacts(f *testing.F) {
	const proc = "../../../testdata/hosts/server-6.x/proc/"
	for _, name := range []string{"stat", "interrupts", "schedstat", "sysvipc/sem", "sysvipc/shm", "sys/fs/dentry-state"} {
		text, err := os.ReadFile(proc + name)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		kinds, _ := parseSoftInterrupts(text)
		for _, v := range kinds {
			assert.GreaterOrEqual(t, v, int64(Odd))
		}
		list, _ := NewInterrupts(&Host{}).parse(text)
		for _, i := range list {
			assert.GreaterOrEqual(t, i.Count, int64(Odd))
		}
		q, _ := NewRunQueues(&Host{}).parse(text)
		assert.GreaterOrEqual(t, q.Run, float64(Odd))
		var a, b int64
		_, _ = ipcTable(semaphoresFile, text, map[string]*int64{"nsems": &a})
		_ = parseTabbed(dentryStateFile, text, &b)
		assert.GreaterOrEqual(t, min(a, b), int64(Odd))
	})
}
