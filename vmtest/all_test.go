package vmtest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/kernel"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// TestAll has what takes too long for each change.
func TestAll(t *testing.T) {
	if os.Getenv("VMTEST_ALL") == "" {
		t.Skip("run `make vmtest-all`") //nolint:forbidigo // It takes long.
	}
	inEachKernel(t, []scenario{
		{"memory", testMemory},
		{"processes", testProcesses},
		{"oom", testOOM},
		{"cpu plug", testCPUPlug},
	})
}

// testMemory plugs in 256 MiB, puts them online, and offline again.
func testMemory(t *testing.T, vm *machine.Machine) {
	t.Helper()
	c := startCollector(t, vm, `
receivers:
  psutil: {collection_interval: 1s, scrapers: {memory: {}, paging: {}}}
`+metricsTo("psutil"))
	c.record(t)
	c.batches(t, 3)
	require.NoError(t, vm.Monitor("object-add", map[string]any{"qom-type": "memory-backend-ram", "id": "dimm0", "size": 256 << 20}))
	require.NoError(t, vm.Monitor("device_add", map[string]any{"driver": "pc-dimm", "id": "dimm", "memdev": "dimm0"}))
	eventually(t, vm, "[ -e /sys/devices/system/memory/memory33 ]")
	each := "for b in /sys/devices/system/memory/memory*; do [ ${b##*memory} -ge 32 ] || continue; read state <$b/state; [ $state = %s ] && echo %s >$b/state; done; true"
	run(t, vm, each, "offline", "online_movable")
	c.batches(t, 4)
	// A kernel may refuse a block for a while, or permanently, if it can't move a page out of it. What it says then is what is right.
	out, err := vm.Run("sh", "-c", fmt.Sprintf("for i in 1 2 3 4 5; do %s; done 2>&1", fmt.Sprintf(each, "online", "offline")))
	require.NoError(t, err)
	t.Logf("offline: %s", out)
	c.batches(t, 4)
	truth := c.recording(t)
	ps := c.finish(t, points.Allowed{})
	none(t, "levels", truth.CompareLevels(ps))
	limits := make(map[float64]bool)
	for _, p := range ps.Of("system.memory.limit") {
		limits[p.Value] = true
	}
	assert.GreaterOrEqual(t, len(limits), 2, "memory before and after it was plugged in")
}

// testProcesses holds that all CPU time is somebody's: of the processes shown, of the others, of children that somebody waited for, or
// unattributed; after a storm of forks, too.
func testProcesses(t *testing.T, vm *machine.Machine) {
	t.Helper()
	c := startCollector(t, vm, `
receivers:
  psutil:
    collection_interval: 1s
    temporality: delta
    scrapers: {process: {collection_interval: 1s, top: {n: 3}}, processes: {}}
`+metricsTo("psutil"))
	c.record(t)
	c.batches(t, 4)
	storm := nowIn(t, vm)
	run(t, vm, "end=$(($(date +%%s)+10)); while [ $(date +%%s) -lt $end ]; do for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/true & done; wait; done")
	calm := nowIn(t, vm)
	c.batches(t, 2)
	orphans := nowIn(t, vm)
	run(t, vm, "/guest orphans 16 300ms")
	c.batches(t, 2)
	end := nowIn(t, vm)
	c.batches(t, 1) // so that the recording goes on beyond the end
	truth := c.recording(t)
	ps := c.finish(t, points.Allowed{})
	noFault(t, "processes: CPU time in a storm of forks", wrongAttribution(truth, ps, storm, calm, "the storm"))
	noFault(t, "processes: CPU time of children that nobody waits for", wrongAttribution(truth, ps, orphans, end, "the orphans"))
}

// wrongAttribution compares all that is told of CPU time with what the CPUs ran.
func wrongAttribution(truth kernel.Recording, ps points.Points, from, to int64, phase string) []string {
	var told, unattributed float64
	during := ps.Between(from, to)
	for _, metric := range []string{"process.cpu.time", "process.children.cpu.time", "system.process.cpu.unattributed"} {
		for _, p := range during.Of(metric) {
			told += p.Value
			if metric == "system.process.cpu.unattributed" {
				unattributed += p.Value
			}
		}
	}
	times := during.Times()
	// The first delta is of an interval that begins a second before the phase.
	span := truth.Spanning(times[0]-int64(time.Second), times[len(times)-1])
	if len(span) < 2 {
		return []string{"nothing was recorded"}
	}
	grown := span.Growth()
	ran := grown[0] + grown[1] + grown[2] // user, nice and system
	// Under emulation the kernel's ticks come late or not at all, so that its modes have less than the processes, which are measured.
	most := time.Duration(times[len(times)-1]-times[0]+int64(time.Second)).Seconds() * 2
	if told < 0.85*ran-0.5 || told > 1.1*most+0.5 {
		return []string{fmt.Sprintf("in %s the CPUs ran %.2f s, by ticks, of %.2f s, told are %.2f s, of them %.2f s unattributed",
			phase, ran, most, told, unattributed)}
	}
	return nil
}
