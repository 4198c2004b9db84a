package vmtest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/kernel"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

const cpuConfig = `
receivers:
  psutil: {collection_interval: 1s, scrapers: {cpu: {}, load: {}}}
  psutil/each: {collection_interval: 1s, scrapers: {cpu: {per_cpu: true}}, metrics: {system.cpu.logical.count: {enabled: false}, system.cpu.physical.count: {enabled: false}}}
`

// testCPU takes a CPU offline and online under a load of one busy thread.
func testCPU(t *testing.T, vm *machine.Machine) {
	t.Helper()
	underLoad(t, vm, func(c *collector) {
		for range 3 {
			run(t, vm, "echo 0 >/sys/devices/system/cpu/cpu1/online")
			c.batches(t, 6)
			run(t, vm, "echo 1 >/sys/devices/system/cpu/cpu1/online")
			c.batches(t, 6)
		}
	})
}

// testCPUPlug plugs in a third CPU, uses it, and puts it offline. It is the last that a machine does, which can't be suspended any more.
func testCPUPlug(t *testing.T, vm *machine.Machine) {
	t.Helper()
	if vm.Kernel.Series != "6.1" {
		t.Skip("since 6.9 Linux takes no CPU that comes later, but under a hypervisor that it knows") //nolint:forbidigo // Another kind of machine.
	}
	underLoad(t, vm, func(c *collector) {
		require.NoError(t, vm.Monitor("device_add", map[string]any{
			"driver": "max-x86_64-cpu", "id": "cpu2", "socket-id": 0, "core-id": 2, "thread-id": 0,
		}))
		eventually(t, vm, "[ -e /sys/devices/system/cpu/cpu2/online ]")
		run(t, vm, "[ $(cat /sys/devices/system/cpu/cpu2/online) = 1 ] || echo 1 >/sys/devices/system/cpu/cpu2/online")
		c.batches(t, 6)
		// To unplug it by device_del crashes qemu 7.2 at the next device that is plugged in.
		run(t, vm, "echo 0 >/sys/devices/system/cpu/cpu2/online")
		c.batches(t, 6)
	})
}

// underLoad changes the CPUs while one thread is busy, and holds what is told against what each CPU did.
func underLoad(t *testing.T, vm *machine.Machine, change func(*collector)) {
	t.Helper()
	c := startCollector(t, vm, cpuConfig+metricsTo("psutil, psutil/each"))
	c.record(t)
	time.Sleep(snapshotInterval)
	burner, err := vm.Start(c.folder+"/burn", 0, "/guest", "burn", "1", "60s")
	require.NoError(t, err)
	c.batches(t, 4)
	change(c)
	require.NoError(t, vm.Signal(burner, 9))
	c.batches(t, 4)
	truth := c.recording(t)
	ps := c.finish(t, points.Allowed{})

	none(t, "levels", truth.CompareLevels(ps))
	noFault(t, "cpu: utilization across hot-plug", wrongUtilization(truth, ps))
	noFault(t, "cpu: more time than CPUs had", tooMuchTime(truth, ps))
	noFault(t, "cpu: idle time across hot-plug", wrongGrowth(truth, ps))
	noFault(t, "cpu: time of each CPU", wrongCPUs(truth, ps))
}

// wrongUtilization compares the share of idle time between two scrapes with what the CPUs that were there all the time were doing, and
// with what all did, each as long as it was there. Either is right. A scrape may have no shares, if CPUs came or went.
func wrongUtilization(truth kernel.Recording, ps points.Points) (wrong []string) {
	const tolerance = 0.2 // Ticks of a CPU that comes or goes, and how far scrapes and snapshots are apart.
	_, times := totalsByTime(ps)
	for _, p := range ps.Of("system.cpu.utilization", "cpu.mode", "idle") {
		at := slices.Index(times, p.Time)
		if p.Attributes["cpu.logical_number"] != "" || at < 1 {
			continue
		}
		during := truth.Spanning(times[at-1], p.Time)
		if len(during) < 2 {
			continue
		}
		ends, pieces := share(kernel.Growth(during[0], during[len(during)-1])), share(during.Growth())
		if low, high := math.Min(ends, pieces), math.Max(ends, pieces); p.Value < low-tolerance || p.Value > high+tolerance {
			wrong = append(wrong, fmt.Sprintf("idle is told as %.3f, true is %.3f to %.3f: %v", p.Value, low, high, p))
		}
	}
	return wrong
}

func share(t kernel.Times) float64 { return t[kernel.Idle] / max(t.Total(), 0.01) }

// tooMuchTime finds intervals in which all modes together grew by more than the CPUs that were online can have had.
func tooMuchTime(truth kernel.Recording, ps points.Points) (wrong []string) {
	const tolerance = 0.35 // seconds: scrapes are not exactly at their times
	totals, times := totalsByTime(ps)
	for i := 1; i < len(times); i++ {
		during := truth.Spanning(times[i-1], times[i])
		most := 0
		for _, s := range during {
			most = max(most, len(kernel.CPUs(s)))
		}
		grown, elapsed := sum(totals[times[i]])-sum(totals[times[i-1]]), time.Duration(times[i]-times[i-1]).Seconds()
		if most > 0 && grown > elapsed*float64(most)+tolerance {
			wrong = append(wrong, fmt.Sprintf("%.2f CPU-seconds in %.2f s on %d CPUs at %s", grown, elapsed, most, clockOf(times[i])))
		}
	}
	return wrong
}

// wrongGrowth compares what is told of idle time with what the CPUs had, over the whole recording and for each interval.
func wrongGrowth(truth kernel.Recording, ps points.Points) (wrong []string) {
	const tolerance = 0.6 // seconds an interval
	totals, times := totalsByTime(ps)
	for i := 1; i < len(times); i++ {
		during := truth.Spanning(times[i-1], times[i])
		if len(during) < 2 {
			continue
		}
		told := totals[times[i]]["idle"] - totals[times[i-1]]["idle"]
		ends, pieces := kernel.Growth(during[0], during[len(during)-1])[kernel.Idle], during.Growth()[kernel.Idle]
		if low, high := math.Min(ends, pieces), math.Max(ends, pieces); told < low-tolerance || told > high+tolerance {
			wrong = append(wrong, fmt.Sprintf("idle grows by %.2f s, true is %.2f to %.2f, at %s", told, low, high, clockOf(times[i])))
		}
	}
	return wrong
}

// wrongCPUs holds the growth of each CPU's modes, from point to point of one stream, against the least and the most that the kernel's
// own numbers grew by around them.
func wrongCPUs(truth kernel.Recording, ps points.Points) (wrong []string) {
	const tolerance = 0.05
	for _, stream := range ps.Of("system.cpu.time").Streams() {
		for i := 1; i < len(stream); i++ {
			a, b := stream[i-1], stream[i]
			if a.Attributes["cpu.logical_number"] == "" || a.Start != b.Start {
				continue
			}
			before, after := truth.Around(a.Time), truth.Around(b.Time)
			if len(before) == 0 || len(after) == 0 {
				continue
			}
			lowA, highA, okA := before.Range(a.Key())
			lowB, highB, okB := after.Range(b.Key())
			if grown := b.Value - a.Value; okA && okB && (grown < lowB-highA-tolerance || grown > highB-lowA+tolerance) {
				wrong = append(wrong, fmt.Sprintf("grows by %.2f s, true is %.2f to %.2f: %v", grown, lowB-highA, highB-lowA, b))
			}
		}
	}
	return wrong
}

// totalsByTime gives the modes of all CPUs together at each time.
func totalsByTime(ps points.Points) (map[int64]map[string]float64, []int64) {
	totals := make(map[int64]map[string]float64)
	var all points.Points
	for _, p := range ps.Of("system.cpu.time") {
		if p.Attributes["cpu.logical_number"] != "" {
			continue
		}
		if totals[p.Time] == nil {
			totals[p.Time] = make(map[string]float64)
		}
		totals[p.Time][p.Attributes["cpu.mode"]] = p.Value
		all = append(all, p)
	}
	return totals, all.Times()
}

func sum(m map[string]float64) (s float64) {
	for _, v := range m {
		s += v
	}
	return s
}

func clockOf(t int64) string { return time.Unix(0, t).UTC().Format("15:04:05.000") }
